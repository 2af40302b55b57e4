"""A model in a container: the same numbers, more taken away from it, and nothing left behind."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from docker.errors import ImageNotFound

from gates.domain.judging import Layer
from gates.environments._container import ContainerWorker
from gates.environments._engine import connected
from gates.environments.cache import EnvironmentCache
from gates.environments.images import (
    ContainerEnvironment,
    ImageCache,
    forget_image,
    image_tag,
)
from gates.environments.inspect import distributions
from gates.environments.launching import Limits
from gates.environments.outputs import as_scores
from gates.environments.process import Worker
from gates.environments.stock import kept_environments, remove_environment
from gates.errors import BuildError, ModelFault
from gates.locks.lock import read_installable
from tests.containers import BASE_IMAGE, needs_docker

from .test_isolation import is_gone
from .toy_models import write_model

pytestmark = needs_docker

FRAME = {"a": [1.0, 2.0, 3.0]}
DATA_LOCK = Path(__file__).with_name("data-requirements.txt")
StartContainer = Callable[..., Worker]


def cut_lock(folder: Path, *names: str, key: str = "") -> Path:
    """A lock of some of the large one's distributions.

    Tests that look at what the engine has under an environment's key name one of their own: an
    image is all caches' of the engine, and tests in other processes build some at the same time.
    """
    entries = re.findall(
        r"^(\S+)==(.*(?:\n    --hash.*)+)", DATA_LOCK.read_text(encoding="utf-8"), re.MULTILINE
    )
    wanted = [f"{name}=={rest}\n" for name, rest in entries if name in names]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "requirements.txt"
    path.write_text(f"# {key}\n{''.join(wanted)}" if key else "".join(wanted), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def images(gates_cache: Path) -> Iterator[ImageCache]:
    yield ImageCache(gates_cache)
    with connected() as engine:  # what was built anew has lost its name
        engine.images.prune(filters={"dangling": True, "label": ["mlgates.key"]})


@pytest.fixture(scope="module")
def bare(images: ImageCache, tmp_path_factory: pytest.TempPathFactory) -> ContainerEnvironment:
    return images.ensure(
        read_installable(cut_lock(tmp_path_factory.mktemp("bare"))), image=BASE_IMAGE
    )


@pytest.fixture
def start(bare: ContainerEnvironment, tmp_path: Path) -> Iterator[StartContainer]:
    """Start a worker on a toy model in the bare container; closed when the test ends."""
    workers: list[Worker] = []

    def start_worker(
        predict: str = "return x['a']", *, load: str = "", limits: Limits | None = None
    ) -> Worker:
        model = write_model(tmp_path / f"model{len(workers)}", predict, load=load)
        workers.append(Worker.start(bare, model, limits or Limits(), "candidate"))
        return workers[-1]

    yield start_worker
    for worker in workers:
        worker.close()


def fault_of(worker: Worker) -> ModelFault:
    with pytest.raises(ModelFault, match="the candidate ") as caught:
        worker.predict(FRAME)
    return caught.value


def own_containers() -> list[str]:
    """The states of the containers that this process has."""
    with connected() as engine:
        found = engine.api.containers(all=True, filters={"label": ["mlgates.gate"]})
    return [one["State"] for one in found if f" {os.getpid()} " in one["Labels"]["mlgates.gate"]]


def volume_of(worker: Worker) -> str:
    """The name of the volume that the worker's container was given."""
    child = worker._child
    assert isinstance(child, ContainerWorker)
    child._container.reload()
    (mount,) = child._container.attrs["Mounts"]
    return str(mount["Name"])


# ---- the image -------------------------------------------------------------------------------


