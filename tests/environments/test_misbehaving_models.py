"""Whatever a model does wrong has a name, says which arm it was, and never hangs the gate."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import numpy as np
import pytest

from gates.environments.launching import Limits
from gates.environments.outputs import as_scores
from gates.environments.process import Worker
from gates.errors import ModelFault
from gates.system.interruption import interrupted_by
from tests.losing import lose, sharp_poll

from .conftest import StartWorker

FRAME = {"a": np.array([1.0, 2.0, 3.0])}
HASTY = Limits(start_seconds=20, predict_seconds=1)
TO_THE_PIPES = """
for fd in range(3, 64):
    try: os.write(fd, {what})
    except OSError: pass
"""


def fault_of(worker: Worker, columns: Any = FRAME) -> ModelFault:
    with pytest.raises(ModelFault, match=r"the (candidate|model) ") as caught:
        as_scores(worker.predict(columns), len(columns["a"]))
    return caught.value


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("os._exit(3)", "it exited with code 3"),
        ("sys.exit(4)", "it exited with code 4"),
        ("os._exit(0)", "it exited with code 0"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "it was killed by SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "it was killed by SIGSEGV"),
        ("os.abort()", "it was killed by SIGABRT"),
    ],
)
def test_a_model_that_dies_is_named_with_how(start: StartWorker, act: str, words: str) -> None:
    while_loading = fault_of(start(load=act))
    assert (while_loading.kind, while_loading.breach) == ("died", False)
    assert f"died while loading: {words}" in while_loading.what
    while_predicting = fault_of(start(f"print('last words', flush=True); {act}"))
    assert while_predicting.kind == "died"
    assert f"died while predicting: {words}" in while_predicting.what
    assert "last words" in while_predicting.log


def test_a_worker_killed_from_outside_has_died(start: StartWorker) -> None:
    worker = start()
    worker.ready()
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(ModelFault, match=r"the candidate .*SIGKILL") as caught:
        _ask_on(worker)
    assert caught.value.kind == "died"


def _ask_on(worker: Worker) -> None:
    """Ask again and again: what is on its way when a signal comes may still be answered."""
    for _ in range(1000):
        worker.predict(FRAME)
        time.sleep(0.01)


def test_a_model_that_hangs_while_loading_is_ended(start: StartWorker) -> None:
    fault = fault_of(start(load="time.sleep(1000)", limits=Limits(start_seconds=0.5)))
    assert fault.kind == "hung"
    assert "had not finished loading after 0.5 s" in fault.what


def test_a_model_that_hangs_while_predicting_is_ended(start: StartWorker) -> None:
    fault = fault_of(start("while True: pass", limits=HASTY))
    assert fault.kind == "hung"
    assert "had not finished predicting after 1 s" in fault.what


def test_a_model_that_hangs_is_given_up_even_when_the_interruption_was_lost(
    start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: dropped.append(lost.exc_type))
    worker = start("import time; time.sleep(600)")
    worker.ready()
    with interrupted_by((signal.SIGTERM,)):
        lose(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            worker.predict({"a": [1.0]})
    assert dropped == [KeyboardInterrupt]


def test_a_signal_in_the_midst_of_looking_whether_a_worker_has_ended_does_no_harm(
    start: StartWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = start("import time; time.sleep(60)")
    worker.ready()
    sharp_poll(monkeypatch)
    with interrupted_by((signal.SIGTERM,)), pytest.raises(KeyboardInterrupt):
        worker.predict({"a": [1.0]})
    worker.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker.pid, 0)


def test_a_worker_that_never_reads_does_not_hang_the_gate(start: StartWorker) -> None:
    load = "sys.modules['__main__'].read_frame = lambda pipe: time.sleep(1000)"
    fault = fault_of(start(load=load, limits=HASTY), {"a": np.zeros(1_000_000)})
    assert fault.kind == "hung"


def test_after_a_fault_the_same_fault_is_raised_at_once(start: StartWorker) -> None:
    worker = start("raise ValueError('no such feature')")
    first = fault_of(worker)
    assert fault_of(worker) is first
    assert first.kind == "predict-failed"
    assert "failed while predicting: ValueError: no such feature" in first.what
    assert "toy.py" in first.log
    with pytest.raises(ModelFault):
        worker.ready()


def test_a_closed_worker_says_so(start: StartWorker) -> None:
    worker = start()
    worker.close()
    assert "has been closed" in fault_of(worker).what


def test_a_model_that_fails_to_load_is_named_with_its_message(start: StartWorker) -> None:
    fault = fault_of(start(load="import no_such_module"))
    assert fault.kind == "load-failed"
    assert "ModuleNotFoundError: No module named 'no_such_module'" in fault.what


def test_a_message_cannot_drive_the_terminal_or_flood_the_report(start: StartWorker) -> None:
    fault = fault_of(start("raise ValueError('\\x1b[31m\\ud800' + 'x' * 10**7)"))
    assert fault.kind == "predict-failed"
    assert len(fault.what) < 1000
    assert "\x1b" not in fault.what + fault.log


def test_an_exception_that_does_not_print_is_told_all_the_same(start: StartWorker) -> None:
    fault = fault_of(start("raise type('Odd', (Exception,), {'__str__': lambda s: 1 / 0})()"))
    assert fault.kind == "predict-failed"
    assert "Odd" in fault.what


def test_prints_to_stdout_do_not_reach_the_pipe(start: StartWorker) -> None:
    noise = "print('noise'); os.write(1, b'more noise'); os.system('echo still more')"
    worker = start(f"{noise}; return x['a']", load=noise)
    assert as_scores(worker.predict(FRAME), 3).tolist() == [1, 2, 3]
    assert as_scores(worker.predict(FRAME), 3).tolist() == [1, 2, 3]


def test_a_flood_on_stderr_neither_blocks_nor_fills_memory(start: StartWorker) -> None:
    worker = start("for _ in range(200): os.write(2, b'x' * 1_000_000)\nos._exit(1)")
    fault = fault_of(worker)
    assert fault.kind == "died"
    assert len(fault.log) < 100_000


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ("[1.0]", "wrong-rows", "returned 1 rows for 3 given"),
        ("[1.0] * 4", "wrong-rows", "returned 4 rows for 3 given"),
        ("[]", "wrong-rows", "returned 0 rows"),
        ("{'a': [1.0], 'b': [1.0, 2.0]}", "wrong-rows", "columns of different lengths"),
        ("['a', 'b', 'c']", "wrong-type", "str for 'prediction'"),
        ("[object()] * 3", "wrong-type", "object for 'prediction'"),
        ("[1.0, 'a', None]", "wrong-type", "float, str for 'prediction'"),
        ("[2**70] * 3", "wrong-type", "beyond 64 bits"),
        ("[1j] * 3", "wrong-type", "complex"),
        ("None", "wrong-type", "NoneType"),
        ("3.0", "wrong-type", "float"),
        ("[True] * 3", "wrong-type", "bool"),
        ("[1.0, float('nan'), 2.0]", "nan", "the first is in row 1"),
        ("[1.0, None, 2.0]", "nan", "the first is in row 1"),
        ("[1.0, 2.0, float('-inf')]", "infinite", "the first is in row 2"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_a_breach(
    start: StartWorker, answer: str, kind: str, words: str
) -> None:
    fault = fault_of(start(f"return {answer}"))
    assert (fault.kind, fault.breach) == (kind, True)
    assert words in fault.what


@pytest.mark.parametrize("act", ["bytearray(8 << 30)", "[bytes(1 << 20) for _ in range(8192)]"])
def test_a_model_that_eats_memory_is_stopped_by_name(start: StartWorker, act: str) -> None:
    small = Limits(memory_mb=512)
    for worker in (start(load=act, limits=small), start(act, limits=small)):
        fault = fault_of(worker)
        assert (fault.kind, fault.breach) == ("out-of-memory", False)


def test_a_question_too_large_for_its_memory_is_out_of_memory(start: StartWorker) -> None:
    fault = fault_of(start(limits=Limits(memory_mb=64)), {"a": np.zeros(4_000_000)})
    assert fault.kind == "out-of-memory"


@pytest.mark.parametrize("what", ["b'garbage'", "b'garbage ' * 4", "bytes(8)", "b'\\xff' * 64"])
def test_garbage_on_the_pipe_is_a_bad_frame(start: StartWorker, what: str) -> None:
    for worker in (
        start(load=TO_THE_PIPES.format(what=what)),
        start(TO_THE_PIPES.format(what=what) + "return x['a']"),
    ):
        assert fault_of(worker).kind == "bad-frame"


def test_an_answer_that_nobody_asked_for_is_a_bad_frame(start: StartWorker) -> None:
    worker = start("return x['a']", load="""
        main = sys.modules['__main__']
        write = main.write_frame
        main.write_frame = lambda pipe, payload: (write(pipe, payload), write(pipe, payload))
    """)  # fmt: skip
    assert fault_of(worker).kind == "bad-frame"


@pytest.mark.parametrize(
    "message", ["{}", "{'error': 3}", "{'error': {'kind': 'nan'}}", "{'ready': {'layers': {}}}"]
)
def test_a_first_word_that_means_nothing_is_a_bad_frame(start: StartWorker, message: str) -> None:
    load = f"main = sys.modules['__main__']; say = main.json_payload({message})\n"
    load += "main.write_frame = (lambda write: lambda pipe, _: write(pipe, say))(main.write_frame)"
    assert fault_of(start(load=load)).kind == "bad-frame"


def test_a_model_that_forks_and_comes_back_twice_answers_once(start: StartWorker) -> None:
    worker = start("os.fork(); return x['a']")
    for _ in range(3):
        assert as_scores(worker.predict(FRAME), 3).tolist() == [1, 2, 3]
