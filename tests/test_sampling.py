"""Random numbers, alias tables and rollouts: known answers, exact tables, frequencies, layouts, one golden digest."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import npgfast as nf
from npgfast import _core
from npgfast.reference import loops

FIELDS = tuple(nf.Trajectories.__dataclass_fields__)
# Integers only, so that it holds for every compiler and instruction set.
GOLDEN = "ba200252890d9887f5a54c7530ba1ffea1256fb5970b6613d54399d80cdbb6f9"


def problem(*, gamma=0.9, horizon=None, ending=True, n_states=5, n_actions=3) -> nf.TabularMDP:
    rng = np.random.default_rng([n_states, n_actions])
    transitions = rng.dirichlet(np.full(n_states, 0.5), (n_states, n_actions))
    transitions[rng.random(transitions.shape) < 0.3] = 0
    transitions[..., 0] += 0.1
    transitions /= transitions.sum(axis=2, keepdims=True)
    termination = np.where(rng.random((n_states, n_actions)) < 0.5, 0.3, 0.0) if ending else np.zeros((n_states, 3))
    mask = np.ones((n_states, n_actions), dtype=bool)
    mask[1, 0] = False
    return nf.TabularMDP(
        transitions * (1 - termination[..., None]),
        rng.normal(size=(n_states, n_actions)),
        initial_distribution=[0.5, 0.0, 0.25, 0.25, 0.0][:n_states],
        termination=termination,
        action_mask=mask,
        gamma=gamma,
        horizon=horizon,
    )


def softmax(mdp: nf.TabularMDP, seed: int = 0) -> nf.TabularSoftmax:
    theta = np.random.default_rng(seed).normal(size=(mdp.n_states, mdp.n_actions))
    return nf.TabularSoftmax(mdp.n_states, mdp.n_actions, theta, action_mask=mdp.action_mask)


def digest(played: nf.Trajectories, *names: str) -> str:
    sha = hashlib.sha256()
    for name in names or FIELDS:
        sha.update(np.ascontiguousarray(getattr(played, name)).tobytes())
    return sha.hexdigest()


def assert_frequencies(counts: np.ndarray, probabilities: np.ndarray) -> None:
    """Chi-square at 4.5 standard deviations (Wilson and Hilferty's cube root); impossible outcomes never."""
    assert_array_equal(counts[probabilities == 0], 0)
    possible = probabilities > 0
    expected = counts.sum() * probabilities[possible]
    freedom = max(1, possible.sum() - 1)
    ratio = np.sum((counts[possible] - expected) ** 2 / expected) / freedom
    assert (np.cbrt(ratio) - (1 - 2 / (9 * freedom))) / np.sqrt(2 / (9 * freedom)) < 4.5


KNOWN_ANSWERS = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, words):
    got = _core.philox(np.array([counter], np.uint32), np.array(key, np.uint32))
    assert got.tolist() == [list(words)]


def test_philox_matches_reference():
    rng = np.random.default_rng(0)
    counters = rng.integers(2**32, size=(4, 4), dtype=np.uint32)
    key = rng.integers(2**32, size=2, dtype=np.uint32)
    got = _core.philox(counters, key)
    assert got.tolist() == [list(loops.philox4x32(row, key.tolist())) for row in counters.tolist()]


def alias_shares(rows: np.ndarray) -> np.ndarray:
    """Of the 2^32 words, those that the table turns into each outcome, counted exactly."""
    threshold, outcomes = _core.alias_table(rows)
    n, k = rows.shape
    columns = threshold.shape[1]
    assert columns == 2 ** int(np.ceil(np.log2(k)))
    capacity = 2**32 // columns
    assert threshold.max() <= capacity
    shares = np.zeros((n, k), np.int64)
    for r in range(n):
        np.add.at(shares[r], outcomes[r, :, 0], threshold[r].astype(np.int64))
        np.add.at(shares[r], outcomes[r, :, 1], capacity - threshold[r].astype(np.int64))
    assert_array_equal(shares.sum(axis=1), 2**32)
    return shares


@pytest.mark.parametrize("k", [1, 2, 3, 8, 17, 1000])
def test_alias_table_holds_the_probabilities(k):
    rng = np.random.default_rng(k)
    rows = rng.dirichlet(np.full(k, 0.3), 20)
    rows[:10][rng.random((10, k)) < 0.4] = 0
    rows[:, 0] += 1e-3
    rows = rows / rows.sum(axis=1, keepdims=True)
    shares = alias_shares(rows)
    assert np.abs(shares - rows * 2**32).max() < 1.0 + 1e-5
    assert np.abs(np.cumsum(shares, axis=1) - np.cumsum(rows, axis=1) * 2**32).max() < 0.5 + 1e-4
    assert_array_equal(shares[rows == 0], 0)


