"""The clipped surrogate and its gradient."""

from suite import suite

test_surrogate = suite("surrogate", (500_000,))
