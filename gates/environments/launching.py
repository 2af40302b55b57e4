"""What a worker is launched in, whichever kind of environment it is."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gates.card.policy import UNWRITTEN
from gates.domain.judging import EnvironmentFacts, Layer
from gates.environments._child import Child
from gates.environments._exchange import Exchange
from gates.environments.frames import encode_message

__all__ = ["PARTS", "WORKER", "Launchable", "Limits", "scrubbed_environment", "start_child"]

WORKER = Path(__file__).with_name("worker.py")
PARTS = tuple(
    WORKER.with_name(f"{name}.py")
    for name in (
        "worker",
        "cage",
        "view",
        "rights",
        "supervisor",
        "landlock",
        "system_calls",
        "columns",
        "signature",
        "explain",
    )
)
"""The files of the worker's program."""
_THREADED = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")


@dataclass(frozen=True)
class Limits:
    """What one worker may use.

    Attributes:
        memory_mb: Address space, or in a container memory, in MiB.
        start_seconds: From starting the process to its model being loaded.
        predict_seconds: For one prediction.
        file_mb: The largest file it may write, in MiB.
        scratch_mb: What its scratch folder holds at most, in MiB.
        require: Isolation layers without which no model is loaded.
    """

    memory_mb: int = UNWRITTEN.memory_mb
    start_seconds: float = UNWRITTEN.start_seconds
    predict_seconds: float = UNWRITTEN.predict_seconds
    file_mb: int = 4096
    scratch_mb: int = 1024
    require: tuple[Layer, ...] = ()


class Launchable(Protocol):
    """An environment that workers can be started in."""

    @property
    def path(self) -> Path:
        """A folder of this machine whose `lib/python*/site-packages` holds its distributions."""

    @property
    def facts(self) -> EnvironmentFacts:
        """Its key, Python, platform, and whether it was found or built."""

    def launch(self, model_dir: Path, limits: Limits, hello: Mapping[str, Any]) -> Exchange:
        """Start a worker, without waiting until its model is loaded.

        Args:
            model_dir: The MLflow model folder.
            limits: What it may use.
            hello: The first message it is sent; where the worker finds the model is added to it.

        Raises:
            BuildError: It does not start.
        """


def scrubbed_environment(scratch: str) -> dict[str, str]:
    """The whole environment of a process that runs a model: no tokens, no settings of ours.

    Args:
        scratch: Its home and temporary folder.
    """
    threads = {f"{library}_NUM_THREADS": "1" for library in _THREADED}
    # Numba writes beside the modules it compiles, where it can: an environment stays as it is.
    own = dict.fromkeys(("HOME", "TMPDIR", "NUMBA_CACHE_DIR"), scratch)
    places = {**own, "PATH": os.defpath}
    # Its user is one that no list of users knows: some libraries ask who they are.
    places["LOGNAME"] = "model"
    return {**places, **threads, "LANG": "C.UTF-8", "MLFLOW_DISABLE_TELEMETRY": "true"}


def start_child(base: Path, python: Path, folder: Path, hello: Mapping[str, Any]) -> Child:
    """Start a worker of this machine, which goes into its cage before anything installed can run.

    Args:
        base: The interpreter that its environment was built on.
        python: The environment's.
        folder: What it is to see beside its environment, such as a model folder.
        hello: The first message it is sent; these places are added to it.

    Raises:
        OSError: It does not start.
    """
    scratch = Path(tempfile.mkdtemp(prefix="gates-worker-"))
    # Nothing that was installed may run, or point anywhere, before the cage is closed: hence the
    # interpreter below the environment, whose pyvenv.cfg it does not see, and -S.
    # -B: byte code written beside a model's modules would change its digest.
    command = [str(base.resolve()), "-I", "-S", "-B", "-u", str(WORKER), str(scratch)]
    places = {"model_dir": str(folder.absolute()), "python": str(python.absolute())}
    try:
        return Child(
            command,
            env=scrubbed_environment(str(scratch)),
            cwd=scratch,
            first=encode_message({**hello, **places}),
        )
    except OSError:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
