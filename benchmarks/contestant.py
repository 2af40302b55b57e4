"""One library, timed in a process of its own: python -m benchmarks.contestant NAME FOLDER ROUNDS.

Prints JSON: the seconds of each round (from files on disk to numbers), and the peak of memory. Each
evaluates both rankings with nDCG@10, RR, AP, P@10 and recall@10 of every query; ours and ranx also
say whether the difference is one.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

METRICS = ("ndcg@10", "mrr", "map", "precision@10", "recall@10")
Judged = dict[str, dict[str, Any]]


def mlgates(folder: Path) -> dict[str, float]:
    """The whole of `gates diff`: also RBO, overlap, tau, intervals and twenty slices."""
    return _diff(folder, folder / "queries.parquet", ("category",))


def three_files(folder: Path) -> dict[str, float]:
    """`gates diff` of rankings and judgments alone."""
    return _diff(folder, None, ())


def _diff(folder: Path, queries: Path | None, slices: tuple[str, ...]) -> dict[str, float]:
    from gates.comparison.compare import compare
    from gates.comparison.document import document
    from gates.comparison.plan import ComparisonPlan

    steps: dict[str, float] = {}
    began: dict[str, float] = {}

    def told(doing: str, done: int, total: int | None) -> None:
        del done, total
        now = time.perf_counter()
        if doing not in began:
            steps.update({name: now - then for name, then in began.items() if name not in steps})
            began[doing] = now

    plan = ComparisonPlan(
        folder / "old.parquet",
        folder / "new.parquet",
        folder / "judgments.parquet",
        queries,
        slices=slices,
        unjudged="irrelevant",  # as all the others count them
    )
    document(plan, compare(plan, progress=told))
    return steps


def ranx(folder: Path) -> dict[str, float]:
    """Its structures from data frames, and its comparison with Student's t-test."""
    import pandas as pd
    from ranx import Qrels, Run, compare

    def frame(name: str) -> Any:  # noqa: ANN401 - pandas
        table = pd.read_parquet(folder / f"{name}.parquet")
        return table.astype({"query_id": object, "doc_id": object})

    names = {"q_id_col": "query_id", "doc_id_col": "doc_id"}
    qrels = Qrels.from_df(frame("judgments"), score_col="grade", **names)
    runs = []
    for name in ("old", "new"):
        run = Run.from_df(frame(name), score_col="score", **names)
        run.name = name
        runs.append(run)
    compare(qrels, runs, list(METRICS), stat_test="student")
    return {}


def pytrec_eval(folder: Path) -> dict[str, float]:
    """Dictionaries from Arrow, and both evaluations; it tests nothing."""
    import pytrec_eval as library

    asked = {"ndcg_cut.10", "recip_rank", "map", "P.10", "recall.10"}
    evaluator = library.RelevanceEvaluator(_nested(folder / "judgments.parquet", "grade"), asked)
    for name in ("old", "new"):
        evaluator.evaluate(_nested(folder / f"{name}.parquet", "score"))
    return {}


def ir_measures(folder: Path) -> dict[str, float]:
    """Dictionaries from Arrow, and both evaluations; it tests nothing."""
    import ir_measures as library

    asked = [library.parse_measure(one) for one in ("nDCG@10", "RR", "AP", "P@10", "R@10")]
    evaluator = library.evaluator(asked, _nested(folder / "judgments.parquet", "grade"))
    for name in ("old", "new"):
        list(evaluator.iter_calc(_nested(folder / f"{name}.parquet", "score")))
    return {}


def floor(folder: Path) -> dict[str, float]:
    """What nobody can do without: read one file with all columns, and sort its scores once."""
    import numpy as np
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "old.parquet", use_threads=False)
    score = table["score"].combine_chunks()
    np.sort(np.frombuffer(score.buffers()[1], np.float64))
    return {}


def _nested(path: Path, value: str) -> Judged:
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    found: Judged = {}
    columns = (table[name].to_pylist() for name in ("query_id", "doc_id", value))
    for query, doc, one in zip(*columns, strict=True):
        found.setdefault(query, {})[doc] = one
    return found


CONTESTANTS: dict[str, Callable[[Path], dict[str, float]]] = {
    "mlgates": mlgates,
    "three-files": three_files,
    "ranx": ranx,
    "pytrec_eval": pytrec_eval,
    "ir_measures": ir_measures,
    "floor": floor,
}


def main() -> None:
    """Time one library; a round that does not count comes first, on a small folder beside."""
    warnings.simplefilter("ignore")
    name, folder, rounds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    run = CONTESTANTS[name]
    run(folder.parent / "warm-up")  # imports and just-in-time compilers
    seconds, steps = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        steps.append(run(folder))
        seconds.append(time.perf_counter() - started)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak, "steps": steps}))


if __name__ == "__main__":
    main()
