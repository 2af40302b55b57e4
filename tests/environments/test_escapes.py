"""Hostile models: each is contained, whatever of the cage the machine gives.

Every attack runs in every box: as whoever runs these tests, as an ordinary user, on an old kernel,
where the system forbids every namespace, and as root of a container. Where a layer is off the
evidence says so, and what that layer holds back is not let loose.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from gates.domain.judging import Layer
from gates.environments.cache import Environment
from gates.environments.launching import WORKER

from .boxes import KINDS, SCRATCH_MB, TOKEN, USER, Box, Impossible, run_as

# Says of each act whether it went well, so that a test can show what did.
TRY = """
import ctypes, glob, socket, subprocess, tempfile
def went_well(*acts):
    done = []
    for name, act in acts:
        try: act()
        except (OSError, subprocess.CalledProcessError): continue
        done.append(name)
    return done or ['nothing']
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    if getattr(libc, name)(*arguments) == -1: raise OSError(ctypes.get_errno(), name)
def lines(path):
    with open(path, errors='replace') as file: return file.read()
def put(path):
    with open(path, 'w') as file: file.write('escaped')
"""


@pytest.fixture(scope="module")
def anyones(bare: Environment) -> Iterator[Environment]:
    """A bare environment that every user of the machine can run."""
    if os.geteuid() != 0:
        yield bare
        return
    folder = Path(tempfile.mkdtemp(prefix="gates-anyones-"))
    folder.chmod(0o755)
    worker = str(WORKER)
    for python in (
        Path(sys.executable).resolve(),
        Path("/usr/bin/python3"),
        Path("/usr/local/bin/python3"),
    ):
        if run_as(USER, [str(python), "-I", "-c", "import sys, venv; open(sys.argv[1])", worker]):
            command = [str(python), "-m", "venv", "--without-pip", str(folder / "environment")]
            subprocess.run(command, check=True)
            made = folder / "environment"
            yield Environment(made, made / "bin" / "python", python, bare.facts)
            break
    else:
        pytest.skip("another user can run no Python of this machine, or cannot read this project")
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=KINDS)
def box(request: pytest.FixtureRequest, bare: Environment) -> Iterator[Box]:
    as_is = request.param == "as-is"
    if request.param == "ordinary" and os.geteuid() != 0:
        pytest.skip("these tests run as an ordinary user anyway")
    if request.param == "container" and os.geteuid() != 0:
        pytest.skip("only root can be root in a container")
    environment = bare if as_is else request.getfixturevalue("anyones")
    folder = Path(tempfile.mkdtemp(prefix=f"gates-box-{request.param}-"))
    folder.chmod(0o755)
    try:
        with Box(request.param, environment, folder) as made:
            yield made
    except Impossible as problem:
        pytest.skip(f"this machine cannot make the box '{request.param}': {problem}")
    finally:
        shutil.rmtree(folder)


def needs(box: Box, *layers: Layer) -> None:
    """Skip an attack that would not be held back; the evidence has said so."""
    off = [layer for layer in layers if not box.layers[layer]]
    if off:
        pytest.skip(f"{box.kind}: the evidence says that {', '.join(off)} is off")


def test_the_evidence_says_what_the_system_forbids(box: Box) -> None:
    on = {layer for layer, there in box.layers.items() if there}
    if box.kind == "closed":
        assert not on & {"network", "files", "processes", "user"}
    if box.kind == "container":
        assert not on & {"network", "files", "processes"}
        assert "user" in on
    if box.kind == "old":
        assert {"network", "files", "processes"} <= on
    if sys.platform == "linux":
        assert {"privileges", "memory", "file-size", "core-dumps"} <= on
        assert ("process-limit" in on) is (box.user != 0 or "user" in on)


def test_it_finds_no_token_of_the_gate(box: Box) -> None:
    if not box.layers["user"]:
        needs(box, "processes")
    found = box.attack(
        TRY
        + f"""
