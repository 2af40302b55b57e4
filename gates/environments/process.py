"""A model version in its own process: start it, ask it, end it; every failure has a name."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from gates.domain.judging import EnvironmentFacts
from gates.domain.subject import Columns, NoContributions
from gates.environments import _faults
from gates.environments._exchange import Exchange, Late, WorkerGone
from gates.environments._idle import LIVING
from gates.environments._inputs import rows_of, select_inputs
from gates.environments._layers import lacking, layers_told
from gates.environments.frames import (
    PEAK_MEMORY,
    BadFrame,
    Encoding,
    TooLarge,
    answer_bytes,
    column_types,
    decode_columns,
    decode_message,
    encode_columns,
    explaining,
)
from gates.environments.launching import Launchable, Limits
from gates.environments.mlmodel import ModelFile, read_mlmodel
from gates.errors import BuildError, FaultKind, ModelFault
from gates.system.commands import last_lines

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Worker"]

_EXPLAIN_SECONDS = 60.0
# What no machine can take away: an environment of its own, and variables without any secret.
_ALWAYS = {"environment": True, "variables": True}


class Worker:
    """One version's model, loaded in a process of its own environment.

    After a fault the worker is dead: the process is ended, and every later call raises that same
    fault at once. Use it as a context manager, or `close` it.
    """

    def __init__(
        self,
        child: Exchange,
        model: ModelFile,
        environment: Launchable,
        limits: Limits,
        role: str,
        started: float,
    ) -> None:
        self._child = child
        self._model = model
        self._environment = environment  # while this lives, the cache does not remove it
        self._facts = environment.facts
        self._limits = limits
        self.role = role
        self._started = started
        self._encoding: Encoding | None = None
        self._fault: ModelFault | None = None
        self._paused = False
        LIVING.add(self)

    @classmethod
    def start(cls, environment: Launchable, model_dir: Path, limits: Limits, role: str) -> Worker:
        """Start a worker; returns at once, so that two arms can start side by side.

        Args:
            environment: What it runs in.
            model_dir: The MLflow model folder.
            limits: What it may use.
            role: What every message calls it, such as `candidate`.

        Raises:
            PackageError: The model folder has no usable MLmodel file.
            BuildError: The environment does not start.
        """
        model = read_mlmodel(model_dir)
        hello = {
            "loader_module": model.loader_module,
            "code": model.code,
            "data": model.data,
            "memory_bytes": limits.memory_mb << 20,
            "file_bytes": limits.file_mb << 20,
            "scratch_bytes": limits.scratch_mb << 20,
            "require": limits.require,
        }
        started = time.monotonic()
        try:
            child = environment.launch(model_dir, limits, hello)
        except BuildError as error:
            raise BuildError(f"the {role} cannot run: {error.what}", advice=error.advice) from error
        return cls(child, model, environment, limits, role, started)

    @property
    def pid(self) -> int:
        """The id of the process that leads the worker's group."""
        return self._child.pid

    def ready(self) -> EnvironmentFacts:
        """Wait until the model is loaded.

        Returns:
            The environment's facts with isolation layers, encoding and how long loading took.

        Raises:
            ModelFault: It died, hung, failed to load, or lacks a layer that is required.
        """
        if self._fault is not None:
            raise self._fault
        if self._encoding is None:
            self._accept_cage(self._ask(None, "loading", more_to_come=True))
            self._accept(self._ask(None, "loading"))
            types, matrix_of = self._model.types_to_give, self._model.matrix_of
            if types or matrix_of:
                # Only now: the pipe that takes the first message holds no 5,000 columns.
                self._ask(column_types(types, matrix_of), "loading")
        return self._facts

    def predict(self, columns: Columns) -> dict[str, NDArray[Any] | list[Any]]:
        """Ask the model for its output on a frame.

        A model with named inputs is sent those columns, in its order, and no others. One that
        names a single column is sent a single column of texts under that name.

        Args:
            columns: Name → values, all of one length.

        Returns:
            Output column → values, as the model named them; `prediction` for a single unnamed one.
            What they must be is for `gates.environments.outputs` to say.

        Raises:
            ModelFault: It could not, by name.
            UsageError: The frame is not one that any model can be given.
        """
        self.ready()
        request = encode_columns(
            select_inputs(self._model, columns, self.role), self._encoding or "plain"
        )
        rows = rows_of(columns)
        return self._columns(self._ask(request, "predicting", rows), rows)

    def contributions(
        self, columns: Columns
    ) -> dict[str, NDArray[Any] | list[Any]] | NoContributions:
        """Ask the model what each input column added to its score on each row of a frame.

        Args:
            columns: As for `predict`.

        Returns:
            Column → values, as the worker named them, or why there are none, which leaves the
            worker well. What they must be is for `gates.environments.outputs` to say.

        Raises:
            ModelFault: It died, hung or broke the protocol.
        """
        self.ready()
        request = explaining(
            encode_columns(
                select_inputs(self._model, columns, self.role), self._encoding or "plain"
            )
        )
        payload = self._ask(request, "explaining", rows_of(columns))
        message = decode_message(payload)
        if message is None:
            return self._columns(payload, rows_of(columns))
        reason = message.get("unavailable")
        if not isinstance(reason, str):
            raise self._fail("bad-frame", "broke the protocol while explaining: no proper answer")
        return NoContributions(_faults.one_line(reason))

    def timed(self, columns: Columns) -> float:
        """How long one prediction takes, seconds: from the first byte sent to the last received.

        Every other worker of this process is stopped meanwhile: a version that goes on working when
        it has answered would take its time out of the other's turn.

        That is the pipe both ways, and in the worker decoding the frame, predicting and encoding
        the answer. Encoding the frame here, and decoding the answer, are left out.

        Args:
            columns: As for `predict`.

        Raises:
            ModelFault: It could not, by name.
            UsageError: The frame is not one that any model can be given.
        """
        self.ready()
        request = encode_columns(
            select_inputs(self._model, columns, self.role), self._encoding or "plain"
        )
        self._go_on()
        self._stop_others()
        started = time.perf_counter()
        self._ask(request, "predicting", rows_of(columns))
        return time.perf_counter() - started

    def _stop_others(self) -> None:
        for other in list(LIVING):
            reason = "" if other is self else other.pause()
            if reason:  # the worker is well: it is only not timed
                raise ModelFault(
                    "not-alone",
                    f"the {self.role} cannot be timed: nothing stops the {other.role} from "
                    f"working meanwhile ({reason})",
                )

    def pause(self) -> str:
        """Take it off the processors until it is asked again; why not, empty when it is off."""
        if self._paused or self._fault is not None:
            return ""
        try:
            layers = self.ready().layers
        except ModelFault:
            return ""
        reason = self._child.pause(filtered=layers.get("system-calls", False))
        self._paused = not reason
        return reason

    def _go_on(self) -> None:
        if self._paused:
            self._child.resume()
            self._paused = False

    def peak_memory(self) -> int | None:
        """The most resident memory the model's process has held, bytes, as the process says.

        Processes that the model starts do not count.

        Returns:
            None where the model's Python cannot tell.

        Raises:
            ModelFault: It died, hung or broke the protocol.
        """
        self.ready()
        told = decode_message(self._ask(PEAK_MEMORY, "predicting")) or {}
        peak = told.get("peak_bytes", "")
        if peak is not None and (type(peak) is not int or peak <= 0):
            raise self._fail("bad-frame", "broke the protocol: no proper answer about its memory")
        return peak

    def close(self) -> None:
        """End it and all it started, and leave nothing of it."""
        if self._fault is None:
            self._fault = ModelFault(
                "died", f"the {self.role} cannot answer: its worker has been closed"
            )
        self._child.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _columns(self, payload: bytes, rows: int) -> dict[str, NDArray[Any] | list[Any]]:
        try:
            return decode_columns(payload, rows)
        except TooLarge as fault:
            what = f"answered a question of {rows} rows with {fault.what}"
            raise self._fail("too-large", what, breach=True) from fault
        except BadFrame as fault:
            raise self._fail("bad-frame", f"answered with {fault.what}") from fault

    def _ask(
        self,
        request: bytes | None,
        doing: Literal["loading", "predicting", "explaining"],
        rows: int = 0,
        *,
        more_to_come: bool = False,
    ) -> bytes:
        allowed = {
            "loading": self._limits.start_seconds,
            "predicting": self._limits.predict_seconds,
            "explaining": min(self._limits.predict_seconds, _EXPLAIN_SECONDS),
        }[doing]
        self._go_on()
        since = self._started if doing == "loading" else time.monotonic()
        try:
            payload = self._child.exchange(
                request, since + allowed, most=answer_bytes(rows), more_to_come=more_to_come
            )
            message = decode_message(payload)
        except Late as too_late:
            what = f"had not finished {doing} after {allowed:g} s"
            raise self._fail("hung", what) from too_late
        except WorkerGone as gone:
            raise self._gone(doing) from gone
        except TooLarge as fault:
            what = f"answered a question of {rows} rows with {fault.what}"
            raise self._fail("too-large", what, breach=doing == "predicting") from fault
        except BadFrame as fault:
            raise self._fail(
                "bad-frame", f"broke the protocol while {doing}: {fault.what}"
            ) from fault
        if message is None:
            return payload
        if "error" in message:
            kind, what, trace = _faults.reported(message["error"])
            breach = kind in _faults.BREACHES
            where = "" if breach else f"failed while {doing}: "
            raise self._fail(kind, where + what, trace=trace, breach=breach)
        return payload

    def _accept_cage(self, payload: bytes) -> None:
        """Read the worker's first word, said before the model's code has run: its layers."""
        layers = layers_told(decode_message(payload) or {}, self._child.layers)
        if layers is None:
            raise self._fail("bad-frame", "broke the protocol while loading: no proper first word")
        told = {str(name): not why for name, why in layers.items()}
        self._facts = replace(self._facts, layers={**_ALWAYS, **told})
        missing = lacking(self._limits.require, layers)
        if missing:
            raise self._fail("uncaged", missing)

    def _accept(self, payload: bytes) -> None:
        """Read the worker's second word: that the model is loaded, and what it speaks."""
        told = (decode_message(payload) or {}).get("ready")
        encoding = told.get("encoding") if isinstance(told, dict) else None
        if encoding not in ("arrow", "plain"):
            raise self._fail("bad-frame", "broke the protocol while loading: no proper answer")
        self._encoding = encoding
        self._facts = replace(
            self._facts, encoding=encoding, load_seconds=time.monotonic() - self._started
        )

    def _gone(self, doing: str) -> ModelFault:
        code, starved = self._child.returncode, self._child.starved
        self._child.end()
        kind, how = _faults.ending(code, self._child.log, oom_killed=starved)
        verb = "ran out of memory" if kind == "out-of-memory" else "died"
        return self._fail(kind, f"{verb} while {doing}: {how}")

    def _fail(
        self, kind: FaultKind, what: str, *, trace: str = "", breach: bool = False
    ) -> ModelFault:
        self._child.end()
        log = last_lines(f"{self._child.log}\n{trace}", count=40)
        self._fault = ModelFault(kind, f"the {self.role} {what}", breach=breach, log=log)
        return self._fault
