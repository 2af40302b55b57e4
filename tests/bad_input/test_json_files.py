"""Every kind of JSON file that we read back, spoilt: it is read, or refused; never a traceback."""

from __future__ import annotations

import dataclasses
import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gates
from gates.bisection import journal
from gates.domain.counterexamples import Counterexample, KnownCounterexample
from gates.domain.judging import EnvironmentFacts
from gates.environments import _base_image, _places
from gates.errors import GatesError, InputError
from gates.evidence import bundle, counterexamples, version_2
from gates.evidence.bundle import read_evidence
from gates.evidence.envelope import seal
from gates.evidence.evidence import CheckRecord, canonical
from gates.evidence.statement import statement_of
from gates.locks import late
from gates.pull_request import folder as reviews
from gates.run import folder as run
from gates.system.json_files import JsonFile
from tests.action.reviews import review_of
from tests.evidence.test_evidence import sample


@dataclass(frozen=True)
class Kind:
    """A kind of file: one that is right, and how it is read."""

    content: bytes
    read: Callable[[Path], object]
    file: JsonFile[Any]


def kind_of(file: JsonFile[Any], held: object) -> Kind:
    return Kind(held if isinstance(held, bytes) else canonical(held), file.read, file)


def _sealed_and_read(path: Path) -> object:
    path.write_bytes(seal(path.read_bytes(), None))
    return read_evidence(path)


EVIDENCE = sample()
STATEMENT = canonical(statement_of(EVIDENCE))
TYPO = Counterexample("invariance.typo", "office pants", "offce pants", "Apparel")
FACTS = EnvironmentFacts(key="k", python="3.11.7", platform="Linux", cached=True, build_seconds=0)
KINDS = {
    "evidence": Kind(seal(STATEMENT, None), read_evidence, bundle._FILE),
    "statement in evidence": Kind(STATEMENT, _sealed_and_read, bundle._FILE),
    "evidence of before": Kind(
        canonical(replace(EVIDENCE, schema=version_2.SCHEMA)), read_evidence, bundle._FILE
    ),
    "run": kind_of(
        run._RUN,
        run.ResolvedRun("r1", "a.md", EVIDENCE.candidate, EVIDENCE.champion, "0.1.0"),
    ),
    "part": kind_of(run._PART, run.RunPart(EVIDENCE.records, {"candidate": FACTS})),
    "counterexamples": kind_of(
        counterexamples._KEPT,
        counterexamples._File("a", "behaviour", 2, (KnownCounterexample(TYPO, "models:/a/1"),)),
    ),
    "review": kind_of(reviews._REVIEW, review_of("a" * 40)),
    "state of a bisection": kind_of(
        journal._PAGE,
        journal._Page({"digest": "d"}, (journal.Trial(("a",), "same", None, None, 1.5),)),
    ),
    "late lock": kind_of(
        late._FILE,
        late.LateLock(
            uri="models:/a/1",
            digest="sha256:" + "a" * 64,
            created=datetime(2026, 1, 1, tzinfo=UTC),
            source="x",
            command="y",
            python="3.11",
            mlgates="0.1.0",
        ).model_dump_json().encode(),
    ),
    "marker of an environment": kind_of(
        _places._MARKER, _places.BuiltFacts("k", "3.11.7", "Linux", bytes=3)
    ),
    "note on a base image": kind_of(
        _base_image._NOTE, _base_image.BaseImage("sha256:1", "3.11.7", "/p", "x86_64", "musl")
    ),
}  # fmt: skip

DEEP: Any = json.loads("[" * 800 + "]" * 800)
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, -1, 2**70, 10**400, 1e308, "", "\0", "\ud800", "Infinity", "NaN", "x" * 5_000,
        [], {}, [[]], {"": {}}, [None] * 50, "2026-13-45T99:99:99Z", 0.5, "mlgates.evidence/1",
        DEEP,
    ]
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, one in inner:
        yield from places(one, (*at, key))


def with_junk(value: Any, at: tuple[Any, ...], junk: object) -> Any:
    if not at:
        return junk
    whole = deepcopy(value)
    inner = whole
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = junk
    return whole


def read_or_refused(kind: Kind, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        held = kind.read(path)
        if dataclasses.is_dataclass(held):
            canonical(held)  # what was read can be written again
    except InputError as problem:
        refused = problem
    else:
        return
    assert refused.path == path
    assert refused.what
    assert "\n" not in refused.what


@pytest.mark.parametrize("name", KINDS)
def test_what_was_written_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(KINDS[name].content)
    assert KINDS[name].read(path)


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=40)
def test_a_file_with_anything_in_any_place_is_read_or_refused(
    name: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kind = KINDS[name]
    value = json.loads(kind.content)
    at = data.draw(st.sampled_from(list(places(value))))
    spoilt = json.dumps(with_junk(value, at, data.draw(JUNK)))
    read_or_refused(kind, tmp_path_factory.getbasetemp() / "spoilt.json", spoilt.encode())


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
@settings(max_examples=40)
def test_a_file_with_broken_bytes_is_read_or_refused(
    name: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    kind = KINDS[name]
    cut = data.draw(st.integers(0, len(kind.content)))
    gone = data.draw(st.sampled_from([0, 1, 7, len(kind.content)]))
    put = data.draw(st.binary(max_size=4) | st.sampled_from([b"NaN", b"[" * 5_000, b'"', b"\0"]))
    content = kind.content[:cut] + put + kind.content[cut + gone :]
    read_or_refused(kind, tmp_path_factory.getbasetemp() / "spoilt.json", content)


def test_every_kind_of_file_there_is_is_spoilt_here() -> None:
    modules = [
        importlib.import_module(one.name)
        for one in pkgutil.walk_packages(gates.__path__, "gates.")
        if not one.name.startswith(("gates.environments.worker", "gates.__main__"))
    ]
    found = {
        one.holds
        for module in modules
        for one in vars(module).values()
        if isinstance(one, JsonFile)
    }
    assert found == {kind.file.holds for kind in KINDS.values()}


def test_a_damaged_part_of_a_run_is_an_error_we_know(tmp_path: Path) -> None:
    folder = run.RunFolder(tmp_path)
    folder.leave("gw0", run.RunPart((CheckRecord("latency"),), {}))
    (tmp_path / "parts" / "gw1.json").write_text("{")
    with pytest.raises(GatesError, match=r"gw1\.json: is not JSON"):
        list(folder.parts())
