"""Rollouts by fused and by two-stage draws: the same law, and one environment whatever its place."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import npgfast as nf
from npgfast import _core

STEPS = np.array([0, 1, 2, 5])  # of the walk on a ring below
FUSED, TWO_STAGES = 48, 33_000  # states: tables of 768 columns, and of more than 2^19


def ring(n_states: int, *, gamma=0.9, horizon=None, ending=True, n_starts=3) -> nf.TabularMDP:
    """A walk on a ring whose law is the same in every state: action a goes k ahead with probability p[a, k]."""
    moves, ends = ring_law(ending=ending)
    rows = np.arange(n_states)[:, None, None]
    columns = (rows + STEPS) % n_states
    pairs = np.broadcast_to(rows * 3 + np.arange(3)[:, None], (n_states, 3, 4))
    try:
        from scipy import sparse
    except ImportError:
        pytest.skip("SciPy makes the sparse kernel")
    values = np.broadcast_to(moves, (n_states, 3, 4))
    kernel = sparse.csr_matrix((values.ravel(), (pairs.ravel(), np.broadcast_to(columns, pairs.shape).ravel())))
    starts = np.zeros(n_states)
    starts[:n_starts] = np.arange(1, n_starts + 1)
    return nf.TabularMDP(
        kernel,
        np.broadcast_to([1.0, 2.0, 4.0], (n_states, 3)),
        initial_distribution=starts / starts.sum(),
        termination=np.broadcast_to(ends, (n_states, 3)),
        gamma=gamma,
        horizon=horizon,
    )


def ring_law(*, ending: bool) -> tuple[np.ndarray, np.ndarray]:
    """P(k | a) (3, 4), one of them impossible, and P(end | a) (3,)."""
    moves = np.array([[0.1, 0.2, 0.3, 0.4], [0.5, 0.0, 0.25, 0.25], [0.01, 0.9, 0.05, 0.04]])
    ends = np.array([0.0, 0.05, 0.2]) if ending else np.zeros(3)
    return moves * (1 - ends[:, None]), ends


def policy(n_states: int) -> nf.TabularSoftmax:
    return nf.TabularSoftmax(n_states, 3, np.broadcast_to([0.3, -0.5, 0.9], (n_states, 3)))


def z_score(counts: np.ndarray, probabilities: np.ndarray) -> float:
    """Chi-square through Wilson and Hilferty's cube root; what is impossible has not happened."""
    assert_array_equal(counts[probabilities == 0], 0)
    possible = probabilities > 0
    expected = counts.sum() * probabilities[possible]
    freedom = possible.sum() - 1
    ratio = np.sum((counts[possible] - expected) ** 2 / expected) / freedom
    return float((np.cbrt(ratio) - (1 - 2 / (9 * freedom))) / np.sqrt(2 / (9 * freedom)))


def joint_law(*, ending: bool) -> np.ndarray:
    """P(action, move or end) under the policy, (3, 5)."""
    moves, ends = ring_law(ending=ending)
    return policy(1).probs()[0][:, None] * np.concatenate([moves, ends[:, None]], axis=1)


def joint_counts(played: nf.Trajectories, n_states: int) -> np.ndarray:
    moved = (played.next_states - played.states) % n_states
    outcome = np.where(played.terminated, 4, np.searchsorted(STEPS, moved))
    return np.bincount((played.actions * 5 + outcome)[played.valid], minlength=15)


@pytest.mark.parametrize("n_states", [FUSED, TWO_STAGES])
@pytest.mark.parametrize("n_starts", [1, 3])
def test_outcomes_have_their_probabilities(n_states, n_starts):
    mdp = ring(n_states, n_starts=n_starts)
    starts = mdp.initial_distribution[:n_starts]
    for lengths in ({"n_steps": 5_000, "n_envs": 40}, {"n_steps": 100_000}, {"n_episodes": 10_000}):
        played = nf.rollout(mdp, policy(n_states), seed=3, **lengths)
        assert abs(z_score(joint_counts(played, n_states), joint_law(ending=True).ravel())) < 4.5
        first = played.states[played.valid & (played.time == 0)]
        assert first.max() < n_starts
        if n_starts > 1:
            assert abs(z_score(np.bincount(first, minlength=n_starts), starts)) < 4.5


