"""What `gates init` writes for a model that turns texts into vectors."""

from __future__ import annotations

from pathlib import Path

from gates.domain.judging import ModelVersion
from gates.domain.tasks.embedding import EMBEDDING
from gates.scaffold.golden import golden_of_texts
from gates.scaffold.model import ModelFacts
from gates.scaffold.tasks.task_scaffold import GoldenDraft, TaskScaffold
from gates.scaffold.texts import missing_texts, texts_for

__all__ = ["EmbeddingScaffold"]

_CHECKS = """
  embedding:
    bounds:
      # How much of all vectors lies along one direction: 1 is a model that tells nothing apart.
      collapse: {max: 0.9}
      # Texts whose vector points as another text's does, although they differ.
      duplicates: {max: 0.05}
      # The share of each text's ten nearest that stay; a retrained model may well move more.
      neighbour-overlap@10: {min: 0.5, advisory: true}
"""


class EmbeddingScaffold(TaskScaffold):
    """Golden texts, and bounds on what makes their vectors useless."""

    task = EMBEDDING
    introduction = "Turns a text into a vector whose neighbours mean the same."
    own_test = '''\
def test_white_space_around_a_text_hardly_moves_its_vector(
    candidate: Arm, golden: GoldenSet
) -> None:
    """A text that was pasted with a space behind it means the same."""
    before = candidate.vectors(golden.texts(golden.query_text))
    after = candidate.vectors(golden.texts([f"{text} " for text in golden.query_text]))
    lengths = (before**2).sum(axis=1) ** 0.5 * (after**2).sum(axis=1) ** 0.5
    assert ((before * after).sum(axis=1) >= 0.95 * lengths).all()
'''

    def checks(self, *, judged: bool) -> str:  # noqa: ARG002 - nobody judges vectors
        """See `TaskScaffold.checks`."""
        return _CHECKS

    def golden(self, version: ModelVersion, model: ModelFacts, file: Path | None) -> GoldenDraft:
        """See `TaskScaffold.golden`."""
        texts = texts_for(model, file)
        column = "text" if model.text_input == "text" else "query"
        files = golden_of_texts(version, self.task, texts, column)
        missing = missing_texts(texts, f"golden/{version.name}")
        return GoldenDraft(files, texts.source, judged=False, missing=missing, notes=texts.notes)
