"""A card and its own tests as pytest shows them: one test a bound, one an own test.

Nothing is judged here, and no file of tests is imported: each item asks the judge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gates.errors import GatesError

if TYPE_CHECKING:
    from gates.run.front import Front

__all__ = ["BoundItem", "CardFile", "OwnTestFile", "OwnTestItem"]


class CardFile(pytest.File):
    """A model card, collected: one collector a check, one item a bound."""

    front: Front

    def collect(self) -> Iterator[pytest.Collector]:
        """One collector for each check of the card."""
        for check in dict.fromkeys(one["check"] for one in self.front.opened["bounds"]):
            node: _CheckCollector = _CheckCollector.from_parent(self, name=check)
            node.front = self.front
            yield node


class _CheckCollector(pytest.Collector):
    """One check of a card."""

    front: Front

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each bound of the check."""
        for bound in self.front.opened["bounds"]:
            if bound["check"] == self.name:
                item: BoundItem = BoundItem.from_parent(self, name=bound["name"])
                item.front, item.bound = self.front, bound
                yield item


class _NotPassed(Exception):
    """Carries what the judge said of an item to pytest's report."""

    def __init__(self, shown: str) -> None:
        super().__init__(shown)
        self.shown = shown


class _JudgedItem(pytest.Item):
    """An item that the judge speaks for."""

    front: Front

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401
        """The outcome and its reason, instead of a traceback."""
        if isinstance(excinfo.value, _NotPassed):
            return excinfo.value.shown
        if isinstance(excinfo.value, pytest.xfail.Exception | GatesError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class BoundItem(_JudgedItem):
    """One bound of a card, as a test."""

    bound: Mapping[str, Any]

    def runtest(self) -> None:
        """Have the bound judged."""
        said = self.front.ask(do="judge", bound=self.bound["id"])
        if said["outcome"] == "PASS":
            return
        if self.bound["advisory"] or said["waived"]:
            excuse = "advisory" if self.bound["advisory"] else "waived, would be"
            pytest.xfail(f"{excuse} {said['outcome']}: {said['reason']}")
        raise _NotPassed(f"{said['outcome']}: {self.bound['id']}\n{said['reason']}")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the bound stands in the card."""
        line = self.bound["line"]
        return self.path, line - 1 if line else None, self.bound["id"]


class OwnTestFile(pytest.File):
    """A file of own tests, as the judge lists them."""

    front: Front

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """The tests and classes of the file."""
        file = self.front.own_name(self.path)
        if file in self.front.opened["broken"]:
            raise self.CollectError(self.front.opened["broken"][file])
        listed = [one.partition("::") for one in self.front.opened["tests"]]
        return _children(self, self.front, [rest for path, _, rest in listed if path == file], file)


class _OwnTestClass(pytest.Collector):
    """A class of own tests."""

    front: Front
    tests: list[str]
    before: str

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """The tests and classes in it."""
        return _children(self, self.front, self.tests, self.before)


def _children(
    parent: pytest.Collector, front: Front, tests: list[str], before: str
) -> Iterator[pytest.Item | pytest.Collector]:
    """Items and classes below a file or class, from names such as `TestSizes::test_one[a::b]`."""
    inner: dict[str, list[str]] = {}
    for test in tests:
        outer, colons, rest = test.partition("::")
        if "[" in outer or not colons:
            item: OwnTestItem = OwnTestItem.from_parent(parent, name=test)
            item.front, item.test = front, f"{before}::{test}"
            yield item
        elif outer in inner:
            inner[outer].append(rest)
        else:
            inner[outer] = [rest]
            node: _OwnTestClass = _OwnTestClass.from_parent(parent, name=outer)
            node.front, node.tests, node.before = front, inner[outer], f"{before}::{outer}"
            yield node


class OwnTestItem(_JudgedItem):
    """One own test, run by the judge in its cage."""

    test: str
    then: str | None = None

    def runtest(self) -> None:
        """Have the test run."""
        said = self.front.ask(do="test", name=self.test, then=self.then)
        if said["outcome"] == "PASS":
            return
        if said["cause"] in ("skipped", "no-champion"):
            pytest.skip(said["reason"])
        raise _NotPassed(f"{said['outcome']}: {self.test}\n{said['shown'] or said['reason']}")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Which test it is."""
        return self.path, None, self.test
