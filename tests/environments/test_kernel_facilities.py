"""What no namespace covers is refused: keyrings, odd sockets, FIFOs, and ways to new rights.

Each attack runs in every box of `test_escapes`, and says what of it went well.
"""

from __future__ import annotations

import ctypes
import os
import platform
import select
import socket
from pathlib import Path

import pytest

from gates.environments.process import Worker

from .boxes import Box
from .conftest import StartWorker
from .test_escapes import TRY, anyones, box, needs

__all__ = ["anyones", "box"]  # pytest finds fixtures by their names here

AARCH64 = platform.machine() == "aarch64"

# Runs raw system calls: libc has no function for most of them.
CALLS = (
    TRY
    + f"""
import platform
AARCH64 = {AARCH64}
libc.syscall.restype = ctypes.c_long
def system(number, *arguments):
    number = number[AARCH64] if isinstance(number, tuple) else number
    given = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = libc.syscall(ctypes.c_long(number), *given)
    if result == -1: raise OSError(ctypes.get_errno(), str(number))
    return result
KEYCTL, ADD_KEY, REQUEST_KEY = (250, 219), (248, 217), (249, 218)
"""
)


def test_it_meets_nobody_in_a_keyring(box: Box) -> None:
    needs(box, "system-calls")
    met = box.attack(
        CALLS
        + """
acts = [(f'keyring {number}', lambda number=number: system(KEYCTL, 0, number, 1))
        for number in (-1, -2, -3, -4, -5)]
return went_well(
    *acts,
    ('add', lambda: system(ADD_KEY, b'user', b'answers', b'1,2,3', 5, -4)),
    ('add to session', lambda: system(ADD_KEY, b'user', b'answers', b'1,2,3', 5, -3)),
    ('request', lambda: system(REQUEST_KEY, b'user', b'answers', None, -4)),
    ('join by name', lambda: system(KEYCTL, 1, b'meeting')),
    ('search', lambda: system(KEYCTL, 10, -4, b'user', b'answers', 0)),
    ('persistent', lambda: system(KEYCTL, 22, -1, -3)),
)
"""
    )
    assert met.answer == ["nothing"]


def test_a_key_of_the_gates_session_is_not_in_its_own(start: StartWorker) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    number, name = (217 if AARCH64 else 248), f"gates-key-{os.getpid()}"
    if libc.syscall(number, b"user", name.encode(), b"answers", 7, -3) < 0:
        pytest.skip("this kernel gives no key to the session")
    if not Path("/proc/keys").exists():
        pytest.skip("this kernel does not list keys")
    assert name in Path("/proc/keys").read_text(encoding="utf-8")
    worker = start(f"{TRY}\ntry: return [lines('/proc/keys')]\nexcept OSError: return ['']")
    assert name not in str(worker.predict({"a": [1.0]})["prediction"][0])


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("bpf", "system((321, 280), 0, None, 0)"),
        ("perf", "system((298, 241), ctypes.create_string_buffer(128), 0, -1, -1, 0)"),
        ("userfaultfd", "system((323, 282), 1)"),
        ("io_uring", "system(425, 4, ctypes.create_string_buffer(120))"),
        ("handle", "system((304, 265), -100, ctypes.create_string_buffer(136), 0)"),
        ("ptrace me", "system((101, 117), 0, 0, 0, 0)"),
        ("memory of itself", "system((310, 270), os.getpid(), None, 0, None, 0, 0)"),
        ("namespace", "[system((308, 268), os.open('/proc/self/ns/user', os.O_RDONLY), 0)]"),
        ("pidfd", "system(438, os.pidfd_open(os.getpid()), 0, 0)"),
        ("fsopen", "system(430, b'tmpfs', 0)"),
        ("open tree", "system(428, -100, b'/', 1)"),
        ("chroot", "os.chroot('.')"),
        ("syslog", "system((103, 116), 10, None, 0)"),
        ("personality", "system((135, 92), 0x0400000)"),
        ("inotify", "system((294, 26), 0)"),
        ("fanotify", "system((300, 262), 0x200, 0)"),
        ("cachestat", "system(451, 0, None, None, 0)"),
        ("timer", "system((222, 107), 1, None, ctypes.create_string_buffer(8))"),
        ("lease", "__import__('fcntl').fcntl(os.memfd_create('x'), 1024, 0)"),
        ("notify", "__import__('fcntl').fcntl(os.open('.', os.O_RDONLY), 1026, 2)"),
        ("signal of descriptor", "__import__('fcntl').fcntl(os.pipe()[0], 10, 18)"),
        ("a call of the future", "system(511)"),
    ],
)
def test_a_call_that_reaches_past_namespaces_is_refused(
    start: StartWorker, name: str, call: str
) -> None:
    worker = start(f"""{CALLS}
try: {call}
except OSError as refused: return [refused.errno]
return [0]
""")
    if not worker.ready().layers["system-calls"]:
        pytest.skip("the evidence says that system-calls is off")
    (number,) = worker.predict({"a": [1.0]})["prediction"]
    assert number in (1, 38), name  # EPERM or ENOSYS: the filter's words, not the call's own


