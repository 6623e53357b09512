"""TabularMDP: what it accepts becomes one canonical value, what it refuses is named, and nothing is changed."""

import copy
import pickle
import re
import subprocess
import sys
import time

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from npgfast import storage
from npgfast.problems import TabularMDP, frozen_lake, garnet, inventory, two_state
from npgfast.problems.graph import reachable_states, terminating_states

pytestmark = pytest.mark.isa_independent

S, A = 9, 3


def arguments(seed=0, **more):
    """Random problem in the dense form, with termination, a mask and a start."""
    rng = np.random.default_rng(seed)
    transitions = rng.random((S, A, S)) * (rng.random((S, A, S)) < 0.5)
    transitions[:, :, 0] += 0.1
    termination = rng.random((S, A)) * (rng.random((S, A)) < 0.5)
    total = transitions.sum(2) + termination
    mask = rng.random((S, A)) < 0.7
    mask[:, 1] = True
    return {
        "transitions": transitions / total[:, :, None],
        "rewards": rng.standard_normal((S, A)),
        "termination": termination / total,
        "initial_distribution": rng.dirichlet(np.ones(S)),
        "action_mask": mask,
        "gamma": 0.9,
        **more,
    }


def dense_twin(transitions, rewards, termination, initial_distribution, action_mask, **_):
    """The fields by the definition, in plain NumPy."""
    kernel = np.where(action_mask[:, :, None], transitions, 0.0)
    return kernel, np.where(action_mask, termination, 0.0), np.where(action_mask, rewards, 0.0), initial_distribution


def optimal_values(mdp, n_steps):
    kernel, values = mdp.dense(), np.zeros(mdp.n_states)
    rewards = np.where(mdp.action_mask, mdp.rewards, -np.inf)
    for _ in range(n_steps):
        values = np.max(rewards + mdp.gamma * kernel @ values, axis=1)
    return values


def test_fields_follow_the_definition():
    given_arguments = arguments()
    mdp = TabularMDP(**given_arguments)
    kernel, termination, rewards, mu = dense_twin(**given_arguments)
    np.testing.assert_allclose(mdp.dense(), kernel, rtol=1e-14, atol=0)
    np.testing.assert_allclose(mdp.termination, termination, rtol=1e-14, atol=0)
    np.testing.assert_array_equal(mdp.rewards, rewards)
    np.testing.assert_allclose(mdp.initial_distribution, mu, rtol=1e-14)
    np.testing.assert_array_equal(mdp.action_mask, given_arguments["action_mask"])
    sums = mdp.dense().sum(2) + mdp.termination
    np.testing.assert_allclose(sums[mdp.action_mask], 1.0, rtol=0, atol=3e-15)
    assert not sums[~mdp.action_mask].any()
    assert (mdp.n_states, mdp.n_actions, mdp.gamma, mdp.horizon) == (S, A, 0.9, None)


@pytest.mark.parametrize("layout", ["csr", "csc", "coo", "bsr", "lil", "dok", "dia"])
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_sparse_forms_equal_the_dense_one(layout, kind):
    given_arguments = arguments()
    dense = given_arguments["transitions"]
    make = getattr(scipy.sparse, f"csr_{kind}")
    whole = make(dense.reshape(S * A, S)).asformat(layout)
    per_action = [make(dense[:, a]).asformat(layout) for a in range(A)]
    expected = TabularMDP(**given_arguments)
    assert TabularMDP(**given_arguments | {"transitions": whole}) == expected
    assert TabularMDP(**given_arguments | {"transitions": per_action}) == expected


def test_lists_equal_the_array():
    given_arguments = arguments()
    dense = given_arguments["transitions"]
    expected = TabularMDP(**given_arguments)
    assert TabularMDP(**given_arguments | {"transitions": dense.tolist()}) == expected
    assert TabularMDP(**given_arguments | {"transitions": [dense[:, a] for a in range(A)]}) == expected
    assert TabularMDP(**given_arguments | {"transitions": tuple(dense.transpose(1, 0, 2))}) == expected
    mixed = [dense[:, 0], scipy.sparse.csr_array(dense[:, 1]), dense[:, 2]]
    assert TabularMDP(**given_arguments | {"transitions": mixed}) == expected


