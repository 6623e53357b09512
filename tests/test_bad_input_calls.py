"""Wrong combinations of arguments, layouts that must not matter, inputs that stay as they are."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import npgfast as nf

MDP = nf.problems.garnet(3, 2, 2, gamma=0.9, seed=0, termination=0.1)
TIMED = MDP.replace(horizon=4)
PI = nf.TabularSoftmax(3, 2, [0.0, 1, 2, 3, 4, 5])
OTHER = nf.TabularSoftmax(4, 2)
BATCH = nf.exact_batch(MDP, PI)
TWO, NO = np.zeros((2, 2)), np.zeros((2, 2), dtype=bool)
V, T = ValueError, TypeError
HALF = np.full((3, 2), 0.5)


def at(array: np.ndarray, index: tuple, value: float) -> np.ndarray:
    changed = np.array(array, dtype=float)
    changed[index] = value
    return changed


def gae(**changes):
    arguments = {"rewards": TWO, "values": TWO, "terminated": NO, "truncated": NO, "bootstrap_values": TWO}
    return nf.gae(**{**arguments, "gamma": 0.9, "gae_lambda": 0.9, **changes})


def sample(**changes):
    return nf.sample_batch(**{"env": MDP, "policy": PI, "n_episodes": 3, "seed": 0, **changes})


CALLS = {
    "theta_shape": (lambda: nf.TabularSoftmax(3, 2, np.zeros((2, 3))), V, r"theta: .*\(3, 2\).*\(2, 3\)"),
    "theta_ragged_nested": (lambda: nf.TabularSoftmax(2, 2, [[1.0], [1.0, 2]]), T, "theta: .*ragged"),
    "mask_closed": (lambda: nf.TabularSoftmax(2, 2, action_mask=[[1, 1], [0, 0]]), V, r"action_mask\[1\]"),
    "mask_two": (lambda: nf.TabularSoftmax(1, 2, action_mask=[[1, 2]]), V, r"action_mask\[0, 1\]=2"),
    "mask_float": (lambda: nf.TabularSoftmax(1, 2, action_mask=[[1.0, 1.0]]), T, "action_mask: .*float64"),
    "mask_shape": (lambda: nf.TabularSoftmax(1, 2, action_mask=[1, 1]), V, "action_mask: "),
    "too_many_pairs": (lambda: nf.TabularSoftmax(2**31 - 1, 2**31 - 1), (V, MemoryError), "theta: .*bytes"),
    "features_ndim": (lambda: nf.LogLinear(np.zeros((2, 2))), V, "features: .*3-d"),
    "features_empty": (lambda: nf.LogLinear(np.zeros((2, 2, 0))), V, "features: "),
    "features_nan": (lambda: nf.LogLinear(at(np.zeros((2, 2, 3)), (1, 0, 2), np.nan)), V, r"features\[1, 0, 2\]=nan"),
    "linear_theta": (
        lambda: nf.LogLinear(np.zeros((2, 2, 3)), np.zeros(4)),
        V,
        r"theta: .*\(3,\).*features.*\(2, 2, 3\)",
    ),
    "offset": (lambda: nf.LogLinear(np.zeros((2, 2, 3)), offset=np.zeros((2, 3))), V, "offset: .*features"),
    "actions_length": (lambda: PI.log_prob([0, 1], [0]), V, r"actions: .*\(2,\).*\(1,\)"),
    "batch_empty": (lambda: nf.Batch([], [], []), V, "states: "),
    "batch_actions": (lambda: nf.Batch([0, 1], [0], [1.0]), V, r"actions: .*states.*\(2,\)"),
    "batch_advantages": (lambda: nf.Batch([0, 1], [0, 0], [1.0]), V, r"advantages: .*states.*\(2,\)"),
    "batch_weights_sum": (lambda: nf.Batch([0, 1], [0, 0], [1.0, 1], weights=[0.5, 0.6]), V, "weights sum to 1.1"),
    "batch_weights_sign": (lambda: nf.Batch([0, 1], [0, 0], [1.0, 1], weights=[1.5, -0.5]), V, r"weights\[1\]=-0.5"),
    "batch_impossible": (lambda: nf.Batch([0], [0], [1.0], log_probs=[-np.inf]), V, r"log_probs\[0\]=-inf"),
    "batch_log_probs_nan": (lambda: nf.Batch([0], [0], [1.0], log_probs=[np.nan]), V, r"log_probs\[0\]=nan"),
    "batch_log_probs_positive": (lambda: nf.Batch([0], [0], [1.0], log_probs=[0.1]), V, r"log_probs\[0\]=0.1"),
    "batch_not_exhaustive": (
        lambda: nf.policy_gradient(PI, nf.Batch([0, 1], [0, 0], [1.0, 1.0], exhaustive=True)),
        V,
        "batch|actions|exhaustive",
    ),
    "batch_masked": (
        lambda: nf.policy_gradient(nf.TabularSoftmax(1, 2, action_mask=[[0, 1]]), nf.Batch([0, 0], [1, 0], [1.0, 1.0])),
        V,
        r"batch.actions\[1\]=0 is masked in state 0",
    ),
    "mdp_kind": (lambda: nf.evaluate("FrozenLake-v1", PI), T, "mdp: .*TabularMDP"),
    "mdp_kind_solve": (lambda: nf.solve(None), T, "mdp: "),
    "policy_sizes": (lambda: nf.evaluate(MDP, OTHER), V, "policy: 4 states.*3"),
    "policy_kind": (lambda: nf.exact_batch(MDP, HALF), T, "policy: "),
    "policy_mask": (
        lambda: nf.evaluate(
            nf.TabularMDP(np.ones((1, 2, 1)), [[0.0, 0]], gamma=0.5, action_mask=[[1, 0]]), nf.TabularSoftmax(1, 2)
        ),
        V,
        r"action_mask\[0, 1\]",
    ),
    "probs_sum": (lambda: nf.evaluate(MDP, at(HALF, (1, 0), 0.6)), V, r"policy\[1\] sums to 1.1"),
    "probs_negative": (lambda: nf.evaluate(MDP, [[0.5, 0.5], [1.5, -0.5], [1, 0]]), V, r"policy\[1, 1\]=-0.5"),
    "probs_nan": (lambda: nf.evaluate(MDP, at(HALF, (2, 1), np.nan)), V, r"policy\[2, 1\]=nan"),
    "probs_ragged": (lambda: nf.evaluate(MDP, [[0.5, 0.5], [1.0], [1, 0]]), T, "policy: .*ragged"),
    "probs_text": (lambda: nf.evaluate(MDP, "uniform"), T, "policy: "),
    "probs_none": (lambda: nf.evaluate(MDP, None), T, "policy: "),
    "probs_time": (lambda: nf.evaluate(MDP, np.full((4, 3, 2), 0.5)), V, "policy: .*horizon"),
    "probs_horizon": (lambda: nf.evaluate(TIMED, np.full((5, 3, 2), 0.5)), V, r"policy: .*\(4, 3, 2\).*\(5, 3, 2\)"),
    "method": (lambda: nf.evaluate(MDP, PI, method="magic"), V, "method='magic'"),
    "method_kind": (lambda: nf.solve(MDP, method=1), T, "method: "),
    "estimator": (lambda: nf.fisher_matrix(PI, BATCH, estimator="exact"), V, "estimator='exact'"),
    "ng_method": (lambda: nf.natural_gradient(PI, BATCH, method="lu"), V, "method='lu'"),
    "geometry_policy": (lambda: nf.policy_gradient(HALF, BATCH), T, "policy: "),
    "geometry_batch": (lambda: nf.policy_gradient(PI, {}), T, "batch: "),
    "geometry_sizes": (lambda: nf.policy_gradient(nf.TabularSoftmax(2, 2), BATCH), V, r"batch.states\[4\]=2 outside"),
    "kl_sizes": (lambda: nf.kl_divergence(PI, OTHER, BATCH), V, "new: 4 states.*3"),
    "kl_kind": (lambda: nf.kl_divergence(PI, HALF, BATCH), T, "policy|new"),
    "cg_matrix": (lambda: nf.conjugate_gradient(np.eye(3), np.ones(2)), V, r"operator: .*\(2, 2\).*b"),
    "cg_b_shape": (lambda: nf.conjugate_gradient(np.eye(2), np.ones((2, 1))), V, "b: "),
    "cg_b_nan": (lambda: nf.conjugate_gradient(np.eye(2), [0, np.nan]), V, r"b\[1\]=nan"),
    "lengths_both": (lambda: sample(n_steps=2), V, "n_steps, n_episodes: "),
    "lengths_none": (lambda: sample(n_episodes=None), V, "n_steps, n_episodes: "),
    "seed_missing": (lambda: nf.rollout(MDP, PI, n_steps=1), T, "seed"),
    "steps_overflow": (lambda: nf.rollout(MDP, PI, n_steps=2**31, seed=0), V, "n_steps"),
    "rollout_memory": (
        lambda: nf.rollout(MDP, PI, n_steps=2**31 - 2, n_envs=2**31 - 1, seed=0),
        (V, MemoryError),
        "n_steps",
    ),
    "env_kind": (lambda: nf.rollout(PI, PI, n_steps=1, seed=0), T, "mdp|env"),
    "rollout_probs": (lambda: nf.rollout(MDP, HALF, n_steps=1, seed=0), T, "policy: "),
    "state_weights": (lambda: sample(state_weights="none"), V, "state_weights='none'"),
    "baseline_shape": (lambda: sample(baseline=np.zeros(4)), V, r"baseline: .*\(3,\).*\(4,\)"),
    "baseline_horizon": (lambda: sample(env=TIMED, baseline=nf.TabularBaseline(3)), V, r"baseline: .*\(12,\).*\(3,\)"),
    "baseline_nan": (lambda: sample(baseline=[0, np.nan, 0]), V, r"baseline\[1\]=nan"),
    "baseline_ragged": (lambda: sample(baseline=[[1.0], [1.0, 2]]), T, "baseline: "),
    "fit_length": (lambda: nf.TabularBaseline(3).fit([0, 1], [1.0]), V, r"targets: .*states.*\(2,\)"),
    "fit_weights": (lambda: nf.TabularBaseline(3).fit([0, 1], [1.0, 1], [1.0, -1]), V, r"weights\[1\]=-1"),
    "linear_fit_weights": (lambda: nf.LinearBaseline(np.eye(2)).fit([0], [1.0], [-1.0]), V, r"weights\[0\]=-1"),
    "gae_shape": (lambda: gae(values=np.zeros((2, 3))), V, r"values: .*rewards.*\(2, 2\).*\(2, 3\)"),
    "gae_flat": (lambda: gae(rewards=np.zeros(2)), V, "rewards: .*2-d"),
    "gae_empty": (lambda: gae(rewards=np.zeros((0, 2))), V, "rewards: "),
    "gae_flags": (lambda: gae(terminated=TWO), T, "terminated: .*float64"),
    "gae_truncated": (lambda: gae(truncated=np.full((2, 2), 3)), V, r"truncated\[0, 0\]=3"),
    "gae_rewards": (lambda: gae(rewards=at(TWO, (1, 0), np.inf)), V, r"rewards\[1, 0\]=inf"),
    "gae_bootstrap": (lambda: gae(bootstrap_values=at(TWO, (1, 1), np.nan)), V, r"bootstrap_values\[1, 1\]=nan"),
}


@pytest.mark.parametrize(("call", "error", "text"), CALLS.values(), ids=CALLS.keys())
def test_bad_arguments_are_named(call, error, text):
    before = pickle.dumps((MDP, PI, BATCH, TWO, NO, HALF))
    with pytest.raises(error, match=text):
        call()
    assert pickle.dumps((MDP, PI, BATCH, TWO, NO, HALF)) == before


def odd_layouts(clean: np.ndarray) -> dict[str, np.ndarray]:
    """The same numbers, laid out in every way that an array can be."""
    raw = np.zeros(clean.nbytes + 1, np.uint8)
    misaligned = raw[1:].view(clean.dtype).reshape(clean.shape)
    misaligned[...] = clean
    wide = np.zeros((*clean.shape[:-1], 2 * clean.shape[-1]), clean.dtype)
    wide[..., ::2] = clean
    frozen = clean.copy()
    frozen.flags.writeable = False
    return {
        "misaligned": misaligned,
        "big_endian": clean.astype(clean.dtype.newbyteorder(">")),
        "strided": wide[..., ::2],
        "reversed": clean[..., ::-1].copy()[..., ::-1],
        "read_only": frozen,
        "fortran": np.asfortranarray(clean),
        "list": clean.tolist(),
        "subclass": clean.view(np.matrix) if clean.ndim == 2 else clean,
    }


@pytest.mark.parametrize("layout", odd_layouts(np.zeros((2, 2))))
def test_layout_of_inputs_does_not_change_a_bit(layout):
    rng = np.random.default_rng(0)

    def odd(array: np.ndarray) -> np.ndarray:
        return odd_layouts(np.ascontiguousarray(array))[layout]

    theta, rewards, values = rng.normal(size=(3, 2)), rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    flags, features = rng.integers(2, size=(5, 3)), rng.normal(size=(3, 2, 4))
    states, actions = rng.integers(3, size=7), rng.integers(2, size=7)
    advantages, vector, matrix = rng.normal(size=7), rng.normal(size=6), np.diag(np.arange(1.0, 7))

    def everything(lay):
        policy = nf.TabularSoftmax(3, 2, lay(theta), action_mask=lay(np.ones((3, 2), np.int64)))
        linear = nf.LogLinear(lay(features), lay(vector[:4]), offset=lay(theta))
        batch = nf.Batch(
            lay(states), lay(actions), lay(advantages), weights=lay(np.full(7, 1 / 7)), log_probs=lay(-abs(advantages))
        )
        return (
            policy.probs(lay(states)),
            linear.score(lay(states), lay(actions)),
            nf.evaluate(MDP, lay(policy.probs())).values,
            *nf.gae(
                lay(rewards),
                lay(values),
                lay(flags),
                lay(1 - flags),
                gamma=0.9,
                gae_lambda=0.9,
                bootstrap_values=lay(values),
            ),
            nf.fisher_vector_product(policy, batch, lay(vector)),
            nf.surrogate(linear, batch).gradient,
            nf.conjugate_gradient(lay(matrix), lay(vector)).x,
            nf.LinearBaseline(lay(theta)).fit(lay(states), lay(advantages)).coefficients,
            nf.sample_batch(MDP, policy, n_episodes=3, seed=1, baseline=lay(vector[:3])).advantages,
        )

    for one, two in zip(everything(odd), everything(np.copy), strict=True):
        assert one.tobytes() == two.tobytes()


def test_batch_does_not_change_with_the_arrays_it_was_made_of():
    given = [np.array([0, 1]), np.array([0, 1]), np.array([1.0, 2.0])]
    weights, log_probs = np.array([0.5, 0.5]), np.array([-1.0, -1.0])
    batch = nf.Batch(*given, weights=weights, log_probs=log_probs)
    before = pickle.dumps(batch)
    for array in (*given, weights, log_probs):
        array[...] = 7
    assert pickle.dumps(batch) == before


def test_results_are_new_arrays_that_can_be_written_to():
    played = nf.rollout(MDP, PI, n_steps=3, seed=0)
    for array in (PI.probs(), nf.policy_gradient(PI, BATCH), nf.evaluate(MDP, PI).values, played.states):
        array[...] = 0
    assert_array_equal(nf.rollout(MDP, PI, n_steps=3, seed=0).time.ravel() >= 0, True)


class Lying:
    """Says that it is an array and is not."""

    def __init__(self, answer):
        self.answer = answer

    def __array__(self, dtype=None, copy=None):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_objects_that_lie_or_raise_do_no_harm():
    with pytest.raises(ZeroDivisionError):
        nf.TabularSoftmax(1, 2, Lying(ZeroDivisionError()))
    with pytest.raises(TypeError):
        nf.TabularSoftmax(1, 2, Lying(np.array([None, None])))
    with pytest.raises(ValueError, match="theta"):
        nf.TabularSoftmax(1, 2, Lying(np.zeros(9)))
