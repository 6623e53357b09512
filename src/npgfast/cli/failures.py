"""How a command ends when it cannot do what it was asked: one line on standard error and an exit code."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from npgfast.storage import CheckpointError

__all__ = ["WrongUsage", "reported", "usage"]

FAILED, WRONG_USAGE = 1, 2


class WrongUsage(Exception):
    """Something on the command line cannot be used."""


@contextmanager
def usage() -> Iterator[None]:
    """Take errors about values, which the caller got from the command line, as wrong usage."""
    try:
        yield
    except CheckpointError:
        raise
    except (TypeError, ValueError) as error:
        raise WrongUsage(_line(error)) from error


@contextmanager
def reported() -> Iterator[None]:
    """Turn exceptions into one line on standard error and an exit code, and warnings into one line each.

    With NPGFAST_TRACEBACK set, exceptions pass.
    """
    if os.environ.get("NPGFAST_TRACEBACK"):
        yield
        return
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            yield
        except WrongUsage as error:
            _say(f"error: {_line(error)}")
            raise typer.Exit(WRONG_USAGE) from error
        except KeyboardInterrupt as error:
            _say("interrupted")
            raise typer.Exit(FAILED) from error
        except typer.Exit:
            raise
        except Exception as error:
            _say(f"error: {_line(error)}")
            raise typer.Exit(FAILED) from error


def _line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    text = " ".join(str(error).split())
    return text or type(error).__name__


def _say(text: str) -> None:
    sys.stderr.write(f"npgfast: {text}\n")


def _show_warning(message: Warning | str, *_: object) -> None:
    _say(f"warning: {' '.join(str(message).split())}")