def test_messy_sparse_matrices_become_canonical():
    data = np.array([0.25, 0.5, 0.25, 0.0, 1.0])
    messy = scipy.sparse.csr_array((data, np.array([1, 0, 1, 1, 0]), np.array([0, 3, 5])), shape=(2, 2))
    copies = [messy.data.copy(), messy.indices.copy(), messy.indptr.copy()]
    mdp = TabularMDP(messy, [1.0, 2.0], gamma=0.5)
    indptr, indices, probabilities = mdp.csr
    assert indptr.tolist() == [0, 2, 3]
    assert indices.tolist() == [0, 1, 0]
    assert probabilities.tolist() == [0.5, 0.5, 1.0]
    assert (indptr.dtype, indices.dtype, probabilities.dtype) == (np.int64, np.int32, np.float64)
    for before, after in zip(copies, (messy.data, messy.indices, messy.indptr), strict=True):
        np.testing.assert_array_equal(before, after)


def test_scipy_is_not_imported():
    code = "import sys; from npgfast import problems; problems.two_state(); print('scipy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_state_rewards_and_successor_rewards_are_averaged():
    given_arguments = arguments()
    kernel, termination, *_ = dense_twin(**given_arguments)
    rng = np.random.default_rng(1)
    by_state, by_successor, final = rng.random(S), rng.random((S, A, S)), rng.random((S, A))
    mask = given_arguments["action_mask"]
    mdp = TabularMDP(**given_arguments | {"rewards": by_state})
    np.testing.assert_array_equal(mdp.rewards, np.where(mask, by_state[:, None], 0.0))
    mdp = TabularMDP(**given_arguments | {"rewards": by_successor, "termination_rewards": final})
    np.testing.assert_allclose(mdp.rewards, (kernel * by_successor).sum(2) + termination * final, rtol=1e-13)
    with pytest.raises(ValueError, match=r"termination_rewards: required with rewards \(S, A, S\), as termination\[s="):
        TabularMDP(**given_arguments | {"rewards": by_successor})
    with pytest.raises(ValueError, match="termination_rewards: only with rewards of shape"):
        TabularMDP(**given_arguments | {"termination_rewards": final})


def test_inputs_are_copied_and_results_are_read_only():
    given_arguments = arguments()
    mdp = TabularMDP(**given_arguments)
    before = pickle.dumps(mdp)
    for array in given_arguments.values():
        if isinstance(array, np.ndarray):
            array[...] = 0
    assert pickle.dumps(mdp) == before
    for array in (*mdp._native[:7], mdp.reachable, mdp.action_mask):
        assert not array.flags.writeable
    with pytest.raises(AttributeError, match="immutable"):
        mdp.gamma = 0.5
    with pytest.raises(AttributeError, match="immutable"):
        del mdp.gamma


def test_rows_are_renormalised_within_the_tolerance_only():
    def mdp(total):
        return TabularMDP([[[0.25, total - 0.25]], [[1.0, 0.0]]], [1.0, 0.0], gamma=0.5)

    assert mdp(1 + 1e-9).dense()[0, 0].sum() == pytest.approx(1.0, abs=1e-16)
    assert mdp(1 - 9e-9) != mdp(1.0)
    for total in (1 + 1e-7, 1 - 2e-8):
        with pytest.raises(ValueError, match=re.escape("transitions[s=0, a=0] sums to")):
            mdp(total)


def test_a_problem_is_a_fixed_point_of_its_constructor():
    for seed in range(20):
        mdp = TabularMDP(**arguments(seed))
        assert TabularMDP(
            mdp.dense(),
            mdp.rewards,
            termination=mdp.termination,
            initial_distribution=mdp.initial_distribution,
            action_mask=mdp.action_mask,
            gamma=0.9,
        ) == mdp  # fmt: skip


def test_rounding_below_zero_is_clipped():
    mdp = TabularMDP([[[1.0, -1e-13]], [[0.0, 1.0]]], [1.0, 1.0], termination=[[-1e-17], [0.0]], gamma=0.5)
    assert mdp.csr[1].tolist() == [0, 1]
    assert mdp.termination.tolist() == [[0.0], [0.0]]


GOOD = np.array([[[0.5, 0.5], [0.0, 1.0]], [[1.0, 0.0], [0.25, 0.75]]])
ZERO = np.zeros((2, 2))


def changed(index, value, base=GOOD):
    out = np.array(base)
    out[index] = value
    return out


def broken_csr(**fields):
    matrix = scipy.sparse.csr_array(GOOD.reshape(4, 2))
    for name, value in fields.items():
        setattr(matrix, name, np.array(value))
    return matrix


