"""All that a run must come to: every bound, every file of own tests, every own test.

It is listed before anything runs, so that what is left out, skipped or hidden shows as missing.
Tests are read from the source as well as from what pytest collects: a conftest can keep pytest from
seeing a test, but not the file from holding it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeGuard

from gates.card.card import Card
from gates.domain.judging import Bound
from gates.domain.subject import GoldenSet

__all__ = ["Inventory", "OwnTestFile", "list_inventory", "own_test_files"]


@dataclass(frozen=True, slots=True)
class OwnTestFile:
    """A file that own tests are in or are configured by; its path starts at the project."""

    path: str
    digest: str

    @property
    def holds_tests(self) -> bool:
        """Whether tests are to be found in it; a `conftest.py` only configures them."""
        return Path(self.path).name != "conftest.py"


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that a run must come to.

    Attributes:
        bounds: Every bound of the card, slices spelled out.
        test_files: Files of own tests, and each `conftest.py` that has a say in them.
        tests: Own tests by pytest's name; without parameters where only the source was read.
    """

    bounds: tuple[Bound, ...]
    test_files: tuple[OwnTestFile, ...] = ()
    tests: tuple[str, ...] = ()

    def with_tests(self, collected: Iterable[str]) -> Inventory:
        """The same with the tests that pytest collected."""
        return replace(self, tests=tuple(sorted({*self.tests, *collected})))

    def tests_without(self, judged: Iterable[str]) -> tuple[str, ...]:
        """The listed tests that no judgement is of, and the files that hold no test at all."""
        there = set[str]()
        for name in judged:
            there |= {name, name.partition("[")[0], name.partition("::")[0]}
        # A file that could not be imported has one judgement, its own, for all that it holds.
        whole = {name for name in judged if "::" not in name}
        missing = [
            one for one in self.tests if one not in there and one.partition("::")[0] not in whole
        ]
        listed = {one.partition("::")[0] for one in self.tests}
        empty = [
            one.path
            for one in self.test_files
            if one.holds_tests and one.path not in listed and one.path not in there
        ]
        return (*missing, *empty)


def own_test_files(golden: Path) -> tuple[Path, ...]:
    """The files of a model's own tests, in the folder of its golden set."""
    return tuple(sorted(golden.glob("test_*.py")))


def list_inventory(card: Card, golden: GoldenSet) -> Inventory:
    """What a card asks as it is now, with its own tests as far as their source tells.

    Args:
        card: The card.
        golden: Its golden set.

    Raises:
        CardError: A slice of the card is not in the golden set.
    """
    tests = own_test_files(card.golden_path)
    files = [*tests, *(_configured_by(card) if tests else ())]
    return Inventory(
        card.bounds(golden),
        tuple(OwnTestFile(_name(path, card), _digest(path)) for path in files),
        tuple(sorted({f"{_name(path, card)}::{one}" for path in tests for one in _written(path)})),
    )


def _configured_by(card: Card) -> Iterator[Path]:
    folders = (card.golden_path, *card.golden_path.parents)
    inside = (one for one in folders if one.is_relative_to(card.project))
    yield from (path for one in inside if (path := one / "conftest.py").is_file())


def _name(path: Path, card: Card) -> str:
    inside = path.is_relative_to(card.project)
    return path.relative_to(card.project).as_posix() if inside else path.as_posix()


def _digest(path: Path) -> str:
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def _written(path: Path) -> Iterator[str]:
    """The tests that a file holds whatever happens, as pytest's defaults name them."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError):
        return  # then pytest cannot import it either, and the file itself is what is missing
    for one in tree.body:
        if _is_test(one):
            yield one.name
        elif isinstance(one, ast.ClassDef) and one.name.startswith("Test"):
            yield from (f"{one.name}::{part.name}" for part in one.body if _is_test(part))


def _is_test(one: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    # A fixture may be named like a test, and is none.
    fixture = any("fixture" in ast.unparse(mark) for mark in one.decorator_list)
    return one.name.startswith("test") and not fixture
