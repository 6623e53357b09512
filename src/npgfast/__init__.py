"""Natural policy gradients on Markov decision processes, exactly from the model and from samples, in C++."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from npgfast import _core, envs, features, problems, schedules
from npgfast._build import build_info
from npgfast.algorithms import (
    PPO,
    TRPO,
    Agent,
    ConservativePolicyIteration,
    NaturalPolicyGradient,
    PolicyGradient,
    SoftPolicyIteration,
)
from npgfast.batch import Batch
from npgfast.exact import Evaluation, Solution, evaluate, exact_batch, solve
from npgfast.geometry import (
    CGResult,
    ClippedSurrogate,
    NaturalGradient,
    Surrogate,
    clipped_surrogate,
    conjugate_gradient,
    fisher_matrix,
    fisher_vector_product,
    kl_divergence,
    natural_gradient,
    policy_gradient,
    surrogate,
)
from npgfast.policies import (
    LinearGaussian,
    LinearPolicy,
    LinearSoftmax,
    LogLinear,
    Normalizer,
    Policy,
    SoftmaxPolicy,
    TabularSoftmax,
    load_policy,
)
from npgfast.problems import TabularMDP
from npgfast.sampling import (
    LinearBaseline,
    ReturnStatistics,
    TabularBaseline,
    Trajectories,
    discounted_returns,
    evaluate_policy,
    gae,
    rollout,
    sample_batch,
)
from npgfast.status import Status
from npgfast.storage import CheckpointError
from npgfast.training import Progress, Result

if TYPE_CHECKING:
    from npgfast import benchmarking, plotting, reference, theory, zoo

__version__: str = _core.build_info()["version"]

__all__ = [
    "PPO",
    "TRPO",
    "Agent",
    "Batch",
    "CGResult",
    "CheckpointError",
    "ClippedSurrogate",
    "ConservativePolicyIteration",
    "Evaluation",
    "LinearBaseline",
    "LinearGaussian",
    "LinearPolicy",
    "LinearSoftmax",
    "LogLinear",
    "NaturalGradient",
    "NaturalPolicyGradient",
    "Normalizer",
    "Policy",
    "PolicyGradient",
    "Progress",
    "Result",
    "ReturnStatistics",
    "SoftPolicyIteration",
    "SoftmaxPolicy",
    "Solution",
    "Status",
    "Surrogate",
    "TabularBaseline",
    "TabularMDP",
    "TabularSoftmax",
    "Trajectories",
    "__version__",
    "benchmarking",
    "build_info",
    "clipped_surrogate",
    "conjugate_gradient",
    "discounted_returns",
    "envs",
    "evaluate",
    "evaluate_policy",
    "exact_batch",
    "features",
    "fisher_matrix",
    "fisher_vector_product",
    "gae",
    "kl_divergence",
    "load_policy",
    "natural_gradient",
    "plotting",
    "policy_gradient",
    "problems",
    "reference",
    "rollout",
    "sample_batch",
    "schedules",
    "solve",
    "surrogate",
    "theory",
    "zoo",
]

# Modules imported when first named, so that importing npgfast stays fast.
_LAZY = ("benchmarking", "plotting", "reference", "theory", "zoo")


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return import_module(f"npgfast.{name}")
    msg = f"module 'npgfast' has no attribute {name!r}"
    raise AttributeError(msg)