BAD = {
    # name: (keyword arguments, exception, words of the message)
    "row-short": (
        {"transitions": changed((1, 0, 0), 0.999)},
        ValueError,
        "transitions[s=1, a=0] sums to 0.999 (error 0.001), allowed 1 +- 1e-08",
    ),
    "row-long": ({"transitions": changed((1, 0, 0), 1.0000001)}, ValueError, "transitions[s=1, a=0] sums to 1.0000001"),
    "row-empty": ({"transitions": changed((1, 0, 0), 0.0)}, ValueError, "transitions[s=1, a=0] sums to 0 (error 1)"),
    "row-with-termination": (
        {"termination": changed((1, 0), 0.25, ZERO)},
        ValueError,
        "transitions[s=1, a=0] + termination[s=1, a=0] sums to 1.25",
    ),
    "negative": (
        {"transitions": changed((0, 0), [1.001, -0.001])},
        ValueError,
        "transitions[s=0, a=0, s'=1]=-0.001, allowed a probability >= 0",
    ),
    "nan": ({"transitions": changed((1, 1, 0), np.nan)}, ValueError, "transitions[s=1, a=1, s'=0]=nan"),
    "inf": ({"transitions": changed((1, 1, 0), np.inf)}, ValueError, "transitions[s=1, a=1, s'=0]=inf"),
    "complex": (
        {"transitions": GOOD.astype(complex)},
        TypeError,
        "transitions: expected an array of real numbers, got dtype complex128",
    ),
    "object": (
        {"transitions": GOOD.astype(object)},
        TypeError,
        "transitions: expected an array of real numbers, got dtype object",
    ),
    "text": ({"transitions": GOOD.astype(str)}, TypeError, "transitions: expected an array of real numbers"),
    "none": ({"transitions": None}, TypeError, "transitions: expected"),
    "ragged": (
        {"transitions": [[[1.0]], [[0.0, 1.0]]]},
        TypeError,
        "transitions: expected an array of real numbers, got a ragged list",
    ),
    "masked": (
        {"transitions": np.ma.array(GOOD, mask=GOOD == 0)},
        TypeError,
        "transitions: expected an array of real numbers, got a masked array",
    ),
    "two-dimensions": (
        {"transitions": GOOD[0]},
        ValueError,
        "transitions: expected 3-d shape (any >= 1, any >= 1, any >= 1), got 2-d shape (2, 2)",
    ),
    "no-states": ({"transitions": np.zeros((0, 2, 0))}, ValueError, "got 3-d shape (0, 2, 0)"),
    "no-actions": ({"transitions": np.zeros((2, 0, 2))}, ValueError, "got 3-d shape (2, 0, 2)"),
    "not-square": (
        {"transitions": np.zeros((2, 2, 3))},
        ValueError,
        "transitions: expected shape (S, A, S), got (2, 2, 3)",
    ),
    "action-first": ({"transitions": np.zeros((2, 3, 3))}, ValueError, "pass a list of them"),
    "empty-list": ({"transitions": []}, ValueError, "transitions: expected 3-d shape"),
    "list-shapes": (
        {"transitions": [np.eye(2), np.eye(3)]},
        ValueError,
        "transitions[1]: expected shape (2, 2), got (3, 3)",
    ),
    "list-dtype": (
        {"transitions": [np.eye(2), 1j * np.eye(2)]},
        TypeError,
        "transitions[1]: expected an array of real numbers, got dtype complex128",
    ),
    "sparse-shape": (
        {"transitions": scipy.sparse.csr_array((3, 2))},
        ValueError,
        "transitions: expected a sparse matrix of shape (S * A, S), got (3, 2)",
    ),
    "sparse-dtype": (
        {"transitions": scipy.sparse.csr_array(1j * GOOD.reshape(4, 2))},
        TypeError,
        "transitions.data: expected an array of real numbers, got dtype complex128",
    ),
    "sparse-index-high": (
        {"transitions": broken_csr(indices=[0, 1, 1, 0, 0, 9])},
        ValueError,
        "transitions.indices[5]=9 outside [0, 2)",
    ),
    "sparse-index-negative": (
        {"transitions": broken_csr(indices=[0, -1, 1, 0, 0, 1])},
        ValueError,
        "transitions.indices[1]=-1 outside [0, 2)",
    ),
    "sparse-pointer-falls": (
        {"transitions": broken_csr(indptr=[0, 2, 1, 4, 6])},
        ValueError,
        "transitions.indptr[2]=1, allowed a non-decreasing sequence from 0",
    ),
    "sparse-pointer-high": (
        {"transitions": broken_csr(indptr=[0, 2, 3, 4, 60])},
        ValueError,
        "transitions.indptr[4]=60",
    ),
    "sparse-pointer-start": (
        {"transitions": broken_csr(indptr=[1, 2, 3, 4, 6])},
        ValueError,
        "transitions.indptr[0]=1",
    ),
    "sparse-pointer-length": (
        {"transitions": broken_csr(indptr=[0, 6])},
        ValueError,
        "transitions.indptr: expected 5 integers, got shape (2,)",
    ),
    "rewards-shape": (
        {"rewards": np.zeros((2, 3))},
        ValueError,
        "rewards: expected 2-d shape (2, 2) to match transitions with S=2 and A=2, got 2-d shape (2, 3)",
    ),
    "rewards-length": (
        {"rewards": np.zeros(3)},
        ValueError,
        "rewards: expected 1-d shape (2,) to match transitions with S=2 and A=2, got 1-d shape (3,)",
    ),
    "rewards-scalar": ({"rewards": 1.0}, ValueError, "rewards: expected 2-d shape (2, 2)"),
    "rewards-5d": ({"rewards": np.zeros((1,) * 5)}, ValueError, "got 5-d shape"),
    "rewards-nan": ({"rewards": changed((1, 0), np.nan, ZERO)}, ValueError, "rewards[s=1, a=0]=nan is not finite"),
    "rewards-inf-state": ({"rewards": [0.0, np.inf]}, ValueError, "rewards[s=1, a=0]=inf is not finite"),
    "rewards-nan-successor": (
        {"rewards": changed((1, 0, 1), np.nan, np.zeros((2, 2, 2)))},
        ValueError,
        "rewards[s=1, a=0, s'=1]=nan is not finite",
    ),
    "rewards-none": ({"rewards": None}, TypeError, "rewards: expected an array of real numbers, got dtype object"),
    "rewards-masked": (
        {"rewards": np.ma.array(ZERO, mask=ZERO == 0)},
        TypeError,
        "rewards: expected an array of real numbers, got a masked array",
    ),
    "rewards-overflow": (
        {"rewards": changed((1, 0), -1e308, ZERO)},
        ValueError,
        "rewards[s=1, a=0]=-1e+308: the value bound",
    ),
    "rewards-overflow-discounted": (
        {"rewards": changed((1, 0), 1e306, ZERO), "gamma": 0.999},
        ValueError,
        "rewards[s=1, a=0]=1e+306: the value bound",
    ),
    "termination-shape": ({"termination": np.zeros(2)}, ValueError, "termination: expected 2-d shape (2, 2)"),
    "termination-negative": (
        {"termination": changed((1, 0), -0.5, ZERO)},
        ValueError,
        "termination[s=1, a=0]=-0.5, allowed a probability in [0, 1]",
    ),
    "termination-nan": ({"termination": changed((1, 0), np.nan, ZERO)}, ValueError, "termination[s=1, a=0]=nan"),
    "termination-dtype": ({"termination": np.zeros((2, 2), complex)}, TypeError, "termination: expected"),
    "termination-rewards-nan": (
        {"rewards": np.zeros((2, 2, 2)), "termination_rewards": changed((0, 1), np.nan, ZERO)},
        ValueError,
        "termination_rewards[s=0, a=1]=nan is not finite",
    ),
    "mask-shape": ({"action_mask": np.ones(2, bool)}, ValueError, "action_mask: expected 2-d shape (2, 2)"),
    "mask-blocks": ({"action_mask": [[True, False], [False, False]]}, ValueError, "action_mask[s=1] allows no action"),
    "mask-float": (
        {"action_mask": np.ones((2, 2))},
        TypeError,
        "action_mask: expected an array of booleans, got dtype float64",
    ),
    "mask-two": ({"action_mask": [[1, 0], [2, 0]]}, ValueError, "action_mask[1, 0]=2 is neither 0 nor 1"),
    "mu-sum": (
        {"initial_distribution": [0.5, 0.499]},
        ValueError,
        "initial_distribution sums to 0.999 (error 0.001), allowed 1 +- 1e-08",
    ),
    "mu-negative": (
        {"initial_distribution": [1.5, -0.5]},
        ValueError,
        "initial_distribution[s=1]=-0.5, allowed a probability >= 0",
    ),
    "mu-nan": ({"initial_distribution": [1.0, np.nan]}, ValueError, "initial_distribution[1]=nan is not finite"),
    "mu-shape": (
        {"initial_distribution": [1.0]},
        ValueError,
        "initial_distribution: expected 1-d shape (2,) to match transitions with S=2 and A=2, got 1-d shape (1,)",
    ),
    "gamma-negative": ({"gamma": -0.1}, ValueError, "gamma=-0.1 outside [0, 1]"),
    "gamma-high": ({"gamma": 1.1}, ValueError, "gamma=1.1 outside [0, 1]"),
    "gamma-nan": ({"gamma": np.nan}, ValueError, "gamma=nan outside [0, 1]"),
    "gamma-bool": ({"gamma": True}, TypeError, "gamma: expected a real number, got bool True"),
    "gamma-text": ({"gamma": "0.9"}, TypeError, "gamma: expected a real number"),
    "gamma-improper": (
        {"gamma": 1.0},
        ValueError,
        "state s=0 cannot: give gamma < 1, a horizon, or termination",
    ),
    "horizon-zero": ({"horizon": 0}, ValueError, "horizon=0 outside [1, 2147483647]"),
    "horizon-large": ({"horizon": 2**31}, ValueError, "horizon=2147483648 outside [1, 2147483647]"),
    "horizon-float": ({"horizon": 10.0}, TypeError, "horizon: expected an integer, got float 10.0"),
    "horizon-bool": ({"horizon": True}, TypeError, "horizon: expected an integer, got bool True"),
}


