"""What trees split on is read from real model files, and is what their own library says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from gates.artifacts.trees import read_splits
from gates.domain.subject import NoSplits, Splits

from .conftest import Forest

COLUMNS = ("a b", "shelf", "gaps")


def read(folder: Path, data: str | None, columns: tuple[str, ...] | None = COLUMNS) -> Splits:
    found = read_splits(folder, data, columns)
    assert isinstance(found, Splits), found.reason
    return found


def unread(folder: Path, data: str | None, columns: tuple[str, ...] | None = COLUMNS) -> str:
    found = read_splits(folder, data, columns)
    assert isinstance(found, NoSplits)
    return found.reason


def test_gain_and_splits_are_those_of_the_library_that_wrote_the_file(forest: Forest) -> None:
    assert {"ranker.txt", "boosted.json", "boosted.ubj", "dart.ubj"} <= forest.gains.keys()
    for name, (gain, splits) in forest.gains.items():
        found = read(forest.folder / "files", name)
        assert found.file == name
        assert list(found.count) == list(COLUMNS)
        assert list(found.count.values()) == splits, name
        assert list(found.gain.values()) == pytest.approx(gain, rel=1e-5), name


@pytest.mark.parametrize(("flavour", "file"), [("lightgbm", "model.lgb"), ("xgboost", "model.ubj")])
def test_the_file_of_an_mlflow_flavour_is_found_without_its_name(
    forest: Forest, flavour: str, file: str
) -> None:
    folder = forest.folder / flavour
    assert read(folder, None).file == file
    assert read(folder, None).count == read(folder, file).count


def test_without_a_signature_the_file_names_the_features(forest: Forest) -> None:
    assert list(read(forest.folder / "files", "ranker.txt", None).count) == ["a_b", "shelf", "gaps"]
    reason = unread(forest.folder / "files", "bare.txt", None)
    assert reason == "neither its model file nor its signature names its features"


def test_a_column_that_no_tree_knows_has_no_split(forest: Forest) -> None:
    found = read(forest.folder / "files", "boosted.ubj", (*COLUMNS, "spare"))
    assert found.count["spare"] == 0
    assert found.gain["spare"] == 0


@pytest.mark.parametrize(
    ("data", "columns", "reason"),
    [
        ("linear.txt", COLUMNS, "its leaves are linear models"),
        ("linear.json", COLUMNS, "it is a linear model"),
        ("other.txt", COLUMNS, "its trees ask for scaled_a_b, which is not among its input"),
        ("bare.txt", ("a b",), "it was trained on 3 unnamed columns, not 1"),
        (None, COLUMNS, "the artifact holds 12 tree models, such as bare.json, bare.txt"),
    ],
)
def test_what_a_file_cannot_tell_has_a_reason(
    forest: Forest, data: str | None, columns: tuple[str, ...], reason: str
) -> None:
    assert reason in unread(forest.folder / "files", data, columns)


def test_a_pickle_is_not_followed(forest: Forest) -> None:
    reason = "many.pkl is no model file of LightGBM or XGBoost"
    assert unread(forest.folder / "many", "data/many.pkl") == reason
    reason = "the artifact holds no model file of LightGBM or XGBoost"
    assert unread(forest.folder / "linear", None) == reason


@pytest.mark.parametrize("name", ["ranker.txt", "boosted.json", "boosted.ubj"])
def test_a_file_cut_short_or_scrambled_gives_a_reason_and_no_traceback(
    forest: Forest, tmp_path: Path, name: str
) -> None:
    whole = (forest.folder / "files" / name).read_bytes()
    end = whole.find(b"end of trees") if name == "ranker.txt" else len(whole)
    for at in range(0, end, max(1, end // 60)):
        (tmp_path / "cut").write_bytes(whole[:at])
        assert unread(tmp_path, "cut")
        wild = bytearray(whole)
        wild[at : at + 3] = b"\xff[$"
        (tmp_path / "wild").write_bytes(wild)
        read_splits(tmp_path, "wild", COLUMNS)


@pytest.mark.parametrize("bomb", [b"{L" + b"\0" * 7 + b"\7learner" + b"[" * 10_000, b"{\n" * 2])
def test_a_document_that_nests_without_end_gives_a_reason(tmp_path: Path, bomb: bytes) -> None:
    (tmp_path / "model").write_bytes(bomb + b'"learner"')
    assert unread(tmp_path, "model")


def test_a_split_on_a_feature_that_is_not_there_gives_a_reason(
    forest: Forest, tmp_path: Path
) -> None:
    document = json.loads((forest.folder / "files" / "boosted.json").read_text("utf-8"))
    tree = document["learner"]["gradient_booster"]["model"]["trees"][0]
    tree["split_indices"][0] = 7
    (tmp_path / "model.json").write_text(json.dumps(document), encoding="utf-8")
    assert "features that it does not have" in unread(tmp_path, "model.json")


def test_a_link_out_of_the_artifact_is_not_read(forest: Forest, tmp_path: Path) -> None:
    shutil.copy(forest.folder / "files" / "ranker.txt", tmp_path / "outside.txt")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.lgb").symlink_to(tmp_path / "outside.txt")
    assert unread(folder, None) == "the artifact holds no model file of LightGBM or XGBoost"
    assert "model.lgb" in unread(folder, "model.lgb")
