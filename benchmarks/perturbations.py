"""What `behaviour` costs: 10,000 perturbed queries through a real classifier in its own worker."""

from __future__ import annotations

import csv
import shutil
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.timing import machine
from gates.card.policy import EnvironmentPolicy
from gates.checks._answers_by_text import TextAnswers
from gates.checks.behaviour.edits import EditedQuery
from gates.checks.behaviour.perturb import INVARIANCES, draw
from gates.domain.judging import ModelVersion
from gates.domain.subject import Columns
from gates.environments.cache import EnvironmentCache
from gates.environments.scripts import run_script
from gates.kernels.packed import Floats
from gates.locks.lock import read_installable
from gates.run.arm import VersionArm
from gates.run.version import BuiltVersion

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "models" / "query-category"
VARIANTS = 10_000
OF_A_QUERY = 3
SHRUNK = 5  # for each change, as the check does
SEED = 1


class _Counted(VersionArm):
    """An arm that counts the calls of its worker, and the seconds they take."""

    calls = 0
    seconds = 0.0

    def labels(self, columns: Columns) -> tuple[tuple[str, ...], Floats]:
        """As the arm's."""
        started = time.perf_counter()
        found = super().labels(columns)
        self.calls += 1
        self.seconds += time.perf_counter() - started
        return found


class _Steps:
    """Steps of the work: the seconds of each, those of the worker in it, and its calls."""

    def __init__(self, arm: _Counted) -> None:
        self._arm = arm
        self._since = (time.perf_counter(), 0.0, 0)
        self.rows: list[tuple[str, float, float, int]] = []

    def done(self, what: str) -> None:
        """End a step; the next begins."""
        now = (time.perf_counter(), self._arm.seconds, self._arm.calls)
        seconds, within, calls = (new - old for new, old in zip(now, self._since, strict=True))
        self.rows.append((what, seconds, within, int(calls)))
        self._since = now


def main() -> None:
    """Print what drawing, scoring and shrinking take, and how often the worker is called."""
    with tempfile.TemporaryDirectory() as scratch:
        arm = _arm(Path(scratch))
        try:
            steps = _Steps(arm)
            arm.labels({"query": ("lamp",)})
            steps.done("environment found, worker started, model loaded, one query")
            _perturb(arm, steps)
        finally:
            arm.close()
    start, *rest = steps.rows
    seconds, within = sum(row[1] for row in rest), sum(row[2] for row in rest)
    together = ("together", seconds, within, sum(row[3] for row in rest))
    print(f"\n### {VARIANTS:,} perturbed queries of a TF-IDF classifier ({machine()})\n")
    print("| step | seconds | of them in the worker | calls |\n| --- | --- | --- | --- |")
    for row in (*rest, together, start):
        print(f"| {row[0]} | {row[1]:.2f} | {row[2]:.2f} | {row[3]} |")


def _arm(scratch: Path) -> _Counted:
    cache, model = EnvironmentCache(scratch / "cache"), scratch / "model"
    lock = MODEL / "requirements.txt"
    model.mkdir()
    run_script(
        cache.ensure(read_installable(lock)), MODEL / "build.py", [str(model)], MODEL, {}, 600
    )
    (model / "gates").mkdir()
    shutil.copy(lock, model / "gates" / "requirements.txt")
    return _Counted(
        BuiltVersion(
            "candidate",
            ModelVersion("query-category", "1", "sha256:m", "sha256:l"),
            model,
            cache=cache,
            policy=EnvironmentPolicy(),
            project=ROOT,
            repository_lock=None,
            progress=_quietly,
        )
    )


def _quietly(text: str) -> None:
    del text


def _perturb(arm: _Counted, steps: _Steps) -> None:
    with (MODEL / "data" / "training.csv").open(encoding="utf-8", newline="") as log:
        texts = list(dict.fromkeys(row["query"] for row in csv.DictReader(log)))
    drawn = [
        (kind, one)
        for kind in INVARIANCES
        for _, one in draw(kind, texts, seed=SEED, count=OF_A_QUERY).rows
    ]
    chance = np.random.default_rng(SEED)
    some = [drawn[at] for at in chance.choice(len(drawn), VARIANTS, replace=False)]
    steps.done(f"{len(drawn):,} variants of {len(texts)} queries drawn, {VARIANTS:,} kept")
    asked = TextAnswers(arm)
    asked.ask(texts)
    asked.ask(one.typed for _, one in some)
    flips = [(kind, one) for kind, one in some if asked[one.query][0] != asked[one.typed][0]]
    steps.done(f"scored; {len(flips):,} labels change")
    # Imports Hypothesis: a part of the price, which a run without a change does not pay.
    from gates.checks.behaviour.shrink import ROUNDS, shrink

    chosen = _surest(flips, asked)
    shrink(chosen, asked)
    steps.done(f"{len(chosen)} counterexamples shrunk (at most {ROUNDS} calls)")


def _surest(flips: list[tuple[str, EditedQuery]], asked: TextAnswers) -> list[EditedQuery]:
    chosen: list[EditedQuery] = []
    for kind in INVARIANCES:
        of_kind = {one.query: one for name, one in flips if name == kind}
        surest = sorted(of_kind.values(), key=lambda one: -asked[one.query][1])
        chosen += surest[:SHRUNK]
    return chosen