places = [name for name, text in os.environ.items() if {TOKEN!r} in text]
for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/task/*/environ'):
    try: places += [path] if {TOKEN!r} in lines(path) else []
    except OSError: pass
return places or ['nothing']
"""
    )
    assert found.answer == ["nothing"]


def test_it_sees_no_process_but_its_own(box: Box) -> None:
    needs(box, "processes")
    seen = box.attack("return [name for name in os.listdir('/proc') if name.isdigit()] or ['none']")
    assert seen.answer in (["1", "2"], ["none"])


def test_it_reaches_nobody_over_the_network(box: Box) -> None:
    needs(box, "network")
    name = f"\0gates-escape-{os.getpid()}"
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.socket(socket.AF_UNIX) as abstract,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
    ):
        abstract.bind(name)
        abstract.listen()
        datagrams.bind(("127.0.0.1", 0))
        reached = box.attack(
            TRY
            + f"""
unix, udp = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
return went_well(
    ('TCP', lambda: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 5)),
    ('UDP', lambda: udp.sendto(b'x', ('127.0.0.1', {datagrams.getsockname()[1]}))),
    ('far', lambda: socket.create_connection(('192.0.2.1', 80), 5)),
    ('abstract', lambda: unix.connect({name!r})),
)
"""
        )
    assert reached.answer == ["nothing"]


def test_it_reaches_no_socket_in_the_file_system(box: Box) -> None:
    needs(box, "files")
    place = box.home / "service.socket"
    with socket.socket(socket.AF_UNIX) as service:
        service.bind(str(place))
        service.listen()
        box.give(place)
        reached = box.attack(
            TRY
            + f"""
return went_well(
    ('socket', lambda: socket.socket(socket.AF_UNIX).connect({str(place)!r})),
    ('run', lambda: os.listdir('/run')),
    ('var', lambda: os.listdir('/var')),
)
"""
        )
    place.unlink()
    assert reached.answer == ["nothing"]


def test_it_reads_no_file_of_the_gates_user(box: Box) -> None:
    needs(box, "files")
    secret = box.home / "credentials"
    secret.write_text("secret", encoding="utf-8")
    secret.chmod(0o600)
    box.give(secret)
    read = box.attack(
        TRY
        + f"""
return went_well(
    ('file', lambda: lines({str(secret)!r})),
    ('folder', lambda: os.listdir({str(box.home)!r})),
    ('home', lambda: os.listdir({str(Path.home())!r} + '/.ssh')),
    ('project', lambda: os.listdir({str(Path(__file__).parent)!r})),
    ('shadow', lambda: lines('/etc/shadow')),
)
"""
    )
    assert read.answer == ["nothing"]


def test_it_writes_nowhere_that_lasts(box: Box) -> None:
    needs(box, "files")
    model = box.model("placeholder")
    temporary = Path(tempfile.gettempdir()) / f"escaped-{box.kind}-{os.getpid()}"
    (packages,) = box.environment.path.glob("lib/python*/site-packages")
    places = [
        box.home / "escaped",
        Path(__file__).with_name("escaped"),
        packages / "escaped.pth",
        packages / "__pycache__" / "escaped.pyc",
        box.environment.path / "bin" / "python",
        model / "MLmodel",
        model / "escaped",
        WORKER,
        Path("/etc/escaped"),
        Path("/escaped"),
        Path("/dev/shm/escaped"),  # noqa: S108 - it must not be there
        temporary,
    ]
    before = {place: place.read_bytes() for place in places if place.exists()}
    source = f"""
for place in {[str(place) for place in places]!r}:
    try: os.makedirs(os.path.dirname(place), exist_ok=True); put(place)
    except OSError: pass
    try: os.remove(place)
    except OSError: pass
    try: put(place)
    except OSError: pass
return ['tried']
"""
    code = (model / "code" / "toy.py").read_text(encoding="utf-8")
    indented = "\n".join(" " * 8 + line for line in (TRY + source).splitlines())
    (model / "code" / "toy.py").write_text(
        code.replace("        placeholder", indented), encoding="utf-8"
    )
    assert box.attack(model=model).answer == ["tried"]
    assert {place: place.read_bytes() for place in places if place.exists()} == before


def test_what_it_leaves_in_its_environment_is_not_there_the_next_time(box: Box) -> None:
    needs(box, "files")
    plant = box.attack(
        TRY
        + """
import json
for folder in sys.path:
    name = os.path.join(folder, 'planted.pth')
    try: put(name)
    except OSError: pass
    try: os.makedirs(os.path.dirname(json.__cached__), exist_ok=True); put(json.__cached__)
    except OSError: pass
return ['tried']
"""
    )
    assert plant.answer == ["tried"]
    found = box.attack("""
return [p for p in sys.path if os.path.exists(os.path.join(p, 'planted.pth'))] or ['nothing']
""")
    assert found.answer == ["nothing"]


