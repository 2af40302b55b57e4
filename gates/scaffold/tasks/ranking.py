"""What `gates init` writes for a ranking model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gates.domain.judging import ModelVersion
from gates.domain.tasks.ranking import RANKING
from gates.scaffold.golden import golden_of_lists
from gates.scaffold.lists import CandidateLists, lists_of_file, no_lists
from gates.scaffold.model import ModelFacts
from gates.scaffold.tasks.task_scaffold import GoldenDraft, TaskScaffold

__all__ = ["RankingScaffold"]

_CHECKS = """
  ranking-diff:
    bounds:
      # At most 0.02 of nDCG@10 below the champion, with 95 % confidence; 0.01 is usual once there
      # are a few hundred judged queries. Name slice columns in the manifest to bound each of them.
      ndcg@10.delta: {min: -0.02}
      # The share of queries that lose 0.3 or more: a good mean can hide them.
      severe-losses: {max: 0.1}
      # How much of the lists moves. Nothing is wrong with a large change; it is worth a look.
      rbo: {min: 0.3, advisory: true}
      top1-changed: {max: 0.5, advisory: true}
"""


class RankingScaffold(TaskScaffold):
    """Golden lists from a file of candidates, and bounds on what their order loses."""

    task = RANKING
    introduction = "Orders the candidate products of a query."
    own_test = '''\
def test_not_all_candidates_get_one_score(candidate: Arm, golden: GoldenSet) -> None:
    """A model that scores everything alike ranks nothing."""
    scores = candidate.scores(golden.inputs())
    assert scores.min() < scores.max()
'''

    def checks(self, *, judged: bool) -> str:  # noqa: ARG002 - grades or none, it asks the same
        """See `TaskScaffold.checks`."""
        return _CHECKS

    def environment(self, model: ModelFacts) -> tuple[str, ...]:
        """See `TaskScaffold.environment`."""
        line = "  answer: {score: 1}  # of the columns of predict_proba, the chance of a click"
        several = model.gives_probabilities and model.predict != "decision_function"
        return (line,) if several else ()

    def golden(self, version: ModelVersion, model: ModelFacts, file: Path | None) -> GoldenDraft:
        """See `TaskScaffold.golden`; without a file its tables hold no row."""
        lists = lists_of_file(file, model) if file else no_lists(model)
        files = golden_of_lists(version, self.task, lists)
        missing = tuple(_missing(lists, f"golden/{version.name}"))
        return GoldenDraft(files, lists.source, bool(lists.grades), missing)


def _missing(lists: CandidateLists, folder: str) -> Iterator[str]:
    if not lists.rows:
        features = ", ".join(lists.inputs[:8]) + (", …" if len(lists.inputs) > 8 else "")
        what = f"{folder}/queries.csv, candidates.csv and judgments.csv hold no row"
        wanted = f"query_id, doc_id, grade and {features or 'the features'}"
        yield f"{what}: name a file with {wanted}: --candidates FILE --force"
    elif not lists.grades:
        what = f"{folder}/judgments.csv holds no grade"
        yield f"{what}: add a row for each judged document, or a column grade to the candidates"
