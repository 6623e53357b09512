"""The compiled variants: what they export, how one is chosen, and that loading one changes nothing else."""

import importlib
import os
import re
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import npgfast as nf
from npgfast import _core
from npgfast._core import _cpu

FOLDERS = {isa: isa.replace("-", "_") for isa in ("baseline", "x86-64-v2", "x86-64-v3", "x86-64-v4")}

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads ELF files")


def extension_file(name):
    """Path of a compiled module below `npgfast._core`."""
    return Path(importlib.import_module(f"npgfast._core.{name}").__file__)


def run_python(code, **environment):
    """Run `code` in a new interpreter."""
    clean = {key: value for key, value in os.environ.items() if key != "NPGFAST_ISA"}
    return subprocess.run(
        [sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True, check=False
    )


def elf_dynamic(path):
    """Exported symbols and needed libraries of a 64-bit little-endian ELF file."""
    data = np.fromfile(path, dtype=np.uint8)
    header_offset, header_size, n_headers = (
        int(data[40:48].view("<u8")[0]),
        int(data[58:60].view("<u2")[0]),
        int(data[60:62].view("<u2")[0]),
    )
    section_type = np.dtype(
        "<u4,<u4,<u8,<u8,<u8,<u8,<u4,<u4,<u8,<u8"  # name, type, flags, address, offset, size, link, info, align, entry
    )
    assert header_size == section_type.itemsize
    sections = data[header_offset : header_offset + n_headers * header_size].view(section_type)

    def contents(section):
        return data[int(section["f4"]) : int(section["f4"]) + int(section["f5"])]

    def text(strings, start):
        return strings[start:].tobytes().split(b"\0", 1)[0].decode()

    symbol_type = np.dtype(
        [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("address", "<u8", 2)]
    )
    exported, needed = [], []
    for section in sections:
        strings = contents(sections[section["f6"]])
        if section["f1"] == 11:  # SHT_DYNSYM
            symbols = contents(section).view(symbol_type)
            defined = symbols[(symbols["section"] != 0) & (symbols["info"] >> 4 != 0)]
            exported += [text(strings, name) for name in defined["name"]]
        elif section["f1"] == 6:  # SHT_DYNAMIC
            entries = contents(section).view("<u8").reshape(-1, 2)
            needed += [text(strings, int(value)) for tag, value in entries if tag == 1]  # DT_NEEDED
    return exported, needed


@linux
def test_exactly_one_symbol_is_exported(isa):
    exported, _ = elf_dynamic(extension_file(f"{FOLDERS[isa]}._impl"))
    assert exported == ["PyInit__impl"]


@linux
@pytest.mark.isa_independent
def test_cpu_module_exports_exactly_one_symbol():
    exported, _ = elf_dynamic(extension_file("_cpu"))
    assert exported == ["PyInit__cpu"]


@linux
def test_no_openmp_runtime_is_linked(isa):
    _, needed = elf_dynamic(extension_file(f"{FOLDERS[isa]}._impl"))
    assert any(name.startswith("libc.") for name in needed)
    assert not [name for name in needed if re.match(r"lib(gomp|omp|iomp)", name)]


def test_active_variant_is_the_one_compiled_for(isa):
    assert _core.active_isa() == isa
    assert _core.build_info()["isa"] == isa


def test_variants_offer_the_same_functions(isa):
    best = importlib.import_module(f"npgfast._core.{FOLDERS[_core.available_isas()[-1]]}._impl")
    this = importlib.import_module(f"npgfast._core.{FOLDERS[isa]}._impl")
    public = {name for name in vars(this) if not name.startswith("_")}
    assert public == {name for name in vars(best) if not name.startswith("_")}
    assert all(getattr(_core, name) is getattr(this, name) for name in public)


def test_forced_variant_is_active_in_a_new_process(isa):
    code = "from npgfast import _core; print(_core.active_isa(), _core.build_info()['isa'])"
    assert run_python(code, NPGFAST_ISA=isa).stdout.split() == [isa, isa]


@pytest.mark.isa_independent
def test_best_available_variant_is_the_default():
    code = "from npgfast import _core; print(_core.active_isa())"
    assert run_python(code).stdout.strip() == _core.available_isas()[-1]


@pytest.mark.isa_independent
def test_available_variants_are_installed_and_supported():
    available = _core.available_isas()
    assert available
    assert set(available) <= set(_cpu.supported_isas())
    assert list(available) == sorted(available)


@pytest.mark.isa_independent
def test_unknown_name_is_a_value_error_naming_the_known():
    with pytest.raises(ValueError, match=r"'avx9'.*baseline, x86-64-v2, x86-64-v3, x86-64-v4"):
        _core.activate("avx9")
    forced = run_python("import npgfast", NPGFAST_ISA="avx9")
    assert forced.returncode != 0
    assert "ValueError: unknown instruction set 'avx9'" in forced.stderr


@pytest.mark.isa_independent
def test_unsupported_variant_is_an_import_error_naming_the_available():
    unsupported = next(isa for isa in FOLDERS if isa not in _cpu.supported_isas())
    forced = run_python("import npgfast", NPGFAST_ISA=unsupported)
    assert forced.returncode != 0
    assert f"ImportError: instruction set {unsupported!r} is not supported by this processor" in forced.stderr
    assert f"available: {', '.join(_core.available_isas())}" in forced.stderr


def test_variant_not_installed_is_an_import_error_and_the_active_one_stays(isa, monkeypatch):
    others = [name for name in _core.available_isas() if name != isa]
    if not others:
        pytest.skip("this machine has a single variant")
    monkeypatch.setattr(_core, "_is_installed", lambda name: name != others[0])
    with pytest.raises(ImportError, match=f"'{others[0]}' is not installed; available: "):
        _core.activate(others[0])
    assert _core.active_isa() == isa


def test_build_info_states_versions_and_variant(isa):
    info = nf.build_info()
    assert info["version"] == nf.__version__
    assert info["isa"] == isa
    assert info["available_isas"] == _core.available_isas()
    assert info["eigen"] == "5.0.1"
    assert info["fp_contract"] == "off"
    assert info["numpy"] == np.__version__
    assert info["compiler"].startswith(("GCC", "Clang"))
    assert sysconfig.get_python_version() in info["python"]


def test_import_keeps_denormals_and_signal_handlers(isa):
    code = (
        "import signal, numpy\n"
        "names = [s for s in signal.valid_signals()]\n"
        "before = [signal.getsignal(s) for s in names]\n"
        "import npgfast\n"
        "assert 5e-324 * float('1.0') != 0.0 and float('2.2250738585072014e-308') * 0.5 != 0.0\n"
        "assert [signal.getsignal(s) for s in names] == before\n"
        "print('unchanged')"
    )
    result = run_python(code, NPGFAST_ISA=isa)
    assert result.stdout.strip() == "unchanged", result.stderr
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