def test_alias_table_of_many_outcomes_holds_the_probabilities():
    k = 100_000
    weights = np.random.default_rng(0).pareto(0.8, k)
    weights[::7] = 0
    rows = np.stack([weights / weights.sum(), np.where(np.arange(k) == 5, 1.0, 0.0), np.full(k, 1 / k)])
    shares = alias_shares(rows)
    assert np.abs(shares - rows * 2**32).max() < 1.0 + 1e-4
    assert_array_equal(shares[rows == 0], 0)


def test_alias_table_never_draws_the_impossible_in_hard_rows():
    rows = np.array(
        [[0.0, 0.5, 0.5, 0.0], [0, 0, 0, 1], [1 - 3e-16, 0, 1e-16, 2e-16], [5e-324, 1, 0, 0], [1 / 3] * 3 + [0]]
    )
    shares = alias_shares(rows)
    assert_array_equal(shares[rows == 0], 0)
    assert np.abs(shares - rows * 2**32).max() < 1.0


def test_alias_table_of_no_distribution_still_draws():
    for row in ([0.0, 0.0], [np.nan, np.nan], [np.inf, 1.0], [-1.0, 0.0], [1e308, 1e308]):
        threshold, outcomes = _core.alias_table(np.array([row]))
        assert outcomes.max() < 2
        assert threshold.max() <= 2**31


def test_rollout_frequencies_pass_chi_square():
    mdp = problem()
    policy = softmax(mdp)
    played = nf.rollout(mdp, policy, n_steps=4000, n_envs=40, seed=3)
    s, a, t = played.states.ravel(), played.actions.ravel(), np.where(played.terminated, -1, played.next_states).ravel()
    outcomes = np.concatenate([mdp.dense(), mdp.termination[..., None]], axis=2)
    for state in range(5):
        here = s == state
        assert_frequencies(np.bincount(a[here], minlength=3), policy.probs()[state])
        for action in range(3):
            counts = np.bincount(t[here & (a == action)] % 6, minlength=6)
            if counts.sum():
                assert_frequencies(counts, outcomes[state, action])
    starts = played.states[played.time == 0]
    assert_frequencies(np.bincount(starts, minlength=5), mdp.initial_distribution)
    pairs = np.bincount(played.actions[0] * 3 + played.actions[1], minlength=9)
    assert pairs.sum() == 40  # environments differ
    assert (pairs > 0).sum() > 1


def test_rollout_fields_tell_one_story():
    mdp = problem()
    policy = softmax(mdp)
    played = nf.rollout(mdp, policy, n_steps=300, n_envs=9, seed=1)
    assert played.states.shape == (300, 9)
    assert played.valid.all()
    assert not played.truncated.any()
    assert_array_equal(played.next_states == -1, played.terminated)
    assert_array_equal(played.rewards, mdp.rewards[played.states, played.actions])
    assert_array_equal(played.log_probs.ravel(), policy.log_prob(played.states.ravel(), played.actions.ravel()))
    ended = played.terminated[:-1]
    assert_array_equal(played.time[0], 0)
    assert_array_equal(played.time[1:], np.where(ended, 0, played.time[:-1] + 1))
    assert_array_equal(played.states[1:][~ended], played.next_states[:-1][~ended])
    assert set(played.states[1:][ended].tolist()) <= {0, 2, 3}


@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_end_of_the_horizon_terminates(horizon):
    mdp = problem(gamma=1.0, horizon=horizon, ending=False)
    for played in (
        nf.rollout(mdp, softmax(mdp), n_steps=60, n_envs=3, seed=2),
        nf.rollout(mdp, softmax(mdp), n_episodes=11, seed=2),
    ):
        assert_array_equal(played.terminated, played.time == horizon - 1)
        assert not played.truncated.any()
        assert_array_equal(played.next_states[played.terminated], -1)


def test_whole_episodes_end_and_are_cut_only_when_negligible():
    mdp = problem(gamma=0.5, ending=False)
    played = nf.rollout(mdp, softmax(mdp), n_episodes=5, seed=4)
    assert_array_equal(played.truncated.sum(axis=0), 1)
    assert_array_equal(played.truncated[-1], True)
    assert 0.5 ** len(played.states) / 0.5 <= 1e-16 * 2
    assert (played.next_states[-1] >= 0).all()
    ending = problem(gamma=1.0)
    played = nf.rollout(ending, softmax(ending), n_episodes=50, seed=4)
    assert_array_equal(played.terminated.sum(axis=0), 1)
    assert_array_equal(played.valid.sum(axis=0), played.terminated.argmax(axis=0) + 1)
    for name in FIELDS:
        assert not getattr(played, name)[~played.valid].any()


