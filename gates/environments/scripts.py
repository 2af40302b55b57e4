"""A model's own script, such as its build.py, run inside the model's environment."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gates.environments._building import silent
from gates.environments.cache import Environment
from gates.environments.launching import scrubbed_environment
from gates.errors import BuildError
from gates.system.commands import last_lines, run_streamed

__all__ = ["run_script"]


def run_script(
    environment: Environment,
    script: Path,
    args: Sequence[str],
    cwd: Path,
    extra_env: Mapping[str, str],
    timeout: float,
    progress: Callable[[str], None] = silent,
) -> str:
    """Run a model's own script, such as its build.py, inside the model's environment.

    Args:
        environment: What it runs in.
        script: The Python file; modules beside it can be imported.
        args: Its arguments.
        cwd: Where it runs.
        extra_env: Variables it gets on top of the scrubbed environment.
        timeout: Seconds it may take.
        progress: Told each line it writes.

    Returns:
        What it wrote, stdout and stderr as they came; at most the last 1 MiB.

    Raises:
        BuildError: It could not start, failed or took too long; with its last lines.
    """
    with tempfile.TemporaryDirectory(prefix="gates-script-", ignore_cleanup_errors=True) as scratch:
        try:
            done = run_streamed(
                [str(environment.python), "-B", "-u", "-s", str(script.absolute()), *args],
                env={**scrubbed_environment(scratch), **extra_env},
                cwd=cwd,
                timeout=timeout,
                progress=progress,
            )
        except OSError as error:
            raise BuildError(
                f"{script} could not be started: {error}",
                advice=f"Remove {environment.path}; the next run builds it anew.",
            ) from error
    if done.returncode != 0:
        raise BuildError(
            f"{script} failed ({done.how}):\n{last_lines(done.output)}",
            advice="Run it by hand in its environment: "
            + " ".join([str(environment.python), "-B", str(script), *args]),
        )
    return done.output
