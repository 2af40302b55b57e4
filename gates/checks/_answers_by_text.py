"""What a classifier answered, text by text: each text is asked once, and many in one call."""

from __future__ import annotations

from collections.abc import Iterable

from gates.domain.subject import Arm

__all__ = ["TextAnswers"]

_ROWS = 20_000  # short texts: far below what one frame may hold


class TextAnswers:
    """Labels and scores of texts, remembered.

    Args:
        arm: The version that is asked.
    """

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._answers: dict[str, tuple[str, float]] = {}

    def ask(self, texts: Iterable[str]) -> None:
        """Make sure that texts have an answer: one call for up to 20,000 new ones, none for none.

        Raises:
            ModelFault: The version could not answer, by name.
        """
        new = list(dict.fromkeys(text for text in texts if text not in self._answers))
        for first in range(0, len(new), _ROWS):
            rows = tuple(new[first : first + _ROWS])
            labels, scores = self._arm.labels({"query": rows})
            self._answers.update(zip(rows, zip(labels, scores.tolist(), strict=True), strict=True))

    def __contains__(self, text: object) -> bool:
        return text in self._answers

    def __getitem__(self, text: str) -> tuple[str, float]:
        """Label and score of a text that was asked.

        Raises:
            KeyError: It was not asked.
        """
        return self._answers[text]
