"""Environments with continuous observations that are simulated natively, step-equal to Gymnasium's of the same name."""

from npgfast.envs.classic_control import Acrobot, CartPole, MountainCar, MountainCarContinuous, Pendulum
from npgfast.envs.named import make
from npgfast.envs.simulated import Simulated

__all__ = [
    "Acrobot",
    "CartPole",
    "MountainCar",
    "MountainCarContinuous",
    "Pendulum",
    "Simulated",
    "make",
]
