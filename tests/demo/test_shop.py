"""The synthetic shop: the same bytes every time, honest about itself, and held-out queries."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import yaml

from gates.demo.shop import write_shop
from gates.golden import read_golden

PROJECT = Path(__file__).parents[2]
MODELS = ("product-ranker", "query-category", "title-embedding")
SIZES = {"product-ranker": 180, "query-category": 180, "title-embedding": 336 + 180 + 24}
VARIANTS = PROJECT / "gates" / "demo" / "variants"


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(folder)
    return folder


def test_generating_the_shop_again_gives_the_committed_bytes(again: Path) -> None:
    written = sorted(path.relative_to(again) for path in again.rglob("*") if path.is_file())

    assert len(written) == 13
    for file in written:
        assert (again / file).read_bytes() == (PROJECT / file).read_bytes(), file


def test_another_seed_makes_another_shop(again: Path, tmp_path: Path) -> None:
    write_shop(tmp_path, seed=2)

    name = Path("golden/product-ranker/candidates.csv")
    assert (tmp_path / name).read_bytes() != (again / name).read_bytes()


def test_the_shop_stays_small(again: Path) -> None:
    assert sum(path.stat().st_size for path in again.rglob("*.csv")) < 1_500_000


@pytest.mark.parametrize("model", MODELS)
def test_the_golden_set_reads_without_a_warning_and_says_it_is_synthetic(model: str) -> None:
    golden = read_golden(PROJECT / "golden" / model)

    assert golden.warnings == ()
    assert golden.manifest.synthetic
    assert golden.manifest.description.startswith("Synthetic.")
    assert "**Synthetic: " in (PROJECT / "model_cards" / f"{model}.md").read_text("utf-8")
    assert len(golden.query_id) == SIZES[model]
    assert len(golden.slice_values("category")) == 8


@pytest.mark.parametrize("model", ["product-ranker", "query-category"])
def test_head_torso_and_tail_are_in_the_golden_set(model: str) -> None:
    golden = read_golden(PROJECT / "golden" / model)

    assert golden.slice_values("segment") == ("head", "tail", "torso")


def test_texts_are_titles_queries_and_queries_written_otherwise() -> None:
    golden = read_golden(PROJECT / "golden" / "title-embedding")
    written = Counter(golden.slices["written"])

    assert written == {"title": 336, "query": 180, "capitals": 12, "slip": 12}
    assert len({text.casefold() for text in golden.query_text}) == 336 + 180 + 12
    assert len(golden.expectations) > 60


def test_the_head_is_taken_whole_and_the_rest_stands_for_equal_traffic() -> None:
    golden = read_golden(PROJECT / "golden" / "product-ranker")
    head = np.array(golden.slices["segment"]) == "head"

    assert head.tolist() == golden.census.tolist()
    assert golden.weight[head].min() >= golden.weight[~head].max()
    np.testing.assert_allclose(golden.design_weight[~head], golden.design_weight[~head][0], 1e-3)


def test_one_annotator_is_strict_and_one_is_noisy() -> None:
    golden = read_golden(PROJECT / "golden" / "product-ranker")
    off = {name: grades - golden.grade for name, grades in golden.annotators.items()}

    assert off["ben-strict"].mean() < -0.1 < off["ana"].mean()
    assert off["cleo-noisy"].std() > 1.5 * off["ana"].std()


@pytest.mark.parametrize(
    ("model", "column"), [("query-category", "query"), ("title-embedding", "text")]
)
def test_no_golden_query_is_trained_on(model: str, column: str) -> None:
    golden = read_golden(PROJECT / "golden" / "query-category")
    log = PROJECT / "models" / model / "data" / "training.csv"
    with log.open(encoding="utf-8", newline="") as file:
        trained = {row[column] for row in csv.DictReader(file)}

    assert len(trained) > 300
    assert trained.isdisjoint(golden.query_text)


def test_every_variant_of_the_ranker_asks_for_features_that_both_sides_have() -> None:
    manifest = read_golden(PROJECT / "golden" / "product-ranker").manifest
    log = PROJECT / "models" / "product-ranker" / "data" / "training.csv"
    with log.open(encoding="utf-8", newline="") as file:
        columns = set(next(csv.reader(file)))

    variants = sorted((VARIANTS / "product-ranker").glob("*.yaml"))
    assert [path.stem for path in variants] == ["better", "broken", "champion", "close"]
    for path in variants:
        features = set(yaml.safe_load(path.read_text("utf-8"))["features"])
        assert features <= columns & set(manifest.inputs), path.name


@pytest.mark.parametrize("model", MODELS)
def test_the_committed_parameters_are_those_of_the_champion(model: str) -> None:
    committed = yaml.safe_load((PROJECT / "models" / model / "params.yaml").read_text("utf-8"))
    champion = yaml.safe_load((VARIANTS / model / "champion.yaml").read_text("utf-8"))

    assert committed == champion


@pytest.mark.parametrize("model", MODELS)
def test_a_lock_names_no_package_index(model: str) -> None:
    lock = (PROJECT / "models" / model / "requirements.txt").read_text("utf-8")

    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert "--index-url" not in lock.replace("--no-emit-index-url", "")


def test_classifier_and_embedding_share_one_environment() -> None:
    first, second = (
        (PROJECT / "models" / model / "requirements.txt").read_bytes()
        for model in ("query-category", "title-embedding")
    )

    assert first == second
