"""Does something again and again, killed before its n-th write to MLflow, and then once more.

    python -m tests.promotion.dying TRACKING_URI FOLDER package|record|promote|rollback

Each write is a call of MLflow's client that changes the store. Prints as JSON, for each write, what
is wrong after the rerun; nothing where all is well.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gates.promotion.promote import promote
from gates.promotion.rollback import rollback
from gates.registry import GateSource
from gates.registry.history import read_history
from gates.registry.mlflow import MlflowRegistry
from tests.registry.stores import toy_model

from .parts import criteria, toy_card, write_gated

_WRITES = (
    "create_experiment",
    "create_model_version",
    "create_registered_model",
    "create_run",
    "log_artifact",
    "log_artifacts",
    "log_batch",
    "log_metric",
    "log_param",
    "set_model_version_tag",
    "set_registered_model_alias",
    "set_tag",
    "set_terminated",
)
_DIGEST = "sha256:" + "7" * 64


class Scene:
    """A model of its own, up to where the killed action begins.

    Args:
        what: The action.
        model: The model.
    """

    def __init__(self, uri: str, folder: Path, what: str, model: str) -> None:
        self.registry = MlflowRegistry(uri, folder / "cache")
        self.folder, self.what, self.model = folder / model, what, model

    def prepare(self) -> None:
        """What was done before."""
        card = toy_card(self.folder, self.model)
        for number in "12":
            artifact = toy_model(self.folder / number, number)
            if self.what != "package" or number == "1":
                self.registry.register(self.model, artifact, {}, "")
        write_gated(self.folder / "1.json", self.registry, card, "1")
        if self.what in {"promote", "rollback"}:
            self._promote("1")
            write_gated(self.folder / "2.json", self.registry, card, "2")
        if self.what == "rollback":
            self._promote("2")

    def act(self) -> None:
        """The action."""
        if self.what == "package":
            self.registry.register(self.model, self.folder / "2", {}, "")
        elif self.what == "record":
            tags = {"gates.verdict": "PASS", "gates.evidence_digest": _DIGEST}
            version = self.registry.resolve(f"{self.model}/1")
            self.registry.log_gate(
                self.folder / "1.json",
                [],
                version,
                {"delta": 0.1},
                tags,
                source=GateSource("ada", "hand"),
            )
        elif self.what == "promote":
            self._promote("2")
        else:
            rollback(self.registry, self.model, "champion", why="w", by="ada")

    def _promote(self, version: str) -> None:
        evidence = self.folder / f"{version}.json"
        promote(
            self.registry,
            _card(self.folder, self.model),
            f"{self.model}/{version}",
            evidence,
            criteria=criteria(evidence),
            why="w",
            by="ada",
            first=version == "1",
        )

    def faults(self) -> Iterator[str]:
        """What is wrong after the rerun."""
        history = read_history(self.registry, self.model)
        yield from (one.what for one in history.faults)
        done = [one for one in history.events if one.state == "done"]
        for listed in history.versions:
            self.registry.resolve(f"{self.model}/{listed.version}")
        if self.what == "package":
            newest = history.versions[0].version
            if (done[0].kind, done[0].version) != ("package", newest):
                yield f"the newest version is {newest}, and the history says {done[0]}"
        elif self.what == "record":
            gates = [one for one in done if one.kind == "gate"]
            if len(gates) != 1:
                yield f"{len(gates)} gates are recorded"
            kept = self.registry.evidence(f"{self.model}/1", self.folder / "kept")
            if not kept or kept.read_bytes() != (self.folder / "1.json").read_bytes():
                yield "the evidence is not what was recorded"
        else:
            wanted = ["promote 2", "promote 1"]
            if self.what == "rollback":
                wanted.insert(0, "rollback 1")
            moves = [f"{one.kind} {one.version}" for one in done if one.alias]
            if moves != wanted:
                yield f"the moves are {moves}"
            if history.aliases["champion"] != wanted[0][-1]:
                yield f"the champion is {history.aliases['champion']}"
        if self.what == "promote":
            tags = self.registry.resolve(f"{self.model}/2").tags
            if not {"gates.promoted_at", "gates.promoted_by"} <= tags.keys():
                yield "the version does not say that it was promoted"


def _card(folder: Path, model: str) -> Any:
    again = folder / "again"
    if again.exists():
        import shutil

        shutil.rmtree(again)
    return toy_card(again, model)


def _kill_before(write: int) -> None:
    """Have this process killed before its n-th write from now on."""
    from mlflow import MlflowClient

    left = write

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **named)

        return call

    for name in _WRITES:
        setattr(MlflowClient, name, dying(getattr(MlflowClient, name)))


def _forked(action: Callable[[], None]) -> int:
    """What became of an action in a process of its own: its status, as `waitpid` has it."""
    child = os.fork()
    if child == 0:
        try:
            action()
        except BaseException:  # noqa: BLE001 - whatever it is, it is told
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def main(uri: str, folder: Path, what: str) -> dict[int, str]:
    """What is wrong after each write, by its number."""
    import mlflow.store.model_registry.sqlalchemy_store
    import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 - imported once, for all that fork

    found: dict[int, str] = {}
    for write in range(1, 60):
        scene = (uri, folder, what, f"{what}-{write}")

        def die(scene: tuple[str, Path, str, str] = scene, write: int = write) -> None:
            one = Scene(*scene)
            one.prepare()
            _kill_before(write)
            one.act()

        def rerun(scene: tuple[str, Path, str, str] = scene, write: int = write) -> None:
            one = Scene(*scene)
            one.act()
            wrong = "; ".join(one.faults())
            (folder / "wrong").write_text(wrong)

        status = _forked(die)
        if status == 0:
            return found
        (folder / "wrong").write_text("the rerun failed")
        if not os.WIFSIGNALED(status):
            found[write] = "it failed before it was killed"
        else:
            _forked(rerun)
            found[write] = (folder / "wrong").read_text()
    raise AssertionError("it writes for ever")


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])))
