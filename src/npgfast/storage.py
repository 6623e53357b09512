"""Files: named arrays and JSON metadata in safetensors form, written atomically and verified when read.

Everything the package saves goes through here. A file is a plain safetensors file whose metadata carries format
version, kind and a SHA-256 digest of all its bytes (taken with the digest itself set to zeros). Nothing is unpickled.
What only files need (hashlib, json, pathlib, safetensors) is imported by the functions, so that importing npgfast stays
fast.
"""

import contextlib
import os
import stat
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FORMAT_VERSION", "CheckpointError", "load", "save"]

JSON: TypeAlias = "bool | int | float | str | Sequence[JSON] | Mapping[str, JSON] | None"

FORMAT_VERSION = 1

_KEY = "npgfast"
_NO_DIGEST = "0" * 64


class CheckpointError(ValueError):
    """A file that is not what it should be; the message names path and reason."""


def save(
    path: str | os.PathLike[str], kind: str, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, JSON]
) -> None:
    """Write arrays and metadata to a file, atomically and durably.

    The bytes go to a temporary file in the same folder, are synced, and replace `path` in one step; then the folder is
    synced. Whatever happens, `path` holds the old file or the new one, whole. A symbolic link is followed. The mode is
    what the umask allows. Equal contents give equal bytes.

    Parameters
    ----------
    path : path-like
        Where to write.
    kind : str
        What the file holds; `load` insists on it.
    arrays : mapping of str to ndarray
        Boolean, integer or float arrays (up to 8 bytes per element).
    metadata : mapping of str to JSON values
        Anything ``json.dumps`` writes.

    Raises
    ------
    TypeError
        For an array of another dtype or metadata that JSON cannot hold.
    OSError
        As the file system has it; no temporary file is left and an older file is intact.

    Examples
    --------
    >>> import numpy as np, tempfile
    >>> path = tempfile.mkdtemp() + "/x.safetensors"
    >>> save(path, "demo", {"theta": np.arange(3.0)}, {"step": 1}); load(path, "demo")[1]
    {'step': 1}
    """
    from pathlib import Path

    data = _serialise(kind, arrays, metadata)
    target = Path(path).resolve()
    temporary = target.parent / f".npgfast-{os.getpid()}-{os.urandom(8).hex()}.tmp"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def load(path: str | os.PathLike[str], kind: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Read and verify a file that `save` wrote.

    Parameters
    ----------
    path : path-like
        A regular file.
    kind : str
        What it must hold.

    Returns
    -------
    arrays : dict of str to ndarray
        Bit for bit as saved; C-contiguous and aligned.
    metadata : dict
        As saved, after a round trip through JSON.

    Raises
    ------
    CheckpointError
        If the file is empty, truncated, altered in any bit, of another kind or a later version, or no regular readable
        file; names path and reason.
    OSError
        If there is no such file, or reading fails.
    """
    from pathlib import Path

    import safetensors.numpy

    data = _read(Path(path))
    try:
        header_end, record = _record(data)
        intact = _digest(data, header_end, record["digest"]) == record["digest"]
        if intact and record["format_version"] == FORMAT_VERSION and record["kind"] == kind:
            arrays = safetensors.numpy.load(data)
            return {name: np.require(array, None, ["C", "A"]) for name, array in arrays.items()}, record["metadata"]
    except KeyError as error:
        msg = f"{path}: not a file of npgfast: no {error} in its header"
        raise CheckpointError(msg) from error
    except (safetensors.SafetensorError, ValueError, TypeError, RecursionError) as error:
        msg = f"{path}: damaged: {error}"
        raise CheckpointError(msg) from error
    if not intact:
        msg = f"{path}: damaged: the SHA-256 digest of its contents does not match"
    elif record["format_version"] != FORMAT_VERSION:
        msg = f"{path}: format version {record['format_version']!r}, this npgfast reads {FORMAT_VERSION}"
    else:
        msg = f"{path}: holds a {record['kind']!r}, expected a {kind!r}"
    raise CheckpointError(msg)


def _serialise(kind: str, arrays: Mapping[str, NDArray[Any]], metadata: Mapping[str, JSON]) -> bytes:
    import hashlib
    import json

    import safetensors.numpy

    tensors = {}
    for name, array in arrays.items():
        if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
            msg = f"arrays[{name!r}]: expected booleans, integers or floats, got dtype {array.dtype}"
            raise TypeError(msg)
        native = np.asarray(array, array.dtype.newbyteorder("="), order="C")
        tensors[name] = native
    record = {"digest": _NO_DIGEST, "format_version": FORMAT_VERSION, "kind": kind, "metadata": dict(metadata)}
    data = safetensors.numpy.save(tensors, metadata={_KEY: json.dumps(record)})
    header_end = 8 + int.from_bytes(data[:8], "little")
    position = data.index(_NO_DIGEST.encode(), 0, header_end)
    digest = hashlib.sha256(data).hexdigest().encode()
    return data[:position] + digest + data[position + len(digest) :]


def _read(path: "Path") -> bytes:
    if not stat.S_ISREG(path.stat().st_mode):
        msg = f"{path}: not a regular file"
        raise CheckpointError(msg)
    try:
        return path.read_bytes()
    except PermissionError as error:
        msg = f"{path}: no permission to read it"
        raise CheckpointError(msg) from error


def _record(data: bytes) -> tuple[int, dict[str, Any]]:
    """Return where the header ends, and our entry in it."""
    import json

    end = 8 + int.from_bytes(data[:8], "little")
    if len(data) < 8 or end > len(data):
        msg = f"{len(data)} bytes, expected at least {max(end, 8)}"
        raise ValueError(msg)
    record = json.loads(json.loads(data[8:end].decode("utf-8"))["__metadata__"][_KEY])
    if not isinstance(record["digest"], str) or not isinstance(record["metadata"], dict):
        msg = "ill-formed metadata"
        raise TypeError(msg)
    return end, record


def _digest(data: bytes, header_end: int, claimed: str) -> str:
    import hashlib

    position = data.find(claimed.encode("utf-8", "surrogatepass"), 8, header_end)
    if position < 0 or len(claimed) != len(_NO_DIGEST):
        return ""
    view = memoryview(data)
    sha = hashlib.sha256(view[:position])
    sha.update(_NO_DIGEST.encode())
    sha.update(view[position + len(_NO_DIGEST) :])
    return sha.hexdigest()


def _sync_folder(folder: "Path") -> None:
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
