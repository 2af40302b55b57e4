"""The demo: a synthetic shop's three models through the real commands, one after the other.

A champion is made, a better candidate passes and is promoted, one that is broken in a single
category fails although its mean looks fine, and one is too close to call on this golden set. Among
vectors, one version whose neighbours look fine fails, since it does not know capitals.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gates.errors import UsageError

__all__ = ["TourFailed", "TourStep", "make_workspace", "run_tour", "steps"]

_MARK = ".mlgates-demo"
_PARTS = ("models", "golden", "model_cards")


class TourFailed(UsageError):
    """A step of the demo ended otherwise than it must."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class TourStep:
    """One command of the tour.

    Attributes:
        command: Its arguments, without `gates`.
        says: What it shows, in a sentence.
        expects: The exit code it must end with.
        variant: `model/variant` to put in place before, as a pull request would; may be empty.
    """

    command: tuple[str, ...]
    says: str
    expects: int = 0
    variant: str = ""


def steps() -> tuple[TourStep, ...]:
    """The tour, in order."""
    ranker, classifier, embedding = "product-ranker", "query-category", "title-embedding"
    return (
        TourStep(
            ("package", classifier),
            "Build the query classifier in its own locked environment and register it.",
            variant=f"{classifier}/champion",
        ),
        TourStep(
            ("run", f"{classifier}/1"),
            "Nothing is in production yet, so nothing can be compared: UNDECIDED.",
            expects=3,
        ),
        TourStep(
            ("promote", f"{classifier}/1", "--first", "--why", "first version"),
            "A first version may go ahead when all else holds, and only when asked for by name.",
        ),
        TourStep(
            ("package", classifier),
            "A better classifier: it reads letters, not only words.",
            variant=f"{classifier}/better",
        ),
        TourStep(("run", f"{classifier}/2"), "It holds every golden expectation: PASS."),
        TourStep(
            ("promote", f"{classifier}/2", "--why", "robust to typing mistakes"),
            "The alias moves, on this evidence.",
        ),
        TourStep(
            ("package", embedding),
            "A model of vectors: titles and queries that look alike are to be neighbours.",
            variant=f"{embedding}/champion",
        ),
        TourStep(("run", f"{embedding}/1"), "Its first version.", expects=3),
        TourStep(
            ("promote", f"{embedding}/1", "--first", "--why", "first version"),
            "It becomes the champion of its name.",
        ),
        TourStep(
            ("package", embedding),
            "More n-grams in twice as many dimensions, and letters as they are written.",
            variant=f"{embedding}/capitals",
        ),
        TourStep(
            ("run", f"{embedding}/2"),
            "Eight neighbours of ten stay, but a query in capitals is near nothing: FAIL.",
            expects=1,
        ),
        TourStep(
            ("package", ranker),
            "Now the ranker. Its first version knows few features.",
            variant=f"{ranker}/champion",
        ),
        TourStep(("run", f"{ranker}/1"), "Again a first version.", expects=3),
        TourStep(
            ("promote", f"{ranker}/1", "--first", "--why", "first version"),
            "It becomes the champion.",
        ),
        TourStep(
            ("package", ranker),
            "A candidate with more features.",
            variant=f"{ranker}/better",
        ),
        TourStep(("run", f"{ranker}/2"), "Better by more than chance, and worse nowhere: PASS."),
        TourStep(("promote", f"{ranker}/2", "--why", "more features"), "It replaces the champion."),
        TourStep(
            ("package", ranker),
            "A candidate with a bug that touches one category only.",
            variant=f"{ranker}/broken",
        ),
        TourStep(
            ("run", f"{ranker}/3"),
            "The mean hides it, the slice shows it: FAIL.",
            expects=1,
        ),
        TourStep(
            ("promote", f"{ranker}/3", "--why", "the mean looks fine"),
            "The guard refuses; the alias stays where it is.",
            expects=1,
        ),
        TourStep(
            ("package", ranker),
            "A candidate about as good as the champion.",
            variant=f"{ranker}/close",
        ),
        TourStep(
            ("run", f"{ranker}/4"),
            "This golden set is too small to tell: UNDECIDED, which is not a PASS.",
            expects=3,
        ),
        TourStep(("history", ranker), "Who moved what, when, why, and on what evidence."),
    )


def make_workspace(folder: Path) -> Path:
    """Lay out the demo's project in a folder of its own.

    Args:
        folder: Where to; made anew when a demo made it before.

    Returns:
        The folder, absolute.

    Raises:
        UsageError: The folder holds something that no demo made, or cannot be written.
    """
    folder = folder.absolute()
    try:
        if folder.exists() and not (folder / _MARK).is_file() and any(folder.iterdir()):
            raise UsageError(
                f"{folder} is not empty, and no demo made it", advice="name another folder"
            )
        _lay_out(folder)
    except OSError as problem:
        raise UsageError(
            f"the demo cannot be laid out in {folder}: {problem.strerror or problem}",
            advice="name a folder that can be made: gates demo DIR",
        ) from None
    return folder


def _lay_out(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).write_text("made by `gates demo`; synthetic data\n", encoding="utf-8")
    for part in _PARTS:
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(_source() / part, folder / part, ignore=ignored)


def run_tour(
    folder: Path,
    call: Callable[[Sequence[str]], int],
    say: Callable[[int, TourStep], None],
) -> None:
    """Take every step in a workspace.

    Args:
        folder: As `make_workspace` made it.
        call: Runs `gates` with arguments and gives its exit code.
        say: Told the number of each step and the step, before it runs.

    Raises:
        TourFailed: A step ended with another exit code than it must.
    """
    for number, step in enumerate(steps(), start=1):
        say(number, step)
        if step.variant:
            model, _, variant = step.variant.partition("/")
            source = Path(__file__).with_name("variants") / model / f"{variant}.yaml"
            shutil.copyfile(source, folder / "models" / model / "params.yaml")
        code = call(step.command)
        if code != step.expects:
            raise TourFailed(
                f"step {number}, 'gates {' '.join(step.command)}', ended with {code}, "
                f"not {step.expects}",
                advice="this is a defect of the demo; please report it with the output above",
            )


def _source() -> Path:
    """Where the demo's project is: inside an installed package, else the repository."""
    packaged = Path(__file__).with_name("project")
    return packaged if packaged.is_dir() else Path(__file__).parents[2]
