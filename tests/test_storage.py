"""Files: whole or refused, old or new, never in between."""

import errno
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from npgfast import storage

pytestmark = pytest.mark.isa_independent

ARRAYS = {
    "theta": np.array([-0.0, 5e-324, 1e308, np.pi]),
    "indices": np.arange(6, dtype=np.int32).reshape(2, 3),
    "empty": np.zeros((0, 2)),
    "scalar": np.array(3, np.int64),
    "mask": np.array([True, False]),
}
METADATA = {"gamma": 0.99, "horizon": None, "name": "0" * 64, "nested": {"a": [1, 2]}}


@pytest.fixture
def small(tmp_path):
    out = tmp_path / "small"
    storage.save(out, "demo", {"x": np.array([1.5])}, {})
    return out


@pytest.fixture
def path(tmp_path):
    out = tmp_path / "x.safetensors"
    storage.save(out, "demo", ARRAYS, METADATA)
    return out


def test_round_trip_keeps_every_bit(path):
    arrays, metadata = storage.load(path, "demo")
    assert metadata == METADATA
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        assert arrays[name].shape == array.shape
        assert arrays[name].tobytes() == array.tobytes()


def test_equal_contents_give_equal_bytes(path, tmp_path):
    storage.save(tmp_path / "y", "demo", dict(reversed(ARRAYS.items())), METADATA)
    assert (tmp_path / "y").read_bytes() == path.read_bytes()


def test_byte_order_and_strides_do_not_matter(tmp_path):
    storage.save(tmp_path / "y", "demo", {"x": np.arange(6.0).astype(">f8").reshape(2, 3).T}, {})
    np.testing.assert_array_equal(storage.load(tmp_path / "y", "demo")[0]["x"], np.arange(6.0).reshape(2, 3).T)


def test_every_truncation_is_refused(small):
    data = small.read_bytes()
    for length in range(len(data)):
        small.write_bytes(data[:length])
        with pytest.raises(storage.CheckpointError, match=re.escape(str(small))):
            storage.load(small, "demo")


