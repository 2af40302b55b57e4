"""Upgrades of eight wheels, and one search over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gates.bisection import Bisection, Tolerance, bisect
from gates.card.policy import UNWRITTEN, EnvironmentPolicy
from gates.environments.cache import EnvironmentCache
from gates.environments.launching import Limits
from gates.golden import read_golden

from .shop import write_golden
from .wheels import Shelf, model

NAMES = ("alpha", "beta", "delta", "gamma", "kappa", "omega", "sigma", "theta")
QUERIES = [(word, "a") for word in ("lamp", "red lamp", "sofa", "bed", "red bed")]


@dataclass(frozen=True)
class Case:
    """An upgrade of wheels from 1 to 2, and how it is searched."""

    folder: Path
    plain: Shelf
    cache: Path
    settings: pytest.MonkeyPatch

    def make(self, **changed: tuple[str, ...]) -> tuple[Path, Path]:
        """Both locks; `changed` gives sources, and needs of the new version, by name."""
        shelf = self.plain
        if changed:
            shelf = Shelf(self.folder / "wheels")
            for name in NAMES:
                shelf.both(name, *changed.get(name, ()))
        shelf.alone(self.settings)
        old, new = dict.fromkeys(NAMES, "1"), dict.fromkeys(NAMES, "2")
        return (
            shelf.lock(self.folder / "old.txt", old),
            shelf.lock(self.folder / "new.txt", new),
        )

    def search(
        self,
        locks: tuple[Path, Path],
        predict: str,
        *,
        load: str = "",
        told: Callable[[str, int, int | None], None] = lambda *_: None,
        policy: EnvironmentPolicy = UNWRITTEN,
        fresh: bool = False,
    ) -> Bisection:
        """Bisect with a model of this body."""
        if not (self.folder / "model").exists():
            model(self.folder / "model", predict, load=load)
            write_golden(self.folder / "golden", QUERIES)
        return bisect(
            self.folder / "model",
            *locks,
            read_golden(self.folder / "golden"),
            cache=EnvironmentCache(self.cache),
            limits=Limits(start_seconds=30, predict_seconds=30),
            tolerance=Tolerance(),
            state_file=self.folder / "state.json",
            policy=policy,
            fresh=fresh,
            progress=told,
        )


def plain_shelf(folder: Path) -> Shelf:
    """Both versions of every name, which differ in nothing but their version."""
    shelf = Shelf(folder)
    for name in NAMES:
        shelf.both(name)
    return shelf


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    """Wheels that tests share, and so environments of them."""
    return plain_shelf(tmp_path_factory.mktemp("upgrades") / "wheels")


@pytest.fixture
def case(tmp_path: Path, plain: Shelf, monkeypatch: pytest.MonkeyPatch) -> Case:
    """An upgrade to be made up, in a folder of its own."""
    return Case(tmp_path, plain, plain.folder.with_name("cache"), monkeypatch)
