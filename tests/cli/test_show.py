"""`gates show`: a run again, in any form, on the terminal or in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gates.evidence.bundle import read_evidence, write_evidence
from gates.report.renderer import Form, find_renderer
from tests.conftest import CommandLine
from tests.report import evidence_factory as factory
from tests.sealed import record_in


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    path = tmp_path / "evidence.json"
    write_evidence(path, factory.failing())
    return path


@pytest.mark.parametrize("form", Form)
def test_every_form_can_be_written_to_a_file(
    gates: CommandLine, evidence: Path, tmp_path: Path, form: Form
) -> None:
    file = tmp_path / "shown"
    answer = gates("show", str(evidence), "--as", form, "--output", str(file))
    assert answer.code == 0, answer.err
    assert answer.out == f"wrote {file}\n"
    assert file.read_text(encoding="utf-8") == find_renderer(form).render(read_evidence(evidence))


@pytest.mark.parametrize("form", [form for form in Form if form is not Form.TERMINAL])
def test_every_form_can_be_printed(gates: CommandLine, evidence: Path, form: Form) -> None:
    shown = gates("show", str(evidence), "--as", form).out
    assert shown == f"{find_renderer(form).render(read_evidence(evidence))}\n"


def test_the_terminal_names_the_folder_of_the_run(gates: CommandLine, evidence: Path) -> None:
    shown = gates("show", str(evidence)).out
    assert shown.startswith("✕ FAIL")
    assert str(evidence) in shown


def test_as_json_it_is_the_evidence(gates: CommandLine, evidence: Path) -> None:
    shown = json.loads(gates("show", str(evidence), "--json").out)
    assert shown == record_in(evidence)