def test_an_image_holds_what_the_lock_says_and_is_found_again(
    images: ImageCache, tmp_path: Path
) -> None:
    lock = cut_lock(tmp_path, "zipp", "click")
    built = images.ensure(read_installable(lock), image=BASE_IMAGE)
    assert [one.name for one in distributions(built.path)] == ["click", "zipp"]
    again = images.ensure(read_installable(lock), image=BASE_IMAGE, python=built.facts.python)
    assert again.facts.cached
    assert again == replace(built, facts=again.facts)
    model = write_model(tmp_path / "model", "import click, zipp; return [click.__file__]")
    with Worker.start(built, model, Limits(), "candidate") as worker:
        (place,) = worker.predict(FRAME)["prediction"]
    assert place.startswith("/opt/mlgates/environment/lib/python3")


def test_the_facts_say_which_image_python_and_platform(bare: ContainerEnvironment) -> None:
    with connected() as engine:
        base = engine.images.get(BASE_IMAGE)
    assert bare.facts.image == base.id
    assert bare.facts.platform.startswith("Linux-")
    assert bare.facts.python.startswith("3.")


def test_an_image_the_engine_has_lost_is_built_anew(images: ImageCache, tmp_path: Path) -> None:
    lock = cut_lock(tmp_path, "zipp", key=str(tmp_path))
    first = images.ensure(read_installable(lock), image=BASE_IMAGE)
    with connected() as engine:
        engine.images.remove(first.image, force=True)
    again = images.ensure(read_installable(lock), image=BASE_IMAGE)
    assert not again.facts.cached
    assert again.facts.key == first.facts.key
    forget_image(first.facts.key)


def test_two_builders_at_once_build_one_image(tmp_path: Path) -> None:
    lock = cut_lock(tmp_path, "zipp", key=str(tmp_path))
    images = ImageCache(tmp_path / "cache")
    with ThreadPoolExecutor(2) as pool:
        both = list(
            pool.map(lambda _: images.ensure(read_installable(lock), image=BASE_IMAGE), range(2))
        )
    assert both[0].image == both[1].image
    assert sorted(one.facts.cached for one in both) == [False, True]
    forget_image(both[0].facts.key)


def test_caches_of_one_engine_share_its_image(tmp_path: Path) -> None:
    lock = cut_lock(tmp_path, "zipp", key=str(tmp_path))
    one, other = (
        ImageCache(tmp_path / name).ensure(read_installable(lock), image=BASE_IMAGE)
        for name in ("one", "other")
    )
    assert one.image == other.image
    assert not other.facts.cached
    assert [each.name for each in distributions(other.path)] == ["zipp"]
    forget_image(one.facts.key)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("no-such-image:1", "is not on the Docker engine"),
        (f"127.0.0.1:9/no-such@sha256:{'0' * 64}", "failed while pulling the base image"),
    ],
)
def test_an_image_that_is_not_there_is_named_with_what_to_do(
    images: ImageCache, tmp_path: Path, image: str, words: str
) -> None:
    with pytest.raises(BuildError, match=words) as caught:
        images.ensure(read_installable(cut_lock(tmp_path)), image=image)
    assert "docker load" in caught.value.advice


def test_another_python_than_the_images_is_refused(images: ImageCache, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"the model needs Python 3\.99.*has 3\."):
        images.ensure(read_installable(cut_lock(tmp_path)), image=BASE_IMAGE, python="3.99.1")


def test_a_lock_that_has_no_wheel_for_the_image_builds_nothing(
    images: ImageCache, tmp_path: Path
) -> None:
    lock = tmp_path / "requirements.txt"
    digest = "49b3a825280bd66b3aa83585ef59c4a8c82f2c8a522dbe754a8bc8db08c83491"
    lock.write_text(f"docopt==0.6.2 --hash=sha256:{digest}\n", encoding="utf-8")
    with pytest.raises(BuildError, match=r"docopt==0\.6\.2 has no usable wheels"):
        images.ensure(read_installable(lock), image=BASE_IMAGE)


