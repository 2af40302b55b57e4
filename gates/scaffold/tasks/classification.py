"""What `gates init` writes for a classifier of queries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gates.domain.judging import ModelVersion
from gates.domain.tasks.classification import CLASSIFICATION
from gates.scaffold.golden import expectations_of_labels, golden_of_texts
from gates.scaffold.model import ModelFacts
from gates.scaffold.tasks.task_scaffold import GoldenDraft, TaskScaffold
from gates.scaffold.texts import missing_texts, texts_for

__all__ = ["ClassificationScaffold"]


class ClassificationScaffold(TaskScaffold):
    """Golden queries with the labels that people, or for now the version itself, gave them."""

    task = CLASSIFICATION
    introduction = "Gives a shopper's query a label."
    own_test = '''\
def test_white_space_around_a_query_is_not_part_of_it(candidate: Arm, golden: GoldenSet) -> None:
    """A query that was pasted with a space behind it gets the same label."""
    before, _ = candidate.labels(golden.texts(golden.query_text))
    after, _ = candidate.labels(golden.texts([f"{text} " for text in golden.query_text]))
    moved = [text for text, a, b in zip(golden.query_text, before, after, strict=True) if a != b]
    assert not moved, f"{len(moved)} queries: {moved[:5]}"
'''

    def checks(self, *, judged: bool) -> str:
        """See `TaskScaffold.checks`."""
        said = "the expected labels" if judged else "what the recorded version answered"
        return f"""
  score-range:
    bounds:
      # The share of queries that get {said}, weighted by traffic.
      # Advisory until the team has agreed on a level: then write it here and remove `advisory`.
      label-accuracy: {{min: 0.8, advisory: true}}
      # At most five points below the champion, with 95 % confidence. Few queries give a wide
      # interval: where it is UNDECIDED for long, add queries rather than move the bound.
      label-accuracy.delta: {{min: -0.05}}
  behaviour:
    bounds:
      # The share of queries that change their label when typed otherwise. 0 is what a model that
      # evens out letter case and white space gives; remove `advisory` once yours does.
      invariance.case: {{max: 0.05, advisory: true}}
      invariance.whitespace: {{max: 0.05, advisory: true}}
      # One typing mistake; 0.2 is every fifth query.
      invariance.typo: {{max: 0.2, advisory: true}}
"""

    def environment(self, model: ModelFacts) -> tuple[str, ...]:
        """See `TaskScaffold.environment`."""
        line = "  labels_only: true  # a label without a score: the score is 1"
        return (line,) if model.gives_labels_only else ()

    def golden(self, version: ModelVersion, model: ModelFacts, file: Path | None) -> GoldenDraft:
        """See `TaskScaffold.golden`; without labels the version's own are to be recorded."""
        texts = texts_for(model, file)
        judged = f"Expectations: the labels in {texts.source}."
        if not texts.label:
            judged = (
                "Expectations: none from people yet. Those whose source is recorded in "
                f"expectations.csv are recorded from {version.uri}, not judged by people."
            )
        files = golden_of_texts(version, self.task, texts, "query", judged)
        if texts.label:
            files["expectations.csv"] = expectations_of_labels(texts)
        return GoldenDraft(
            files,
            texts.source,
            judged=bool(texts.label),
            missing=(*missing_texts(texts, f"golden/{version.name}"), *_missing_answers(model)),
            notes=texts.notes,
            records=not texts.label,
        )


def _missing_answers(model: ModelFacts) -> Iterator[str]:
    if model.gives_labels_only or model.gives_label_and_score:
        return
    if model.gives_probabilities:
        what = f"it answers {model.predict}, numbers without the names of their classes"
        yield f"{what}: log it with predict, or let it answer the columns label and score"
    elif model.outputs is not None:
        yield "its signature promises no label: a classifier answers label, or label and score"
