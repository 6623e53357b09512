#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox>=2025.2"]
# ///
"""Tasks: `nox` runs the checks, `nox -s docs` or `nox -s bench` one of the others."""

import nox

nox.needs_version = ">=2025.2"
nox.options.default_venv_backend = "uv|virtualenv"


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests on every compiled variant of this machine."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and the stub of the compiled module."""
    session.install(".[all]", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("python", "-m", "mypy.stubtest", "npgfast._core")


@nox.session(default=False)
def docs(session: nox.Session) -> None:
    """Build the documentation; warnings are errors."""
    session.install(".[all]", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "docs"))
    session.run("sphinx-build", "-nW", "--keep-going", "docs", "docs/_build/html")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Check and time every kernel at every size, with pytest-benchmark."""
    session.install(".", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "bench"))
    session.run("pytest", "benchmarks", *session.posargs)


@nox.session(default=False)
def peers(session: nox.Session) -> None:
    """Measure the limits of the machine, the peers, and cost against size; then write the page of results."""
    session.install(".", *nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "peers"))
    session.run("python", "benchmarks/limits/run.py")
    session.run("python", "benchmarks/peers/run.py", *session.posargs)
    session.run("python", "benchmarks/scaling.py")
    session.run("python", "benchmarks/page.py")


if __name__ == "__main__":
    nox.main()