def snapshot(value):
    if hasattr(value, "tocsr"):
        return [value.data.tobytes(), value.indices.tobytes(), value.indptr.tobytes()]
    return value.tobytes() if isinstance(value, np.ndarray) else repr(value)


@pytest.mark.parametrize(("keywords", "error", "words"), BAD.values(), ids=BAD)
def test_bad_arguments_are_named_and_left_alone(keywords, error, words):
    keywords = {"transitions": GOOD, "rewards": np.array([[1.0, 2.0], [3.0, 4.0]]), "gamma": 0.9} | keywords
    before = {name: snapshot(value) for name, value in keywords.items()}
    with pytest.raises(error, match=re.escape(words)):
        TabularMDP(**keywords)
    assert before == {name: snapshot(value) for name, value in keywords.items()}


def test_forbidden_rows_are_not_read():
    transitions, rewards = GOOD.copy(), np.ones((2, 2))
    termination = np.zeros((2, 2))
    transitions[0, 1], rewards[0, 1], termination[0, 1] = np.nan, -np.inf, 7.0
    mask = np.array([[True, False], [True, True]])
    mdp = TabularMDP(transitions, rewards, termination=termination, action_mask=mask, gamma=0.5)
    assert mdp.rewards[0, 1] == mdp.termination[0, 1] == mdp.dense()[0, 1].sum() == 0.0