def episodes(played: nf.Trajectories, n_episodes: int) -> list[tuple]:
    """The steps of each episode, episode e being the (e // columns)-th of column e % columns."""
    columns, found = played.states.shape[1], {}
    for c in range(columns):
        valid = played.valid[:, c]
        starts = np.flatnonzero(valid & (played.time[:, c] == 0))
        ends = np.append(starts[1:], valid.sum())
        for k, (first, last) in enumerate(zip(starts.tolist(), ends.tolist(), strict=True)):
            found[k * columns + c] = tuple(getattr(played, name)[first:last, c].tobytes() for name in FIELDS)
    assert sorted(found) == list(range(n_episodes))
    return [found[e] for e in range(n_episodes)]


def test_episodes_do_not_depend_on_the_number_of_columns():
    mdp = problem(gamma=0.99)
    wanted = episodes(nf.rollout(mdp, softmax(mdp), n_episodes=150, seed=9), 150)
    for n_envs in (1, 2, 7, 149, 150, 1000):
        assert episodes(nf.rollout(mdp, softmax(mdp), n_episodes=150, n_envs=n_envs, seed=9), 150) == wanted
    assert episodes(nf.rollout(mdp, softmax(mdp), n_episodes=20, seed=9), 20) == wanted[:20]


def test_rollout_has_the_same_bits_for_any_number_of_threads():
    mdp = problem()
    for lengths in ({"n_steps": 50, "n_envs": 300}, {"n_episodes": 300, "n_envs": 7}):
        digests = {digest(nf.rollout(mdp, softmax(mdp), seed=7, n_threads=n, **lengths)) for n in (1, 2, 3)}
        digests.add(digest(nf.rollout(mdp, softmax(mdp), seed=7, **lengths)))
        assert len(digests) == 1
        assert digest(nf.rollout(mdp, softmax(mdp), seed=8, **lengths)) not in digests


def test_shorter_rollout_is_a_prefix():
    mdp = problem()
    long = nf.rollout(mdp, softmax(mdp), n_steps=90, n_envs=70, seed=7)
    short = nf.rollout(mdp, softmax(mdp), n_steps=40, n_envs=3, seed=7)
    for name in FIELDS:
        assert_array_equal(getattr(short, name), getattr(long, name)[:40, :3], err_msg=name)


def test_one_seed_gives_the_rollout_it_always_gave():
    # Dyadic numbers, which no rounding touches: 3 states, 4 actions, the uniform policy.
    pair = np.arange(12).reshape(3, 4)
    transitions = np.eye(3)[pair % 3] * 0.5 + np.eye(3)[(pair * pair + pair // 4) % 3] * 0.25
    mdp = nf.TabularMDP(
        transitions,
        np.zeros((3, 4)) + 1,
        termination=np.full((3, 4), 0.25),
        gamma=0.5,
        initial_distribution=[0.5, 0.25, 0.25],
    )
    played = nf.rollout(mdp, nf.TabularSoftmax(3, 4), n_steps=128, n_envs=16, seed=7)
    assert digest(played, "states", "actions") == GOLDEN


def test_sampled_batch_has_the_same_bits_for_any_number_of_threads():
    mdp = problem()
    for weights in ("discounted", "geometric", "uniform"):
        batches = [
            nf.sample_batch(mdp, softmax(mdp), n_episodes=200, seed=7, state_weights=weights, n_threads=n)
            for n in (1, 2, 3)
        ]
        for name in ("states", "actions", "advantages", "weights", "log_probs"):
            assert len({getattr(batch, name).tobytes() for batch in batches}) == 1
        assert abs(batches[0].weights.sum() - 1) < 1e-12


def test_sampled_batch_is_built_from_its_rollout():
    mdp = problem(gamma=0.9)
    policy = softmax(mdp)
    played = nf.rollout(mdp, policy, n_episodes=30, seed=5)
    batch = nf.sample_batch(mdp, policy, n_episodes=30, seed=5)
    order = played.valid.T.ravel()
    for name in ("states", "actions"):
        assert_array_equal(getattr(batch, name), getattr(played, name).T.ravel()[order])
    powers = 0.9 ** played.time.T.ravel()[order]
    assert_allclose(batch.weights, powers / powers.sum(), rtol=1e-13)
    assert_allclose(batch.effective_horizon, powers.sum() / 30, rtol=1e-13)
    returns = nf.discounted_returns(played.rewards, played.terminated, played.truncated, gamma=0.9)
    assert_allclose(batch.advantages, returns.T.ravel()[order], rtol=1e-12, atol=1e-13)
    assert_allclose(batch.log_probs, policy.log_prob(batch.states, batch.actions), rtol=0)
