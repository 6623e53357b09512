"""The rules of the source tree: which part may include which, and which compiler flags are banned."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "src" / "cpp" / "npgfast"
BINDINGS = ROOT / "src" / "cpp" / "bindings"

# Stages that the files of each stage may include, besides their own.
MAY_INCLUDE = {
    "base": set(),
    "problems": {"base"},
    "policies": {"base", "problems"},
    "exact": {"base", "problems", "policies"},
    "sampling": {"base", "problems", "policies"},
    "geometry": {"base", "problems", "policies", "exact", "sampling"},
    "updates": {"base", "problems", "policies", "exact", "sampling", "geometry"},
    "training": {"base", "problems", "policies", "exact", "sampling", "geometry", "updates"},
}
BANNED_FLAGS = ("-ffast-math", "-Ofast", "-funsafe-math-optimizations", "-march=native", "-fopenmp")
BANNED_NAMES = {"utils", "helpers", "common"}

pytestmark = [
    pytest.mark.isa_independent,
    pytest.mark.skipif(not CORE.is_dir(), reason="the C++ sources are not here"),
]


def includes(path):
    """Names in the `#include` lines of a file."""
    return re.findall(r'^\s*#\s*include\s*[<"]([^">]+)[">]', path.read_text(encoding="utf-8"), re.MULTILINE)


def sources(folder):
    return sorted(path for path in folder.rglob("*") if path.suffix in {".hpp", ".cpp"})


def test_core_has_only_the_known_stages():
    assert {path.relative_to(CORE).parts[0] for path in sources(CORE)} <= set(MAY_INCLUDE)


def test_core_includes_go_one_way():
    wrong = []
    for path in sources(CORE):
        stage = path.relative_to(CORE).parts[0]
        included = {name.split("/")[1] for name in includes(path) if name.startswith("npgfast/")}
        wrong += [f"{path.relative_to(CORE)} includes {other}" for other in included - MAY_INCLUDE[stage] - {stage}]
    assert wrong == []


def test_core_files_include_their_own_header_first():
    wrong = [
        path.relative_to(CORE).as_posix()
        for path in sources(CORE)
        if path.suffix == ".cpp" and includes(path)[0] != path.with_suffix(".hpp").relative_to(CORE.parent).as_posix()
    ]
    assert wrong == []


def test_core_knows_no_python():
    wrong = [
        f"{path.name}: {name}"
        for path in sources(CORE)
        for name in includes(path)
        if re.match(r"Python\.h|pybind11/|bindings/|numpy/", name)
    ]
    assert wrong == []


def test_bindings_know_no_eigen():
    wrong = [f"{path.name}: {name}" for path in sources(BINDINGS) for name in includes(path) if "Eigen" in name]
    assert wrong == []


def test_only_one_header_includes_pybind11():
    wrong = [
        path.name
        for path in sources(BINDINGS)
        if path.name != "pybind.hpp" and any(name.startswith("pybind11/") for name in includes(path))
    ]
    assert wrong == []


def test_bindings_have_no_classes_and_no_silent_casts():
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources(BINDINGS))
    assert not re.search(r"py::class_|forcecast", code)


def test_banned_flags_are_absent():
    files = [ROOT / "CMakeLists.txt", ROOT / "pyproject.toml", *sources(CORE), *sources(BINDINGS)]
    found = [
        f"{path.name}: {flag}" for path in files for flag in BANNED_FLAGS if flag in path.read_text(encoding="utf-8")
    ]
    assert found == []


def test_every_header_is_included_once():
    headers = [path for folder in (CORE, BINDINGS) for path in sources(folder) if path.suffix == ".hpp"]
    assert [path.name for path in headers if "#pragma once" not in path.read_text(encoding="utf-8")] == []


def test_lines_end_at_column_120():
    wrong = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*sources(CORE), *sources(BINDINGS)]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > 120
    ]
    assert wrong == []


def declared_names(namespace, code):
    """Names that a file of the core declares in a namespace: those of types and constants, and those of functions."""
    objects, functions = set(), set()
    for block in re.findall(rf"^namespace {namespace}\{{$(.*?)^\}}  // namespace", code, re.MULTILINE | re.DOTALL):
        text = re.sub(r"//.*|^#.*", "", block, flags=re.MULTILINE)
        for brackets, mark in ((r"\{[^{}]*\}", "\0"), (r"\([^()]*\)", "\1"), (r"<[^<>]*>", "")):
            while re.search(brackets, text):  # the innermost first, until nothing is left inside others
                text = re.sub(brackets, mark, text)
        for statement in re.split(r";|\0\n", text):
            if kind := re.match(r"\s*(?:template\s+)?(?:struct|class|enum class|using(?=[^:]+=))\s+(\w+)", statement):
                objects.add(kind[1])
            elif function := re.match("[^=]*?(\\w+)\1", statement):
                functions.add(function[1])
            elif "using" not in statement:
                for declarator in statement.split(","):
                    objects.update(re.findall(r"(\w+)\W*$", declarator.split("=")[0]))
    return objects, functions


def test_names_in_anonymous_namespaces_are_unique_in_a_unity_build():
    homes = {}
    for path in sources(CORE):
        is_private = path.suffix == ".cpp"
        objects, functions = declared_names("" if is_private else "npgfast ", path.read_text(encoding="utf-8"))
        for name in objects | (functions if is_private else set()):  # a public function may have overloads elsewhere
            homes.setdefault(name, []).append(path.relative_to(CORE).as_posix())
    assert {name: paths for name, paths in homes.items() if len(paths) > 1} == {}


def test_no_module_is_a_drawer_for_everything():
    package = ROOT / "src" / "npgfast"
    assert [path.name for path in package.rglob("*") if path.stem.lstrip("_") in BANNED_NAMES] == []
    assert [path.name for path in sources(CORE) if path.stem in BANNED_NAMES] == []
