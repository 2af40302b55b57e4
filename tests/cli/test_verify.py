"""`gates verify`: a bundle is made again from what it was made of, offline and to the bit."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gates.evidence.evidence import evidence_digest
from gates.verification import verify_bundle
from tests.conftest import CommandLine, Shelf
from tests.report import evidence_factory as factory
from tests.sealed import forge, record_in, reseal

ROWS = "ranking-diff.rows.parquet"


@pytest.fixture(scope="module")
def run(shelf: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a gate run, with an own margin for a slice."""
    output = tmp_path_factory.mktemp("runs")
    command = ["run", shelf.uri("good"), *shelf.options(), "--output", str(output), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "gates", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return Path(json.loads(done.stdout)["evidence"]).parent


@pytest.fixture
def bundle(run: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    for name in ("evidence.json", ROWS):
        shutil.copyfile(run / name, tmp_path / name)
    return tmp_path


def test_measurements_come_out_of_the_rows_to_the_bit(bundle: Path, gates: CommandLine) -> None:
    (record,) = (one for one in record_in(bundle / "evidence.json")["records"] if one["rows"])
    found = verify_bundle(bundle / "evidence.json")
    assert [(one.check, one.measurements) for one in found.remeasured] == [
        ("ranking-diff", len(record["measurements"]))
    ]
    assert record["rows"]["queries"] == 60 == found.remeasured[0].rows.queries
    answer = gates("verify", str(bundle), "--json")
    assert answer.code == 0, answer.err
    assert answer.err.startswith("verified: PASS for models:/toy-ranker/2 against models:/toy-r")
    said = json.loads(answer.out)
    assert (said["verified"], said["signed"]) == (True, False)
    assert said["made_again"][0]["rows"] == ROWS
    assert "not signed" in answer.err


def _worse(table: pa.Table) -> pa.Table:
    """One query loses a billionth more; nothing else changes."""
    name = "new:ndcg@10"
    values = table.column(name).to_numpy().copy()
    values[0] -= 1e-9
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def _heavier(table: pa.Table) -> pa.Table:
    values = table.column("weight").to_numpy().copy()
    values[0] *= 1 + 1e-9
    return table.set_column(table.column_names.index("weight"), "weight", pa.array(values))


def _elsewhere(table: pa.Table) -> pa.Table:
    """One query is in another slice."""
    name = "slice:category"
    values = table.column(name).to_pylist()
    values[0] = next(one for one in values if one != values[0])
    return table.set_column(table.column_names.index(name), name, pa.array(values))


def _less_severe(table: pa.Table) -> pa.Table:
    meta = json.loads(table.schema.metadata[b"mlgates"])
    meta["queries"]["severe"] = 0.001
    return table.replace_schema_metadata({b"mlgates": json.dumps(meta)})


@pytest.mark.parametrize("spoil", [_worse, _heavier, _elsewhere, _less_severe])
def test_rows_that_make_another_measurement_are_named(
    bundle: Path, gates: CommandLine, spoil: Callable[[pa.Table], pa.Table]
) -> None:
    path = bundle / ROWS
    stream = io.BytesIO()
    pq.write_table(spoil(pq.read_table(path)), stream)
    path.write_bytes(stream.getvalue())
    answer = gates("verify", str(bundle))
    assert answer.code == 2
    assert f"{path}: is not what the evidence was made of" in answer.err

    # Whoever also writes the digest of such rows into the evidence has the measurements against it.
    def other_digest(record: dict[str, Any]) -> None:
        for one in record["records"]:
            if one["rows"]:
                one["rows"]["digest"] = evidence_digest(path.read_bytes())

    forge(bundle / "evidence.json", bundle / "evidence.json", other_digest)
    answer = gates("verify", str(bundle))
    assert answer.code == 2
    assert "comes to other measurements than the evidence" in answer.err


def test_rows_that_are_gone_or_none_are_named(bundle: Path, gates: CommandLine) -> None:
    (bundle / ROWS).unlink()
    answer = gates("verify", str(bundle))
    assert (answer.code, ROWS in answer.err, "No such file" in answer.err) == (2, True, True)


def test_evidence_without_rows_says_what_was_taken(gates: CommandLine, tmp_path: Path) -> None:
    from gates.evidence.bundle import write_evidence

    write_evidence(tmp_path / "evidence.json", factory.passing())
    answer = gates("verify", str(tmp_path / "evidence.json"))
    assert answer.code == 0, answer.err
    assert "measurements as they are: no rows are kept of them" in answer.out


def test_a_key_is_demanded_where_one_is_named(
    bundle: Path, gates: CommandLine, tmp_path: Path
) -> None:
    key, public = tmp_path / "gate.pem", tmp_path / "gate.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
    subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-out", public], check=True)
    answer = gates("verify", str(bundle), "--key", str(public))
    assert (answer.code, "has no signature" in answer.err) == (2, True)
    reseal(bundle / "evidence.json", key=key)
    answer = gates("verify", str(bundle), "--key", str(public))
    assert (answer.code, "signed by gate.pub" in answer.out) == (0, True)
    assert "name the public key" in gates("verify", str(bundle)).out


def test_where_there_is_no_bundle_that_is_said(gates: CommandLine, tmp_path: Path) -> None:
    answer = gates("verify", str(tmp_path / "nowhere"))
    assert (answer.code, "there is no evidence at" in answer.err) == (2, True)
