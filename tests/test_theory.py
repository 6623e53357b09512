"""The theory package: its values behave, wrong arguments get named errors."""

import dataclasses
import re

import numpy as np
import pytest

import npgfast as nf
from npgfast import theory


@pytest.mark.parametrize("name", theory.__all__)
def test_every_name_is_documented(name):
    thing = getattr(theory, name)
    assert thing.__doc__
    if isinstance(thing, type):
        assert dataclasses.is_dataclass(thing)
        assert thing.__dataclass_params__.frozen
        assert isinstance(getattr(thing, "holds", None), property) or name == "Identity"
    else:
        assert all(f"{word}\n    -" in thing.__doc__ for word in ("Parameters", "Returns", "Raises", "References"))
        assert thing.__doc__.count(">>>") in (3, 4)


def test_statements_compare_what_they_hold():
    assert theory.Identity(1.0, 1.0, 0.0, 1e-9).holds
    assert not theory.Identity(1.0, 1.1, 0.1, 1e-9).holds
    upper = theory.UpperBound(np.array([1.0, 3.0]), np.array([2.0, 3.5]), 0.0)
    assert upper.holds
    assert upper.margin == 0.5
    assert not theory.UpperBound(np.array([1.0, 3.0]), np.array([2.0, 2.5]), 0.1).holds
    assert theory.LowerBound(1.0, 1.05, 0.1).holds
    assert not theory.LowerBound(1.0, 1.2, 0.1).holds
    assert theory.LowerBound(1.0, 0.25, 0.0).margin == 0.75
    assert not theory.UpperBound(np.nan, 1.0, 0.0).holds


ABOUT_NO_HORIZON = {
    "npg_rate_bound": lambda mdp, _: theory.npg_rate_bound(mdp, 0.1, 2),
    "npg_gap_bounds": lambda mdp, _: theory.npg_gap_bounds(mdp, [1.0]),
    "npg_improvement_bound": lambda mdp, policy: theory.npg_improvement_bound(mdp, policy, 0.1),
    "constant_step_rate_bound": lambda mdp, _: theory.constant_step_rate_bound(mdp, 0.1, 2),
    "entropy_regularized_rate_bound": lambda mdp, _: theory.entropy_regularized_rate_bound(mdp, 1.0, 0.01, 2),
    "entropy_bias_bound": lambda mdp, _: theory.entropy_bias_bound(mdp, 1.0),
    "hedge_regret": lambda mdp, _: theory.hedge_regret(mdp, 0.1, 2),
    "monotone_pg_step": theory.monotone_pg_step,
    "mixture_lower_bound": lambda mdp, policy: theory.mixture_lower_bound(mdp, policy, policy, 0.1),
    "trpo_lower_bound": lambda mdp, policy: theory.trpo_lower_bound(mdp, policy, policy),
    "log_linear_rate_bound": lambda mdp, _: theory.log_linear_rate_bound(
        mdp, nf.LogLinear(np.eye(4).reshape(2, 2, 4)), 0.1, 2
    ),
}
NEEDS_A_DISCOUNT = (
    "constant_step_rate_bound",
    "entropy_regularized_rate_bound",
    "entropy_bias_bound",
    "monotone_pg_step",
    "mixture_lower_bound",
    "trpo_lower_bound",
)


@pytest.mark.parametrize("name", ABOUT_NO_HORIZON)
def test_bounds_refuse_a_horizon_and_say_what_to_give(name):
    with pytest.raises(ValueError, match=re.escape("horizon=3, expected None; the statement is about mdp.with_time()")):
        ABOUT_NO_HORIZON[name](nf.problems.two_state(gamma=0.9, horizon=3), nf.TabularSoftmax(2, 2))


@pytest.mark.parametrize("name", NEEDS_A_DISCOUNT)
def test_discounted_bounds_refuse_gamma_1(name):
    mdp = nf.problems.frozen_lake(gamma=1.0)
    with pytest.raises(ValueError, match="gamma=1, expected gamma < 1"):
        ABOUT_NO_HORIZON[name](mdp, nf.TabularSoftmax(16, 4))


def test_wrong_arguments_are_named():
    mdp, policy = nf.problems.two_state(gamma=0.9), nf.TabularSoftmax(2, 2)
    linear = nf.LogLinear(np.eye(4).reshape(2, 2, 4))
    with pytest.raises(TypeError, match="policy: expected a TabularSoftmax policy, got LogLinear"):
        theory.npg_improvement_bound(mdp, linear, 0.1)
    with pytest.raises(TypeError, match="policy: expected a LogLinear policy, got TabularSoftmax"):
        theory.log_linear_rate_bound(mdp, policy, 0.1, 2)
    with pytest.raises(ValueError, match=re.escape("M: expected an invertible matrix, got one of rank 1 < 4")):
        theory.check_reparametrization(mdp, policy, np.ones((4, 4)), np.zeros(4))
    with pytest.raises(ValueError, match=re.escape("steps[1]=0.0: expected positive")):
        theory.npg_gap_bounds(mdp, [1.0, 0.0])
    with pytest.raises(ValueError, match="step_size"):
        theory.npg_rate_bound(mdp, 0.0, 3)
    with pytest.raises(ValueError, match="step_size"):
        theory.entropy_regularized_rate_bound(mdp, 1.0, 0.2, 3)
    flat = nf.TabularMDP(mdp.dense(), np.ones((2, 2)), gamma=0.9)
    with pytest.raises(ValueError, match="the gradient is zero"):
        theory.trust_region_multiplier(flat, policy)
