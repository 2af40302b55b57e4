"""Locks as the two compilers really write them, offline, from wheels made here."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from gates.dependencies import Distribution
from gates.locks.lock import read_lock
from gates.locks.verify import verify

from .samples import Write, held, pins

SHELF_NEEDS = (
    "Requires-Dist: plank>=1",
    "Provides-Extra: deep",
    "Requires-Dist: nail ; extra == 'deep'",
)


def make_wheel(folder: Path, name: str, version: str, *needs: str) -> str:
    """A pure wheel with one module; gives its `sha256:…`."""
    info = f"{name}-{version}.dist-info"
    facts = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *needs, ""]
    wheel_facts = ["Wheel-Version: 1.0", "Generator: test", "Root-Is-Purelib: true"]
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": "\n".join(facts),
        f"{info}/WHEEL": "\n".join([*wheel_facts, "Tag: py3-none-any", ""]),
    }
    record = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record.append(f"{path},sha256={digest.rstrip(b'=').decode()},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def compile_with(command: list[str], folder: Path, output: str) -> Path:
    settings = {
        key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))
    }
    settings |= {"PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    options = ["--generate-hashes", "--no-index", "--find-links", "wheels", "--quiet"]
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
    assert by_pip_tools.options == ("--find-links wheels",)
