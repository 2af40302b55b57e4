"""`gates lock bisect` as people call it: words, JSON, exit codes, what is found by itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bisection.conftest import NAMES, Case, plain_shelf
from tests.bisection.shop import write_golden
from tests.bisection.test_search import labels
from tests.bisection.wheels import Shelf as Wheels
from tests.bisection.wheels import model
from tests.conftest import CommandLine, Shelf
from tests.toys import SIX

SIX_16 = """\
six==1.16.0 \\
    --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254
"""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Wheels:
    return plain_shelf(tmp_path_factory.mktemp("upgrades") / "wheels")


@pytest.fixture
def case(tmp_path: Path, plain: Wheels, monkeypatch: pytest.MonkeyPatch) -> Case:
    made = Case(tmp_path, plain, plain.folder.with_name("cache"), monkeypatch)
    made.make()
    model(tmp_path / "model", labels("beta.VALUE == 2"))
    write_golden(tmp_path / "golden", [("red bed", "a"), ("lamp", "a"), ("red [b]sofa", "a")])
    return made


def call(case: Case, *more: str) -> list[str]:
    folder = case.folder
    return [
        *("lock", "bisect", str(folder / "old.txt"), str(folder / "new.txt")),
        *("--model", str(folder / "model"), "--golden", str(folder / "golden")),
        *("--project", str(folder), "--cache", str(case.cache), *more),
    ]


def test_the_answer_first_then_the_tests_then_the_rows_then_what_to_do(
    gates: CommandLine, case: Case
) -> None:
    answer = gates(call(case))
    assert answer.code == 1
    lines = [line.rstrip() for line in answer.out.splitlines()]
    assert lines[0] == "beta 1 → 2 alone changes 2 of 3 labels"
    assert lines[1] == "  The other 7 changes together change nothing."
    head = next(at for at, line in enumerate(lines) if line.startswith("test  changes"))
    assert lines[head + 1].split()[:5] == ["1", "8", "of", "8", "differs"]
    assert any(line.startswith("q002 red [b]sofa  a") for line in lines)
    assert (
        "  Keep it back: write beta==1 into requirements.in, and compile the lock again." in lines
    )
    assert (case.folder / ".gates" / "bisect").is_dir()

    again = gates(call(case, "--json"))
    said = json.loads(again.out)
    assert again.code == 1
    assert said["answer"] == lines[0]
    assert said["cause"] == [{"name": "beta", "old": "1", "new": "2", "kind": "upgraded"}]
    assert said["alone"]["difference"]["labels"] == 2
    assert len(said["changes"]) == len(NAMES)
    assert all(one["kept"] for one in said["tests"])
    assert Path(said["state"]).is_file()
    assert "beta 1 → 2 alone" in again.err


def test_the_golden_set_and_the_card_of_a_registered_model_are_found(
    gates: CommandLine, shelf: Shelf, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "requirements.txt").write_text(SIX_16)
    (tmp_path / "new.txt").write_text(SIX)
    locks = [str(tmp_path / "old"), str(tmp_path / "new.txt")]
    state = ["--state", str(tmp_path / "state.json")]
    good = gates("lock", "bisect", locks, "--model", shelf.uri("good"), state, shelf.options())
    assert good.code == 0
    assert "the upgrade changes nothing: 720 rows are answered alike with the 1 change" in good.out
    refused = gates("lock", "bisect", locks, "--model", shelf.uri("weak"), state, shelf.options())
    assert refused.code == 2
    assert "is of another bisection: its model is not this one's" in refused.err
    wants = gates(
        "lock",
        "bisect",
        locks,
        "--model",
        shelf.uri("wants-more"),
        "--fresh",
        state,
        shelf.options(),
    )
    assert wants.code == 2
    assert "asks for price" in wants.err


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--tolerance", "inf"], "must be finite"),
        (["--relative", "-1"], "'--relative'"),
        (["--model", "nowhere"], "there is no such folder"),
        (["--model", "models:/nobody/1"], "nobody"),
        (["--golden", "nowhere"], "there is no such golden set folder"),
        (["--card", "nowhere.md"], "there is no such model card"),
    ],
    ids=lambda value: value[1] if isinstance(value, list) else "",
)
def test_bad_input_is_told_with_exit_code_2(
    gates: CommandLine, case: Case, more: list[str], words: str
) -> None:
    answer = gates(call(case, *more))
    assert answer.code == 2
    assert words in answer.err
    assert "Traceback" not in answer.err


def test_a_folder_says_nothing_of_its_golden_set(gates: CommandLine, case: Case) -> None:
    answer = gates(
        [one for one in call(case) if one not in ("--golden", str(case.folder / "golden"))]
    )
    assert answer.code == 2
    assert "name what the model is to be asked: --golden DIR" in answer.err


def test_undecided_is_exit_code_3(gates: CommandLine, case: Case) -> None:
    model(
        case.folder / "random",
        "return {'label': ['a'] * 3, 'score': [time.time_ns() % 10**9 / 7.0] * 3}",
    )
    answer = gates(call(case, "--model", str(case.folder / "random"), "--json"))
    assert answer.code == 3
    said = json.loads(answer.out)
    assert said["outcome"] == "undecided"
    assert "not deterministic" in said["reason"]
