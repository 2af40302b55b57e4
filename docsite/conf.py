"""Sphinx's settings. Pages ask no other host for anything: no fonts, no scripts, no inventories."""

from typing import Any

from sphinx.application import Sphinx

from docsite.docstrings import as_restructured_text
from gates import __version__

project = "mlgates"
author = "the mlgates developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
myst_heading_anchors = 4
# Docstrings set code in single backticks, as Markdown does.
default_role = "code"

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_class_signature = "mixed"
python_maximum_signature_line_length = 80
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"mlgates {__version__}"
html_favicon = "images/favicon.svg"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False


def setup(app: Sphinx) -> None:
    """Read docstrings as they are written here, before napoleon sees them."""

    def read(*about: Any) -> None:
        lines: list[str] = about[-1]
        lines[:] = as_restructured_text(lines)

    app.connect("autodoc-process-docstring", read, priority=100)
