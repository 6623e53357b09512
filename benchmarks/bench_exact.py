"""Exact evaluation, and the optimum."""

from suite import suite

test_evaluate = suite("evaluate")
test_solve = suite("solve")
