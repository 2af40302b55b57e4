"""Pages for the modules that other code may import."""

from __future__ import annotations

import importlib
import inspect
import re
from types import ModuleType

__all__ = ["pages", "settings_page"]

_MODULES = (
    "gates.strategies",
    "gates.domain.judging",
    "gates.evidence.evidence",
    "gates.domain.comparison",
    "gates.card.card",
    "gates.card.policy",
    "gates.domain.subject",
    "gates.errors",
    "gates.run.gate",
    "gates.packaging",
    "gates.promotion.promote",
    "gates.promotion.rollback",
    "gates.promotion.criteria",
    "gates.golden",
    "gates.registry.mlflow",
    "gates.kernels.ranking",
    "gates.kernels.mean_bounds",
    "gates.kernels.power",
    "gates.kernels.agreement",
    "gates.kernels.multiplicity",
    "gates.kernels.unjudged",
    "gates.kernels.calibration",
    "gates.kernels.discovery",
)


def pages() -> dict[str, str]:
    """Each page's name and text in reStructuredText; `interface` lists the others."""
    made = {f"interface/{name}": _module_page(name) for name in _MODULES}
    listed = "\n".join(f"   {name}" for name in made)
    title = "Python interface"
    intro = (
        "What a model's own tests and other tools may import, from the code's own docstrings.\n"
        "``gates.strategies`` is for tests; the kernels are plain functions of NumPy arrays.\n"
    )
    toctree = f".. toctree::\n   :maxdepth: 1\n\n{listed}\n"
    made["interface"] = f"{title}\n{'=' * len(title)}\n\n{intro}\n{toctree}"
    return made


def _module_page(name: str) -> str:
    module = importlib.import_module(name)
    lines = [name, "=" * len(name), "", f".. automodule:: {name}", "   :no-members:", ""]
    for member in _members(module):
        value = getattr(module, member)
        if inspect.isclass(value):
            kind = "autoexception" if issubclass(value, Exception) else "autoclass"
            lines += [f".. {kind}:: {name}.{member}", "   :members:", ""]
        elif inspect.isroutine(value):
            lines += [f".. autofunction:: {name}.{member}", ""]
        else:
            lines += [f".. autodata:: {name}.{member}", "   :no-value:", ""]
    return "\n".join(lines)


def _members(module: ModuleType) -> list[str]:
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
    return list(getattr(module, "__all__", own))


def settings_page() -> str:
    """The settings table, which stands at the head of the module that reads them."""
    text = importlib.import_module("gates.settings").__doc__ or ""
    table = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    if table is None:
        raise LookupError("gates/settings.py: its docstring holds no table of settings")
    first = text.partition("\n")[0]
    return f"# Settings\n\n{first}\n\n{table[0]}"