@pytest.mark.parametrize("n_states", [FUSED, TWO_STAGES])
def test_consecutive_steps_and_neighbours_are_independent(n_states):
    mdp = ring(n_states, ending=False)
    actions = nf.rollout(mdp, policy(n_states), n_steps=4_000, n_envs=24, seed=5).actions
    probs = policy(1).probs()[0]
    law = np.outer(probs, probs).ravel()
    for lag in (1, 2, 3, 4):
        pairs = actions[lag:] * 3 + actions[:-lag]
        assert abs(z_score(np.bincount(pairs.ravel(), minlength=9), law)) < 4.5
    for gap in (1, 8):
        pairs = actions[:, gap:] * 3 + actions[:, :-gap]
        assert abs(z_score(np.bincount(pairs.ravel(), minlength=9), law)) < 4.5


@pytest.mark.parametrize("n_states", [FUSED, TWO_STAGES])
@pytest.mark.parametrize("n_starts", [1, 3])
def test_geometric_restarts_have_their_law(n_states, n_starts):
    mdp = ring(n_states, gamma=0.8, ending=False, n_starts=n_starts)
    pi = policy(n_states)
    sampled = _core.sample(mdp._native, pi.probs(), pi._table[0], 20_000, 0, 1, 1.0, None, 0.0, 7, 2)
    states, time = sampled[0], sampled[5]
    first = np.flatnonzero(time == 0)
    lengths = np.diff(np.append(first, time.size))
    assert first.size == 20_000
    law = np.append(0.2 * 0.8 ** np.arange(12), 0.8**12)
    assert abs(z_score(np.bincount(np.minimum(lengths - 1, 12), minlength=13), law)) < 4.5
    assert abs(z_score(np.bincount(sampled[1], minlength=3), pi.probs()[0])) < 4.5
    assert states[first].max() < n_starts


@pytest.mark.parametrize("n_states", [FUSED, TWO_STAGES])
@pytest.mark.parametrize("settings", [{}, {"gamma": 0.0}, {"horizon": 3}, {"n_starts": 1}], ids=str)
def test_an_environment_is_the_same_in_any_place(n_states, settings):
    mdp = ring(n_states, **settings)
    fields = ("states", "actions", "next_states", "terminated", "truncated", "time")
    wide = nf.rollout(mdp, policy(n_states), n_steps=150, n_envs=133, seed=9)
    for n_envs in (1, 3, 7, 8, 16, 33, 64, 65):
        narrow = nf.rollout(mdp, policy(n_states), n_steps=101, n_envs=n_envs, seed=9)
        for name in fields:
            assert_array_equal(getattr(narrow, name), getattr(wide, name)[:101, :n_envs], err_msg=name)
    many = nf.rollout(mdp, policy(n_states), n_episodes=600, seed=9)
    for n_episodes in (1, 5, 9, 300):
        few = nf.rollout(mdp, policy(n_states), n_episodes=n_episodes, seed=9)
        for name in fields:
            kept = getattr(many, name)[:, :n_episodes][: len(few.states)]
            assert_array_equal(getattr(few, name), kept, err_msg=name)


def test_trajectories_of_a_table_can_be_copied_and_sent():
    mdp = ring(FUSED)
    played = nf.rollout(mdp, policy(FUSED), n_steps=30, n_envs=5, seed=1)
    copies = [pickle.loads(pickle.dumps(played)), copy.deepcopy(played)]
    for name in nf.Trajectories.__dataclass_fields__:
        array = getattr(played, name)
        assert array.shape == (30, 5)
        assert getattr(played, name) is array
        for other in copies:
            assert_array_equal(getattr(other, name), array)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        played.nothing  # noqa: B018
    with pytest.raises(AttributeError):
        played.states = 1
    assert repr(played).startswith("Trajectories(states=array(")
