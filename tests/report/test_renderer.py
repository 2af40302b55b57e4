"""The forms of a report: each is a module, and one more is one file and one line."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import pytest

import gates.report.renderer as forms
from gates.evidence.evidence import Evidence
from gates.report import html, junit, markdown, terminal, write_reports
from gates.report.renderer import Form, Renderer, find_renderer, report_files

from . import evidence_factory as factory

MODULES: dict[Form, Renderer] = {
    Form.TERMINAL: terminal,
    Form.MARKDOWN: markdown,
    Form.HTML: html,
    Form.JUNIT: junit,
}


def test_each_form_is_the_module_of_its_name() -> None:
    assert set(MODULES) == set(Form)
    assert all(find_renderer(form) is module for form, module in MODULES.items())


@pytest.mark.parametrize("form", Form)
def test_every_form_tells_the_verdict_of_every_run(form: Form) -> None:
    for run in (factory.passing(), factory.failing(), factory.undecided(), factory.hostile()):
        shown = find_renderer(form).render(run)
        assert run.verdict.outcome in shown
        assert "\x1b" not in shown


def test_forms_without_a_file_are_not_kept() -> None:
    assert report_files() == {"markdown": "report.md", "html": "report.html", "junit": "junit.xml"}


def test_a_new_form_is_one_module_and_one_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Toy(ModuleType):
        FILE = "verdict.txt"

        @staticmethod
        def render(evidence: Evidence) -> str:
            return f"{evidence.verdict.outcome}\n"

    names = {form.name: form.value for form in Form}
    monkeypatch.setattr(forms, "Form", StrEnum("Form", {**names, "TOY": "toy"}))
    monkeypatch.setitem(sys.modules, "gates.report.toy", Toy("toy"))
    written = write_reports(factory.failing(), tmp_path)
    assert written["toy"] == tmp_path / "verdict.txt"
    assert written["toy"].read_text(encoding="utf-8") == "FAIL\n"
    assert len(written) == 4
