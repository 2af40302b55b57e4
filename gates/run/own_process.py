"""The process of a model's own tests: started in a cage, told what to run, answered when it asks.

This side owns the models and believes nothing: a question is JSON within bounds and a frame of
columns, read as a worker's answers are, and its names are looked up in tables.
"""

from __future__ import annotations

import os
import pickle
import struct
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from gates.card.card import Card
from gates.domain.subject import LockQuestions
from gates.environments._frame_limits import json_object
from gates.environments.frames import BadFrame, decode_columns, decode_message, encode_message
from gates.environments.launching import Limits
from gates.environments.programs import CagedProgram
from gates.errors import GatesError, NoChampion, UsageError
from gates.evidence.inventory import Inventory
from gates.evidence.signing import key_file
from gates.run.arm import VersionArm
from gates.run.caged_arms import QUESTION
from gates.run.own_tests import Listing, Phase, read_phases
from gates.run.predictions import Predictor, SeparateWorker
from gates.run.subject import RunSubject
from gates.settings import Settings

__all__ = ["OwnTests", "visible_parts"]

_PROGRAM = Path(__file__).with_name("caged_tests.py")
_PACKAGE = Path(__file__).parents[1]
_MEMORY_MB = 8 << 10  # address space, of which libraries reserve far more than they use
_COLLECT_SECONDS, _TEST_SECONDS = 600.0, 1800.0
_MESSAGE_BYTES = 1 << 20
_QUESTION_BYTES = 128 << 20
_ALL_QUESTIONS_BYTES = 4 << 30  # what models answered is kept
_APART = 8
_SHALLOW = 3  # parts of a path, `/home/someone`: no folder of libraries


class OwnTests:
    """The own tests of one run. Their process starts with `start`; `close` it.

    Args:
        card: Whose golden set they stand beside.
        inventory: Names their files.
        subject: Answers them.
        settings: What of the project they are not shown.
    """

    def __init__(
        self, card: Card, inventory: Inventory, subject: RunSubject, settings: Settings
    ) -> None:
        self.files = tuple(one.path for one in inventory.test_files if one.holds_tests)
        self._card = card
        self._subject = subject
        self._settings = settings
        self._program: CagedProgram | None = None
        self._listing: Listing | None = None
        self._asked = 0
        self._apart: dict[int, SeparateWorker] = {}
        self._stack = ExitStack()

    @property
    def log(self) -> str:
        """The end of what their process wrote."""
        return self._program.log if self._program else ""

    def start(self) -> None:
        """Start their process, if there are any; it collects meanwhile.

        Raises:
            GatesError: It does not start.
        """
        if not self.files or self._program is not None:
            return
        project, card = self._card.project.resolve(), self._card
        parts = list(visible_parts(project, _hidden(self._settings)))
        folders = [one for one in map(Path, sys.path) if one.is_absolute() and one.exists()]
        libraries = [one for one in folders if _is_library(one, self._settings)]
        python = Path(os.path.realpath(Path(sys.executable).parent), Path(sys.executable).name)
        hello = {
            "path": [str(one) for one in folders],
            "project": str(project),
            "files": [str(project / one) for one in self.files],
        }
        limits = Limits(
            memory_mb=max(_MEMORY_MB, card.policy.environment.memory_mb),
            require=card.policy.environment.require,
        )
        self._program = CagedProgram.start(
            _PROGRAM,
            python,
            hello,
            limits,
            reads=card.golden_path,
            sees=[_PACKAGE, *libraries, *parts],
            role="own tests",
        )

    def listing(self) -> Listing:
        """What pytest found in their files, waited for once.

        Raises:
            GatesError: Their process died, hung, broke the protocol or could not be caged.
        """
        if self._listing is None:
            if self._program is None:
                return Listing()
            told = self._message(self._heard(None, _COLLECT_SECONDS, _MESSAGE_BYTES))
            found = Listing.read(told, self.files)
            if found is None:
                raise self._program.refuse("no proper list of tests")
            self._listing = found
        return self._listing

    def run(self, name: str, then: str | None) -> tuple[Phase, ...]:
        """Run one test.

        Args:
            name: The test's.
            then: The one that is run next, which may share what this one has set up.

        Returns:
            What came of it; nothing where pytest has no such test, or left it out.

        Raises:
            GatesError: Their process died, hung, broke the protocol or could not be caged.
        """
        if name not in self.listing().runs or self._program is None:
            return ()
        payload = self._heard(encode_message({"run": name, "then": then}), _TEST_SECONDS)
        try:
            while payload.startswith(QUESTION):
                payload = self._heard(self._answer(payload), _TEST_SECONDS)
        finally:
            self._end_apart()
        phases = read_phases(self._message(payload).get("phases"))
        if phases is None:
            raise self._program.refuse("no proper outcome of a test")
        return phases

    def close(self) -> None:
        """End their process and what it had started."""
        self._end_apart()
        if self._program is not None:
            self._program.close()

    def _heard(self, request: bytes | None, seconds: float, most: int = _QUESTION_BYTES) -> bytes:
        assert self._program is not None  # noqa: S101 - its callers looked
        return self._program.ask(request, seconds, most=most)

    def _message(self, payload: bytes) -> Mapping[str, Any]:
        assert self._program is not None  # noqa: S101 - its callers looked
        try:
            return decode_message(payload) or {}
        except BadFrame as fault:
            raise self._program.refuse(fault.what) from fault

    # ---- questions -------------------------------------------------------------------------

    def _answer(self, payload: bytes) -> bytes:
        try:
            return _pickled("value", self._answered(payload))
        except GatesError as problem:
            return _pickled("error", type(problem), problem.args, vars(problem))
        except Exception as problem:  # noqa: BLE001 - no question may end the judge
            words = f"own tests asked what cannot be answered: {type(problem).__name__}: {problem}"
            return _pickled("error", UsageError, (words[:500],), vars(UsageError(words[:500])))

    def _answered(self, payload: bytes) -> Any:  # noqa: ANN401 - as `CagedSubject` says
        self._asked += len(payload)
        if self._asked > _ALL_QUESTIONS_BYTES:
            raise UsageError("own tests asked for more than 4 GiB in one run")
        start = len(QUESTION)
        (length,) = struct.unpack_from("<I", payload, start)
        frame = start + 4 + length
        question = json_object(payload[start + 4 : frame])
        what = str(question.get("what"))
        if "apart" in question:
            return self._ask_apart(int(question["apart"]), what, payload[frame:])
        if "arm" in question:
            return self._ask_arm(self._arm(str(question["arm"])), what, question, payload[frame:])
        if what == "subject":
            return self._facts()
        if what == "lock_changes":
            return self._subject.lock_changes()
        if what == "recall":
            return self._subject.recall(str(question["check"]))
        raise UsageError(f"own tests cannot ask for {what[:40]!r}")

    def _facts(self) -> Mapping[str, Any]:
        subject = self._subject
        arms = {one.role: (one.version, one.inputs) for one in subject.arms}
        return {"golden": subject.golden, "seed": subject.seed, "arms": arms}

    def _arm(self, name: str) -> VersionArm:
        binary, _, transplanted = name.partition(" ")
        if binary not in ("candidate", "champion"):
            raise UsageError(f"there is no version {name[:40]!r}")
        if transplanted:
            return self._subject.transplanted("candidate" if binary == "candidate" else "champion")
        arm = self._subject.candidate if binary == "candidate" else self._subject.champion
        if arm is None:
            raise NoChampion
        return arm

    def _ask_arm(
        self, arm: VersionArm, what: str, question: Mapping[str, Any], frame: bytes
    ) -> Any:  # noqa: ANN401 - as `CagedArm` says
        of_frames = {**_predictions(arm), "contributions": arm.contributions, "timed": arm.timed}
        if what in of_frames:
            return of_frames[what](decode_columns(frame))
        if what == "apart":
            return self._begin_apart(arm)
        if what == "lock_report":
            return arm.lock_report(_offline(question["questions"]))
        plain: Mapping[str, Callable[[], Any]] = {
            "splits": arm.splits,
            "peak_memory": arm.peak_memory,
            "environment": arm.environment,
            "scan": arm.scan,
        }
        if what not in plain:
            raise UsageError(f"own tests cannot ask a version for {what[:40]!r}")
        return plain[what]()

    def _begin_apart(self, arm: VersionArm) -> int:
        if len(self._apart) >= _APART:
            raise UsageError(f"own tests may have {_APART} processes beside a version's own")
        number = max(self._apart, default=0) + 1
        self._apart[number] = self._stack.enter_context(arm.apart())
        return number

    def _ask_apart(self, number: int, what: str, frame: bytes) -> Any:  # noqa: ANN401 - as `CagedApart` says
        if what == "end":
            worker = self._apart.pop(number, None)
            return worker.worker.close() if worker else None
        return _predictions(self._apart[number])[what](decode_columns(frame))

    def _end_apart(self) -> None:
        self._apart.clear()
        self._stack.close()


