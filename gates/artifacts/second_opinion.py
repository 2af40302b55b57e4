"""What modelaudit says of an artifact, where it is installed: the worse of two scanners holds.

It is run as a program in an empty home, with limits and without the gate's variables. What it only
warns of is counted, not told one by one: it warns of any class of scikit-learn.

Source: https://github.com/promptfoo/modelaudit, its JSON report as of 0.2.54.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from gates.artifacts._layers import printable
from gates.domain.artifact_scan import SEVERITIES, ArtifactFinding, ScanReport
from gates.system.commands import run_streamed

__all__ = ["with_second_opinion"]

_SECONDS = 600
_MOST = 64 << 20
_ABSENT = "modelaudit is not installed (pip install modelaudit): one scanner looked"
_LIMITED = 'ulimit -v 8388608; ulimit -t 600; ulimit -f 131072; exec "$@"'
_WHY = "modelaudit, the second scanner, says so"


def with_second_opinion(
    report: ScanReport, model_dir: Path, progress: Callable[[str], None]
) -> ScanReport:
    """A report with what modelaudit adds to it; where it is absent, the report says so.

    Args:
        report: What a look of our own gave.
        model_dir: The model folder; untrusted.
        progress: Told, in words, what takes long or is missing.
    """
    program = _find()
    if program is None:
        progress(_ABSENT)
        return replace(report, opinion=_ABSENT)
    progress("asking modelaudit for a second opinion")
    with tempfile.TemporaryDirectory(prefix="gates-audit-") as home:
        said, problem = _run(program, model_dir, Path(home))
    if said is None:
        # Installed and silent is no opinion: whatever stopped it might be the artifact.
        opinion = f"modelaudit gave no opinion: {problem}"
        return replace(report, unread={**report.unread, "second opinion": opinion}, opinion=opinion)
    return _added(report, model_dir, said)


def _find() -> str | None:
    """The program beside the running Python, else on the path."""
    places = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return shutil.which("modelaudit", path=places)


def _run(program: str, model_dir: Path, home: Path) -> tuple[dict[str, object] | None, str]:
    """Its report; where there is none, why."""
    out = home / "report.json"
    command = ["/bin/sh", "-c", _LIMITED, "sh", program, "scan", "--format", "json", "--strict"]
    command += ["--timeout", str(_SECONDS), "--output", str(out), str(model_dir.resolve())]
    env = {"PATH": os.defpath, "HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8"}
    env |= {"PROMPTFOO_DISABLE_TELEMETRY": "1", "NO_COLOR": "1"}
    try:
        ended = run_streamed(command, env=env, cwd=home, timeout=_SECONDS, progress=_unheard)
        if ended.returncode not in (0, 1, 2):
            return None, ended.how
        if out.stat().st_size > _MOST:
            return None, "its report is larger than 64 MiB"
        said = json.loads(out.read_bytes())
    except OSError as problem:
        return None, f"it left no report: {problem.strerror}"
    except (ValueError, RecursionError):
        return None, "its report is no JSON"
    if not isinstance(said, dict) or not isinstance(said.get("issues"), list):
        return None, "its report is of a form that this version does not know"
    return said, ""


def _unheard(_: str) -> None:
    """Take a line of its log, which its report says better."""


def _added(report: ScanReport, model_dir: Path, said: dict[str, object]) -> ScanReport:
    found = {*report.findings, *_findings(said, model_dir)}
    findings = sorted(found, key=lambda one: (SEVERITIES.index(one.severity), one.path, one.what))
    issues = said["issues"]
    warned = 0
    if isinstance(issues, list):
        warned = sum(isinstance(one, dict) and one.get("severity") == "warning" for one in issues)
    partly = "" if said.get("has_errors") is False else ", and could not read all of it"
    added = len(found) - len(report.findings)
    opinion = f"modelaudit added {added} critical findings, warned {warned} times{partly}"
    return replace(report, findings=tuple(findings), opinion=opinion)


def _findings(said: dict[str, object], model_dir: Path) -> Iterator[ArtifactFinding]:
    issues = said["issues"]
    for one in issues if isinstance(issues, list) else ():
        if isinstance(one, dict) and one.get("severity") == "critical":
            place = str(one.get("location") or "").removeprefix(f"{model_dir.resolve()}/")
            path = printable(place.partition(" (pos ")[0]) or "."
            message = printable(str(one.get("message")))
            yield ArtifactFinding("critical", path, f"is refused by modelaudit: {message}", _WHY)
