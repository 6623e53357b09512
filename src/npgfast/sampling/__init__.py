"""Rollouts, returns, advantages, baselines and sampled batches."""

from npgfast.sampling.baselines import LinearBaseline, TabularBaseline
from npgfast.sampling.batches import STATE_WEIGHTS, StateWeights, sample_batch
from npgfast.sampling.evaluation import ReturnStatistics, evaluate_policy
from npgfast.sampling.returns import discounted_returns, gae
from npgfast.sampling.trajectories import Trajectories, rollout

__all__ = [
    "STATE_WEIGHTS",
    "LinearBaseline",
    "ReturnStatistics",
    "StateWeights",
    "TabularBaseline",
    "Trajectories",
    "discounted_returns",
    "evaluate_policy",
    "gae",
    "rollout",
    "sample_batch",
]
