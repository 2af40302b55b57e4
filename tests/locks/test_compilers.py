"""Locks as the two compilers really write them, offline, from wheels made here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from gates.domain.lock_report import Distribution
from gates.locks.lock import read_lock
from gates.locks.verify import verify

from .samples import Write, held, pins
from .wheels import make_wheel

SHELF_NEEDS = (
    "Requires-Dist: plank>=1",
    "Provides-Extra: deep",
    "Requires-Dist: nail ; extra == 'deep'",
)


def compile_with(command: list[str], folder: Path, output: str) -> Path:
    settings = {
        key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))
    }
    settings |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    options = ["--generate-hashes", "--no-index", "--find-links", "wheels", "--no-emit-find-links"]
    bin_folder = Path(sys.executable).parent
    subprocess.run(
        [
            str(bin_folder / command[0]),
            *command[1:],
            *options,
            "--output-file",
            output,
            "requirements.in",
        ],
        cwd=folder,
        env=settings,
        check=True,
        timeout=120,
        capture_output=True,
    )
    return folder / output


def test_uv_and_pip_compile_write_locks_that_are_read_as_the_same_pins(write: Write) -> None:
    inputs = write("shelf[deep]>=1,<3\n")
    folder = inputs.parent
    (folder / "wheels").mkdir()
    hashes = {
        "shelf": make_wheel(folder / "wheels", "shelf", "2.0", *SHELF_NEEDS),
        "plank": make_wheel(folder / "wheels", "plank", "1.5"),
        "nail": make_wheel(folder / "wheels", "nail", "0.1"),
    }
    make_wheel(folder / "wheels", "shelf", "3.0")

    by_uv = read_lock(compile_with(["uv", "pip", "compile"], folder, "uv.txt"))
    by_pip_tools = read_lock(
        compile_with(["pip-compile", "--no-strip-extras"], folder, "pip-tools.txt")
    )

    assert (
        pins(by_uv) == pins(by_pip_tools) == [("nail", "0.1"), ("plank", "1.5"), ("shelf", "2.0")]
    )
    for lock in (by_uv, by_pip_tools):
        assert {one.name: one.hashes for one in lock.requirements} == {
            name: (digest,) for name, digest in hashes.items()
        }
        report = verify(
            lock,
            inputs=inputs,
            installed=[
                *held(nail="0.1", plank="1.5"),
                Distribution("shelf", "2.0", ("plank>=1", "nail ; extra == 'deep'")),
            ],
            repository=None,
        )
        assert report.problems == ()
