"""Environments with continuous observations that are simulated natively, step-equal to Gymnasium's of the same name."""

from npgfast.envs.classic_control import Acrobot, CartPole, MountainCar, MountainCarContinuous, Pendulum
from npgfast.envs.lqr import LQR, LQREvaluation, LQROptimum
from npgfast.envs.named import NATIVE, make
from npgfast.envs.simulated import Simulated

__all__ = [
    "LQR",
    "NATIVE",
    "Acrobot",
    "CartPole",
    "LQREvaluation",
    "LQROptimum",
    "MountainCar",
    "MountainCarContinuous",
    "Pendulum",
    "Simulated",
    "make",
]
