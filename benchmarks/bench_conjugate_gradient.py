"""Natural gradients by conjugate gradients."""

from suite import suite

test_natural_gradient = suite("natural-gradient")