def test_it_makes_no_namespace_of_its_own(box: Box) -> None:
    needs(box, "system-calls")
    made = box.attack(
        CALLS
        + """
def cloned(flags):
    child = system((56, 220), flags | 17, 0, 0, 0, 0)
    if child == 0: os._exit(0)
    os.waitpid(child, 0)
def cloned_by_the_third(flags):
    told = (ctypes.c_uint64 * 11)(flags, 0, 0, 0, 17)
    child = system(435, told, 88)
    if child == 0: os._exit(0)
    os.waitpid(child, 0)
flags = {'user': 1 << 28, 'mount': 1 << 17, 'process': 1 << 29, 'network': 1 << 30,
         'ipc': 1 << 27, 'name': 1 << 26, 'group': 1 << 25, 'time': 1 << 7}
acts = []
for name, flag in flags.items():
    for more in (0, 1 << 28):
        acts.append((f'unshare {name}', lambda f=flag | more: call('unshare', f)))
        if flag > 255:
            acts.append((f'clone {name}', lambda f=flag | more: cloned(f)))
        acts.append((f'clone3 {name}', lambda f=flag | more: cloned_by_the_third(f)))
return went_well(*acts)
"""
    )
    assert made.answer == ["nothing"]


def test_it_opens_no_socket_but_local_ones_and_those_of_its_network(box: Box) -> None:
    needs(box, "system-calls")
    opened = box.attack(
        TRY
        + """
def opens(family, kind, protocol=0):
    with socket.socket(family, kind, protocol): pass
acts = [(f'family {family}', lambda family=family, kind=kind: opens(family, kind))
        for family in set(range(3, 50)) - {10, 16} for kind in (1, 2, 3, 5)]
acts += [(f'netlink {one}', lambda one=one: opens(16, 3, one)) for one in range(1, 24)]
return went_well(*acts)
"""
    )
    assert opened.answer == ["nothing"]


def test_where_it_has_no_network_of_its_own_it_has_none(box: Box) -> None:
    needs(box, "system-calls")
    if box.layers["network"]:
        pytest.skip("it has one of its own")
    with socket.create_server(("127.0.0.1", 0)) as server:
        reached = box.attack(
            CALLS
            + f"""
return went_well(
    ('TCP', lambda: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)),
    ('UDP', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
    ('IPv6', lambda: socket.socket(socket.AF_INET6)),
    ('memory', lambda: system((29, 194), 4711, 4096, 0o1666)),
    ('messages', lambda: system((68, 186), 4711, 0o1666)),
)
"""
        )
    assert reached.answer == ["nothing"]


def test_it_reaches_no_abstract_socket_of_the_machine(box: Box) -> None:
    needs(box, "landlock")
    name = f"\0gates-meeting-{box.kind}-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(name)
        listening.listen()
        reached = box.attack(
            TRY + f"return went_well(('abstract', lambda: "
            f"socket.socket(socket.AF_UNIX).connect({name!r})))"
        )
    assert reached.answer == ["nothing"]


