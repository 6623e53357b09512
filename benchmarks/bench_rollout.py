"""Rollouts of FrozenLake 8x8 under a tabular policy."""

from suite import suite

test_rollout = suite("rollout", (10_000_000,))
