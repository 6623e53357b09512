"""Whole exact runs of 10 iterations."""

from suite import suite

test_npg = suite("npg")
test_trpo = suite("trpo")