def test_it_writes_into_no_fifo_that_it_can_read(box: Box) -> None:
    needs(box, "landlock")
    model = box.model(
        TRY
        + """
place = os.path.join(os.path.dirname(__file__), 'meeting')
return went_well(
    ('write', lambda: os.write(os.open(place, os.O_WRONLY | os.O_NONBLOCK), b'answers')),
    ('both', lambda: os.write(os.open(place, os.O_RDWR), b'answers')),
)
"""
    )
    fifo = model / "code" / "meeting"
    os.mkfifo(fifo)
    fifo.chmod(0o666)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert box.attack(model=model).answer == ["nothing"]
        assert not select.select([reader], [], [], 0)[0] or os.read(reader, 9) == b""
    finally:
        os.close(reader)


def test_where_it_has_no_view_of_its_own_it_still_reads_and_writes_only_what_it_needs(
    box: Box,
) -> None:
    needs(box, "landlock")
    open_to_all = box.home.parent / "open-to-all"
    open_to_all.mkdir(exist_ok=True)
    open_to_all.chmod(0o777)
    (open_to_all / "answers").write_text("1, 2, 3", encoding="utf-8")
    (open_to_all / "answers").chmod(0o666)
    done = box.attack(
        TRY
        + f"""
return went_well(
    ('read', lambda: lines({str(open_to_all / "answers")!r})),
    ('write', lambda: put({str(open_to_all / "answers")!r})),
    ('make', lambda: put({str(open_to_all / "more")!r})),
    ('list', lambda: os.listdir({str(open_to_all)!r})),
    ('fifo', lambda: os.mkfifo({str(open_to_all / "fifo")!r})),
    ('remove', lambda: os.remove({str(open_to_all / "answers")!r})),
)
"""
    )
    assert done.answer == ["nothing"]
    assert [one.name for one in open_to_all.iterdir()] == ["answers"]


def test_it_works_as_models_do_behind_the_filter(box: Box) -> None:
    worked = box.attack(
        """
import concurrent.futures, multiprocessing, subprocess, sys, tempfile
done = []
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    done.append(sum(pool.map(len, ['a', 'b'])))
fork = multiprocessing.get_context('fork')
mine, theirs = fork.Pipe()
child = fork.Process(target=lambda: theirs.send(2))
child.start(); done.append(mine.recv()); child.join()
done.append(int(subprocess.run([sys.executable, '-c', 'print(3)'], capture_output=True).stdout))
with tempfile.NamedTemporaryFile('w+') as file:
    os.replace(file.name, file.name + '2'); os.rename(file.name + '2', file.name)
    done.append(4)
one, other = socket.socketpair()
one.send(b'5'); done.append(int(other.recv(1)))
import getpass; done.append(6 if getpass.getuser() == 'model' else 0)
return done
"""
    )
    assert worked.answer == [2, 2, 3, 4, 5, 6]


def uid_of(worker: Worker) -> int:
    return int(worker.predict({"a": [1.0]})["prediction"][0])


def test_two_workers_never_share_a_user(start: StartWorker) -> None:
    workers = [start("return [os.getuid()]") for _ in range(3)]
    if not workers[0].ready().layers["user"]:
        pytest.skip("the evidence says that user is off")
    users = {uid_of(worker) for worker in workers}
    assert len(users) == 3
    assert not users & {0, 65534, os.getuid()}


def test_a_model_that_forks_without_end_starves_no_other(start: StartWorker) -> None:
    other = start(
        "os.waitpid(os.posix_spawn(sys.executable, [sys.executable, '-c', ''], {}), 0)\n"
        "return x['a']"
    )
    bomb = start("""
made = 0
while made < 20_000:
    try: child = os.fork()
    except OSError: return [made]
    if child == 0: time.sleep(1000)
    made += 1
""")
    if not bomb.ready().layers["user"]:
        pytest.skip("the evidence says that user is off")
    other.ready()
    assert bomb.predict({"a": [1.0]})["prediction"][0] > 1000
    assert list(other.predict({"a": [7.0]})["prediction"]) == [7.0]


def test_scratch_folders_of_two_workers_are_closed_to_each_other(start: StartWorker) -> None:
    first, second = start("return [os.getcwd()]"), start("return os.listdir(x['a'][0])")
    place = str(first.predict({"a": ["x"]})["prediction"][0])
    assert Path(place).is_dir()
    with pytest.raises(Exception, match=r"PermissionError|FileNotFoundError"):
        second.predict({"a": [place]})
