"""Rollouts of CartPole-v1 under a linear softmax policy."""

from suite import suite

test_cart_pole = suite("cartpole")
