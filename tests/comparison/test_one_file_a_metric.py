"""A metric is one file: the check, `gates diff`, its help and the reference find it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gates.comparison.metrics import find, likeness_measures, quality, quality_metrics

FIRST = '''
"""The rank of the first relevant document in the top k; k + 1 where there is none."""

import numpy as np

from gates.comparison.metric import Metric
from gates.kernels.ranking import reciprocal_rank


def first(lists, judged, k):
    found = reciprocal_rank(
        lists.starts, lists.grades, judged.starts, judged.grades, k, relevant=judged.relevant
    )
    return np.where(found == 0, k + 1, 1 / np.maximum(found, 1 / (k + 1)))


METRIC = Metric(
    "first@{k}",
    "rank of the first relevant document",
    first,
    reads="relevant",
    unit="ranks",
    higher_is_better=False,
    span=(1.0, 10_000.0),
)
'''


def test_one_file_more_is_a_metric_more_wherever_people_meet_metrics(tmp_path: Path) -> None:
    (tmp_path / "first.py").write_text(FIRST, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.comparison.one_metric_more", str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    seen = json.loads(done.stdout)
    assert "first@K           rank of the first relevant document" in seen["help"]
    line = "| `first@K` | rank of the first relevant document | relevant documents | lower |"
    assert line in seen["reference"]
    assert "| `first@{k}.delta` | candidate minus champion: rank of the first" in seen["reference"]
    assert "40 queries judged by first@3, which may lose 0.5" in seen["terminal"]
    assert "old 3, new 1, difference −2" in seen["terminal"]
    assert seen["check"]["first@3.delta"] == [-2.0, "ranks"]
    assert seen["check"]["first@3"] == [1.0, "ranks"]
    assert seen["check"]["first@3.p-better"][0] < 0.001, "two ranks fewer are better"
    assert seen["wins"] == 40
    better, worse = seen["better"], seen["worse"]
    assert (better["verdict"], worse["verdict"]) == ("PASS", "FAIL")
    assert better["judgements"][0]["demand"] == "≤ 0.5"
    assert better["metrics"]["first@3"]["delta"] == -2.0
    assert (worse["metrics"]["first@3"]["losses"], len(worse["worst"])) == (40, 10)
    assert worse["severe_losses"]["share"] == 1.0
    assert not better["worst"]


def test_a_metric_is_found_by_the_name_it_has_at_a_depth() -> None:
    names = [one.name for one in quality_metrics()] + [one.name for one in likeness_measures()]
    for name in names:
        assert find(name.replace("{k}", "7")).name == name.replace("{k}", "7")
    assert quality("ndcg@7").depth == 7
    assert quality("mrr").depth is None
    for name in ("ndcg", "ndcg@0", "ndcg@07", "ndcg@99999", "mrr@5", "ndgc@10"):
        with pytest.raises(KeyError):
            find(name)
    with pytest.raises(KeyError):
        quality("rbo")