def test_zero_reward_absorbing_states_become_termination():
    # 0 -> 1 (.3) or 2 (.7); 1 and 2 stay for ever, but 2 is paid for it.
    transitions = np.array([[[0.0, 0.3, 0.7]], [[0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]])
    mdp = TabularMDP(transitions, [1.0, 0.0, 1.0], gamma=0.5)
    np.testing.assert_array_equal(mdp.dense()[:, 0], [[0.0, 0.0, 0.7], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    np.testing.assert_array_equal(mdp.termination, [[0.3], [1.0], [0.0]])
    assert TabularMDP(mdp.dense(), mdp.rewards, termination=mdp.termination, gamma=0.5) == mdp


def test_absorbing_needs_every_allowed_action():
    transitions = np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]])
    rewards = np.array([[0.0, 1.0], [0.0, 0.0]])
    assert TabularMDP(transitions, rewards).termination.tolist() == [[0.0, 1.0], [1.0, 1.0]]
    blocked = TabularMDP(transitions, rewards, action_mask=[[True, False], [True, True]])
    assert blocked.termination.tolist() == [[1.0, 0.0], [1.0, 1.0]]
    everywhere = TabularMDP(np.ones((1, 1, 1)), [0.0])
    assert everywhere.termination.tolist() == [[1.0]]


def test_absorption_leaves_values_alone():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        transitions, rewards = rng.dirichlet(np.ones(6), (6, 2)), rng.standard_normal((6, 2))
        transitions[4], rewards[4] = np.eye(6)[4], 0.0
        mdp = TabularMDP(transitions, rewards, gamma=0.9)
        values = np.zeros(6)
        for _ in range(400):
            values = np.max(rewards + 0.9 * transitions @ values, axis=1)
        np.testing.assert_allclose(optimal_values(mdp, 400), values, atol=1e-12)


