"""What the golden set of a model's card holds: where it comes from, how much, and of what."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gates.card.card import Card
from gates.domain.subject import GoldenSet, Manifest
from gates.errors import GatesError
from gates.golden import read_golden
from gates.kernels.agreement import krippendorff_alpha
from gates.kernels.design import effective_n
from gates.service.auth import allow
from gates.service.pages.site import Site, rendered

__all__ = ["golden_routes"]

_VALUES = 50
_SHELF = 32

State = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """What a golden set holds.

    Attributes:
        manifest: Where it comes from.
        digest: `sha256:…` over its files.
        queries: How many queries.
        effective: How many equally weighted ones they are worth.
        documents: Candidate rows.
        judged: Judgments.
        grades: Grade → how many judgments have it, lowest first.
        annotators: Annotator → judgments.
        agreement: Krippendorff's alpha of the annotators; None where it is not defined.
        expectations: Kind → how many.
        templates: Queries made from templates.
        never_shown: Documents that must not stand high.
        synonyms: Pairs of synonyms.
        slices: Column → values with how many queries have them, the most first.
        warnings: What a reader should know.
    """

    manifest: Manifest
    digest: str
    queries: int
    effective: float
    documents: int
    judged: int
    grades: Mapping[float, int]
    annotators: Mapping[str, int]
    agreement: float | None
    expectations: Mapping[str, int]
    templates: int
    never_shown: int
    synonyms: int
    slices: Mapping[str, tuple[tuple[str, int], ...]]
    warnings: tuple[str, ...]


class Shelf:
    """What golden sets hold, read again when one of their files changed."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[State, Holding]] = {}
        self._lock = threading.Lock()

    def holding(self, folder: Path) -> Holding:
        """What a golden set holds.

        Raises:
            GoldenError: It cannot be read, or has a defect.
        """
        state = _state(folder)
        with self._lock:  # a set is read once, however many look at its page
            kept = self._kept.get(folder)
            if kept and kept[0] == state:
                return kept[1]
            holding = _holding(read_golden(folder, expects=False))
            if len(self._kept) >= _SHELF:
                self._kept.clear()
            self._kept[folder] = (state, holding)
            return holding


def golden_routes(site: Site) -> list[Route]:
    """A model's golden set."""
    shelf = Shelf()

    def golden(request: Request) -> Response:
        caller = allow(request, "viewer")
        name = request.path_params["name"]
        card = site.card(name)
        if card is None:
            raise HTTPException(404, "a model by this name has no card, and so no golden set, here")
        try:
            if not isinstance(card, Card):
                raise card
            holding = shelf.holding(card.golden_path)
        except GatesError as problem:
            return rendered(site.service, caller, "problem.html", _unreadable(name, problem), 409)
        return site.page(request, "golden.html", name=name, golden=holding, most=_VALUES)

    return [Route("/golden/{name}", golden)]


def _unreadable(name: str, problem: GatesError) -> dict[str, object]:
    what, *lines = str(problem).splitlines()
    return {
        "code": 409,
        "title": "The golden set cannot be read",
        "what": what,
        "lines": lines,
        "advice": "No gate of this model can come to a verdict until it is mended.",
        "back": f"/models/{quote(name, safe='')}",
    }


def _holding(found: GoldenSet) -> Holding:
    ratings = np.array(list(found.annotators.values()), dtype=np.float64)
    alpha = krippendorff_alpha(ratings) if len(found.annotators) > 1 else float("nan")
    grades, counts = np.unique(found.grade, return_counts=True)
    return Holding(
        manifest=found.manifest,
        digest=found.digest,
        queries=len(found.query_id),
        effective=effective_n(found.design_weight, found.cluster),
        documents=len(found.row_doc),
        judged=len(found.judged_doc),
        grades=dict(zip(grades.tolist(), counts.tolist(), strict=True)),
        annotators={
            name: int(np.count_nonzero(~np.isnan(given)))
            for name, given in found.annotators.items()
        },
        agreement=None if np.isnan(alpha) else alpha,
        expectations=Counter(one.kind for one in found.expectations),
        templates=found.templates.total if found.templates else 0,
        never_shown=len(found.never_shown),
        synonyms=len(found.synonyms),
        slices={
            column: tuple(Counter(one or "(none)" for one in values).most_common())
            for column, values in found.slices.items()
        },
        warnings=found.warnings,
    )


def _state(folder: Path) -> State:
    found = []
    for path in sorted(folder.rglob("*")):
        status = path.stat()
        found.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(found)
