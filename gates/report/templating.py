"""The templates of the HTML pages, their filters, and the one script a page lets run."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from urllib.parse import quote

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gates.domain.exhibits import Table, TableId
from gates.report import pictures, summary, text, wording
from gates.report.bounds import BoundRow

__all__ = ["TABLE_ROWS", "html_environment", "page"]

TABLE_ROWS = 200
_LOG_CHARACTERS = 20_000


def page(template: str, **values: object) -> str:
    """A template of this package, rendered.

    Args:
        template: Its file name.
        values: What it may use; everything that is not `Markup` is escaped.
    """
    return _environment().get_template(template).render(**values)


def html_environment(loader: BaseLoader) -> Environment:
    """What renders templates of HTML: all text escaped and cleaned, no name that is not given.

    Args:
        loader: Finds the templates.
    """
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    names = ["amount", "clip", "count", "demand", "duration", "installation", "interval"]
    names += ["number", "signed"]
    environment.filters |= {name: getattr(text, name) for name in names}
    environment.filters |= {"signs": text.with_signs, "quoted": _quoted}
    return environment


@cache
def _environment() -> Environment:
    loader = PackageLoader("gates.report")
    environment = html_environment(loader)
    environment.filters |= {
        "tail": _tail,
        "breakable": _breakable,
        "why": _why,
        "basis": wording.basis,
        "beside": wording.beside,
        "unit": wording.unit,
        "test_name": wording.test_name,
        "state": wording.state,
    }
    environment.tests["urgent"] = _is_urgent
    script = loader.get_source(environment, "report.js")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals |= {"marks": summary.MARKS, "picture": pictures, "level": _level}
    environment.globals |= {"table_rows": TABLE_ROWS, "script_hash": f"sha256-{digest}"}
    environment.globals["script"] = Markup(script)  # noqa: S704 - our own file
    return environment


def _is_urgent(table: Table) -> bool:
    """Whether a table says what to do next, so that it is not to be hunted for."""
    return table.id in (TableId.JUDGE_NEXT, TableId.WORST_SLICES)


def _shown(value: object) -> object:
    return text.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _tail(log: str) -> str:
    return log if len(log) <= _LOG_CHARACTERS else "…\n" + log[-_LOG_CHARACTERS:]


def _breakable(name: str) -> Markup:
    """A long name that may be broken after the signs between its words, and copied whole."""
    parts = re.split(r"(?<=[_/.:=\[])(?=[^\W\d])", text.clean(name))
    return Markup("<wbr>").join(parts)


def _quoted(name: str) -> str:
    """An id or a name as it may stand in an address."""
    return quote(name, safe="", errors="replace")


def _why(row: BoundRow, fault: str = "") -> str:
    """What is to be said beside the numbers; a fault of the whole check is said above its table."""
    said_above = fault and row.judgement and wording.is_of_check(row.judgement)
    own = wording.remark(row.judgement) if row.judgement and not said_above else ""
    return "\u00a0· ".join(filter(None, (own, *wording.details(row.measurement))))


def _level(grade: float, top: float) -> int:
    """How strongly a grade is tinted: 0 (none) to 3 (the best there is)."""
    return round(3 * min(1.0, max(0.0, grade / top))) if top else 0