def test_gamma_one_names_the_first_state_that_cannot_end():
    transitions = np.zeros((4, 2, 4))
    transitions[0, :, 1] = transitions[2, :, 3] = transitions[3, :, 2] = 1.0
    transitions[1, 0, 0], transitions[1, 1, 2] = 1.0, 0.5
    termination = np.zeros((4, 2))
    termination[1, 1] = 0.5
    with pytest.raises(ValueError, match="state s=2 cannot"):
        TabularMDP(transitions, np.ones(4), termination=termination)
    with pytest.raises(ValueError, match="state s=0 cannot"):
        TabularMDP(transitions, np.ones(4), termination=termination, action_mask=[[1, 1], [1, 0], [1, 1], [1, 1]])
    assert TabularMDP(transitions, np.ones(4), termination=termination, horizon=5).gamma == 1.0
    termination[3], transitions[3] = 1e-300, (1 - 1e-300) * transitions[3]
    assert TabularMDP(transitions, np.ones(4), termination=termination).horizon is None


@pytest.mark.parametrize("gamma", [0.0, 5e-324, 1 - 1e-9, 1.0])
def test_extreme_discounts_are_accepted(gamma):
    assert TabularMDP([[[0.5]]], [1.0], termination=[[0.5]], gamma=gamma).gamma == gamma


def test_extreme_rewards_are_accepted():
    extreme = [[1e307, -0.0], [5e-324, -1e307]]
    assert TabularMDP(GOOD, extreme, gamma=0.0).rewards.tolist() == extreme


def test_single_state_and_single_action():
    mdp = TabularMDP([[[1.0]]], [2.0], gamma=0.5)
    assert (mdp.n_states, mdp.n_actions, mdp.dense().tolist()) == (1, 1, [[[1.0]]])
    assert mdp.reachable.tolist() == [True]


def test_default_start_is_uniform_and_zeros_are_allowed():
    assert TabularMDP(GOOD, ZERO + 1, gamma=0.5).initial_distribution.tolist() == [0.5, 0.5]
    mdp = TabularMDP(GOOD, ZERO + 1, gamma=0.5, initial_distribution=[0, 1])
    assert mdp.initial_distribution.tolist() == [0.0, 1.0]


def test_equality_is_by_value():
    mdp = TabularMDP(**arguments())
    twin = TabularMDP(**arguments())
    assert mdp == twin
    assert hash(mdp) == hash(twin)
    assert mdp != TabularMDP(**arguments(gamma=0.8))
    assert mdp != TabularMDP(**arguments(horizon=3))
    assert mdp != TabularMDP(**arguments(seed=1))
    assert mdp != TabularMDP(**arguments(rewards=np.ones((S, A))))
    assert mdp != "mdp"


def test_copies_round_trip(tmp_path):
    for mdp in (TabularMDP(**arguments()), inventory(gamma=1.0, horizon=3), frozen_lake()):
        mdp.save(tmp_path / "mdp")
        twins = [copy.copy(mdp), copy.deepcopy(mdp), TabularMDP.load(tmp_path / "mdp")]
        twins += [pickle.loads(pickle.dumps(mdp, protocol)) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)]
        for twin in twins:
            assert twin == mdp
            for mine, theirs in zip(mdp._native[:7], twin._native[:7], strict=True):
                assert mine.tobytes() == theirs.tobytes()
                assert mine.dtype == theirs.dtype
                assert not theirs.flags.writeable


def test_load_refuses_what_no_constructor_makes(tmp_path):
    mdp, path = frozen_lake(), tmp_path / "mdp"
    mdp.save(path)
    arrays, metadata = storage.load(path, "TabularMDP")
    changes = [
        {"indices": np.full_like(arrays["indices"], 99)},
        {"indices": arrays["indices"].astype(np.int64)},
        {"indices": arrays["indices"][::-1].copy()},
        {"indptr": arrays["indptr"][:-1]},
        {"indptr": arrays["indptr"][::-1].copy()},
        {"probabilities": arrays["probabilities"] * 2},
        {"probabilities": arrays["probabilities"][:-1]},
        {"termination": arrays["termination"].T.copy()},
        {"rewards": np.full_like(arrays["rewards"], np.nan)},
        {"rewards": arrays["rewards"][:-1]},
        {"initial_distribution": np.zeros(16)},
        {"action_mask": np.zeros((16, 4), np.uint8)},
        {"action_mask": np.ones(16)},
        {"action_mask": np.full((16, 4), 2, np.uint8)},
    ]
    for change in changes:
        storage.save(path, "TabularMDP", arrays | change, metadata)
        with pytest.raises(storage.CheckpointError, match=re.escape(str(path))):
            TabularMDP.load(path)
    for change in ({"gamma": 2.0}, {"gamma": "1"}, {"horizon": 0}):
        storage.save(path, "TabularMDP", arrays, metadata | change)
        with pytest.raises(storage.CheckpointError, match=r"gamma|horizon"):
            TabularMDP.load(path)
    storage.save(path, "TabularMDP", {}, {})
    with pytest.raises(storage.CheckpointError, match="indptr"):
        TabularMDP.load(path)


