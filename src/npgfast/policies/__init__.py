"""Policies: softmax over finitely many states, and linear ones on observations. All are immutable values."""

import os
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from npgfast import storage
from npgfast.policies.linear import LinearGaussian, LinearPolicy, LinearSoftmax, Normalizer
from npgfast.policies.linear import restore as _restore_linear
from npgfast.policies.policy import Policy
from npgfast.policies.tabular import LogLinear, SoftmaxPolicy, TabularSoftmax

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "LinearGaussian",
    "LinearPolicy",
    "LinearSoftmax",
    "LogLinear",
    "Normalizer",
    "Policy",
    "SoftmaxPolicy",
    "TabularSoftmax",
    "load_policy",
]


def _restore(class_name: str, arrays: dict[str, NDArray[Any]], values: dict[str, Any]) -> Policy:
    if class_name in ("LinearSoftmax", "LinearGaussian"):
        return _restore_linear(LinearSoftmax if class_name == "LinearSoftmax" else LinearGaussian, arrays, values)
    tabular: dict[str, Callable[..., Policy]] = {"TabularSoftmax": TabularSoftmax, "LogLinear": LogLinear}
    return tabular[class_name](**values, **arrays)


def load_policy(path: str | os.PathLike[str]) -> Policy:
    """Read a policy that its method ``save`` wrote.

    Raises
    ------
    CheckpointError
        If the file is damaged, or is not a policy of this package.
    OSError
        If it cannot be read.

    Examples
    --------
    >>> import npgfast as nf, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "policy.safetensors"
    >>> nf.TabularSoftmax(2, 2).save(path); nf.load_policy(path) == nf.TabularSoftmax(2, 2)
    True
    """
    arrays, metadata = storage.load(path, "policy")
    try:
        sizes = {name: value for name, value in metadata.items() if name != "class"}
        return _restore(metadata["class"], arrays, sizes)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"{path}: not a policy ({error})"
        raise storage.CheckpointError(msg) from error
