"""An answer is bounded by its question before it is read: the gate holds what it asked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gates.environments.cache import Environment
from gates.environments.frames import BadFrame, TooLarge, answer_bytes, decode_columns
from gates.errors import ModelFault

from .conftest import StartWorker
from .toy_models import write_model

FRAME = {"a": [1.0, 2.0, 3.0]}
HUGE = {
    "one long text": "['x' * (204 << 20), 'b', 'c']",
    "many rows": "[0.5] * (12 << 20)",
    "many short texts": "['ab'] * (4 << 20)",
    "many columns": "{str(n): [0.5] * 3 for n in range(400_000)}",
    "many columns of texts": "{str(n): ['ab'] * 3 for n in range(2_000)}",
    "many columns with gaps": "{str(n): [0.5, None, 1.5] for n in range(2_000)}",
}


@pytest.mark.parametrize("kind", HUGE)
def test_an_answer_beyond_its_question_is_a_breach_by_name(start: StartWorker, kind: str) -> None:
    worker = start(f"return {HUGE[kind]}")
    with pytest.raises(ModelFault, match="answered a question of 3 rows with") as fault:
        worker.predict(FRAME)
    assert (fault.value.kind, fault.value.breach) == ("too-large", True)


@pytest.mark.parametrize("kind", HUGE)
def test_it_is_a_breach_when_it_is_timed_too(start: StartWorker, kind: str) -> None:
    if "texts" in kind or "gaps" in kind:
        pytest.skip("its size is no breach, and a timed answer is not decoded")
    with pytest.raises(ModelFault) as fault:
        start(f"return {HUGE[kind]}").timed(FRAME)
    assert (fault.value.kind, fault.value.breach) == ("too-large", True)


def test_a_fault_or_a_ready_without_end_is_not_read(start: StartWorker) -> None:
    load = "main = sys.modules['__main__']\nmain.json_payload = lambda _: bytes(204 << 20)"
    with pytest.raises(ModelFault, match="a frame of 213909504 bytes") as fault:
        start(load=load).ready()
    assert (fault.value.kind, fault.value.breach) == ("too-large", False)


ASKING = """
import resource, sys
from pathlib import Path
from gates.domain.judging import EnvironmentFacts
from gates.environments.cache import Environment
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.errors import ModelFault
import numpy, pyarrow
place, model, rows = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
facts = EnvironmentFacts("", "", "", True, 0)
python = place / "bin/python"
environment = Environment(place, python, python, facts)
worker = Worker.start(environment, model, Limits(), "candidate")
worker.ready()
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try: worker.predict({"a": [1.0] * rows})
except ModelFault as fault: print(fault.kind)
worker.close()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


@pytest.mark.parametrize("rows", [3, 100])
def test_it_costs_the_gate_no_memory(bare: Environment, tmp_path: Path, rows: int) -> None:
    model = write_model(tmp_path / "model", "return ['x' * (204 << 20)] + ['b'] * 99")
    command = [sys.executable, "-c", ASKING, str(bare.path), str(model), str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    kind, megabytes = done.stdout.split()
    assert kind == "too-large"
    assert int(megabytes) < 64


def test_an_answer_as_large_as_its_question_allows_is_read(start: StartWorker) -> None:
    rows = start("return {str(n): [float(n)] * 3 for n in range(4096)}").predict(FRAME)
    assert len(rows) == 4096
    texts = start("return {'label': ['é' * 30_000] * 3, 'score': [1.0] * 3}").predict(FRAME)
    assert len(texts["label"][0]) == 30_000
    wrong = start("return [1.0] * 40").predict(FRAME)  # said by name where it is used
    assert len(wrong["prediction"]) == 40


def arrow(columns: dict[str, object]) -> bytes:
    table = pa.table(columns)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_batch(table.to_batches()[0])
    return b"arrow   " + bytes(sink.getvalue())


def test_arrow_is_bounded_as_plain_is() -> None:
    many = arrow({"a": pa.array(np.zeros(100_000, "?"))})
    with pytest.raises(TooLarge, match="100000 rows"):
        decode_columns(many, 10)
    assert len(decode_columns(many, 100_000)["a"]) == 100_000
    with pytest.raises(TooLarge, match="65 columns of text"):
        decode_columns(arrow({str(n): ["ab"] for n in range(65)}), 1)
    with pytest.raises(TooLarge, match="65 columns of text"):
        decode_columns(arrow({str(n): [1.0, None] for n in range(65)}), 2)
    assert len(decode_columns(arrow({str(n): [1.0, 2.0] for n in range(65)}), 2)) == 65
    assert issubclass(TooLarge, BadFrame)


def test_the_bound_grows_with_the_question_up_to_what_any_frame_may_hold() -> None:
    assert answer_bytes(0) < answer_bytes(1) < answer_bytes(1000) <= answer_bytes(10**9)
    assert answer_bytes(10**9) == 256 << 20