def planted(box: Box, name: str) -> tuple[Path, Path]:
    """A copy of the box's environment, and its folder of packages."""
    environment = box.home.parent / name
    shutil.copytree(box.environment.path, environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    return environment, packages


def test_what_is_installed_beside_it_runs_inside_the_cage_alone(box: Box) -> None:
    needs(box, "files")
    secret = box.home / "seen-by-pth"
    secret.write_text("secret", encoding="utf-8")
    box.give(secret)
    environment, packages = planted(box, "with-pth")
    line = f"import os, builtins; builtins.early = [os.getpid(), os.path.exists({str(secret)!r})]"
    (packages / "planted.pth").write_text(line, encoding="utf-8")
    seen = box.attack("import builtins\nreturn [str(builtins.early)]", environment=environment)
    assert seen.answer == ["[2, False]"]


def test_an_installed_file_cannot_choose_the_python_that_builds_the_cage(box: Box) -> None:
    needs(box, "files")
    mark = box.home / "written-by-encodings"
    environment, packages = planted(box, "with-home")
    library = environment / "other" / "lib" / packages.parent.name
    (library / "encodings").mkdir(parents=True)
    (library / "os.py").touch()
    source = f"import posix; posix.open({str(mark)!r}, posix.O_CREAT | posix.O_WRONLY)"
    (library / "encodings" / "__init__.py").write_text(source, encoding="utf-8")
    (environment / "pyvenv.cfg").write_text(f"home = {environment}/other/bin\n", encoding="utf-8")
    subprocess.run([environment / "bin" / "python"], capture_output=True, check=False)
    mark.unlink()  # the trap is one
    assert box.attack(environment=environment).fault == "died"
    assert not mark.exists()


def test_it_stays_when_it_forks_without_end(box: Box) -> None:
    needs(box, "process-limit")
    forks = box.attack("""
made = 0
while made < 20_000:
    try: child = os.fork()
    except OSError: break
    if child == 0:
        time.sleep(1000)
    made += 1
return [made]
""")
    assert 0 < forks.answer[0] < 20_000
    assert forks.left == []


def test_it_is_ended_when_it_eats_memory(box: Box) -> None:
    needs(box, "memory")
    fault = box.attack("x = [bytes(1 << 20) for _ in range(1 << 20)]", memory_mb=256)
    assert (fault.fault, fault.breach) == ("out-of-memory", False)
    assert "the candidate failed while predicting: MemoryError" in fault.what


def test_it_is_ended_when_it_sleeps_for_ever(box: Box) -> None:
    load = "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64)); time.sleep(1000)"
    fault = box.attack(load=load, start_seconds=1)
    assert fault.fault == "hung"
    assert "the candidate had not finished loading after 1 s" in fault.what
    assert fault.left == []


@pytest.mark.parametrize("stream", [1, 2])
def test_its_floods_of_prints_are_cut_to_their_end(box: Box, stream: int) -> None:
    printed = box.attack(f"for _ in range(300): os.write({stream}, bytes(1 << 20))\nreturn [1]")
    assert printed.answer == [1]
    assert printed.log_bytes < 100_000


def test_it_cannot_end_the_gate_its_parents_or_anybody(box: Box) -> None:
    needs(box, "processes")
    kills = box.attack(
        TRY
        + """
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGSTOP, signal.SIGKILL):
    went_well(
        ('parent', lambda: os.kill(os.getppid(), number)),
        ('first', lambda: os.kill(1, number)),
        ('group', lambda: os.killpg(1, number)),
        ('all', lambda: os.kill(-1, number)),
    )
return ['still here']
""",
        calls=2,
    )
    assert kills.answers == [["still here"]] * 2


def test_it_ends_by_name_when_it_ends_itself(box: Box) -> None:
    for act, how in (
        ("os.kill(os.getpid(), signal.SIGSEGV)", "it was killed by SIGSEGV"),
        ("os.abort()", "it was killed by SIGABRT"),
        ("os._exit(7)", "it exited with code 7"),
    ):
        fault = box.attack(act)
        assert fault.fault == "died"
        assert f"the candidate died while predicting: {how}" in fault.what


def test_no_object_of_its_is_rebuilt_in_the_gate(box: Box) -> None:
    mark = box.home / "unpickled"
    trap = f"""
import pickle
class Trap:
    def __reduce__(self): return (os.system, ('touch {mark}',))
"""
    for answer, words in (
        ("[Trap()]", "returned Trap for 'prediction'"),
        ("Trap()", "returned Trap for 'prediction', not rows"),
        ("[pickle.dumps(Trap())]", "returned bytes for 'prediction'"),
        ("{'prediction': [{'a': Trap()}]}", "returned dict for 'prediction'"),
    ):
        fault = box.attack(f"{trap}\nreturn {answer}")
        assert (fault.fault, fault.breach) == ("wrong-type", True)
        assert words in fault.what
    raw = "import struct; body = b'pickle  ' + pickle.dumps(Trap())\nfor fd in range(3, 64):\n"
    raw += "    try: os.write(fd, struct.pack('<Q', len(body)) + body)\n    except OSError: pass"
    assert box.attack(trap + raw).fault == "bad-frame"
    assert not mark.exists()


def test_it_cannot_mount_its_way_back(box: Box) -> None:
    needs(box, "files", "privileges")
    secret = box.home / "behind-the-view"
    secret.write_text("secret", encoding="utf-8")
    box.give(secret)
    attempts = """
def back():
    return went_well(
        ('umount', lambda: call('umount2', b'/', 2)),
        ('umount proc', lambda: call('umount2', b'/proc', 2)),
        ('umount etc', lambda: call('umount2', b'/etc', 2)),
        ('writable', lambda: call('mount', None, b'/etc', None, 32 | 4096, None)),
        ('writable environment', lambda: call(
            'mount', None, sys.prefix.encode(), None, 32 | 4096, None)),
        ('move', lambda: call('mount', b'/usr', b'/tmp', None, 8192, None)),
        ('nodes', lambda: os.mknod('disk', 0o60600, os.makedev(254, 0))),
        ('descriptors', lambda: [os.listdir(f'/proc/self/fd/{n}/..') for n in range(64)]),
    )
"""
    for new in (0, 0x20000, 0x10000000, 0x10000000 | 0x20000, 0x10000000 | 0x20000 | 0x20000000):
        seen = box.attack(
            TRY
            + attempts
            + f"""
try: {new} and call('unshare', {new})
except OSError: pass
try:
    os.chroot('.')
    for _ in range(64): os.chdir('..')
    os.chroot('.')
except OSError: pass
done = back()
return [str(done), str(os.path.exists({str(secret)!r}))]
"""
        )
        assert seen.answer == ["['nothing']", "False"]


def test_it_fills_no_disk_but_its_own_memory(box: Box) -> None:
    needs(box, "files")
    written = box.attack("""
total = 0
for folder in (os.environ['HOME'], '/tmp', '/dev/shm'):
    try:
        descriptor = os.open(os.path.join(folder, 'big'), os.O_CREAT | os.O_RDWR)
        while total < 16 << 30:
            os.posix_fallocate(descriptor, 0, os.fstat(descriptor).st_size + (32 << 20))
            total += 32 << 20
    except OSError: pass
return [total]
""")
    assert 0 < written.answer[0] <= 2 * (SCRATCH_MB << 20)
    assert written.left == []


def test_nothing_of_it_lives_on(box: Box) -> None:
    daemon = box.attack("""
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
        time.sleep(1000)
    os._exit(0)
time.sleep(0.2)
return ['left one']
""")
    assert daemon.answer == ["left one"]
    assert daemon.left == []


def test_it_cannot_look_into_another_process(box: Box) -> None:
    needs(box, "privileges")
    looked = box.attack(
        TRY
        + """
mine = os.getpid()
try: seen = [int(p) for p in os.listdir('/proc') if p.isdigit()]
except OSError: seen = []
others = {os.getppid(), *seen} - {0, mine}
acts = []
for other in others:
    acts += [
        (f'attach to {other}', lambda: call('ptrace', 16, other, None, None)),
        (f'memory of {other}', lambda: open(f'/proc/{other}/mem', 'rb').close()),
        (f'root of {other}', lambda: os.listdir(f'/proc/{other}/root')),
        (f'descriptors of {other}', lambda: os.listdir(f'/proc/{other}/fd')),
    ]
parent = os.getppid()
return went_well(*[act for act in acts if str(parent) in act[0]])
"""
    )
    assert looked.answer == ["nothing"]


def test_a_required_layer_that_is_missing_loads_no_model(box: Box) -> None:
    off = sorted(layer for layer, on in box.layers.items() if not on)
    mark = f"print('loaded', flush=True); put = open({str(box.home / 'loaded')!r}, 'w')"
    for layer in off:
        fault = box.attack(load=mark, require=[layer])
        assert (fault.fault, fault.breach, fault.log_bytes) == ("uncaged", False, 0)
        assert f"the candidate was not loaded: the card requires the layer '{layer}'" in fault.what
        assert "which this machine does not give" in fault.what
    assert not (box.home / "loaded").exists()
    on = sorted(set(get_args(Layer)) - set(off))
    assert box.attack(require=on).answer == ["loaded"]


def test_it_cannot_write_the_evidence_of_its_own_cage(box: Box) -> None:
    lie = json.dumps(dict.fromkeys(get_args(Layer), ""))
    told = box.attack(
        load=f"""
main = sys.modules['__main__']
say = main.json_payload
lies = {lie}
main.json_payload = lambda told: say(
    {{**told, 'layers': lies, 'ready': {{**told['ready'], 'layers': lies}}}}
)
"""
    )
    assert told.answer == ["loaded"]
    assert told.layers == box.layers
