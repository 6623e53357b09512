"""Generalised advantage estimation."""

from suite import suite

test_gae = suite("gae", (5_242_880,))
