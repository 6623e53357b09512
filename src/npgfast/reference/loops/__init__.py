"""Plain-Python reference of every kernel: floats, lists and loops, in one module per stage.

Functions take and return NumPy arrays, so that they can be compared with :mod:`npgfast.reference.vectorized`; the
arithmetic in between is Python's own. Conventions are those of :mod:`npgfast.reference`.
"""

from npgfast.reference.loops.exact import (
    evaluate,
    exact_batch,
    marginal_advantages,
    reachable_states,
    solve,
)
from npgfast.reference.loops.geometry import (
    clipped_surrogate,
    clipped_surrogate_gradient,
    conjugate_gradient,
    fisher_matrix,
    fisher_vector_product,
    kl_divergence,
    natural_gradient_closed_form,
    natural_gradient_pinv,
    natural_gradient_regression,
    policy_gradient,
    surrogate,
    surrogate_gradient,
    surrogate_improvement,
)
from npgfast.reference.loops.policies import (
    log_softmax,
    policy_log_probs,
    policy_probs,
    score_log_linear,
    score_tabular,
    softmax,
)
from npgfast.reference.loops.sampling import (
    alias_table,
    discounted_returns,
    gae,
    gae_quadratic,
    philox4x32,
    rollout,
)
from npgfast.reference.loops.simulators import (
    simulator_observe,
    simulator_start,
    simulator_step,
)
from npgfast.reference.loops.training import (
    train_npg_exact,
    train_trpo_exact,
)
from npgfast.reference.loops.updates import (
    cpi_update,
    entropy_gradient,
    entropy_npg_update,
    kl_step_size,
    normalize_advantages,
    npg_update,
    pg_update,
    ppo_update,
    soft_policy_iteration_update,
    trpo_update,
)

__all__ = [
    "alias_table",
    "clipped_surrogate",
    "clipped_surrogate_gradient",
    "conjugate_gradient",
    "cpi_update",
    "discounted_returns",
    "entropy_gradient",
    "entropy_npg_update",
    "evaluate",
    "exact_batch",
    "fisher_matrix",
    "fisher_vector_product",
    "gae",
    "gae_quadratic",
    "kl_divergence",
    "kl_step_size",
    "log_softmax",
    "marginal_advantages",
    "natural_gradient_closed_form",
    "natural_gradient_pinv",
    "natural_gradient_regression",
    "normalize_advantages",
    "npg_update",
    "pg_update",
    "philox4x32",
    "policy_gradient",
    "policy_log_probs",
    "policy_probs",
    "ppo_update",
    "reachable_states",
    "rollout",
    "score_log_linear",
    "score_tabular",
    "simulator_observe",
    "simulator_start",
    "simulator_step",
    "soft_policy_iteration_update",
    "softmax",
    "solve",
    "surrogate",
    "surrogate_gradient",
    "surrogate_improvement",
    "train_npg_exact",
    "train_trpo_exact",
    "trpo_update",
]