def test_what_a_package_asks_to_be_run_at_every_start_is_not_run_by_the_build(
    images: ImageCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = tmp_path / "eager-1.0-py3-none-any.whl"
    records = {
        "eager.pth": "import os; os.path.exists('/opt/mlgates') and os.system("
        "'touch /opt/mlgates/environment/ran /tmp/ran')\n",
        "eager-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: eager\nVersion: 1.0\n",
        "eager-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"
        "Tag: py3-none-any\n",
        "eager-1.0.dist-info/RECORD": "eager.pth,,\n",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in records.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = tmp_path / "requirements.txt"
    lock.write_text(f"eager==1.0 --hash=sha256:{digest}\n")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    environment = images.ensure(read_installable(lock), image=BASE_IMAGE)
    look = "return [path for path in ('/opt/mlgates/environment/ran', '/tmp/ran')"
    model = write_model(tmp_path / "model", f"{look} if os.path.exists(path)]")
    with Worker.start(environment, model, Limits(), "candidate") as worker:
        ran = list(worker.predict(FRAME)["prediction"])
    with connected() as engine:
        engine.images.remove(environment.image)  # its lock names a folder that nobody has again
    assert ran == ["/tmp/ran"]  # noqa: S108 - the container's: there it was run as nobody


# ---- the numbers -----------------------------------------------------------------------------


def test_a_model_scores_in_a_container_as_in_a_virtual_environment_bit_for_bit(
    images: ImageCache, gates_cache: Path, tmp_path: Path
) -> None:
    lock = cut_lock(tmp_path, "numpy")
    model = write_model(
        tmp_path / "model",
        "import numpy as np\n"
        "rows = np.column_stack([x[name] for name in sorted(x)])\n"
        "weights = np.random.default_rng(1).normal(size=(rows.shape[1], 16))\n"
        "return np.tanh(rows @ weights).sum(axis=1) + np.exp(-rows[:, 0] ** 2)",
    )
    rng = np.random.default_rng(7)
    frame = {name: rng.normal(size=5000) for name in "abcdefgh"}
    scores = []
    for environment in (
        EnvironmentCache(gates_cache).ensure(read_installable(lock)),
        images.ensure(read_installable(lock), image=BASE_IMAGE),
    ):
        with Worker.start(environment, model, Limits(), "candidate") as worker:
            scores.append(as_scores(worker.predict(frame), 5000))
    assert scores[0].tobytes() == scores[1].tobytes()


def test_a_long_frame_comes_back_whole(start: StartContainer) -> None:
    frame = {"a": np.arange(300_000.0)}
    assert as_scores(start().predict(frame), 300_000).tolist() == frame["a"].tolist()


# ---- what is taken away ----------------------------------------------------------------------


def test_every_layer_is_on_and_stands_in_the_facts(start: StartContainer) -> None:
    layers = start().ready().layers
    assert layers == dict.fromkeys([*get_args(Layer), "environment", "variables"], True)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("[os.getuid() == os.getgid() == os.geteuid(), os.getuid() >= 20_000]", [True, True]),
        ("sorted(os.listdir('/sys/class/net'))", ["lo"]),
        ("[open('/proc/self/status').read().count('CapEff:\\t0000000000000000')]", [1]),
        ("[open('/proc/self/status').read().count('NoNewPrivs:\\t1')]", [1]),
        (
            """[p for p in os.listdir('/proc') if p.isdigit()
                and b'worker' not in open(f'/proc/{p}/cmdline', 'rb').read()]""",
            [],
        ),
        ("[os.getcwd(), os.environ['HOME'], os.environ['TMPDIR']]", ["/tmp"] * 3),  # noqa: S108 - the container's
        ("[name for name in os.environ if 'SECRET' in name]", []),
    ],
)
def test_it_is_nobody_and_sees_nobody(
    start: StartContainer, monkeypatch: pytest.MonkeyPatch, question: str, answer: list[Any]
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    assert list(start(f"return {question}").predict(FRAME)["prediction"]) == answer


def test_it_reaches_nobody(start: StartContainer) -> None:
    worker = start("""
        try: socket.create_connection(('127.0.0.1', 1), 5)
        except ConnectionRefusedError: pass
        try: socket.create_connection(('192.0.2.1', 80), 5)
        except OSError as error: return [os.strerror(error.errno)]
    """)
    assert list(worker.predict(FRAME)["prediction"]) == ["Network is unreachable"]


def test_it_can_write_to_its_scratch_folder_and_nowhere_else(start: StartContainer) -> None:
    worker = start("""
        found = []
        for place in ('/tmp', '/', '/opt/mlgates/given', '/opt/mlgates/given/model/code', '/etc',
                      '/opt/mlgates/environment/lib', '/var/tmp', '/usr/bin', '/run', '/home'):
            try: open(place + '/written', 'w').close()
            except OSError: continue
            found.append(place)
        return found
    """)
    assert list(worker.predict(FRAME)["prediction"]) == ["/tmp"]  # noqa: S108 - the container's


def test_its_scratch_folder_has_an_end(start: StartContainer) -> None:
    worker = start(
        """
        try:
            with open('big', 'wb') as file:
                for _ in range(200): file.write(bytes(1 << 20))
        except OSError as error: return [os.strerror(error.errno)]
        """,
        limits=Limits(memory_mb=256),
    )
    assert list(worker.predict(FRAME)["prediction"]) == ["No space left on device"]


def test_a_fork_bomb_meets_the_limit(start: StartContainer) -> None:
    worker = start("""
        count = 0
        try:
            while count < 5000:
                if os.fork() == 0: time.sleep(1000)
                count += 1
        except OSError: pass
        return [count]
    """)
    (count,) = worker.predict(FRAME)["prediction"]
    assert 200 < count < 256
    worker.close()
    assert own_containers() == []


# ---- what goes wrong -------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["bytearray(8 << 30)", "[b'x' * (i + 1 << 20) for i in range(99)]"])
def test_a_model_that_eats_memory_is_stopped_by_name(start: StartContainer, act: str) -> None:
    small = Limits(memory_mb=128)
    for worker in (start(load=act, limits=small), start(act, limits=small)):
        fault = fault_of(worker)
        assert (fault.kind, fault.breach) == ("out-of-memory", False)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("os._exit(3)", "it exited with code 3"),
        ("os._exit(0)", "it exited with code 0"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "it was killed by SIGKILL"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "it was killed by SIGSEGV"),
    ],
)
def test_a_model_that_dies_is_named_with_how(start: StartContainer, act: str, words: str) -> None:
    fault = fault_of(start(f"print('last words', flush=True); {act}"))
    assert fault.kind == "died"
    assert f"died while predicting: {words}" in fault.what
    assert "last words" in fault.log


