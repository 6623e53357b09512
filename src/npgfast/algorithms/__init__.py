"""The algorithms: policy gradients, natural policy gradients, policy iteration, TRPO and PPO."""

from npgfast.algorithms.agent import Agent
from npgfast.algorithms.policy_gradient import NaturalPolicyGradient, PolicyGradient
from npgfast.algorithms.policy_iteration import ConservativePolicyIteration, SoftPolicyIteration
from npgfast.algorithms.ppo import PPO
from npgfast.algorithms.trpo import TRPO

__all__ = [
    "PPO",
    "TRPO",
    "Agent",
    "ConservativePolicyIteration",
    "NaturalPolicyGradient",
    "PolicyGradient",
    "SoftPolicyIteration",
]
