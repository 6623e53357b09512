"""Configuration of the documentation."""

import re
from typing import Any

import npgfast

project = "npgfast"
author = "npgfast contributors"
copyright = "npgfast contributors"
version = release = npgfast.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates"]
html_theme = "pydata_sphinx_theme"
html_title = "npgfast"
default_role = "literal"
autodoc_typehints = "none"
numpydoc_show_class_members = False


def _escape_bars(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Keep |x| in formulas from being read as a substitution; code stays as it is."""
    for k, line in enumerate(lines):
        if "|" in line and not line.lstrip().startswith((">>>", "...")):
            parts = re.split(r"(`+[^`]+`+)", line)
            lines[k] = "".join(part if part.startswith("`") else part.replace("|", r"\|") for part in parts)


def setup(app: Any) -> None:
    """Register the hook above."""
    app.connect("autodoc-process-docstring", _escape_bars)