def test_a_container_killed_from_outside_has_died(start: StartContainer) -> None:
    worker = start()
    worker.ready()
    pid = worker.pid
    os.kill(pid, signal.SIGKILL)
    assert is_gone(pid)
    assert "SIGKILL" in fault_of(worker).what


def test_a_model_that_hangs_is_ended(start: StartContainer) -> None:
    fault = fault_of(start("while True: pass", limits=Limits(predict_seconds=1)))
    assert fault.kind == "hung"
    assert own_containers() == []


def test_a_model_that_fails_to_load_is_named_with_its_message(start: StartContainer) -> None:
    fault = fault_of(start(load="import no_such_module"))
    assert fault.kind == "load-failed"
    assert "No module named 'no_such_module'" in fault.what


def test_gigabytes_of_prints_neither_block_nor_fill_memory(start: StartContainer) -> None:
    worker = start("for _ in range(1500): os.write(2, b'x' * 1_000_000)\nos._exit(1)")
    fault = fault_of(worker)
    assert fault.kind == "died"
    assert len(fault.log) < 100_000


def test_a_model_that_never_stops_printing_is_answered_all_the_same(start: StartContainer) -> None:
    worker = start(
        load="def shout():\n"
        "    while True: os.write(2, b'x' * 10_000)\n"
        "threading.Thread(target=shout, daemon=True).start()"
    )
    for rows in (3, 100_000, 3):
        frame = {"a": np.arange(float(rows))}
        assert as_scores(worker.predict(frame), rows).tolist() == frame["a"].tolist()


