"""What `read_golden` takes, what it refuses and how it says so."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from gates.domain.subject import Expectation
from gates.errors import GoldenError
from gates.golden import golden_digest, read_golden

MANIFEST = """\
name: tiny
task: ranking
description: Two queries by hand.
synthetic: true
source: made for this test
sampling: by hand
grades: {max: 3, aggregate: median}
inputs: [bm25, price]
slices: [category]
"""
QUERIES = """\
query_id,query,weight,sampling,inclusion_probability,category
007,kettle,2,census,,kitchen
q2,tent 3 person,1,pps,0.5,camping
"""
CANDIDATES = """\
query_id,doc_id,title,bm25,price
q2,t1,Dome tent,2.5,
007,k2,Travel kettle,1.5,19.9
q2,t2,"Tunnel tent, green",2,120
007,k1,Steel kettle,1,29
"""
JUDGMENTS = """\
query_id,doc_id,grade
007,k1,3
007,k2,1
q2,t1,2
q2,elsewhere,3
"""
EXPECTATIONS = """\
query_id,expect,target,k,low,high
007,must-be-first,k1,,,
q2,in-top,t1,2,,
q2,never-in-top,t2,1,,
"""
LABELS = {
    "manifest.yaml": (
        "name: labels\ntask: classification\ndescription: d\nsynthetic: true\nsource: s\n"
        "sampling: by hand\ninputs: [query]\n"
    ),
    "queries.csv": "query_id,query\na,kettle\nb,tent\n",
    "expectations.csv": (
        "query_id,expect,target,low,high\na,label,kitchen,0.5,0.9\nb,label,camping,,\n"
    ),
}
VECTORS = {
    "manifest.yaml": (
        "name: vectors\ntask: embedding\ndescription: d\nsynthetic: true\nsource: s\n"
        "sampling: by hand\ninputs: [text]\n"
    ),
    "queries.csv": "query_id,query\na,kettle\nb,teapot\nc,tent\n",
    "expectations.csv": "query_id,expect,target,than\na,closer,b,c\nb,closer,a,c\n",
}
RANKING = {
    "manifest.yaml": MANIFEST,
    "queries.csv": QUERIES,
    "candidates.csv": CANDIDATES,
    "judgments.csv": JUDGMENTS,
    "expectations.csv": EXPECTATIONS,
}

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def fill(files: dict[str, str], **changes: str | bytes | None) -> Path:
        """Write a set; `queries="…"` replaces queries.csv, None leaves the file out."""
        named = {"manifest": "manifest.yaml"}
        merged: dict[str, Any] = dict(files)
        for key, text in changes.items():
            merged[named.get(key, f"{key}.csv")] = text
        for name, text in merged.items():
            if isinstance(text, bytes):
                (tmp_path / name).write_bytes(text)
            elif text is not None:
                (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return fill


def test_a_ranking_set_is_read_with_its_candidates_grouped_by_query(write: Write) -> None:
    golden = read_golden(write(RANKING))

    assert golden.query_id == ("007", "q2")
    assert golden.query_text == ("kettle", "tent 3 person")
    assert golden.slices == {"category": ("kitchen", "camping")}
    assert golden.weight.tolist() == [2.0, 1.0]
    assert golden.census.tolist() == [True, False]
    assert golden.inclusion.tolist() == [1.0, 0.5]
    assert golden.row_query.tolist() == [0, 0, 1, 1]
    assert golden.row_doc == ("k2", "k1", "t1", "t2")
    assert golden.row_title[3] == "Tunnel tent, green"
    np.testing.assert_equal(golden.features["price"], [19.9, 29, math.nan, 120])
    assert golden.judged_query.tolist() == [0, 0, 1, 1]
    assert golden.judged_doc == ("k1", "k2", "t1", "elsewhere")
    assert golden.grade.tolist() == [3, 1, 2, 3]
    assert golden.expectations == (
        Expectation(0, "must-be-first", "k1", line=2),
        Expectation(1, "in-top", "t1", k=2, line=3),
        Expectation(1, "never-in-top", "t2", k=1, line=4),
    )
    assert golden.warnings == ()
    assert golden.manifest.synthetic
    assert golden.digest == golden_digest(golden.path)


def test_a_classification_set_is_queries_and_expected_labels(write: Write) -> None:
    golden = read_golden(write(LABELS))

    assert golden.inputs() == {"query": ("kettle", "tent")}
    assert golden.weight.tolist() == [1, 1]
    assert golden.expectations == (
        Expectation(0, "label", "kitchen", low=0.5, high=0.9, line=2),
        Expectation(1, "label", "camping", line=3),
    )


def test_parquet_candidates_read_as_the_same_set(write: Write) -> None:
    plain = read_golden(write(RANKING))
    table = {
        "query_id": ["q2", "007", "q2", "007"],
        "doc_id": ["t1", "k2", "t2", "k1"],
        "title": ["Dome tent", "Travel kettle", "Tunnel tent, green", "Steel kettle"],
        "bm25": [2.5, 1.5, 2, 1],
        "price": [None, 19.9, 120, 29],
    }
    (plain.path / "candidates.csv").unlink()
    pyarrow.parquet.write_table(pa.table(table), plain.path / "candidates.parquet")

    golden = read_golden(plain.path)

    assert golden.row_doc == plain.row_doc
    assert golden.row_title == plain.row_title
    np.testing.assert_equal(golden.features["price"], plain.features["price"])


def test_without_judgments_the_grade_is_the_annotators_median(write: Write) -> None:
    annotations = (
        "query_id,doc_id,annotator,grade\n"
        "007,k1,ann,3\n007,k1,bo,1\n007,k1,cy,2\n007,k2,bo,0\nq2,t1,ann,1\nq2,t1,cy,2\n"
    )
    golden = read_golden(write(RANKING, judgments=None, annotations=annotations))

    assert golden.judged_doc == ("k1", "k2", "t1")
    assert golden.grade.tolist() == [2.0, 0.0, 1.5]
    np.testing.assert_equal(golden.annotators["ann"], [3, math.nan, 1])
    np.testing.assert_equal(golden.annotators["bo"], [1, 0, math.nan])


def test_judgments_are_of_record_and_their_differences_from_the_median_are_counted(
    write: Write,
) -> None:
    annotations = (
        "query_id,doc_id,annotator,grade\n007,k1,ann,1\n007,k2,ann,1\nq2,t1,ann,0\nq2,t9,ann,0\n"
    )
    golden = read_golden(write(RANKING, annotations=annotations))

    assert golden.grade.tolist() == [3, 1, 2, 3]
    np.testing.assert_equal(golden.annotators["ann"], [1, 1, 0, math.nan])
    assert "differs from the annotators' median in 2 of 3 pairs" in golden.warnings[0]
    assert "1 annotated pairs are not in judgments.csv" in golden.warnings[1]


def test_a_weighted_uniform_sample_is_warned_about_with_its_effective_n(write: Write) -> None:
    queries = "query_id,query,weight,category\n007,kettle,9,kitchen\nq2,tent,1,camping\n"
    (warning,) = read_golden(write(RANKING, queries=queries)).warnings

    assert warning.startswith("a weighted uniform sample undercovers")
    assert "effective n = 1 of Q = 2" in warning


def test_queries_without_judgments_or_relevant_documents_are_warned_about(write: Write) -> None:
    golden = read_golden(write(RANKING, judgments="query_id,doc_id,grade\n007,k1,0\n"))

    assert golden.warnings == (
        "1 of 2 queries have no judged document",
        "1 of 2 queries have judgments but no relevant document: nDCG is not defined for them",
        "only 25% of the candidates are judged",
    )


def test_a_query_without_candidates_is_warned_about(write: Write) -> None:
    only = "query_id,doc_id,title,bm25,price\n007,k2,Travel kettle,1.5,19.9\n007,k1,Kettle,1,29\n"
    golden = read_golden(write(RANKING, candidates=only, expectations=None))

    assert golden.warnings == (
        "1 of 2 queries have no candidate: both models answer them with nothing",
    )


def test_the_manifest_says_which_column_holds_the_titles(write: Write) -> None:
    named = {"candidates": CANDIDATES.replace("title", "name")}
    folder = write(RANKING, manifest=MANIFEST + "titles: name\n", **named)
    assert read_golden(folder).row_title[0] == "Travel kettle"

    assert read_golden(write(RANKING, manifest=MANIFEST, **named)).row_title == ("",) * 4


def test_a_classification_set_is_given_queries_alone(write: Write) -> None:
    manifest = LABELS["manifest.yaml"].replace("[query]", "[query, price]")

    with pytest.raises(GoldenError, match=r"yaml:7: a classification set is given queries alone"):
        read_golden(write(LABELS, manifest=manifest))


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(write: Write) -> None:
    queries = b"\xef\xbb\xbf" + QUERIES.replace("\n", "\r\n").encode()

    assert read_golden(write(RANKING, queries=queries)).query_id == ("007", "q2")


DEFECTS: dict[str, tuple[dict[str, str | bytes | None], str, int | None, str]] = {
    "no manifest": ({"manifest": None}, "manifest.yaml", None, "no golden set"),
    "a misspelt key": (
        {"manifest": MANIFEST.replace("slices:", "slises:")},
        "manifest.yaml",
        9,
        "did you mean 'slices'",
    ),
    "broken YAML": ({"manifest": "name: [tiny\n"}, "manifest.yaml", 2, "not valid YAML"),
    "an unknown slice": (
        {"manifest": MANIFEST.replace("[category]", "[categorie]")},
        "queries.csv",
        1,
        "`categorie` is missing\n  Is it `category`?",
    ),
    "an unknown input": (
        {"manifest": MANIFEST.replace("bm25,", "bm52,")},
        "candidates.csv",
        1,
        "`bm52` is missing\n  Is it `bm25`?",
    ),
    "an input named twice": (
        {"manifest": MANIFEST.replace("price]", "bm25]")},
        "manifest.yaml",
        8,
        "names `bm25` twice",
    ),
    "no query": ({"queries": "query_id,query,category\n"}, "queries.csv", None, "no query"),
    "an empty file": ({"queries": ""}, "queries.csv", None, "no header"),
    "a column twice": (
        {"queries": "query_id,query,query,category\n1,a,b,c\n"},
        "queries.csv",
        1,
        "`query` stands there twice",
    ),
    "duplicate query ids": (
        {"queries": QUERIES + "q2,lamp,1,,,home\n"},
        "queries.csv",
        4,
        "duplicate query_id: 1 row, 'q2' (line 4)",
    ),
    "a blank query": (
        {"queries": QUERIES.replace("kettle", "  ")},
        "queries.csv",
        2,
        "`query` is blank: 1 row",
    ),
    "a weight of zero": (
        {"queries": QUERIES.replace("kettle,2", "kettle,0")},
        "queries.csv",
        2,
        "`weight` is not a number above 0: 1 row, ('007', '0') (line 2)",
    ),
    "a negative weight": (
        {"queries": QUERIES.replace("kettle,2", "kettle,-2")},
        "queries.csv",
        2,
        "`weight` is not",
    ),
    "a weight of NaN": (
        {"queries": QUERIES.replace("kettle,2", "kettle,nan")},
        "queries.csv",
        2,
        "`weight` is not",
    ),
    "a weight in words": (
        {"queries": QUERIES.replace("kettle,2", "kettle,two")},
        "queries.csv",
        2,
        "text that is not a number: 1 row, 'two' (line 2)",
    ),
    "an inclusion probability above 1": (
        {"queries": QUERIES.replace("0.5", "1.5")},
        "queries.csv",
        3,
        "outside (0, 1]: 1 row, ('q2', '1.5') (line 3)",
    ),
    "an inclusion probability of NaN": (
        {"queries": QUERIES.replace("0.5", "nan")},
        "queries.csv",
        3,
        "outside (0, 1]",
    ),
    "an unknown sampling": (
        {"queries": QUERIES.replace("pps", "random")},
        "queries.csv",
        3,
        "none of census, pps, uniform",
    ),
    "bytes that are not UTF-8": (
        {"queries": QUERIES.encode() + b"q3,caf\xe9,1,,,home\n"},
        "queries.csv",
        4,
        "byte 0xe9",
    ),
    "a row with too many cells": (
        {"queries": QUERIES + "\nq3,lamp, red,1,,,home\n"},
        "queries.csv",
        5,
        "1 row(s) have not 6 cells: the first has 7",
    ),
    "no candidates file": ({"candidates": None}, "candidates.csv", None, "lacks this file"),
    "no candidates": (
        {"candidates": "query_id,doc_id,bm25,price\n"},
        "candidates.csv",
        None,
        "no candidate",
    ),
    "duplicate candidates, after an empty line": (
        {"candidates": CANDIDATES + "\nq2,t1,again,1,1\n"},
        "candidates.csv",
        7,
        "duplicate (query_id, doc_id): 1 row, ('q2', 't1') (line 7)",
    ),
    "candidates of an unknown query": (
        {"candidates": CANDIDATES + "q8,t1,x,1,1\nq9,t1,x,1,1\n"},
        "candidates.csv",
        6,
        "not in queries.csv: 2 rows, 'q8' (line 6), 'q9' (line 7)",
    ),
    "a feature in words": (
        {"candidates": CANDIDATES.replace("2.5", "high")},
        "candidates.csv",
        2,
        "'high' (line 2)",
    ),
    "neither judgments nor annotations": (
        {"judgments": None},
        "",
        None,
        "neither judgments.csv nor annotations.csv",
    ),
    "no judgment": ({"judgments": "query_id,doc_id,grade\n"}, "judgments.csv", None, "no grade"),
    "duplicate judgments": (
        {"judgments": JUDGMENTS + "007,k1,2\n"},
        "judgments.csv",
        6,
        "duplicate (query_id, doc_id)",
    ),
    "judgments of an unknown query": (
        {"judgments": JUDGMENTS + "q9,k1,2\n"},
        "judgments.csv",
        6,
        "not in queries.csv",
    ),
    "grades beyond the scale": (
        {"judgments": JUDGMENTS + "007,a,4\n007,b,5\n007,c,-1\n007,d,inf\n007,e,nan\n007,f,\n"},
        "judgments.csv",
        6,
        ": 6 rows, ('007', 'a', '4') (line 6), ('007', 'b', '5') (line 7), ('007', 'c', '-1')",
    ),
    "one annotator twice on a pair": (
        {"annotations": "query_id,doc_id,annotator,grade\n007,k1,ann,1\n007,k1,ann,2\n"},
        "annotations.csv",
        3,
        "duplicate (query_id, doc_id, annotator)",
    ),
    "expectations of an unknown query": (
        {"expectations": EXPECTATIONS + "q9,in-top,t1,3,,\n"},
        "expectations.csv",
        5,
        "not in queries.csv",
    ),
    "an expectation of the wrong task": (
        {"expectations": EXPECTATIONS + "q2,label,camping,,,\n"},
        "expectations.csv",
        5,
        "`expect` is not for ranking models",
    ),
    "a target that is no candidate": (
        {"expectations": EXPECTATIONS + "q2,in-top,k1,3,,\n"},
        "expectations.csv",
        5,
        "not among the query's candidates: 1 row, ('q2', 'k1') (line 5)",
    ),
    "an infinite feature": (
        {"candidates": CANDIDATES.replace("29\n", "inf\n")},
        "candidates.csv",
        5,
        "`price` is infinite: 1 row, ('007', 'k1') (line 5)",
    ),
    "in-top without k": (
        {"expectations": EXPECTATIONS + "q2,in-top,t1,,,\n"},
        "expectations.csv",
        5,
        "`k` is not a depth",
    ),
    "k of one and a half": (
        {"expectations": EXPECTATIONS + "q2,in-top,t1,1.5,,\n"},
        "expectations.csv",
        5,
        "`k` is not a depth",
    ),
    "must-be-first with k": (
        {"expectations": EXPECTATIONS + "007,must-be-first,k1,3,,\n"},
        "expectations.csv",
        5,
        "`k` is not a depth",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_named_with_file_line_and_examples(write: Write, defect: str) -> None:
    changes, file, line, message = DEFECTS[defect]
    folder = write(RANKING, **changes)

    with pytest.raises(GoldenError) as caught:
        read_golden(folder)

    assert caught.value.path == folder / file
    assert caught.value.line == line
    assert message in str(caught.value)
    assert caught.value.advice or "YAML" in message


def test_a_range_upside_down_is_refused(write: Write) -> None:
    expectations = "query_id,expect,target,low,high\na,label,kitchen,0.9,0.5\n"

    with pytest.raises(GoldenError, match=r"`low` is above `high`: 1 row, \('a', '0.9', '0.5'\)"):
        read_golden(write(LABELS, expectations=expectations))


def test_a_classification_set_must_expect_labels(write: Write) -> None:
    with pytest.raises(GoldenError, match=r"expectations\.csv: the golden set lacks this file"):
        read_golden(write(LABELS, expectations=None))


def test_both_candidate_files_at_once_are_refused(write: Write) -> None:
    folder = write(RANKING)
    pyarrow.parquet.write_table(pa.table({"query_id": ["q2"]}), folder / "candidates.parquet")

    with pytest.raises(GoldenError, match="both candidates"):
        read_golden(folder)


def test_a_damaged_parquet_file_is_refused(write: Write) -> None:
    folder = write(RANKING, candidates=None)
    (folder / "candidates.parquet").write_bytes(b"PAR1 and then nothing")

    with pytest.raises(GoldenError, match="cannot be read as Parquet"):
        read_golden(folder)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GoldenError, match="no such golden set folder"):
        read_golden(tmp_path / "none")
    with pytest.raises(GoldenError, match="no such golden set folder"):
        golden_digest(tmp_path / "none")


def test_the_digest_sees_bytes_and_names_but_not_caches(write: Write) -> None:
    folder = write(RANKING)
    before = golden_digest(folder)

    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "test_x.pyc").write_bytes(b"x")
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "stray.pyc").write_bytes(b"x")
    assert golden_digest(folder) == before

    shutil.copy(folder / "queries.csv", folder / "notes.csv")
    renamed = golden_digest(folder)
    assert renamed != before
    (folder / "notes.csv").rename(folder / "notes.txt")
    assert golden_digest(folder) not in (before, renamed)
    (folder / "notes.txt").unlink()
    assert golden_digest(folder) == before
    (folder / "judgments.csv").write_text(JUDGMENTS.replace("007,k1,3", "007,k1,2"))
    assert golden_digest(folder) != before


def test_an_embedding_set_says_which_texts_must_be_nearer_than_others(write: Write) -> None:
    golden = read_golden(write(VECTORS))

    assert golden.inputs() == {"text": ("kettle", "teapot", "tent")}
    assert golden.expectations == (
        Expectation(0, "closer", "b", line=2, than="c"),
        Expectation(1, "closer", "a", line=3, than="c"),
    )


def test_an_embedding_set_needs_no_expectations(write: Write) -> None:
    assert read_golden(write(VECTORS, expectations=None)).expectations == ()


@pytest.mark.parametrize(
    ("expectations", "words"),
    [
        ("query_id,expect,target\na,closer,b\n", "`than` is missing"),
        ("query_id,expect,target,than\na,closer,b,\n", "`than` is not in queries.csv.*line 2"),
        ("query_id,expect,target,than\na,closer,z,c\n", "`target` is not in queries.csv.*'z'"),
        ("query_id,expect,target,than\na,closer,a,c\n", "compared with itself.*'a', 'a', 'c'"),
        ("query_id,expect,target,than\na,label,b,c\n", "`expect` is not for embedding models"),
    ],
)
def test_an_expectation_of_vectors_names_three_texts(
    write: Write, expectations: str, words: str
) -> None:
    with pytest.raises(GoldenError, match=words):
        read_golden(write(VECTORS, expectations=expectations))


def test_a_model_of_vectors_is_given_one_column_of_text(write: Write) -> None:
    manifest = VECTORS["manifest.yaml"].replace("[text]", "[text, price]")
    with pytest.raises(GoldenError, match=r"given texts alone, not text, price"):
        read_golden(write(VECTORS, manifest=manifest))


def test_attributes_are_columns_of_candidates_that_no_model_is_given(write: Write) -> None:
    manifest = f"{MANIFEST}attributes: [title]\n"
    golden = read_golden(write(RANKING, manifest=manifest))
    assert golden.attributes == {
        "title": ("Travel kettle", "Steel kettle", "Dome tent", "Tunnel tent, green")
    }
    assert "title" not in golden.inputs()
    with pytest.raises(GoldenError, match="`brand`"):
        read_golden(write(RANKING, manifest=f"{MANIFEST}attributes: [brand]\n"))


def test_a_set_without_documents_has_no_attributes(write: Write) -> None:
    manifest = LABELS["manifest.yaml"] + "attributes: [brand]\n"
    with pytest.raises(GoldenError, match=r"yaml:8: classification sets have no documents"):
        read_golden(write(LABELS, manifest=manifest))


def test_a_warning_about_a_sample_of_texts_speaks_of_texts(write: Write) -> None:
    queries = "query_id,query,weight\na,kettle,9\nb,teapot,1\nc,tent,2\n"
    (warning,) = read_golden(write(VECTORS, queries=queries)).warnings
    assert "3 of 3 texts carry unequal weights" in warning


def test_near_duplicates_share_a_number_and_a_blank_cell_is_a_query_of_its_own(
    write: Write,
) -> None:
    queries = "query_id,query,intent\na,kettle,x\nb,tent,\nc,tents,\nd,kettles,x\n"
    manifest = LABELS["manifest.yaml"] + "cluster: intent\n"
    found = read_golden(write(LABELS, manifest=manifest, queries=queries))
    assert found.cluster is not None
    first, second, third, last = found.cluster.tolist()
    assert first == last
    assert len({first, second, third}) == 3
    assert read_golden(write(LABELS)).cluster is None
    with pytest.raises(GoldenError, match="intent"):
        read_golden(write(LABELS, manifest=manifest))


def test_a_feature_may_be_text_where_the_manifest_says_so(write: Write) -> None:
    manifest = MANIFEST.replace("[bm25, price]", "[bm25, brand, price]\ntext_inputs: [brand]")
    candidates = """\
query_id,doc_id,title,bm25,price,brand
q2,t1,Dome tent,2.5,,osmo
007,k2,Travel kettle,1.5,19.9,12
q2,t2,"Tunnel tent, green",2,120,
007,k1,Steel kettle,1,29,kite
"""
    golden = read_golden(write(RANKING, manifest=manifest, candidates=candidates))
    assert list(golden.inputs()) == ["bm25", "brand", "price"], "in the manifest's order"
    assert golden.inputs()["brand"] == ("12", "kite", "osmo", None)
    assert list(golden.features) == ["bm25", "price"]
    with pytest.raises(GoldenError, match="`brand` holds text that is not a number"):
        read_golden(write({}, manifest=manifest.replace("text_inputs: [brand]", "")))
    with pytest.raises(GoldenError, match="`text_inputs` names `colour`"):
        read_golden(write({}, manifest=manifest.replace("s: [brand]", "s: [colour]")))


def test_a_set_of_texts_has_no_text_features(write: Write) -> None:
    manifest = LABELS["manifest.yaml"] + "text_inputs: [query]\n"
    with pytest.raises(GoldenError, match="no feature of the candidates"):
        read_golden(write(LABELS, manifest=manifest))