def test_repr_is_short():
    assert repr(two_state()) == "TabularMDP(n_states=2, n_actions=2, nnz=4, gamma=0.9, horizon=None)"


def test_replace_changes_the_objective_only():
    mdp = TabularMDP(**arguments())
    other = mdp.replace(gamma=0.5, horizon=7, initial_distribution=np.eye(S)[3])
    assert (other.gamma, other.horizon, other.initial_distribution[3]) == (0.5, 7, 1.0)
    assert other.csr[2] is mdp.csr[2]
    assert other.replace(gamma=0.9, horizon=None, initial_distribution=mdp.initial_distribution).gamma == 0.9
    assert mdp.replace() == mdp
    np.testing.assert_allclose(mdp.replace(initial_distribution=None).initial_distribution, 1 / S)
    with pytest.raises(ValueError, match="gamma=1 without horizon"):
        two_state().replace(gamma=1.0)
    with pytest.raises(ValueError, match="horizon=0 outside"):
        mdp.replace(horizon=0)
    with pytest.raises(ValueError, match="initial_distribution sums to"):
        mdp.replace(initial_distribution=np.zeros(S))


@pytest.mark.parametrize("horizon", [1, 2, 5])
@pytest.mark.parametrize("gamma", [1.0, 0.7])
def test_with_time_unrolls_the_horizon(horizon, gamma):
    mdp = TabularMDP(**arguments(gamma=gamma, horizon=horizon))
    timed = mdp.with_time()
    assert (timed.n_states, timed.n_actions, timed.gamma, timed.horizon) == (horizon * S, A, gamma, None)
    kernel = timed.dense().reshape(horizon, S, A, horizon, S)
    for h in range(horizon):
        for k in range(horizon):
            np.testing.assert_array_equal(kernel[h, :, :, k], mdp.dense() if k == h + 1 else 0.0)
    ends = timed.termination.reshape(horizon, S, A)
    np.testing.assert_array_equal(ends[:-1], np.broadcast_to(mdp.termination, (horizon - 1, S, A)))
    np.testing.assert_array_equal(ends[-1], mdp.action_mask)
    np.testing.assert_array_equal(timed.rewards, np.tile(mdp.rewards, (horizon, 1)))
    np.testing.assert_array_equal(timed.initial_distribution[:S], mdp.initial_distribution)
    assert not timed.initial_distribution[S:].any()
    np.testing.assert_allclose(optimal_values(timed, horizon)[:S], optimal_values(mdp, horizon), rtol=0, atol=1e-13)
    assert pickle.loads(pickle.dumps(timed)) == timed


def test_with_time_needs_a_horizon_that_fits():
    with pytest.raises(ValueError, match="with_time: horizon=None"):
        two_state().with_time()
    with pytest.raises(ValueError, match=r"with_time: H \* S = 4294967294 states, allowed at most"):
        two_state(horizon=2**31 - 1).with_time()


def test_sizes_are_checked_before_memory_is_taken():
    n_states = 65536
    identity = scipy.sparse.eye_array(n_states, format="csr")
    start = time.perf_counter()
    mdp = TabularMDP(identity, np.ones(n_states), gamma=0.5)
    wide = scipy.sparse.csr_array((np.ones(4), np.zeros(4, int), np.arange(5)), shape=(4, 1))
    assert TabularMDP(wide, [1.0], gamma=0.5).n_actions == 4
    large = TabularMDP(
        scipy.sparse.csr_array((np.ones(10**6), np.zeros(10**6, np.int64), np.arange(10**6 + 1)), shape=(10**6, 10**6)),
        np.ones(10**6),
        gamma=0.5,
    )
    with pytest.raises(
        MemoryError, match=r"dense transitions \(S \* A \* S\): 1000000 \* 1 \* 1000000 \* 8 = 8000000000000"
    ):
        large.dense()
    with pytest.raises(MemoryError, match="with_time"):
        two_state(horizon=2**30 - 1).with_time()
    assert time.perf_counter() - start < 3.0
    assert mdp.n_states == n_states