def test_every_bit_flip_is_refused(small):
    data = bytearray(small.read_bytes())
    for k in range(8 * len(data)):
        data[k // 8] ^= 1 << k % 8
        small.write_bytes(data)
        with pytest.raises(storage.CheckpointError):
            storage.load(small, "demo")
        data[k // 8] ^= 1 << k % 8


class Exploit:
    def __reduce__(self):
        return Path.touch, (Path("sentinel"),)


def header(record, tensors=None):
    text = json.dumps({"__metadata__": record, **(tensors or {})}).encode()
    return len(text).to_bytes(8, "little") + text


def object_archive(folder):
    np.savez(folder / "o.npz", x=np.array([Exploit()], object))
    return (folder / "o.npz").read_bytes()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda _: (2**63).to_bytes(8, "little") + b"{}", id="huge-header"),
        pytest.param(lambda _: (2**64 - 1).to_bytes(8, "little"), id="largest-header"),
        pytest.param(lambda _: header({}), id="no-entry"),
        pytest.param(lambda _: header({"npgfast": "{}"}), id="no-digest"),
        pytest.param(lambda _: header({"npgfast": "[]"}), id="entry-is-a-list"),
        pytest.param(lambda _: header({"npgfast": '{"digest": 1, "metadata": {}}'}), id="digest-is-a-number"),
        pytest.param(lambda _: header({"npgfast": '{"digest": "", "metadata": {}}'}), id="digest-is-empty"),
        pytest.param(lambda _: header([]), id="metadata-is-a-list"),
        pytest.param(lambda _: b"\x02" + 7 * b"\0" + b"[]", id="header-is-a-list"),
        pytest.param(lambda _: (200_000).to_bytes(8, "little") + b"[" * 200_000, id="deep-nesting"),
        pytest.param(lambda _: b"\x02" + 7 * b"\0" + b"\xff\xfe", id="not-text"),
        pytest.param(lambda _: pickle.dumps(Exploit()), id="pickle"),
        pytest.param(object_archive, id="npz-of-objects"),
    ],
)
def test_malformed_files_are_refused(make, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "bad"
    path.write_bytes(make(tmp_path))
    start = time.perf_counter()
    with pytest.raises(storage.CheckpointError, match=re.escape(str(path))):
        storage.load(path, "demo")
    assert time.perf_counter() - start < 1.0
    assert not Path("sentinel").exists()


def test_trailing_bytes_are_refused(path):
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(storage.CheckpointError, match="digest"):
        storage.load(path, "demo")


def test_other_kind_and_version_are_named(path, monkeypatch):
    with pytest.raises(storage.CheckpointError, match="holds a 'demo', expected a 'policy'"):
        storage.load(path, "policy")
    monkeypatch.setattr(storage, "FORMAT_VERSION", 2)
    storage.save(path, "demo", {}, {})
    monkeypatch.undo()
    with pytest.raises(storage.CheckpointError, match="format version 2, this npgfast reads 1"):
        storage.load(path, "demo")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(storage.CheckpointError, match="not a regular file"):
        storage.load(tmp_path, "demo")
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(storage.CheckpointError, match="not a regular file"):
        storage.load(tmp_path / "fifo", "demo")
    with pytest.raises(FileNotFoundError):
        storage.load(tmp_path / "missing", "demo")


def test_unreadable_file_is_refused(path, monkeypatch):
    def forbid(_):
        raise PermissionError(errno.EACCES, "no")

    monkeypatch.setattr(Path, "read_bytes", forbid)
    with pytest.raises(storage.CheckpointError, match="no permission"):
        storage.load(path, "demo")


@pytest.mark.parametrize("dtype", [object, np.complex128, "U3", "M8[s]", np.longdouble])
def test_save_refuses_other_dtypes_before_writing(path, dtype):
    before = path.read_bytes()
    with pytest.raises(TypeError, match=re.escape("arrays['x']: expected booleans, integers or floats")):
        storage.save(path, "demo", {"x": np.zeros(2, dtype)}, {})
    with pytest.raises(TypeError):
        storage.save(path, "demo", {}, {"x": object()})
    assert path.read_bytes() == before


@pytest.mark.parametrize("call", ["fsync", "replace", "write"])
def test_failure_leaves_the_old_file_and_no_other(path, monkeypatch, call):
    before = path.read_bytes()

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "no space")

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    elif call == "replace":
        monkeypatch.setattr(Path, "replace", fail)
    else:
        real = os.fdopen

        def broken(*args):
            stream = real(*args, buffering=0)
            stream.close()
            return stream

        monkeypatch.setattr(os, "fdopen", broken)
    with pytest.raises((OSError, ValueError)):
        storage.save(path, "demo", {}, {})
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


def test_mode_follows_the_umask(tmp_path):
    for mask, mode in ((0o022, 0o644), (0o077, 0o600)):
        old = os.umask(mask)
        try:
            storage.save(tmp_path / "x", "demo", {}, {})
        finally:
            os.umask(old)
        assert (tmp_path / "x").stat().st_mode & 0o777 == mode


def test_links_are_followed_and_relative_paths_work(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("link").symlink_to(path.name)
    storage.save("link", "demo", {}, {"new": True})
    assert Path("link").is_symlink()
    assert storage.load(path, "demo")[1] == {"new": True}


def test_missing_folder_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        storage.save(tmp_path / "no" / "x", "demo", {}, {})


WRITER = """
import sys
import numpy as np
from npgfast import storage
for step in range(1, 1000000):
    storage.save(sys.argv[1], "demo", {"x": np.full(50000, float(step))}, {"step": step})
    print(step, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
def test_kill_during_save_loses_nothing_acknowledged(tmp_path):
    path = tmp_path / "x"
    for delay in (0.005, 0.011, 0.023):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(delay)
            process.kill()
            lines = process.stdout.read().split()
        arrays, metadata = storage.load(path, "demo")
        assert metadata["step"] >= int(lines[-1] if lines else 1)
        assert set(arrays["x"]) == {float(metadata["step"])}
