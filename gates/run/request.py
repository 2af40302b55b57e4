"""What one gate is asked to do, as one value: from whoever asks, to the session that does it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gates.errors import UsageError
from gates.settings import FLAGS, Settings, find_project, load_settings

if TYPE_CHECKING:
    import pytest

__all__ = ["RunRequest", "requested"]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What one gate is asked to do.

    Attributes:
        settings: Where things are.
        card: The model card.
        candidate: The model URI of the version under test.
        champion: The version to compare with; None for the one under the card's alias.
        against_itself: Whether the candidate is the champion too, an A/A run.
        extra: What pytest is called with besides, such as `-n 2`.
        folder: The run's folder itself, to go on in what a run that was stopped has left there;
            None for a new one.
        logged: Whether the outcome is logged to MLflow.
        called: How it was asked for, for the record; empty for `as_command`.
    """

    settings: Settings
    card: Path
    candidate: str
    champion: str | None = None
    against_itself: bool = False
    extra: tuple[str, ...] = ()
    folder: Path | None = None
    logged: bool = True
    called: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.champion and self.against_itself:
            raise UsageError(
                "--champion and --against-itself exclude each other", advice="give one"
            )

    def as_command(self) -> list[str]:
        """The command that asks for the same, but for `folder`, `logged` and `called`."""
        words = ["gates", "run", self.candidate, "--card", str(self.card)]
        words += ["--champion", self.champion] if self.champion else []
        words += ["--against-itself"] if self.against_itself else []
        words += self.settings.as_flags()
        return [*words, "--", *self.extra] if self.extra else words

    def to_json(self) -> bytes:
        """The request for another process, on one line."""
        from pydantic import TypeAdapter

        return TypeAdapter(RunRequest).dump_json(self)

    @classmethod
    def from_json(cls, written: bytes) -> RunRequest:
        """The request that another process wrote."""
        from pydantic import TypeAdapter

        return TypeAdapter(RunRequest).validate_json(written)


def requested(config: pytest.Config) -> RunRequest:
    """What a pytest run is to gate, by its options.

    Raises:
        InputError: The settings of the project are wrong.
        UsageError: The options do not say what to gate.
    """
    options, card = config.option, _card_path(config)
    # Where a card is at home, whatever pytest, which also looks at options' values, took for root.
    inside = card if card.parent.name == "model_cards" else config.rootpath
    project, folder = (
        Path(given).absolute() if given else None
        for given in (options.gates_project, options.gates_run_dir)
    )
    flags = {name: getattr(options, f"gates_{name}") for name in FLAGS}
    return RunRequest(
        load_settings(project or find_project(inside), **flags),
        card,
        options.gates_candidate,
        champion=options.gates_champion,
        against_itself=options.gates_against_itself,
        folder=folder,
        logged=not options.gates_unlogged,
        called=("pytest", *map(str, config.invocation_params.args)),
    )


def _card_path(config: pytest.Config) -> Path:
    named = [Path(str(one).split("::")[0]) for one in config.args]
    cards = list(dict.fromkeys(one.absolute() for one in named if one.suffix == ".md"))
    if len(cards) != 1:
        what = "no model card is named" if not cards else "more than one model card is named"
        advice = "pytest model_cards/MODEL.md --candidate models:/MODEL/VERSION"
        raise UsageError(what, advice=advice)
    return cards[0]
