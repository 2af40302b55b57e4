"""From a golden set's folder to a `GoldenSet`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gates.domain.golden_set import Expectation, GoldenSet, NeverShown
from gates.domain.id_repairs import meeting
from gates.domain.phrases import Templates
from gates.domain.tasks import AnswerForm
from gates.errors import GoldenError
from gates.golden.candidates import Candidates, read_candidates
from gates.golden.digest import golden_digest
from gates.golden.expectations import read_expectations
from gates.golden.judgments import Judgments, read_judgments
from gates.golden.manifest import read_manifest
from gates.golden.never_show import read_never_show
from gates.golden.pairs import pair_keys
from gates.golden.queries import Queries, read_queries
from gates.golden.synonyms import read_synonyms
from gates.golden.templates import read_templates

if TYPE_CHECKING:
    from gates.domain.golden_set import Manifest

__all__ = ["read_golden"]


_SAMPLED = 500  # queries whose ids are compared where some do not meet


def _apart(path: Path, candidates: Candidates, judged: Judgments, *, met: bool) -> list[str]:
    """Why judged documents are not candidates, where a usual repair of ids tells.

    Raises:
        GoldenError: No judged document is a candidate, or more would be only after a repair.
    """
    some = np.unique(judged.query)[:_SAMPLED]
    pairs = [
        [
            (str(query), document)
            for query, document in zip(
                query_of[chosen].tolist(), doc.filter(pa.array(chosen)).to_pylist(), strict=True
            )
        ]
        for query_of, doc in ((judged.query, judged.doc), (candidates.query, candidates.doc))
        for chosen in (np.isin(query_of, some),)
    ]
    cause = meeting(*pairs)
    if not met or cause.damaged:
        what = "no judged document is a candidate of its query"
        if met:
            what = f"only {cause.met:,} of {cause.ids:,} judged documents are candidates"
        raise GoldenError(
            f"{what}: the judgments are {pairs[0][0][1]!r}, …, the candidates {pairs[1][0][1]!r}, …"
            if pairs[1]
            else what,
            path=path,
            advice=f"Write the ids of both files alike: {cause.words}."
            if cause.repair
            else "Judge candidates of these queries, or write the ids of both files alike.",
        )
    return [f"judged documents are not candidates: {cause.words}"] if cause.repair else []


def _judging_warnings(
    path: Path, queries: Queries, candidates: Candidates, judged: Judgments
) -> list[str]:
    total = len(queries.text)
    warnings = []
    empty = total - len(np.unique(candidates.query))
    if empty:
        warnings.append(
            f"{empty} of {total} queries have no candidate: both models answer them with nothing"
        )
    unjudged = total - len(np.unique(judged.query))
    if unjudged:
        warnings.append(f"{unjudged} of {total} queries have no judged document")
    barren = total - unjudged - len(np.unique(judged.query[judged.grade > 0]))
    if barren:
        warnings.append(
            f"{barren} of {total} queries have judgments but no relevant document: "
            "nDCG is not defined for them"
        )
    known = pair_keys(judged.query, judged.doc, candidates.documents)
    rows = pair_keys(candidates.query, candidates.doc, candidates.documents)
    judged_row = np.isin(rows, known)
    if not np.isin(known, rows).all():
        warnings += _apart(path, candidates, judged, met=bool(judged_row.any()))
    share = float(np.mean(judged_row))
    if share < 0.5:
        warnings.append(f"only {share:.0%} of the candidates are judged")
    return warnings


def _with_candidates(
    path: Path, manifest: Manifest, queries: Queries
) -> tuple[Candidates, Judgments, tuple[Expectation, ...], tuple[str, ...]]:
    candidates = read_candidates(path, manifest, queries.ids)
    judged = read_judgments(path, manifest.max_grade, queries.ids)
    expected = path / "expectations.csv"
    found, notes = (
        read_expectations(expected, manifest, queries.ids, candidates)
        if expected.exists()
        else ((), ())
    )
    notes = (*judged.warnings, *_judging_warnings(path, queries, candidates, judged), *notes)
    return candidates, judged, found, notes


def _templates(
    path: Path, manifest: Manifest, expectations: tuple[Expectation, ...]
) -> tuple[Templates | None, tuple[str, ...]]:
    if not path.exists():
        return None, ()
    if manifest.task.answers is not AnswerForm.LABELS:
        raise GoldenError(
            f"templates expect labels, which {manifest.task.called} model does not give",
            path=path,
            advice="Remove the file; expectations.csv says where documents must stand.",
        )
    return read_templates(path, (one.target for one in expectations))


def _never_shown(path: Path, manifest: Manifest) -> tuple[NeverShown, ...]:
    if not path.exists():
        return ()
    if not manifest.task.has_candidates:
        raise GoldenError(
            f"{manifest.task.called} model shows no documents",
            path=path,
            advice="Remove the file.",
        )
    return read_never_show(path)


def _set(
    path: Path,
    manifest: Manifest,
    queries: Queries,
    candidates: Candidates,
    judged: Judgments,
    expectations: tuple[Expectation, ...],
    warnings: tuple[str, ...],
    templates: Templates | None,
    never_shown: tuple[NeverShown, ...],
) -> GoldenSet:
    synonyms = path / "synonyms.csv"
    return GoldenSet(
        path=path,
        digest=golden_digest(path),
        manifest=manifest,
        query_id=tuple(queries.ids.to_pylist()),
        query_text=queries.text,
        weight=queries.weight,
        census=queries.census,
        inclusion=queries.inclusion,
        cluster=queries.cluster,
        slices=queries.slices,
        row_query=candidates.query,
        row_doc=tuple(candidates.doc.to_pylist()),
        row_title=candidates.title,
        features=candidates.features,
        text_features=candidates.text_features,
        attributes=candidates.attributes,
        judged_query=judged.query,
        judged_doc=tuple(judged.doc.to_pylist()),
        grade=judged.grade,
        annotators=judged.annotators,
        expectations=expectations,
        warnings=warnings,
        templates=templates,
        never_shown=never_shown,
        synonyms=read_synonyms(synonyms) if synonyms.exists() else (),
    )


_NOTHING = pa.array([], pa.string())
_NO_CANDIDATES = Candidates(np.empty(0, np.int64), _NOTHING, _NOTHING, (), {}, {}, {})
_NO_JUDGMENTS = Judgments(np.empty(0, np.int64), _NOTHING, np.empty(0), {}, ())


def read_golden(path: Path, *, expects: bool = True) -> GoldenSet:
    """Read a golden set folder and check every file of it against every other.

    Args:
        path: The folder, with `manifest.yaml`, `queries.csv` and, by task, `candidates.csv` or
            `candidates.parquet`, `judgments.csv`, `annotations.csv`, `expectations.csv`,
            `never-show.csv`, `templates.yaml`, `synonyms.csv`.
        expects: Whether a set of a task that must have its `expectations.csv` must have it
            here: a set to record into has it not yet.

    Returns:
        The set, in file order, with what a reader should know in `warnings`.

    Raises:
        GoldenError: The first defect found: file, line, count, examples, and what to do.
    """
    if not path.is_dir():
        raise GoldenError(
            "there is no such golden set folder", path=path, advice="Check `golden:` in the card."
        )
    if not (path / "manifest.yaml").exists():
        inside = sorted(one.parent.name for one in path.glob("*/manifest.yaml"))
        raise GoldenError(
            "there is no such file, so its folder is no golden set",
            path=path / "manifest.yaml",
            advice=f"Name one of the sets in it: {', '.join(inside)}."
            if inside
            else "Name the folder of a golden set, or write its manifest (docs/golden-sets.md).",
        )
    manifest = read_manifest(path / "manifest.yaml")
    queries = read_queries(path / "queries.csv", manifest)
    if manifest.task.has_candidates:
        candidates, judged, expectations, notes = _with_candidates(path, manifest, queries)
    else:
        candidates, judged, expectations, notes = _NO_CANDIDATES, _NO_JUDGMENTS, (), ()
        expected = path / "expectations.csv"
        if expected.exists() or (expects and manifest.task.must_expect):
            expectations, notes = read_expectations(expected, manifest, queries.ids, None)
    templates, hints = _templates(path / "templates.yaml", manifest, expectations)
    warnings = (*queries.warnings, *notes, *hints)
    never = _never_shown(path / "never-show.csv", manifest)
    return _set(
        path, manifest, queries, candidates, judged, expectations, warnings, templates, never
    )
