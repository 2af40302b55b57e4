"""`synonyms.csv` of a golden set: what is read, and what is refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.errors import GoldenError
from gates.golden import golden_digest, read_golden

FILES = {
    "manifest.yaml": (
        "name: labels\ntask: classification\ndescription: d\nsynthetic: true\nsource: s\n"
        "sampling: by hand\ninputs: [query]\n"
    ),
    "queries.csv": "query_id,query\nq1,sofa\n",
    "expectations.csv": "query_id,expect,target\nq1,label,furniture\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def test_a_set_may_do_without_synonyms(folder: Path) -> None:
    assert read_golden(folder).synonyms == ()


def test_pairs_are_read_in_file_order_and_are_part_of_the_digest(folder: Path) -> None:
    before = golden_digest(folder)
    text = "word,synonym\nsofa,couch\ncouch,sofa\ntv  stand, console\n"
    (folder / "synonyms.csv").write_text(text)
    golden = read_golden(folder)
    assert golden.synonyms == (("sofa", "couch"), ("couch", "sofa"), ("tv stand", "console"))
    assert golden.digest != before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("word,synonim\na,b\n", r"csv:1: the column `synonym` is missing"),
        ("word,synonym,lang\na,b,en\n", r"csv:1: `lang` is not a column of synonyms"),
        ("word,synonym\na,b\n ,c\n", r"csv:3: `word` is blank"),
        ("word,synonym\na,\n", r"csv:2: `synonym` is blank"),
        ("word,synonym\na,b\nSofa,sofa\n", r"csv:3: a word is its own synonym.*\('Sofa', 'sofa'\)"),
        ("word,synonym\na,b\nA,B\n", r"csv:3: duplicate \(word, synonym\)"),
        ("word,synonym\na,b,c\n", r"csv:2: 1 row\(s\) have not 2 cells"),
    ],
)
def test_a_wrong_line_is_named(folder: Path, text: str, said: str) -> None:
    (folder / "synonyms.csv").write_text(text)
    with pytest.raises(GoldenError, match=said):
        read_golden(folder)
