from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from gates.errors import IntegrityError
from gates.registry.digests import copy_counted, file_digest, tree_digest

from .stores import toy_model


def test_a_file_has_the_digest_that_sha256sum_gives(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    assert file_digest(tmp_path / "f") == "sha256:" + hashlib.sha256(b"abc").hexdigest()


def test_a_file_that_cannot_be_read_is_an_error_we_know(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="cannot be read"):
        file_digest(tmp_path / "nothing")


def test_a_tree_digest_is_what_its_docstring_says(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"abc")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "z").write_bytes(b"")
    lines = b""
    for path, content in ((b"a/z", b""), (b"b", b"abc")):
        lines += path + b"\0sha256:" + hashlib.sha256(content).hexdigest().encode() + b"\n"
    assert tree_digest(tmp_path) == "sha256:" + hashlib.sha256(lines).hexdigest()


def test_the_order_in_which_files_were_made_does_not_count(tmp_path: Path) -> None:
    for folder, names in (("one", "abc"), ("two", "cba")):
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text(name)
    assert tree_digest(tmp_path / "one") == tree_digest(tmp_path / "two")


@pytest.mark.parametrize("change", ["byte", "rename", "add", "remove", "move"])
def test_any_change_of_a_file_changes_the_digest(tmp_path: Path, change: str) -> None:
    model = toy_model(tmp_path / "model")
    before = tree_digest(model)
    code = model / "code" / "toy.py"
    if change == "byte":
        code.write_text(code.read_text().replace("one", "onE"))
    elif change == "rename":
        code.rename(code.with_name("toys.py"))
    elif change == "add":
        (model / "more").write_text("")
    elif change == "remove":
        code.unlink()
    else:
        code.rename(model / "toy.py")
    assert tree_digest(model) != before


def test_what_loading_a_model_leaves_behind_does_not_count(tmp_path: Path) -> None:
    model = toy_model(tmp_path / "model")
    before = tree_digest(model)
    (model / "registered_model_meta").write_text("written by MLflow")
    (model / "code" / "__pycache__").mkdir()
    (model / "code" / "__pycache__" / "toy.cpython-311.pyc").write_bytes(b"x")
    (model / "empty").mkdir()
    assert tree_digest(model) == before
    (model / "code" / "registered_model_meta").write_text("only the one at the top is MLflow's")
    assert tree_digest(model) != before


def test_a_copy_holds_only_what_was_digested(tmp_path: Path) -> None:
    model = toy_model(tmp_path / "model")
    (model / "code" / "__pycache__").mkdir()
    (model / "code" / "__pycache__" / "toy.cpython-311.pyc").write_bytes(b"evil")
    copy_counted(model, tmp_path / "copy")
    assert tree_digest(tmp_path / "copy") == tree_digest(model)
    assert not list((tmp_path / "copy").rglob("__pycache__"))


def test_a_link_inside_the_folder_counts_as_the_file_it_stands_for(tmp_path: Path) -> None:
    model = toy_model(tmp_path / "model")
    (model / "link").symlink_to("MLmodel")
    linked = tree_digest(model)
    (model / "link").unlink()
    (model / "link").write_bytes((model / "MLmodel").read_bytes())
    assert tree_digest(model) == linked


@pytest.mark.parametrize("kind", ["outside", "folder", "broken", "pipe", "missing"])
def test_what_no_store_would_keep_is_refused(tmp_path: Path, kind: str) -> None:
    model = toy_model(tmp_path / "model")
    (tmp_path / "secret").write_text("s")
    match kind:
        case "outside":
            (model / "link").symlink_to("../secret")
            said = "outside the folder"
        case "folder":
            (model / "link").symlink_to("code", target_is_directory=True)
            said = "link to a folder"
        case "broken":
            (model / "link").symlink_to("nowhere")
            said = "not a regular file"
        case "pipe":
            os.mkfifo(model / "pipe")
            said = "not a regular file"
        case _:
            model = tmp_path / "nothing"
            said = "not a folder"
    with pytest.raises(IntegrityError, match=said):
        tree_digest(model)


def test_names_that_are_not_utf8_are_digested(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff\n")).write_text("x")
    assert tree_digest(tmp_path).startswith("sha256:")
