"""Linear changes of the parameters: natural steps do not depend on them, plain ones do."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npgfast import _validate
from npgfast.exact import exact_batch
from npgfast.geometry import Method, natural_gradient, policy_gradient
from npgfast.policies import LogLinear, SoftmaxPolicy, TabularSoftmax
from npgfast.problems import TabularMDP
from npgfast.theory.statements import relative_distance
from npgfast.theory.views import _tabular

__all__ = ["Reparametrization", "check_reparametrization"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Reparametrization:
    """Outcome of `check_reparametrization`.

    Attributes
    ----------
    parameter_discrepancy : float
        Relative distance of theta'_{t+1} from M theta_{t+1} + b after an NPG step; 0 where F is nonsingular.
    policy_discrepancy : float
        Largest difference of the two policies after it, on reachable states; 0 always.
    pg_parameter_discrepancy, pg_policy_discrepancy : float
        The same after a plain gradient step of as large a change: not 0.
    rank, n_params : int
        Rank of F, and its size.
    tolerance : float
        What `holds` allows.
    """

    parameter_discrepancy: float
    policy_discrepancy: float
    pg_parameter_discrepancy: float
    pg_policy_discrepancy: float
    rank: int
    n_params: int
    tolerance: float

    @property
    def nonsingular(self) -> bool:
        """Whether F has full rank."""
        return self.rank == self.n_params

    @property
    def holds(self) -> bool:
        """Whether the policies agree, and the parameters too where F is nonsingular."""
        parameters = self.parameter_discrepancy if self.nonsingular else 0.0
        return bool(max(self.policy_discrepancy, parameters) <= self.tolerance)


def check_reparametrization(
    mdp: TabularMDP,
    policy: SoftmaxPolicy,
    M: ArrayLike,
    b: ArrayLike,
    *,
    step_size: float = 0.1,
    method: Method = "regression",
    tolerance: float = 1e-8,
) -> Reparametrization:
    """Check that an NPG step does not depend on linear coordinates theta' = M theta + b, and that a plain step does.

    The same policies in the new coordinates have features M^-T phi(s, a) and logit offsets -b . M^-T phi(s, a). Then
    g' = M^-T g and F' = M^-T F M^-1, so that F'^-1 g' = M F^-1 g, while the plain step moves by M^-T g instead of M g.

    Parameters
    ----------
    mdp : TabularMDP
    policy : SoftmaxPolicy
        A tabular one is taken as log-linear with the identity as features.
    M : array_like, shape (n_params, n_params)
        Invertible.
    b : array_like, shape (n_params,)
    step_size : float
        eta of the NPG step. The plain step has the length of that step in the old coordinates.
    method : str
        Of `natural_gradient`.
    tolerance : float
        Of `Reparametrization.holds`.

    Returns
    -------
    Reparametrization

    Raises
    ------
    TypeError, ValueError
        As `exact_batch` does; for a singular M.

    References
    ----------
    S. Amari, Neural Computation 10, 1998, section 2; J. A. Bagnell, J. Schneider, "Covariant policy search",
    IJCAI 2003. (Lecture notes that print M^-1 for the features mean M^-T.)

    Examples
    --------
    >>> import npgfast as nf
    >>> from npgfast import theory
    >>> policy = nf.LogLinear([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 1.0], [1.0, 1.0]]])
    >>> theory.check_reparametrization(nf.problems.two_state(), policy, [[1.0, 2.0], [0.0, 3.0]], [1.0, -1.0]).holds
    True
    """
    plain = policy if isinstance(policy, LogLinear) else _log_linear(_tabular(policy))
    d = plain.n_params
    matrix = _validate.real_array("M", M, (d, d), because="to match policy")
    shift = _validate.real_array("b", b, (d,), because="to match policy")
    eta = _validate.real("step_size", step_size)
    if np.linalg.matrix_rank(matrix) < d:
        msg = f"M: expected an invertible matrix, got one of rank {np.linalg.matrix_rank(matrix)} < {d}"
        raise ValueError(msg)
    features = np.linalg.solve(matrix.T, plain.features.reshape(-1, d).T).T.reshape(plain.features.shape)
    offset = -(features @ shift) + (0.0 if plain.offset is None else plain.offset)
    twin = LogLinear(features, matrix @ plain.theta + shift, offset=offset, action_mask=plain.action_mask)
    batch, twin_batch = exact_batch(mdp, plain), exact_batch(mdp, twin)
    result = natural_gradient(plain, batch, method=method, rtol=1e-13)
    twin_result = natural_gradient(twin, twin_batch, method=method, rtol=1e-13)
    gradient, twin_gradient = policy_gradient(plain, batch), policy_gradient(twin, twin_batch)
    norm = float(np.linalg.norm(gradient))
    pg_eta = eta * float(np.linalg.norm(result.direction)) / norm if norm > 0.0 else 0.0

    def compare(step: FloatArray, twin_step: FloatArray) -> tuple[float, float]:
        new, new_twin = plain.theta + step, twin.theta + twin_step
        tables = plain.with_theta(new).probs() - twin.with_theta(new_twin).probs()
        return relative_distance(new_twin, matrix @ new + shift), float(np.abs(tables[mdp.reachable]).max())

    rank = result.rank if result.rank >= 0 else natural_gradient(plain, batch, method="pinv").rank
    return Reparametrization(
        *compare(eta * result.direction, eta * twin_result.direction),
        *compare(pg_eta * gradient, pg_eta * twin_gradient),
        rank,
        d,
        tolerance,
    )


def _log_linear(policy: TabularSoftmax) -> LogLinear:
    shape = (policy.n_states, policy.n_actions, policy.n_params)
    return LogLinear(np.eye(policy.n_params).reshape(shape), policy.theta, action_mask=policy.action_mask)