def test_garbage_on_the_pipe_is_a_bad_frame(start: StartContainer) -> None:
    garbage = """
        for fd in range(3, 64):
            try: os.write(fd, b'garbage ' * 4)
            except OSError: pass
    """
    assert fault_of(start(load=garbage)).kind == "bad-frame"


# ---- what is left behind ---------------------------------------------------------------------


def test_a_closed_worker_leaves_no_container_and_no_volume(start: StartContainer) -> None:
    worker = start()
    worker.ready()
    assert own_containers() == ["running"]
    with connected() as engine:
        (volume,) = engine.volumes.list(filters={"name": volume_of(worker)})
        worker.close()
        assert own_containers() == []
        assert engine.volumes.list(filters={"name": str(volume.name)}) == []


GATE = """
import sys
from pathlib import Path
from gates.environments.images import ImageCache
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.locks.lock import read_installable
lock = read_installable(Path(sys.argv[2]))
environment = ImageCache(Path(sys.argv[1])).ensure(lock, image=sys.argv[3])
worker = Worker.start(environment, Path(sys.argv[4]), Limits(), "candidate")
worker.ready()
print(worker.pid, flush=True)
worker.predict({"a": [1.0]})
"""


@pytest.mark.parametrize("doing", ["time.sleep(1000)", "while True: pass"])
def test_a_killed_gate_leaves_no_running_container_and_the_next_removes_it(
    images: ImageCache, gates_cache: Path, tmp_path: Path, doing: str
) -> None:
    lock = cut_lock(tmp_path)
    model = write_model(tmp_path / "model", doing)
    command = [sys.executable, "-c", GATE, str(gates_cache), str(lock), BASE_IMAGE, str(model)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as gate:
        assert gate.stdout is not None
        pid = int(gate.stdout.readline())
        gate.kill()
    assert is_gone(pid)
    images.ensure(read_installable(lock), image=BASE_IMAGE)
    with connected() as engine:
        left = engine.api.containers(all=True, filters={"label": ["mlgates.gate"]})
    assert [one for one in left if f" {gate.pid} " in one["Labels"]["mlgates.gate"]] == []


def test_a_model_nobody_else_may_read_runs_all_the_same(
    bare: ContainerEnvironment, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "model")
    for path in (model, *model.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o400)
    with Worker.start(bare, model, Limits(), "candidate") as worker:
        assert list(worker.predict(FRAME)["prediction"]) == FRAME["a"]


def test_an_engine_that_goes_away_is_a_build_error(
    bare: ContainerEnvironment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path / 'nothing.sock'}")
    with pytest.raises(BuildError, match="the champion cannot run: the Docker engine cannot be"):
        Worker.start(bare, write_model(tmp_path / "model"), Limits(), "champion")


# ---- keeping the cache small -----------------------------------------------------------------


def test_a_pruned_environment_goes_with_its_image_and_one_in_use_stays(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    built = ImageCache(cache).ensure(
        read_installable(cut_lock(tmp_path / "lock", "zipp", key=str(tmp_path))), image=BASE_IMAGE
    )
    (kept,) = kept_environments(cache)
    assert (kept.state, kept.packages, kept.image) == ("in use", 1, built.facts.image)
    assert not remove_environment(kept)
    key = built.facts.key
    del built
    (kept,) = kept_environments(cache)
    assert kept.state == "whole"
    with connected() as engine:
        engine.images.get(image_tag(key))
        assert remove_environment(kept)
        with pytest.raises(ImageNotFound):
            engine.images.get(image_tag(key))
    assert kept_environments(cache) == ()
