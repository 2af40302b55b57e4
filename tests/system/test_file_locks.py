"""A lock keeps out other threads, processes and programs, and is free once its holder is gone."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gates.errors import RegistryError
from gates.registry._connection import Connection
from gates.system.file_locks import holders, share, take_exclusive, take_exclusive_if_free
from gates.system.interruption import interrupted_by

_HOLD = """
import sys, time
from pathlib import Path
from gates.system.file_locks import take_exclusive

with take_exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def is_free(path: Path) -> bool:
    held = take_exclusive_if_free(path)
    if held is not None:
        held.release()
    return held is not None


@contextmanager
def another_holds(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock until it is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            yield holder
        finally:
            holder.kill()


def test_a_lock_is_held_by_one_and_free_again_after(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "one"
    with take_exclusive(path), pytest.raises(TimeoutError, match="another process has held"):
        take_exclusive(path, patience=0.1)
    assert is_free(path)
    assert path.exists()


def test_a_lock_is_let_go_of_when_its_holder_fails(tmp_path: Path) -> None:
    with pytest.raises(KeyError), take_exclusive(tmp_path / "one"):
        raise KeyError
    assert is_free(tmp_path / "one")


def test_a_lock_that_nobody_can_release_any_more_is_free(tmp_path: Path) -> None:
    held = take_exclusive(tmp_path / "one")
    assert not is_free(tmp_path / "one")
    del held
    assert is_free(tmp_path / "one")


def test_releasing_twice_closes_nobody_elses_file(tmp_path: Path) -> None:
    held = take_exclusive(tmp_path / "one")
    held.release()
    with (tmp_path / "other").open("wb") as other:  # it has the number that became free
        held.release()
        other.write(b"whole")
    assert (tmp_path / "other").read_bytes() == b"whole"


def test_two_threads_keep_each_other_out(tmp_path: Path) -> None:
    path, inside, most = tmp_path / "one", 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with take_exclusive(path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.002)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (inside, most) == (0, 1)


def test_a_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with another_holds(path) as holder:
        assert not is_free(path)
        assert holders(path) in ((holder.pid,), ())
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert is_free(path)


def test_a_program_that_is_started_meanwhile_does_not_inherit_it(tmp_path: Path) -> None:
    with take_exclusive(tmp_path / "one"):
        child = subprocess.Popen(["sleep", "60"])
    try:
        assert is_free(tmp_path / "one")
    finally:
        child.kill()
        child.wait()


def test_a_program_that_inherits_it_keeps_it_when_its_starter_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with take_exclusive(path, inherited=True) as held:
        child = subprocess.Popen(["sleep", "60"], pass_fds=(held.descriptor,))
    try:
        assert not is_free(path)
    finally:
        child.kill()
        child.wait()
    assert is_free(path)


def test_a_child_that_has_not_become_its_program_yet_does_not_prolong_it(tmp_path: Path) -> None:
    """Between fork and exec a child has copies of all open files, of other threads' too."""
    with take_exclusive(tmp_path / "one"):
        pid = os.fork()
        if pid == 0:
            time.sleep(60)  # its program would begin here
            os._exit(0)
    try:
        assert is_free(tmp_path / "one")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_forked_child_that_ends_does_not_let_go_of_its_parents_lock(tmp_path: Path) -> None:
    path = tmp_path / "one"
    with take_exclusive(path) as held:
        pid = os.fork()
        if pid == 0:
            held.release()
            os._exit(0)
        os.waitpid(pid, 0)
        assert not is_free(path)
    assert is_free(path)


def test_a_lock_of_a_file_that_was_just_replaced_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between opening and locking it may go: the lock of the old file would keep out nobody."""
    path, lock = tmp_path / "one", fcntl.flock

    def replaced_just_before(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        path.rename(tmp_path / "old")
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", replaced_just_before)
    with take_exclusive(path):
        assert not is_free(path)


def test_a_folder_is_locked_itself_and_none_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    with pytest.raises(FileNotFoundError):
        take_exclusive(folder, make=False)
    folder.mkdir()
    with take_exclusive(folder, make=False):
        assert take_exclusive_if_free(folder, make=False) is None
    assert list(folder.iterdir()) == []


def test_any_number_share_and_one_alone_waits_for_them_all(tmp_path: Path) -> None:
    first, second = share(tmp_path), share(tmp_path)
    assert first is not None
    assert second is not None
    os.close(first)
    assert take_exclusive_if_free(tmp_path, make=False) is None
    os.close(second)
    with take_exclusive(tmp_path, patience=0, make=False):
        pass
    assert share(tmp_path / "gone") is None


def test_a_lock_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        take_exclusive(tmp_path / "file" / "one")


def test_who_waits_in_a_thread_hears_of_an_interruption(tmp_path: Path) -> None:
    """The system's own wait ends with the lock alone: the gate's threads would wait on."""
    raised: list[BaseException] = []

    def wait() -> None:
        try:
            take_exclusive(tmp_path / "one", patience=60)
        except BaseException as problem:  # noqa: BLE001 - what it is, is the question
            raised.append(problem)

    with take_exclusive(tmp_path / "one"), interrupted_by([signal.SIGUSR1]):
        waiting = threading.Thread(target=wait)
        waiting.start()
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - the signal may come at either
            os.kill(os.getpid(), signal.SIGUSR1)
            time.sleep(5)
        waiting.join(10)
    assert [type(one) for one in raised] == [KeyboardInterrupt]


def test_the_lock_of_a_store_is_an_error_we_know_when_it_cannot_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gates.registry._connection._LOCK_SECONDS", 0.05)
    store = Connection(f"sqlite:///{tmp_path / 'store.db'}", tmp_path)
    with store.exclusive(), pytest.raises(RegistryError, match="another process has held"):
        store.exclusive()
    store.exclusive().release()