def _predictions(asked: Predictor) -> dict[str, Callable[..., Any]]:
    return {"scores": asked.scores, "labels": asked.labels, "vectors": asked.vectors}


def _offline(told: object) -> LockQuestions:
    questions = LockQuestions(**told) if isinstance(told, dict) else LockQuestions()
    if questions.resolve or questions.advisories is not None:
        raise UsageError(
            "own tests may ask of a lock what can be told offline",
            advice="the card's lockfile check asks the index and reads advisories",
        )
    return LockQuestions(advisories_max_age=int(questions.advisories_max_age))


def _pickled(*answer: object) -> bytes:
    return b"answer  " + pickle.dumps(answer, pickle.HIGHEST_PROTOCOL)


# ---- what they see ---------------------------------------------------------------------------


def visible_parts(project: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    """What own tests see of a project: all of it but hidden names, secrets, and links out of it.

    Args:
        project: Its folder, resolved.
        hidden: Resolved files and folders that are left out; what holds one is shown in parts.
    """
    yield from _visible(project, project, hidden)


def _visible(folder: Path, project: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        real = path.resolve()
        inside = real.is_relative_to(project) and real != project
        if not inside or any(part.startswith(".") for part in real.relative_to(project).parts):
            continue
        if path.name.startswith(".") or not (real.is_dir() or real.is_file()):
            continue
        if any(real.is_relative_to(one) for one in hidden):
            continue
        if not any(one.is_relative_to(real) for one in hidden):
            yield path
        elif not path.is_symlink():
            yield from _visible(path, project, hidden)


def _hidden(settings: Settings) -> list[Path]:
    own = [settings.cache, settings.output, settings.counterexamples]
    key = key_file(settings.signing_key)
    own += [key] if key else []
    scheme, separator, store = settings.tracking_uri.partition(":///")
    if scheme == "file":
        own.append(Path("/", store))
    elif scheme.startswith("sqlite"):
        own.append(Path(store.partition("?")[0]))
    elif not separator:
        own.append(Path(settings.tracking_uri))
    return [one.resolve() for one in own]


def _is_library(folder: Path, settings: Settings) -> bool:
    """Whether a folder that this interpreter imports from may be seen whole."""
    real = folder.resolve()
    kept = [settings.project.resolve(), Path.home().resolve(), *_hidden(settings)]
    return len(real.parts) > _SHALLOW and not any(one.is_relative_to(real) for one in kept)
