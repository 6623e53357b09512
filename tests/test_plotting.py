"""Pictures: their numbers by hand, and that they are drawn at all."""

import io
import sys

import numpy as np
import pytest
from scipy.stats import trim_mean

import npgfast as nf
from npgfast.plotting import LEFT_DOWN_RIGHT_UP, interquartile_mean, plot_learning_curves, plot_policy

# What the runs compute is tested elsewhere, on every variant.
pytestmark = pytest.mark.isa_independent

LAKE = ("SFFF", "FHFH", "FFFH", "HFFG")


@pytest.fixture(scope="module")
def lake():
    return nf.problems.frozen_lake(gamma=0.99)


@pytest.fixture(scope="module")
def sampled(lake):
    agent = nf.TRPO(lake, mode="sampled", n_episodes=20, max_kl=0.05)
    return agent.learn(8, n_seeds=6)


@pytest.fixture(scope="module")
def exact(lake):
    return nf.TRPO(lake, max_kl=0.1).learn(40)


def png(fig):
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png")
    return buffer.getvalue()


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 31])
def test_interquartile_mean_is_scipys_trimmed_mean(n):
    values = np.random.default_rng(n).normal(size=(n, 3))
    np.testing.assert_allclose(interquartile_mean(values), trim_mean(values, 0.25, axis=0), rtol=1e-14)


def test_curves_show_the_interquartile_mean_at_every_iteration(sampled):
    fig, ax = plot_learning_curves(sampled, x="iteration", individual=False)
    (line,) = ax.get_lines()
    gaps = np.column_stack([sampled.initial["gap"], sampled.history["gap"]])
    np.testing.assert_array_equal(line.get_xdata(), np.arange(9))
    np.testing.assert_allclose(line.get_ydata(), trim_mean(gaps, 0.25, axis=0))
    assert ax.get_yscale() == "log"
    assert png(fig).startswith(b"\x89PNG")


def test_curves_are_equal_when_drawn_twice(sampled):
    assert png(plot_learning_curves(sampled)[0]) == png(plot_learning_curves(sampled)[0])


def test_gaps_at_rounding_level_stay_on_the_floor(exact):
    assert np.min(np.abs(exact.history["gap"])) < 1e-12
    fig, ax = plot_learning_curves(exact, relative=True, floor=1e-3, levels=(3.0, 1.0), title="title")
    assert ax.get_ylim()[0] > 1e-4
    assert min(line.get_ydata()[-1] for line in ax.get_lines()) >= 1e-3
    fig.canvas.draw()
    assert ax.get_yticklabels()[0].get_text() == "\N{LESS-THAN OR EQUAL TO} 0.001"
    assert {text.get_text() for text in ax.texts} == {"3 %", "1 %"}


def test_exact_result_borrows_the_steps_of_a_sampled_one(sampled, exact):
    _, ax = plot_learning_curves({"sampled": sampled, "exact": exact}, individual=False)
    assert ax.get_xlabel() == "environment steps per seed"
    line = ax.get_lines()[-1]
    assert line.get_label() == "exact"
    np.testing.assert_allclose(line.get_xdata()[1:], np.median(sampled.history["timesteps"], axis=0))


def test_seeds_that_finish_early_keep_their_last_gap(lake):
    result = nf.TRPO(lake, mode="sampled", n_episodes=20, max_kl=0.1).learn(30, n_seeds=5, target=0.1)
    assert np.isnan(result.history["gap"]).any()
    _, ax = plot_learning_curves(result, x="iteration", individual=True)
    assert all(np.isfinite(line.get_ydata()).all() for line in ax.get_lines())
    assert len(ax.get_lines()) == 6


def test_bound_is_drawn_dashed(exact):
    columns = {**exact.history, "bound": np.full(exact.history["gap"].shape, 2.0)}
    result = nf.Result("TRPO", columns, exact.initial, exact.policies, exact.optimum, exact.optimum, exact.seeds)
    _, ax = plot_learning_curves(result)
    (dashed,) = [line for line in ax.get_lines() if line.get_linestyle() == "--"]
    assert dashed.get_label() == "TRPO: bound"
    np.testing.assert_array_equal(dashed.get_ydata(), 2.0)


@pytest.fixture(scope="module")
def returns():
    agent = nf.TRPO(nf.envs.CartPole(), n_episodes=8, max_kl=0.05)
    return agent.learn(8, n_seeds=6, keep_best=True)


def test_returns_are_drawn_where_there_is_no_optimum(returns):
    assert np.isnan(returns.history["evaluation"]).any()
    fig, ax = plot_learning_curves(returns, x="iteration", individual=False, levels=(-95.0,))
    curve, level = ax.get_lines()
    np.testing.assert_array_equal(curve.get_xdata(), np.arange(1, 9))
    np.testing.assert_allclose(curve.get_ydata(), trim_mean(returns.history["return_mean"], 0.25, axis=0))
    assert ax.get_yscale() == "linear"
    assert level.get_linestyle() == "--"
    assert {text.get_text() for text in ax.texts} == {"-95"}
    assert png(fig).startswith(b"\x89PNG")


