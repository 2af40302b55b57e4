"""Turns in MLflow: registers that can be written once, for everybody who uses the store.

MLflow has no compare-and-set, but two things of it can be made only once, by a unique key of its
database: an experiment of a name, and a parameter of a run. A parameter that has another value is
refused. So one run a model holds its turns as parameters, `turn.000007` and `turn.000007.end`, and
one experiment, made with a tag that names the run, says which run that is.
"""

from __future__ import annotations

import json
import platform
import re
import uuid
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime

from pydantic import TypeAdapter, ValidationError

from gates.errors import RegistryError
from gates.registry._connection import Connection, Taken
from gates.registry._runs import Runs
from gates.registry.turns import Ending, Turn
from gates.system.json_files import json_value

_TAG = "gates.ledger"
_KEY = re.compile(r"turn\.(\d{6,})")
_TURN, _ENDING = TypeAdapter(Turn), TypeAdapter(Ending)


class Ledger:
    """The turns of each model in one MLflow store.

    Args:
        connection: The store.
        runs: The runs there.
    """

    def __init__(self, connection: Connection, runs: Runs) -> None:
        self._connection = connection
        self._runs = runs
        self._known: dict[str, str] = {}

    def turns(self, model: str) -> tuple[Turn, ...]:
        """All turns of a model, in order."""
        run = self._ledger(model)
        return _read(self._registers(model, run)) if run else ()

    def claim(self, model: str, number: int, by: str) -> Turn | None:
        """Take a turn; None when somebody else has it already."""
        turn = Turn(
            number,
            uuid.uuid4().hex,
            by[:100],
            platform.node()[:60],
            self._connection.lock_identity(model),
            datetime.now(UTC).isoformat(timespec="seconds"),
        )
        values = {key: value for key, value in asdict(turn).items() if value and key != "number"}
        run = self._ledger(model) or self._make(model)
        return turn if self._write(model, run, _key(number), values) else None

    def end(self, model: str, turn: Turn, ending: Ending) -> Ending:
        """End a turn, unless it has ended; gives the ending that stands."""
        run = self._ledger(model)
        if run is None:
            raise _gone(model)
        values = {key: value for key, value in asdict(ending).items() if value}
        if self._write(model, run, f"{_key(turn.number)}.end", values):
            return ending
        (found,) = (one for one in self.turns(model) if one.number == turn.number)
        if found.ending is None:
            raise RegistryError(
                f"turn {turn.number} of '{model}' ended in a way that cannot be read",
                advice=f"look at the parameters of the MLflow run {run}",
            )
        return found.ending

    def _write(self, model: str, run: str, key: str, values: Mapping[str, object]) -> bool:
        """Write a register; False when it holds something else."""
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        try:
            with self._connection.calls(f"write {key} of '{model}'") as client:
                client.log_param(run, key, text)
        except RegistryError:
            found = self._registers(model, run).get(key)
            if found is None:
                raise
            return found == text
        return True

    def _registers(self, model: str, run: str) -> Mapping[str, str]:
        with self._connection.calls(f"read the turns of '{model}'") as client:
            found = client.get_run(run)
        if found.info.lifecycle_stage != "active":
            raise RegistryError(
                f"the run {run}, which orders the history of '{model}', was deleted",
                advice=f"restore it: mlflow runs restore --run-id {run}",
            )
        return dict(found.data.params)

    def _ledger(self, model: str) -> str | None:
        """The run that holds a model's turns; None while there is none."""
        if model in self._known:
            return self._known[model]
        with self._connection.calls(f"find the turns of '{model}'") as client:
            found = client.get_experiment_by_name(_title(model))
        if found is None:
            return None
        if found.lifecycle_stage != "active":
            raise RegistryError(
                f"the experiment '{found.name}', which orders the history of '{model}', was "
                "deleted",
                advice=f"restore it: mlflow experiments restore -x {found.experiment_id}",
            )
        run = found.tags.get(_TAG)
        if not run:
            raise _gone(model)
        self._known[model] = run
        return str(run)

    def _make(self, model: str) -> str:
        experiment = self._runs.experiment(model)
        with self._connection.calls(f"make the turns of '{model}'") as client:
            run = str(client.create_run(experiment, run_name="turns").info.run_id)
            client.set_terminated(run)
        try:
            with self._connection.calls(f"make the turns of '{model}'") as client:
                location = self._connection.experiment_location("turns")
                client.create_experiment(
                    _title(model), artifact_location=location, tags={_TAG: run}
                )
        except Taken:  # somebody else came first: theirs holds for all
            with self._connection.calls(f"make the turns of '{model}'") as client:
                client.delete_run(run)
        return self._ledger(model) or run


def _title(model: str) -> str:
    return f"gates/{model}/turns"  # a model's name holds no slash: this is no other's history


def _key(number: int) -> str:
    return f"turn.{number:06}"


def _gone(model: str) -> RegistryError:
    return RegistryError(
        f"nothing says any more which run orders the history of '{model}'",
        advice=f"the tag '{_TAG}' of the experiment '{_title(model)}' names it: put it back",
    )


def _read(registers: Mapping[str, str]) -> tuple[Turn, ...]:
    found = []
    for key, text in registers.items():
        match = _KEY.fullmatch(key)
        if not match:
            continue
        number = int(match[1])
        try:
            values = json_value(text)
            turn = _TURN.validate_python({**values, "number": number})
        except (ValueError, TypeError):  # pydantic's is a ValueError
            turn = Turn(number, "")  # written by hand: it is taken, and nobody knows by whom
        end = registers.get(f"{key}.end")
        found.append(replace(turn, ending=_ending(end) if end is not None else None))
    return tuple(sorted(found, key=lambda one: one.number))


def _ending(text: str) -> Ending:
    try:
        return _ENDING.validate_json(text)
    except ValidationError:
        return Ending("void")