def test_many_actions_are_accepted():
    n_actions = 100_000
    mdp = TabularMDP(np.ones((1, n_actions, 1)), np.ones((1, n_actions)), gamma=0.5)
    assert mdp.n_actions == n_actions


def test_native_fields_are_what_the_core_takes():
    mdp = TabularMDP(**arguments(horizon=4))
    dtypes = (np.int64, np.int32, *4 * (np.float64,), np.uint8)
    for array, dtype in zip(mdp._native[:7], dtypes, strict=True):
        assert array.dtype == dtype
        assert array.flags.c_contiguous
        assert array.flags.aligned
    assert mdp._native[7:] == (0.9, 4)
    assert mdp.replace(horizon=None)._native[8] == 0
    assert mdp._native is mdp._native
    assert mdp.reachable is mdp.reachable


def closure(adjacency, sources):
    found = sources.copy()
    for _ in range(len(sources)):
        found |= found @ adjacency
    return found


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 3))
def test_searches_equal_the_transitive_closure(seed, n_states, n_actions):
    rng = np.random.default_rng(seed)
    edges = rng.random((n_states * n_actions, n_states)) < 1.2 / (n_states * n_actions)
    rows, columns = np.nonzero(edges)
    indptr = np.searchsorted(rows, np.arange(n_states * n_actions + 1))
    adjacency = edges.reshape(n_states, n_actions, n_states).any(axis=1)
    marked = rng.random(n_states) < 0.3
    indices = columns.astype(np.int32)
    np.testing.assert_array_equal(reachable_states(indptr, indices, marked), closure(adjacency, marked))
    np.testing.assert_array_equal(terminating_states(indptr, indices, marked), closure(adjacency.T, marked))
    one_step = marked | (marked @ adjacency)
    np.testing.assert_array_equal(reachable_states(indptr, indices, marked, max_steps=1), one_step)


def test_reachable_follows_the_steps_of_the_objective():
    n_states = 6
    transitions = np.zeros((n_states, 1, n_states))
    transitions[np.arange(n_states), 0, np.minimum(np.arange(n_states) + 1, n_states - 1)] = 1.0
    mdp = TabularMDP(transitions, np.ones(n_states), gamma=0.9, initial_distribution=np.eye(n_states)[1])
    assert mdp.reachable.tolist() == [False, True, True, True, True, True]
    assert mdp.replace(horizon=1).reachable.tolist() == [False, True, False, False, False, False]
    assert mdp.replace(horizon=3).reachable.tolist() == [False, True, True, True, False, False]
    assert mdp.replace(gamma=0.0).reachable.tolist() == [False, True, False, False, False, False]


def test_reachable_does_not_underflow():
    tiny = 1e-300
    mdp = TabularMDP([[[1 - tiny, tiny]], [[0.0, 1.0]]], [1.0, 2.0], gamma=0.9, initial_distribution=[1.0, 0.0])
    assert mdp.reachable.all()


def test_reachable_ignores_forbidden_actions():
    mdp = TabularMDP(
        GOOD, ZERO + 1, gamma=0.5, initial_distribution=[0.0, 1.0], action_mask=[[True, True], [False, True]]
    )
    assert mdp.reachable.tolist() == [True, True]
    stays = TabularMDP(
        changed((1, 1), [0.0, 1.0]),
        ZERO + 1,
        gamma=0.5,
        initial_distribution=[0.0, 1.0],
        action_mask=[[True, True], [False, True]],
    )
    assert stays.reachable.tolist() == [False, True]


def test_relabelling_states_permutes_the_problem():
    given_arguments = arguments()
    order = np.random.default_rng(3).permutation(S)
    permuted = given_arguments | {
        "transitions": given_arguments["transitions"][order][:, :, order],
        **{
            name: given_arguments[name][order]
            for name in ("rewards", "termination", "initial_distribution", "action_mask")
        },
    }
    mdp, twin = TabularMDP(**given_arguments), TabularMDP(**permuted)
    np.testing.assert_allclose(twin.dense(), mdp.dense()[order][:, :, order], rtol=1e-15)
    np.testing.assert_array_equal(twin.reachable, mdp.reachable[order])


def test_construction_is_fast_on_large_sparse_problems():
    start = time.perf_counter()
    mdp = garnet(50_000, 4, 5, gamma=0.99, seed=0)
    assert mdp.reachable.mean() > 0.99
    assert time.perf_counter() - start < 5.0
