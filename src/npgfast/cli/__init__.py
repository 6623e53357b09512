"""The command line: ``npgfast train``, ``solve``, ``evaluate``, ``bench``, ``zoo`` and ``info``."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; ends the process with 0 (done), 1 (failed) or 2 (wrong usage)."""
    try:
        from npgfast.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.stderr.write(f'npgfast: the command line needs {error.name}: pip install "npgfast[cli]"\n')
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(1)
    app(prog_name="npgfast")
