"""`templates.yaml`: what it makes, and how its mistakes are told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.domain.phrases import Template, Templates
from gates.domain.subject import GoldenSet
from gates.errors import GoldenError
from gates.golden import golden_digest, read_golden
from tests.golden.test_read_golden import LABELS, RANKING

WORDS = "words: {brand: [norrvik, tallbeck], type: {lamp: lighting, tent: camping}}\n"
FORM = 'expect:\n  - {query: "{brand} {type}", label: "{type}"}\n'

Read = Callable[[str], GoldenSet]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in LABELS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def read(folder: Path) -> Read:
    def call(text: str) -> GoldenSet:
        (folder / "templates.yaml").write_text(text, encoding="utf-8")
        return read_golden(folder)

    return call


def made(golden: GoldenSet, most: int = 100) -> list[tuple[str, str]]:
    assert golden.templates is not None
    return [(one.query, one.label) for one in golden.templates.expanded(most, seed=1)]


def test_a_template_makes_one_query_for_each_choice_of_words(read: Read) -> None:
    assert made(read(WORDS + FORM)) == [
        ("norrvik lamp", "lighting"),
        ("norrvik tent", "camping"),
        ("tallbeck lamp", "lighting"),
        ("tallbeck tent", "camping"),
    ]


def test_a_slot_used_twice_takes_the_same_word(read: Read) -> None:
    form = 'expect: [{query: "{brand} by {brand}", label: kitchen}]\n'
    assert made(read(WORDS + form)) == [
        ("norrvik by norrvik", "kitchen"),
        ("tallbeck by tallbeck", "kitchen"),
    ]


def test_a_word_stands_for_itself_where_it_stands_in_a_list(read: Read) -> None:
    form = 'expect: [{query: "all {brand}", label: "shop {brand}"}]\n'
    assert made(read(WORDS + form))[0] == ("all norrvik", "shop norrvik")


def test_the_digest_of_the_set_covers_the_file(folder: Path, read: Read) -> None:
    before = golden_digest(folder)
    assert read(WORDS + FORM).digest != before


def test_a_set_without_the_file_has_no_templates(folder: Path) -> None:
    assert read_golden(folder).templates is None


def test_a_label_that_nothing_else_names_is_a_warning(read: Read) -> None:
    (warning,) = read(WORDS + FORM).warnings
    assert warning.endswith("no expectation of the set names: lighting")


def test_a_ranking_set_has_no_labels_to_expect(tmp_path: Path) -> None:
    for name, text in RANKING.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "templates.yaml").write_text(WORDS + FORM, encoding="utf-8")
    with pytest.raises(GoldenError, match="a ranking model does not give"):
        read_golden(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        (WORDS, 1, "it needs 'expect', 'nothing' or both"),
        (WORDS + FORM.replace("{brand}", "{brandt}"), 3, "'words' has no list 'brandt'"),
        (WORDS + FORM.replace('label: "{type}"', 'label: "{size}"'), 3, "no slot 'size'"),
        (WORDS + FORM.replace("{brand} ", "{Brand} "), 3, "has a brace that is no slot"),
        (WORDS + FORM + FORM.replace("expect:\n", "").replace('"{type}"}', "pets}"), 4, "be both"),
        ("words: {brand: [a, a]}\n" + FORM, 1, "it holds 'a' twice"),
        ("words: {brand: [a, 5]}\n" + FORM, 1, "5 is not text"),
        ("words: {brand: []}\n" + FORM, 1, "at least 1 item"),
        ("nothing: {queries: [qq]}\n", 1, "'label', 'below' or both"),
        ("nothing: {queries: [qq], below: 3}\n", 1, "less than or equal to 1"),
        ("wrods: {}\n", 1, "unknown key 'wrods'"),
        ("words: {a: [b]}\nwords: {}\n", 2, "written twice"),
        ("words: [\n", 2, "not valid YAML"),
    ],
)
def test_a_mistake_is_told_with_its_line(read: Read, text: str, line: int, what: str) -> None:
    with pytest.raises(GoldenError) as caught:
        read(text)
    assert what in str(caught.value)
    assert caught.value.line == line
    assert caught.value.path is not None
    assert caught.value.path.name == "templates.yaml"


def test_more_queries_than_anybody_can_want_are_refused_at_once(read: Read) -> None:
    slots = [f"s{at}" for at in range(7)]
    words = ", ".join(f"{slot}: [{', '.join(f'w{n}' for n in range(40))}]" for slot in slots)
    form = " ".join(f"{{{slot}}}" for slot in slots)
    with pytest.raises(GoldenError, match="queries"):
        read(f'words: {{{words}}}\nexpect: [{{query: "{form}", label: pets}}]\n')


words = st.dictionaries(st.text("abc", min_size=1), st.just("x"), min_size=1, max_size=6)


@given(words, words, st.integers(2, 60), st.integers(0, 9))
def test_a_sample_is_of_what_there_is_without_repeats_and_the_same_again(
    left: dict[str, str], right: dict[str, str], most: int, seed: int
) -> None:
    forms = (Template("{a}-{b}", "{a}"), Template("only {b}", "y"))
    templates = Templates({"a": left, "b": right}, forms)
    every = set(templates.expanded(10**6, seed))
    sample = list(templates.expanded(most, seed))
    assert len(every) == templates.total
    assert set(sample) <= every
    assert len(set(sample)) == len(sample) == min(most, templates.total)
    assert {one.template for one in sample} == {0, 1}
    assert sample == list(templates.expanded(most, seed))


def test_the_command_counts_them(read: Read, folder: Path, tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from gates.cli.golden import golden

    read(WORDS + FORM)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("copy"))
    answer = CliRunner().invoke(golden, ["check", str(copy), "--json"])
    assert answer.exit_code == 0
    assert '"template_queries": 4' in answer.stdout
