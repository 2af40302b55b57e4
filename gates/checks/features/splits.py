"""What a ranker's trees split on, as its model file says: importance by gain, and what is unused.

Gain is what splits on a feature took from the training objective (Breiman, Friedman, Olshen and
Stone, "Classification and regression trees", 1984). It is a fact of the file, and of no golden row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gates.card.card import MetricSpec
from gates.checks.features.importance import EXPECTED, in_top
from gates.domain.exhibits import Cell, Table
from gates.domain.judging import Measurement
from gates.domain.subject import Arm, CheckPlan, NoSplits, Splits, Subject

__all__ = ["GAIN", "METRICS", "of_splits"]

GAIN = "in-top-gain"
_NEVER = "never-split"
_FEATURES = "features"

METRICS = (
    MetricSpec(f"{GAIN}@{{k}}", "the same, by the gain of its trees' splits in training", ""),
    MetricSpec(_NEVER, "input features that no tree splits on, as the model file says", _FEATURES),
)
"""What there is to bound."""


def of_splits(
    subject: Subject, plan: CheckPlan[object], expected: Sequence[str]
) -> Iterator[Measurement | Table]:
    """The metrics of gain that a card bounds, and a table where the candidate's file can be read.

    Args:
        subject: Both versions.
        plan: The metrics that are wanted, those of other kinds left aside.
        expected: The features that should be among the most important.
    """
    wanted = [one for one in plan.metrics if one == _NEVER or one.startswith(f"{GAIN}@")]
    if not wanted:
        return
    new = subject.candidate.splits()
    for metric in wanted:
        if isinstance(new, NoSplits):
            unit = _FEATURES if metric == _NEVER else EXPECTED
            yield Measurement(metric, None, 0, unit, reason=new.reason)
        elif metric == _NEVER:
            unused = [name for name, count in new.count.items() if not count]
            n, reason = len(new.count), ", ".join(unused)
            yield Measurement(_NEVER, float(len(unused)), n, _FEATURES, reason=reason)
        else:
            yield in_top(metric, new.gain, expected)
    if isinstance(new, Splits):
        yield _table(subject.champion, new, wanted)


def _table(champion: Arm | None, new: Splits, wanted: Sequence[str]) -> Table:
    old = champion.splits() if champion else None
    arms = {"champion": old} if isinstance(old, Splits) else {}
    arms |= {"candidate": new}
    columns = ["feature"]
    for words in ("share of gain", "splits"):
        columns += [f"{words}, {role}" for role in arms]
    names = dict.fromkeys(name for arm in reversed(arms.values()) for name in arm.count)
    rows = []
    for name in sorted(names, key=lambda one: (-new.gain.get(one, -1.0), one)):
        row: list[Cell] = [name, *(_share(arm, name) for arm in arms.values())]
        rows.append([*row, *(arm.count.get(name) for arm in arms.values())])
    title = f"What the trees split on, and what it gained in training (read from {new.file})"
    of = tuple(sorted({one.partition("@")[0] for one in wanted}))
    return Table(title, columns, rows, of=of)


def _share(arm: Splits, name: str) -> float | None:
    total = sum(arm.gain.values())
    return round(arm.gain[name] / total, 4) if name in arm.gain and total else None
