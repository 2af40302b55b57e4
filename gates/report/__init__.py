"""Reports of a run, rendered from its evidence alone.

    renderer.py             the forms of a report, and how to add one
    terminal.py             what a person sees when the gate ends
    markdown.py             the whole run as Markdown
    pull_request.py         the comment of a pull request, all its models in one
    html.py                 one self-contained page, with old and new lists side by side
    junit.py                a test case per bound, for build servers
    comparison_page.py      the page of `gates diff`
    comparison_terminal.py  what a person sees when `gates diff` ends

    main_numbers.py         what lists and trends show of a gate
    summary.py              the headline and the order of reading, shared by all
    advice.py               what to do next, and how many more queries an answer would take
    wording.py              measurements, bounds and reasons in words, each number said once
    contrasts.py            old against new, metric by metric, in columns
    section.py              a part that lists cases, as every form is given it
    sections.py             all of these, and how to add one
    waivers.py              what is excused, what that would have been, and what need not be
    moved_bar.py            bounds that moved after results were seen
    counterexamples.py      what went wrong in single cases, and the command that keeps each
    differences.py          old and new lists of a ranking difference, with titles and moves
    criteria.py             how golden set and card changed under a model
    blocks.py               blocks of Markdown, with text from data escaped
    bounds.py, queries.py   rows of bounds, and lists of queries, for pages
    pictures.py             inline SVG
    templating.py           templates, and the one script a page may run (templates/report.js)
    console_text.py         paragraphs for a terminal
    text.py                 numbers, and text from evidence made safe to show

No report touches a model, MLflow or a golden set: what is not in the evidence is not shown.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gates.report.renderer import find_renderer, report_files
from gates.system.files import write_atomically

if TYPE_CHECKING:
    from gates.evidence.evidence import Evidence

__all__ = ["write_reports"]


def write_reports(evidence: Evidence, folder: Path) -> dict[str, Path]:
    """Write every form of report that is kept in a file, each whole or not at all.

    Args:
        folder: Where to; made when it is not there.

    Returns:
        The form, such as `html` → its file.

    Raises:
        UsageError: A file cannot be written.
    """
    files = report_files()
    contents = {form: find_renderer(form).render(evidence).encode() for form in files}
    for form, content in contents.items():
        write_atomically(folder / files[form], content)
    return {form: folder / file for form, file in files.items()}