def test_evaluations_are_drawn_as_the_best_so_far(returns):
    _, ax = returns.plot(x="iteration", y="evaluation", individual=False)
    best = np.fmax.accumulate(returns.history["evaluation"], axis=1)
    np.testing.assert_allclose(ax.get_lines()[0].get_ydata(), trim_mean(best, 0.25, axis=0))


def test_returns_begin_with_the_first_episode_and_are_held_once_a_seed_has_finished():
    steps = np.array([[10.0, 20.0, 30.0, 40.0], [10.0, 20.0, np.nan, np.nan]])
    means = np.array([[np.nan, 1.0, np.nan, 3.0], [5.0, 7.0, np.nan, np.nan]])
    columns = {"timesteps": steps, "return_mean": means}
    result = nf.Result("TRPO", columns, {}, (), None, None, (0, 1))
    _, ax = plot_learning_curves(result, individual=False)
    (line,) = ax.get_lines()
    at, values = line.get_xdata(), line.get_ydata()
    assert (at[0], at[-1]) == (20.0, 40.0)
    np.testing.assert_allclose(values, (np.interp(at, [20, 30, 40], [1, 1, 3]) + 7.0) / 2.0)


def test_a_result_without_any_episode_is_named():
    columns = {"timesteps": np.full((1, 2), 8.0), "return_mean": np.full((1, 2), np.nan)}
    with pytest.raises(ValueError, match="'TRPO' has no values of it"):
        plot_learning_curves(nf.Result("TRPO", columns, {}, (), None, None, (0,)))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"y": "gap"}, "'TRPO' has no optimum"),
        ({"y": "profit"}, "y='profit'"),
        ({"relative": True}, "only y='gap'"),
        ({"floor": 1.0}, "only y='gap'"),
    ],
)
def test_options_of_gaps_are_refused_for_returns(returns, options, words):
    with pytest.raises(ValueError, match=words):
        plot_learning_curves(returns, **options)


def test_given_axes_are_used(sampled, lake):
    from matplotlib.figure import Figure

    fig = Figure()
    left, right = fig.subplots(1, 2)
    assert plot_learning_curves(sampled, ax=left) == (fig, left)
    assert plot_policy(lake, sampled.policy, cells=LAKE, ax=right) == (fig, right)
    assert sampled.plot(ax=left)[1] is left


def test_policy_has_one_arrow_per_likely_action_outside_holes_and_goal(lake):
    optimal = np.eye(4)[nf.solve(lake).actions]
    fig, ax = plot_policy(lake, optimal, cells=LAKE, title="title")
    (arrows,) = [one for one in ax.collections if hasattr(one, "U")]
    assert arrows.N == 11
    down, right = np.transpose([LEFT_DOWN_RIGHT_UP[a] for a in nf.solve(lake).actions])
    free = np.array([cell not in "HG" for row in LAKE for cell in row])
    np.testing.assert_array_equal(np.sign(arrows.U), right[free])
    np.testing.assert_array_equal(np.sign(arrows.V), down[free])
    assert png(fig).startswith(b"\x89PNG")


def test_policy_without_a_problem_is_drawn_on_a_given_shape():
    fig, ax = plot_policy((1, 3), np.full((3, 2), 0.5), moves=((0, -1), (0, 1)))
    assert ax.get_xlim() == (-0.5, 2.5)
    assert png(fig).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"results": 3}, TypeError, "results: expected a Result"),
        ({"results": {}}, ValueError, "results: empty"),
        ({"results": {"a": 1}}, TypeError, r"results\['a'\]"),
        ({"x": "hours"}, ValueError, "x='hours'"),
        ({"floor": 0.0}, ValueError, "floor"),
        ({"confidence": 1.0}, ValueError, "confidence"),
    ],
)
def test_bad_arguments_of_curves_are_named(sampled, arguments, error, words):
    with pytest.raises(error, match=words):
        plot_learning_curves(**{"results": sampled, **arguments})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"shape": (3, 5)}, "16 states"),
        ({"problem": (4, 4), "shape": (4, 4)}, "shape"),
        ({"problem": (4, 3)}, "policy"),
        ({"cells": ("F",)}, "cells"),
        ({"values": [1.0]}, "values"),
    ],
)
def test_bad_arguments_of_policies_are_named(sampled, lake, arguments, words):
    with pytest.raises(ValueError, match=words):
        plot_policy(**{"problem": lake, "policy": sampled.policy, **arguments})


def test_steps_of_exact_results_are_refused(exact):
    with pytest.raises(ValueError, match="no result has taken steps"):
        plot_learning_curves(exact, x="timesteps")


def test_pyplot_is_not_touched(lake):
    before = "matplotlib.pyplot" in sys.modules
    plot_policy(lake, nf.TabularSoftmax(16, 4))
    assert ("matplotlib.pyplot" in sys.modules) == before
