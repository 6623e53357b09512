"""Tabular problems: the `TabularMDP` value, models from Gymnasium, and classic problems with known optima."""

from npgfast.problems.generators import (
    chain,
    deep_sea,
    forest,
    frozen_lake,
    gambler,
    garnet,
    gridworld,
    inventory,
    random_dense,
    river_swim,
    sutton_barto_grid,
    two_state,
)
from npgfast.problems.known_optima import KNOWN_OPTIMA, KnownOptimum, known_optimum
from npgfast.problems.tabular_mdp import TabularMDP

__all__ = [
    "KNOWN_OPTIMA",
    "KnownOptimum",
    "TabularMDP",
    "chain",
    "deep_sea",
    "forest",
    "frozen_lake",
    "gambler",
    "garnet",
    "gridworld",
    "inventory",
    "known_optimum",
    "random_dense",
    "river_swim",
    "sutton_barto_grid",
    "two_state",
]
