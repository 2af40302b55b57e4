"""Counterexamples: what a version was asked and got wrong, kept so that the next is asked it too.

A check yields those it found; `gates.evidence.counterexamples` keeps them between runs; the next
run's check asks them again and yields a `Replay`. None of it is part of any sample: rates stay as
drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Counterexample", "KnownCounterexample", "Recall", "Replay", "Replayed", "told_apart"]


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One case in which a version does not do what a metric counts.

    Attributes:
        metric: The metric, such as `invariance.typo`.
        query: The query, as small as it could be made.
        typed: The query typed otherwise, whose answer is compared with the query's; empty where
            the query's own answer is wrong.
        label: The label that is right, as far as the check can know; empty for rankers.
        query_id: The golden query that a ranker's row belongs to; empty for texts.
        document: That row's document.
        feature: The feature of that row that is set.
        values: What it is set to, first and then.
    """

    metric: str
    query: str
    typed: str = ""
    label: str = ""
    query_id: str = ""
    document: str = ""
    feature: str = ""
    values: tuple[float, float] | None = None

    @property
    def asked(self) -> tuple[object, ...]:
        """What makes it the same as another: all but the label."""
        row = (self.query_id, self.document, self.feature, self.values)
        return (self.metric, self.query, self.typed, *row)


@dataclass(frozen=True, slots=True)
class KnownCounterexample:
    """A counterexample that an earlier run found.

    Attributes:
        found: The version that it was last found in, or last failed in, as a URI.
        passed: Digests of the versions that did it right since then.
    """

    case: Counterexample
    found: str
    passed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recall:
    """What earlier runs left for one check.

    Attributes:
        cases: Their counterexamples, the newest first.
        runs: How many runs are remembered; 0 when nothing is.
        digest: `sha256:…` of the file; empty when there was none that could be read.
        place: The file, as people write it.
        trouble: Why the file could not be read, in words; empty when it could, or was not there.
    """

    cases: tuple[KnownCounterexample, ...] = ()
    runs: int = 0
    digest: str = ""
    place: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Replayed:
    """One known counterexample, and what became of it.

    Attributes:
        fails: Whether the candidate still fails; None when it was not asked.
        champion_fails: Whether the champion does; None when it was not asked or could not answer.
        reason: Why it was not asked: what demanded the right answer is gone.
    """

    known: KnownCounterexample
    fails: bool | None
    champion_fails: bool | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Replay:
    """What became of the counterexamples of earlier runs, in one check.

    Attributes:
        cases: Each of them.
        runs: How many runs were remembered.
        digest: `sha256:…` of the file that they were read from; empty without one.
        trouble: Why that file could not be read; empty when it could, or was not there.
    """

    cases: tuple[Replayed, ...] = ()
    runs: int = 0
    digest: str = ""
    trouble: str = ""


def told_apart(first: float, second: float) -> tuple[str, str]:
    """Two numbers as people read them, with as many digits as it takes to see that they differ.

    Args:
        first: A number.
        second: Another, or the same.
    """
    for digits in range(4, 18):
        shown = (f"{first:.{digits}g}", f"{second:.{digits}g}")
        if shown[0] != shown[1]:
            break
    return shown[0].replace("-", "−"), shown[1].replace("-", "−")
