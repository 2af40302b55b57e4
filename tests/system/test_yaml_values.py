"""A few bytes of YAML stand for a few values: bombs are named before anything is built of them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from gates.card.card import read_card
from gates.environments.mlmodel import raw_mlmodel
from gates.errors import CardError, GoldenError, InputError, LockError, PackageError
from gates.golden.manifest import read_manifest
from gates.locks.lock import read_lock
from gates.pull_request.changes import _golden_folders
from gates.system.files import read_bounded
from gates.system.yaml_values import yaml_value

NINE = ", ".join(["*{0}"] * 9)


def laughs(levels: int = 9, start: str = "lol") -> str:
    """Each level repeats the one before it nine times."""
    lines = [f"a0: &a0 {start}"]
    lines += [f"a{n}: &a{n} [{NINE.format(f'a{n - 1}')}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def merges(levels: int = 12) -> str:
    """Each level merges the one before it three times."""
    lines = ["a0: &a0 {k: v}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 3)}]}}" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


BOMBS = {
    "aliases": laughs(),
    "aliases in keys": laughs().replace("a8: &a8", "? &a8"),
    "aliases of mappings": laughs(start="{x: 1, y: 2}"),
    "merge keys": merges(),
    "an alias of itself": "a: &a [*a]\n",
    "a mapping within itself": "a: &a {b: [1, *a]}\n",
    "lists in lists": "a: " + "[" * 5_000 + "]" * 5_000 + "\n",
    "mappings in mappings": "\n".join(" " * n + "a:" for n in range(200)) + "\n",
    "a chain of anchors": "a0: &a0 [1]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 90)),
    "a long number": "a: " + "9" * 5_000 + "\n",
    "a number to base sixty": "a: 1" + ":59" * 5_000 + "\n",
    "a long text": "a: '" + "x" * (2 << 20) + "'\n",
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_no_yaml(name: str) -> None:
    with pytest.raises(yaml.YAMLError):
        yaml_value(BOMBS[name])


def test_a_bomb_has_a_line(tmp_path: Path) -> None:
    card = tmp_path / "bomb.md"
    card.write_text(f"---\nmodel: toy\n{laughs()}---\n", encoding="utf-8")
    with pytest.raises(CardError, match="its aliases stand for") as refused:
        read_card(card, {}, project=tmp_path)
    assert refused.value.line


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_named_by_whoever_reads_yaml(name: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.md").write_text(f"---\n{BOMBS[name]}---\n", encoding="utf-8")
    (tmp_path / "manifest.yaml").write_text(BOMBS[name], encoding="utf-8")
    (tmp_path / "MLmodel").write_text(BOMBS[name], encoding="utf-8")
    with pytest.raises(CardError):
        read_card(tmp_path / "bomb.md", {}, project=tmp_path)
    with pytest.raises(GoldenError):
        read_manifest(tmp_path / "manifest.yaml")
    if name != "a long text":  # a model's file may be longer
        with pytest.raises(PackageError):
            raw_mlmodel(tmp_path)


def test_a_bomb_takes_no_memory(tmp_path: Path) -> None:
    card = tmp_path / "bomb.md"
    card.write_text(f"---\nmodel: toy\nowners: [a]\n{laughs(10)}---\n", encoding="utf-8")
    reading = (
        "import sys; from pathlib import Path; from gates.card.card import read_card\n"
        "try: read_card(Path(sys.argv[1]), {}, project=Path('.'))\n"
        "except Exception as e: print(type(e).__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", reading, str(card)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )
    assert done.stdout.strip() == "CardError", done.stderr


def test_a_few_aliases_are_yaml_and_mean_what_they_repeat() -> None:
    text = "base: &base {min: 1}\nother: {<<: *base, max: 2}\nsame: *base\nempty:\n"
    assert yaml_value(text) == {
        "base": {"min": 1},
        "other": {"min": 1, "max": 2},
        "same": {"min": 1},
        "empty": None,
    }


def test_yaml_means_what_pyyaml_says() -> None:
    for text in (
        "",
        "null",
        "1",
        "[a, 'b', 1.5, true, 2020-01-01]",
        "{a: {b: [1]}}",
        "a: |\n  x\n",
    ):
        assert yaml_value(text) == yaml.safe_load(text)


def test_a_date_that_is_none_has_a_name() -> None:
    with pytest.raises(yaml.YAMLError):
        yaml_value("a: 2026-13-41")


@pytest.mark.parametrize("what", ["device", "pipe", "large"])
def test_a_file_without_end_is_not_read(what: str, tmp_path: Path) -> None:
    path = tmp_path / "card.md"
    if what == "device":
        path.symlink_to("/dev/zero")
    elif what == "pipe":
        os.mkfifo(path)
    else:
        with path.open("wb") as stream:
            stream.truncate(4 << 30)
    with pytest.raises(OSError, match=r"not a regular file|larger"):
        read_bounded(path, 1 << 20)
    with pytest.raises(InputError):
        read_card(path, {}, project=tmp_path)


@pytest.mark.parametrize("target", ["/dev/zero", "pipe"])
def test_a_card_or_lock_without_end_is_not_read(target: str, tmp_path: Path) -> None:
    cards = tmp_path / "model_cards"
    cards.mkdir()
    os.mkfifo(tmp_path / "pipe")
    place = Path(target) if target.startswith("/") else tmp_path / target
    (cards / "endless.md").symlink_to(place)
    (tmp_path / "requirements.txt").symlink_to(place)
    assert _golden_folders(tmp_path) == {"golden/endless": {"endless"}}
    with pytest.raises(LockError, match="not a regular file"):
        read_lock(tmp_path / "requirements.txt")
