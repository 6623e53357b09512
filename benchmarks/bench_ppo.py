"""Epochs of the minibatches of PPO."""

from suite import suite

test_ppo = suite("ppo", (100_000,))
