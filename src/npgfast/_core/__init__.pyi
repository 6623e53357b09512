# The functions of every compiled variant. Arrays are C-contiguous and aligned; see the headers of src/cpp/npgfast for
# what each function computes.

from collections.abc import Callable
from typing import Any, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

class _BuildInfo(TypedDict):
    version: str
    isa: str
    compiler: str
    eigen: str
    fp_contract: str

# Choosing a variant (npgfast/_core/__init__.py)

def active_isa() -> str: ...
def available_isas() -> tuple[str, ...]: ...
def activate(isa: str) -> None: ...

# bind_build.cpp

def build_info() -> _BuildInfo: ...

# What the functions below take: the tuples that array_views.hpp describes.

_Floats: TypeAlias = NDArray[np.float64]
_Mdp: TypeAlias = tuple[
    NDArray[np.int64], NDArray[np.int32], _Floats, _Floats, _Floats, _Floats, NDArray[np.uint8], float, int
]
_Policy: TypeAlias = tuple[_Floats | None, _Floats | None, NDArray[np.uint8] | int]
_Tables: TypeAlias = tuple[_Floats, _Floats]
# Geometry takes a softmax policy with its tables, or a Gaussian one with None, and the batch that fits it; a linear
# policy on observations, a simulated environment and recorded steps are tuples of many entries.
_LinearPolicy: TypeAlias = tuple[Any, ...]
_Environment: TypeAlias = tuple[Any, ...]
_Recording: TypeAlias = tuple[NDArray[Any], ...]
# Records, tracks, cuts, action_bits: the steps of a tabular rollout (sampling/decode.hpp).
_CompactRollout: TypeAlias = tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64], int]

# bind_problems.cpp

def simulator_sizes(kind: int, parameters: _Floats) -> tuple[int, int, int, int]: ...
def simulator_start(kind: int, parameters: _Floats, n: int, seed: int) -> _Floats: ...
def simulator_step(
    kind: int, parameters: _Floats, states: _Floats, actions: _Floats, seed: int, step: int
) -> tuple[_Floats, _Floats, NDArray[np.uint8]]: ...
def simulator_observe(kind: int, parameters: _Floats, states: _Floats) -> _Floats: ...

# bind_policies.cpp

def log_softmax(logits: _Floats, action_mask: NDArray[np.uint8]) -> tuple[_Floats, _Floats]: ...
def policy_table(policy: _Policy, theta: _Floats, n_threads: int) -> tuple[_Floats, _Floats]: ...
def scores(policy: _Policy, probs: _Floats, states: NDArray[np.int32], actions: NDArray[np.int32]) -> _Floats: ...
def sample_actions(probs: _Floats, states: NDArray[np.int32], seed: int) -> NDArray[np.int32]: ...
def gaussian_log_probs(features: _Floats, theta: _Floats, actions: _Floats) -> _Floats: ...
def gaussian_scores(features: _Floats, theta: _Floats, actions: _Floats) -> _Floats: ...

# bind_exact.cpp

def evaluate(
    mdp: _Mdp, probs: _Floats, log_probs: _Floats, tau: float, method: int, n_threads: int
) -> tuple[float, _Floats, _Floats, _Floats, _Floats, float, float]: ...
def solve(
    mdp: _Mdp, tau: float, tol: float, method: int, max_iterations: int, n_threads: int
) -> tuple[float, _Floats, _Floats, NDArray[np.int32], float, float, int, bool]: ...

# bind_sampling.cpp

def philox(counters: NDArray[np.uint32], key: NDArray[np.uint32]) -> NDArray[np.uint32]: ...
def alias_table(probabilities: _Floats) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]: ...
def rollout(mdp: _Mdp, probs: _Floats, n_envs: int, n_steps: int, seed: int, n_threads: int) -> _CompactRollout: ...
def decode(
    compact: _CompactRollout, n_columns: int, field: str, table: _Floats | None, n_threads: int
) -> NDArray[Any]: ...
def sample(
    mdp: _Mdp,
    probs: _Floats,
    log_probs: _Floats,
    n_envs: int,
    n_steps: int,
    state_weights: int,
    gae_lambda: float,
    baseline: _Floats | None,
    tau: float,
    seed: int,
    n_threads: int,
) -> tuple[NDArray[np.int32], NDArray[np.int32], _Floats, _Floats, _Floats, NDArray[np.int32], float, float]: ...
def sample_sums(
    mdp: _Mdp,
    probs: _Floats,
    log_probs: _Floats,
    n_envs: int,
    n_steps: int,
    state_weights: int,
    gae_lambda: float,
    baseline: _Floats | None,
    tau: float,
    seed: int,
    n_threads: int,
) -> tuple[_Floats, _Floats, _Floats, _Floats, float, float]: ...
def gae(
    rewards: _Floats,
    values: _Floats,
    terminated: NDArray[np.uint8],
    truncated: NDArray[np.uint8],
    bootstrap_values: _Floats,
    gamma: float,
    gae_lambda: float,
    n_threads: int,
) -> tuple[_Floats, _Floats, bool]: ...
def discounted_returns(
    rewards: _Floats,
    terminated: NDArray[np.uint8],
    truncated: NDArray[np.uint8],
    bootstrap_values: _Floats | None,
    gamma: float,
    n_threads: int,
) -> tuple[_Floats, bool]: ...
def fit_table(states: NDArray[np.int32], targets: _Floats, weights: _Floats, values: _Floats) -> _Floats: ...
def least_squares(rows: _Floats, targets: _Floats, ridge: float) -> tuple[_Floats, int]: ...

