"""Configuration of the documentation."""

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
