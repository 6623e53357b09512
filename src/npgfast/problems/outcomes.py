"""Problems written as lists of outcomes, the way Gymnasium's ``P`` lists them."""

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from npgfast.problems.kernel import Entries
from npgfast.problems.tabular_mdp import TabularMDP

__all__ = ["Outcome", "mdp_from_outcomes"]

Outcome: TypeAlias = tuple[int, int, float, int, float, bool]


def mdp_from_outcomes(
    n_states: int,
    n_actions: int,
    outcomes: Iterable[Outcome],
    *,
    initial_distribution: ArrayLike | None,
    gamma: float,
    horizon: int | None,
    action_mask: ArrayLike | None = None,
) -> TabularMDP:
    """Build a problem from (s, a, probability, s', reward, terminated).

    Outcomes with the same (s, a, s') are summed; the probability of terminated ones becomes termination mass; the
    expected reward is the average over all outcomes of (s, a).

    Parameters
    ----------
    n_states, n_actions : int
        S and A.
    outcomes : iterable of (int, int, float, int, float, bool)
        Valid entries in any order.
    initial_distribution, gamma, horizon, action_mask
        As in `TabularMDP`.
    """
    states, actions, chances, successors, payments, flags = zip(*outcomes, strict=True)
    rows = np.array(states, np.int64) * n_actions + np.array(actions, np.int64)
    probabilities, rewards = np.array(chances, np.float64), np.array(payments, np.float64)
    terminated = np.array(flags, np.bool_)
    n_rows = n_states * n_actions
    sums = np.bincount(rows, weights=probabilities, minlength=n_rows)
    earned = np.bincount(rows, weights=probabilities * rewards, minlength=n_rows)
    ends = np.bincount(rows[terminated], weights=probabilities[terminated], minlength=n_rows)
    going = ~terminated
    entries = Entries(n_states, n_actions, rows[going], np.array(successors, np.int64)[going], probabilities[going])
    return TabularMDP(
        entries,
        (earned / np.where(sums > 0.0, sums, 1.0)).reshape(n_states, n_actions),
        initial_distribution=initial_distribution,
        termination=ends.reshape(n_states, n_actions),
        action_mask=action_mask,
        gamma=gamma,
        horizon=horizon,
    )
