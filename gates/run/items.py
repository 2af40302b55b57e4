"""A card's items: one collector a check, one test a bound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gates.domain.judging import Bound, Judgement, Outcome
from gates.run.gate import Gate

__all__ = ["BoundItem", "CardFile"]


class CardFile(pytest.File):
    """A model card, collected: one collector a check, one item a bound."""

    gate: Gate

    def collect(self) -> Iterator[pytest.Collector]:
        """One collector for each check of the card."""
        for name in self.gate.card.plans:
            node: CheckCollector = CheckCollector.from_parent(self, name=name)
            yield node


class CheckCollector(pytest.Collector):
    """One check of a card."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each bound of the check."""
        parent = self.parent
        assert isinstance(parent, CardFile)  # noqa: S101 - made by it
        for bound in parent.gate.bounds:
            if bound.check == self.name:
                name = bound.metric + (f"[{bound.slice}]" if bound.slice else "")
                yield BoundItem.make(self, name, parent.gate, bound)


class _NotPassed(Exception):
    """Carries a judgement that is not a PASS to pytest's report."""

    def __init__(self, judgement: Judgement) -> None:
        super().__init__(judgement.reason)
        self.judgement = judgement


class BoundItem(pytest.Item):
    """One bound of a card, as a test."""

    gate: Gate
    bound: Bound
    judgement: Judgement | None = None

    @classmethod
    def make(cls, parent: pytest.Collector, name: str, gate: Gate, bound: Bound) -> BoundItem:
        """An item for one bound.

        Args:
            parent: The collector of its check.
            name: Its name below the check.
            gate: The open gate.
        """
        item: BoundItem = cls.from_parent(parent, name=name)
        item.gate, item.bound = gate, bound
        return item

    def runtest(self) -> None:
        """Run the bound's check, unless it ran already, and judge."""
        self.judgement = self.gate.judge(self.bound)
        if self.judgement.outcome is Outcome.PASS:
            return
        if self.bound.advisory or self.judgement.is_waived:
            excuse = "advisory" if self.bound.advisory else "waived, would be"
            pytest.xfail(f"{excuse} {self.judgement.outcome}: {self.judgement.reason}")
        raise _NotPassed(self.judgement)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # noqa: ANN401
        """The outcome and its reason, instead of a traceback."""
        if isinstance(excinfo.value, _NotPassed):
            judgement = excinfo.value.judgement
            return f"{judgement.outcome}: {self.bound.id}\n{judgement.reason}"
        if isinstance(excinfo.value, pytest.xfail.Exception):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the bound stands in the card."""
        line = self.gate.card.lines.of("checks", self.bound.check, "bounds", self.bound.metric)
        return self.path, line - 1 if line else None, self.bound.id
