"""Statements of policy-gradient theory as functions to call on a problem and a policy.

Every function returns a small frozen value with both sides of its statement and `holds`; none of them raises because a
statement fails. The bounds are about problems without a horizon: for one with a horizon give `mdp.with_time()`.

===============================  ==========================================================================
`performance_difference`         J(new) - J(old) = L_new E_{d^new, new}[A^old]
`check_gradient`                 policy gradient theorem, by central differences
`check_fisher`                   F = Hessian of the mean KL
`trajectory_kl`                  KL over trajectories = L times mean KL, at gamma = 1
`check_surrogate`                surrogates: gradient at the old policy, order, where clipping zeroes
`gradient_step_views`            regularised and constrained views of a plain gradient step
`check_views`                    NPG direction by pinv, regression, CG and closed form
`regression_view`                compatible function approximation
`soft_policy_iteration_view`     tabular NPG = soft policy iteration
`check_reparametrization`        NPG does not depend on linear coordinates, PG does
`trust_region_multiplier`        TRPO's step solves the Lagrangian of its quadratic model
`compatible_greedy_limit`        NPG with a large step is greedy
`hedge_regret`                   Hedge at every state
`npg_rate_bound`                 O(1/T) for tabular NPG; `npg_gap_bounds` for given steps
`npg_improvement_bound`          J_{t+1} - J_t >= E_mu log Z_t / (eta L)
`log_linear_rate_bound`          regret lemma for log-linear policies
`constant_step_rate_bound`       O(1/k) for policy mirror descent
`entropy_regularized_rate_bound` linear convergence with entropy; `entropy_bias_bound` for its bias
`lqr_npg_rate_bound`             linear convergence to the Riccati gain; `lqr_gradient_domination`, why
`monotone_pg_step`               plain gradient steps that never lose
`mixture_lower_bound`            conservative policy iteration
`trpo_lower_bound`               TRPO's theorem 1
`z_scores`                       sampled gradients, Fisher products and surrogates are unbiased
===============================  ==========================================================================
"""

from npgfast.theory.coordinates import Reparametrization, check_reparametrization
from npgfast.theory.entropy import entropy_bias_bound, entropy_regularized_rate_bound
from npgfast.theory.estimators import ZScores, z_scores
from npgfast.theory.hedge import HedgeRegret, hedge_regret
from npgfast.theory.identities import check_fisher, check_gradient, performance_difference, trajectory_kl
from npgfast.theory.improvement import PenalizedBound, mixture_lower_bound, monotone_pg_step, trpo_lower_bound
from npgfast.theory.linear_quadratic import LQRRateBound, lqr_gradient_domination, lqr_npg_rate_bound
from npgfast.theory.log_linear import LogLinearRateBound, log_linear_rate_bound
from npgfast.theory.rates import (
    RateBound,
    constant_step_rate_bound,
    npg_gap_bounds,
    npg_improvement_bound,
    npg_rate_bound,
)
from npgfast.theory.statements import Identity, LowerBound, UpperBound
from npgfast.theory.surrogates import GradientStepViews, SurrogateCheck, check_surrogate, gradient_step_views
from npgfast.theory.trust_region import GreedyLimit, TrustRegion, compatible_greedy_limit, trust_region_multiplier
from npgfast.theory.views import (
    RegressionView,
    SoftPolicyIterationView,
    Views,
    check_views,
    regression_view,
    soft_policy_iteration_view,
)

__all__ = [
    "GradientStepViews",
    "GreedyLimit",
    "HedgeRegret",
    "Identity",
    "LQRRateBound",
    "LogLinearRateBound",
    "LowerBound",
    "PenalizedBound",
    "RateBound",
    "RegressionView",
    "Reparametrization",
    "SoftPolicyIterationView",
    "SurrogateCheck",
    "TrustRegion",
    "UpperBound",
    "Views",
    "ZScores",
    "check_fisher",
    "check_gradient",
    "check_reparametrization",
    "check_surrogate",
    "check_views",
    "compatible_greedy_limit",
    "constant_step_rate_bound",
    "entropy_bias_bound",
    "entropy_regularized_rate_bound",
    "gradient_step_views",
    "hedge_regret",
    "log_linear_rate_bound",
    "lqr_gradient_domination",
    "lqr_npg_rate_bound",
    "mixture_lower_bound",
    "monotone_pg_step",
    "npg_gap_bounds",
    "npg_improvement_bound",
    "npg_rate_bound",
    "performance_difference",
    "regression_view",
    "soft_policy_iteration_view",
    "trajectory_kl",
    "trpo_lower_bound",
    "trust_region_multiplier",
    "z_scores",
]
