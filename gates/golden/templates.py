"""`templates.yaml`: what is expected of queries that are made from lists of words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gates.domain.phrases import SLOT, Expanded, Nothing, Template, Templates
from gates.errors import GoldenError
from gates.golden.files import read_text
from gates.system.strict_yaml import Lines, nearest, parse

__all__ = ["read_templates"]

_LARGEST = 10**9
"""A template that makes more queries than this is a mistake, not a wish."""

_COMPARED = 100_000
"""Contradictions are looked for among so many queries."""


def _as_mapping(words: Any) -> Any:  # noqa: ANN401 - YAML holds anything
    """A list stands for words that mean themselves."""
    if not isinstance(words, list):
        return words
    twice = [one for at, one in enumerate(words) if one in words[:at]]
    if twice:
        raise ValueError(f"it holds {twice[0]!r} twice")
    unfit = [one for one in words if not isinstance(one, str)]
    if unfit:
        raise ValueError(f"{unfit[0]!r} is not text; put quotes around it")
    return {one: one for one in words}


_Text = Annotated[str, Field(min_length=1)]
_Words = Annotated[dict[_Text, _Text], BeforeValidator(_as_mapping), Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Expected(_Strict):
    query: _Text
    label: _Text


class _Nowhere(_Strict):
    queries: list[_Text] = Field(min_length=1)
    label: str = ""
    below: float = Field(default=0.0, gt=0, le=1, allow_inf_nan=False)

    @model_validator(mode="after")
    def _means_something(self) -> _Nowhere:
        if not self.label and not self.below:
            raise ValueError("say what answers 'no category': 'label', 'below' or both")
        return self


class _Sheet(_Strict):
    words: dict[str, _Words] = {}
    expect: list[_Expected] = []
    nothing: _Nowhere | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> _Sheet:
        if not self.expect and self.nothing is None:
            raise ValueError("it needs 'expect', 'nothing' or both")
        return self


def read_templates(path: Path, labels: Iterable[str]) -> tuple[Templates, tuple[str, ...]]:
    """Read and check a classification set's `templates.yaml`.

    Args:
        labels: The labels that the set's other expectations name.

    Returns:
        The templates, and what a reader should know about them.

    Raises:
        GoldenError: It is not YAML, has a wrong key, a template names an unknown slot, or two
            templates contradict each other.
    """
    sheet, lines = parse(read_text(path), _Sheet, path=path, error=GoldenError)
    for at, one in enumerate(sheet.expect):
        _check_slots(path, sheet, lines, at, one)
    nothing = None
    if sheet.nothing:
        queries = tuple(dict.fromkeys(sheet.nothing.queries))
        nothing = Nothing(queries, sheet.nothing.label, sheet.nothing.below)
    expect = tuple(
        Template(one.query, one.label, lines.of("expect", at) or 0)
        for at, one in enumerate(sheet.expect)
    )
    found = Templates(sheet.words, expect, nothing)
    for template in expect:
        if found.size(template) > _LARGEST:
            raise GoldenError(
                f"'{template.query}' makes {found.size(template):.3g} queries",
                path=path,
                line=template.line,
                advice="Use fewer slots in one template, or shorter lists.",
            )
    made = tuple(found.expanded(_COMPARED, seed=0))
    _check_agreement(path, found, made)
    return found, _warnings(made, set(labels))


def _check_slots(path: Path, sheet: _Sheet, lines: Lines, at: int, one: _Expected) -> None:
    def defect(what: str, key: str, advice: str) -> GoldenError:
        return GoldenError(what, path=path, line=lines.of("expect", at, key), advice=advice)

    for key, text, known in (
        ("query", one.query, list(sheet.words)),
        ("label", one.label, SLOT.findall(one.query)),
    ):
        for slot in SLOT.findall(text):
            if slot not in known:
                where = "'words' has no list" if key == "query" else "its query has no slot"
                raise defect(f"{where} '{slot}'", key, nearest(slot, known))
        if set("{}") & set(SLOT.sub("", text)):
            what = f"'{text}' has a brace that is no slot"
            raise defect(what, key, "Write a slot as {name}, in small letters.")


def _check_agreement(path: Path, templates: Templates, made: tuple[Expanded, ...]) -> None:
    first: dict[str, Expanded] = {}
    for one in made:
        other = first.setdefault(one.query, one)
        if other.label != one.label:
            raise GoldenError(
                f"'{one.query}' is expected to be both {other.label} (line "
                f"{templates.expect[other.template].line}) and {one.label}",
                path=path,
                line=templates.expect[one.template].line,
                advice="Take the word out of one of the lists.",
            )


def _warnings(made: tuple[Expanded, ...], labels: set[str]) -> tuple[str, ...]:
    if not labels:
        return ()
    strange = sorted({one.label for one in made} - labels)
    if not strange:
        return ()
    more = ", …" if len(strange) > 3 else ""
    what = "templates.yaml expects labels that no expectation of the set names"
    return (f"{what}: {', '.join(strange[:3])}{more}",)