# bind_simulation.cpp

def feature_rows(policy: _LinearPolicy, observations: _Floats, n_threads: int) -> _Floats: ...
def act(
    policy: _LinearPolicy,
    theta: _Floats,
    observations: _Floats,
    seed: int,
    iteration: int,
    steps: NDArray[np.uint32],
) -> tuple[_Floats, _Floats]: ...
def most_probable(policy: _LinearPolicy, theta: _Floats, observations: _Floats) -> _Floats: ...
def simulate(
    environment: _Environment,
    policy: _LinearPolicy,
    theta: _Floats,
    n_envs: int,
    n_steps: int,
    seed: int,
    n_threads: int,
) -> _Recording: ...
def episode_returns(
    environment: _Environment,
    policy: _LinearPolicy,
    theta: _Floats,
    deterministic: bool,
    n_episodes: int,
    seed: int,
) -> _Floats: ...
def fit_baseline(
    kind: int, time_powers: int, observations: _Floats, time: NDArray[np.int32], targets: _Floats
) -> _Floats: ...
def predict_baseline(
    kind: int, time_powers: int, state: _Floats, observations: _Floats, time: NDArray[np.int32]
) -> _Floats: ...

# bind_geometry.cpp

def policy_gradient(
    policy: tuple[Any, ...], tables: _Tables | None, batch: tuple[Any, ...], n_threads: int
) -> _Floats: ...
def fisher_vector_product(
    policy: tuple[Any, ...],
    tables: _Tables | None,
    batch: tuple[Any, ...],
    vector: _Floats,
    estimator: int,
    damping: float,
    n_threads: int,
) -> _Floats: ...
def fisher_matrix(
    policy: tuple[Any, ...], tables: _Tables | None, batch: tuple[Any, ...], estimator: int, n_threads: int
) -> _Floats: ...
def natural_gradient(
    policy: tuple[Any, ...],
    tables: _Tables | None,
    batch: tuple[Any, ...],
    method: int,
    estimator: int,
    damping: float,
    rtol: float,
    max_iterations: int,
    n_threads: int,
) -> tuple[_Floats, int, float, int, int]: ...
def surrogate(
    policy: tuple[Any, ...], tables: _Tables | None, batch: tuple[Any, ...], clip_range: float, n_threads: int
) -> tuple[float, _Floats, float, float]: ...
def divergence(
    policy: tuple[Any, ...], tables: _Tables | None, batch: tuple[Any, ...], theta: _Floats, n_threads: int
) -> float: ...
def gaussian_kl(shifts: _Floats, old_log_std: _Floats, new_log_std: _Floats, weights: _Floats) -> float: ...
def mean_kl(old: tuple[_Floats, _Floats], new: tuple[_Floats, _Floats], state_weights: _Floats) -> float: ...
def conjugate_gradient(
    operator: Callable[[_Floats], _Floats], b: _Floats, x0: _Floats, max_iterations: int, rtol: float
) -> tuple[_Floats, float, int, int]: ...

# bind_updates.cpp

def ppo_update(
    policy: tuple[Any, ...],
    tables: _Tables | None,
    batch: tuple[Any, ...],
    theta: _Floats,
    adam_first: _Floats,
    adam_second: _Floats,
    adam_steps: float,
    options: dict[str, Any],
    n_threads: int,
) -> tuple[_Floats, int, float, float, float, float, float]: ...

# bind_training.cpp

def train(
    mdp: _Mdp,
    policy: _Policy,
    reachable: NDArray[np.uint8],
    options: dict[str, Any],
    schedules: dict[str, _Floats],
    first_iteration: int,
    n_iterations: int,
    state: dict[str, NDArray[Any]],
    start_values: _Floats,
    memory: tuple[_Floats, _Floats, _Floats, _Floats],
) -> tuple[_Floats, _Floats]: ...

# bind_learning.cpp

def train_simulated(
    environment: _Environment,
    policy: _LinearPolicy,
    options: dict[str, Any],
    schedules: dict[str, _Floats],
    origin: tuple[_Floats, _Floats],
    first_iteration: int,
    n_iterations: int,
    state: dict[str, NDArray[Any]],
) -> _Floats: ...
def improve(
    policy: _LinearPolicy,
    options: dict[str, Any],
    schedules: dict[str, _Floats],
    first_iteration: int,
    k: int,
    recording: _Recording,
    state: dict[str, NDArray[Any]],
) -> _Floats: ...
