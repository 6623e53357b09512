"""Natural policy gradients on Markov decision processes, exactly from the model and from samples, in C++."""

from npgfast import problems, schedules
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
from npgfast.policies import LogLinear, SoftmaxPolicy, TabularSoftmax, load_policy
from npgfast.problems import TabularMDP
from npgfast.sampling import (
    LinearBaseline,
    TabularBaseline,
    Trajectories,
    discounted_returns,
    gae,
    rollout,
    sample_batch,
)
from npgfast.status import Status
from npgfast.storage import CheckpointError
from npgfast.training import Progress, Result

__version__ = build_info()["version"]

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
    "LogLinear",
    "NaturalGradient",
    "NaturalPolicyGradient",
    "PolicyGradient",
    "Progress",
    "Result",
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
    "build_info",
    "clipped_surrogate",
    "conjugate_gradient",
    "discounted_returns",
    "evaluate",
    "exact_batch",
    "fisher_matrix",
    "fisher_vector_product",
    "gae",
    "kl_divergence",
    "load_policy",
    "natural_gradient",
    "policy_gradient",
    "problems",
    "rollout",
    "sample_batch",
    "schedules",
    "solve",
    "surrogate",
]
