"""Findings at a line of a file, as workflow commands that nothing in them can break out of."""

from __future__ import annotations

from gates.pull_request.annotations import Annotation, commands


def test_text_cannot_end_a_command_or_begin_another() -> None:
    hostile = "50%\n::set-output name=x::y\r\x1b[31m"
    one = Annotation("error", "models/a,b:c.txt", 3, "a,line=9::b", hostile)
    (line,) = commands([one], "shop/", lambda _: frozenset())
    assert line == (
        "::error file=shop/models/a%2Cb%3Ac.txt,line=3,title=a%2Cline=9%3A%3Ab::"
        "50%25%0A::set-output name=x::y%0D�[31m"
    )


def test_ten_of_each_level_and_those_on_changed_lines_first() -> None:
    found = [
        Annotation(level, "card.md", line, "", str(line))
        for level in ("warning", "error")
        for line in range(1, 31)
    ]
    lines = commands(found, "", lambda _: frozenset({29, 30}))
    assert len(lines) == 20
    assert [line.rpartition("::")[2] for line in lines[:4]] == ["29", "30", "1", "2"]
    assert all(line.startswith("::error") for line in lines[:10])
