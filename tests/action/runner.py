"""Runs a composite action's own steps as GitHub's runner does: expressions, environment, outputs.

Steps that use another action are not run; what they are given is kept, and looked at by tests.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<call>[a-z]+(?=\())|(?P<name>[A-Za-z_][\w-]*(?:\.[\w-]+)*)"
    r"|(?P<sign>\|\||&&|==|!=|[(),!]))"
)


class Expression:
    """An expression of a workflow, as far as these actions need them.

    https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
    """

    def __init__(self, source: str, contexts: Mapping[str, Any]) -> None:
        self._tokens: list[tuple[str, str]] = []
        end = 0
        while source[end:].strip():
            found = _TOKEN.match(source, end)
            assert found, f"not understood: {source[end:]}"
            kind = str(found.lastgroup)
            self._tokens.append((kind, found[kind]))
            end = found.end()
        self._contexts = contexts

    def value(self) -> Any:
        """What it comes to."""
        value = self._either()
        assert not self._tokens, self._tokens
        return value

    def _take(self, *signs: str) -> str:
        if self._tokens and self._tokens[0][0] == "sign" and self._tokens[0][1] in signs:
            return self._tokens.pop(0)[1]
        return ""

    def _either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value or other
        return value

    def _both(self) -> Any:
        value = self._compared()
        while self._take("&&"):
            other = self._compared()
            value = value and other
        return value

    def _compared(self) -> Any:
        value = self._single()
        while sign := self._take("==", "!="):
            other = self._single()
            value = (value == other) is (sign == "==")
        return value

    def _single(self) -> Any:
        if self._take("!"):
            return not self._single()
        if self._take("("):
            value = self._either()
            assert self._take(")")
            return value
        kind, text = self._tokens.pop(0)
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "call":
            return self._call(text)
        value = self._contexts
        for part in text.split("."):
            value = (value or {}).get(part, "")
        return value

    def _call(self, name: str) -> Any:
        assert self._take("(")
        given: list[Any] = []
        while not self._take(")"):
            given.append(self._either())
            self._take(",")
        assert name == "format", name
        pattern, *values = given
        return re.sub(r"\{(\d+)\}", lambda found: str(values[int(found[1])]), pattern)


def filled(text: Any, contexts: Mapping[str, Any]) -> str:
    """Text with its `${{ … }}` replaced."""

    def put(found: re.Match[str]) -> str:
        value = Expression(found[1], contexts).value()
        return str(value).lower() if isinstance(value, bool) else str(value or "")

    return re.sub(r"\$\{\{(.*?)\}\}", put, str(text))


@dataclass
class Job:
    """One job on a runner: its workspace, its event, and what its steps left.

    Attributes:
        workspace: Where the repository is checked out.
        temporary: The runner's folder for what does not outlive the job.
        github: The `github` context.
        environment: What every step finds in its environment.
        log: What the steps printed.
        summary: What they wrote into the job's summary.
        used: The actions they use, and what each was given.
        codes: The exit code of each step that ran, by name.
    """

    workspace: Path
    temporary: Path
    github: Mapping[str, Any]
    environment: Mapping[str, str]
    log: str = ""
    summary: str = ""
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    codes: dict[str, int] = field(default_factory=dict)

    def run(self, action: Path, inputs: Mapping[str, str]) -> dict[str, str]:
        """Run an action.

        Args:
            action: Its folder.
            inputs: What it is given.

        Returns:
            Its outputs.
        """
        described = yaml.safe_load((action / "action.yml").read_text())
        known = {name: one.get("default", "") for name, one in described["inputs"].items()}
        assert set(inputs) <= set(known)
        runner = {"os": "Linux", "arch": "X64", "temp": str(self.temporary)}
        steps: dict[str, Any] = {}
        contexts = {
            "inputs": {**known, **inputs},
            "github": self.github,
            "runner": runner,
            "steps": steps,
        }
        failed = False
        for step in described["runs"]["steps"]:
            if failed or not Expression(step.get("if", "'yes'"), contexts).value():
                continue
            if "uses" in step:
                given = {key: filled(one, contexts) for key, one in step["with"].items()}
                self.used.append((step["uses"].partition("@")[0], given))
                continue
            outputs, code = self._step(step, contexts, action)
            steps[step.get("id", step["name"])] = {"outputs": outputs}
            self.codes[step["name"]] = code
            failed = code != 0
        outputs = described.get("outputs", {})
        return {name: filled(one["value"], contexts) for name, one in outputs.items()}

    def run_workflow(self, workflow: Path, job: str, contexts: Mapping[str, Any]) -> dict[str, str]:
        """Run the scripts of a workflow's job, until one fails.

        Args:
            workflow: The file.
            job: The job's id.
            contexts: What its expressions may name.

        Returns:
            The outputs of all its steps together.
        """
        described = yaml.safe_load(workflow.read_text())
        assert described["defaults"]["run"]["shell"].split()[0] == "bash"
        found: dict[str, str] = {}
        for step in described["jobs"][job]["steps"]:
            if "run" in step:
                outputs, code = self._step({"shell": "bash", **step}, contexts, workflow.parent)
                found |= outputs
                self.codes[step.get("name", step["run"].splitlines()[0])] = code
                if code:
                    break
        return found

    def _step(
        self, step: Mapping[str, Any], contexts: Mapping[str, Any], action: Path
    ) -> tuple[dict[str, str], int]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "an expression in a script is an injection"
        files = {name: self.temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for path in files.values():
            path.write_text("")
        script = self.temporary / "step.sh"
        script.write_text(step["run"])
        environment = {
            **self.environment,
            **{name: filled(one, contexts) for name, one in step.get("env", {}).items()},
            **{name: str(path) for name, path in files.items()},
            "GITHUB_ACTION_PATH": str(action),
            "GITHUB_ACTIONS": "true",
            "RUNNER_TEMP": str(self.temporary),
        }
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", script],
            cwd=self.workspace / filled(step.get("working-directory", "."), contexts),
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.log += done.stdout
        self.summary += files["GITHUB_STEP_SUMMARY"].read_text()
        written = files["GITHUB_OUTPUT"].read_text()
        found = re.findall(r"^([\w-]+)<<(\S+)\n(.*?)\n\2$", written, re.MULTILINE | re.DOTALL)
        outputs = {name: value for name, _, value in found}
        plain = re.findall(r"^([\w-]+)=(.*)$", written, re.MULTILINE)
        return {**dict(plain), **outputs}, done.returncode


def bare_environment(**more: str) -> dict[str, str]:
    """What a runner gives every step: nothing of the tests' own secrets or settings."""
    kept = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "PIP_", "SSL_", "UV_")
    proxies = ("http_proxy", "https_proxy", "all_proxy")
    own = {
        key: value
        for key, value in os.environ.items()
        if key.startswith(kept) or key.lower() in proxies
    }
    return {**own, **more}
