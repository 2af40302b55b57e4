"""What a card lets be built from source is built in a cage, from its hash, and evidence says so."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from gates.domain.installation import InstallableLock, SourceBuilds
from gates.environments import tasks
from gates.environments.cache import EnvironmentCache
from gates.environments.launching import Limits
from gates.environments.process import Worker
from gates.errors import BuildError, LockError
from gates.locks.lock import read_installable
from gates.locks.source_files import source_builds
from tests.locks.wheels import served

from .packages import alone, sdist, wheel
from .toy_models import write_model

SETUPTOOLS = """\
setuptools==80.9.0 \\
    --hash=sha256:062d34222ad13e0cc312a4c02d73f059e86a4acbfbdea8f8f76b28c99f306922
"""
ONE = source_builds(["Quiet"])

# A backend of its own that writes a wheel by hand: what it saw is in the wheel.
BACKEND = """\
import base64, hashlib, json, os, pathlib, socket, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
{body}
    name = "quiet-1.0.dist-info"
    files = {{
        "quiet.py": "SEEN = " + repr(seen) + chr(10),
        name + "/METADATA": "Metadata-Version: 2.1\\nName: quiet\\nVersion: 1.0\\n",
        name + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    files[name + "/RECORD"] = "".join(path + ",,\\n" for path in [*files, name + "/RECORD"])
    with zipfile.ZipFile(pathlib.Path(folder, {wheel!r}), "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return {wheel!r}
"""
TOML = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages, which installers see alone."""
    folder = tmp_path / "packages"
    folder.mkdir()
    alone(folder, monkeypatch)
    return folder


def backed(body: str, wheel: str = "quiet-1.0-py3-none-any.whl") -> Mapping[str, str]:
    """A source distribution whose backend runs a body, which sets `seen`."""
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    return {"pyproject.toml": TOML, "backend.py": BACKEND.format(body=indented, wheel=wheel)}


def locked(tmp_path: Path, text: str) -> InstallableLock:
    path = tmp_path / "requirements.txt"
    path.write_text(text, encoding="utf-8")
    return read_installable(path)


def imported(tmp_path: Path, lock: InstallableLock, name: str, sources: SourceBuilds = ONE) -> str:
    """What a model, in its cage, finds in the module `quiet` under a name."""
    environment = EnvironmentCache(tmp_path / "cache").ensure(lock, sources=sources)
    predict = f"import quiet; return [repr(quiet.{name})]"
    model = write_model(tmp_path / "model", predict)
    with Worker.start(environment, model, Limits(), "candidate") as worker:
        return str(worker.predict({"a": [1.0]})["prediction"][0])


def test_what_the_card_names_is_built_and_told(tmp_path: Path, shop: Path) -> None:
    line = sdist(shop, "quiet", backed("seen = 'built'"))
    lock = locked(tmp_path, line + wheel(shop, "plank"))
    cache = EnvironmentCache(tmp_path / "cache")
    facts = cache.ensure(lock, sources=ONE).facts
    digest = hashlib.sha256((shop / "quiet-1.0.tar.gz").read_bytes()).hexdigest()
    assert {one.name: one.source for one in facts.distributions} == {
        "plank": "",
        "quiet": f"sha256:{digest}",
    }
    again = cache.ensure(lock, sources=ONE).facts
    assert (again.cached, again.distributions) == (True, facts.distributions)
    assert imported(tmp_path, lock, "SEEN") == "'built'"
    held = {path.name for path in (tmp_path / "cache" / "envs" / facts.key).iterdir()}
    assert "gates-build" not in held
    other = EnvironmentCache(tmp_path / "other").ensure(lock, sources=ONE).facts
    assert other.distributions == facts.distributions  # the build gives the same bytes again


def test_only_what_the_card_names_is_built(tmp_path: Path, shop: Path) -> None:
    lines = sdist(shop, "quiet", backed("seen = 1")) + sdist(shop, "loud")
    with pytest.raises(BuildError, match=r"loud==1\.0 has no usable wheels") as caught:
        EnvironmentCache(tmp_path / "cache").ensure(locked(tmp_path, lines), sources=ONE)
    assert "source_builds" in caught.value.advice


def test_a_setup_py_is_built_by_the_setuptools_that_the_lock_pins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    lock = locked(tmp_path, sdist(tmp_path, "quiet") + SETUPTOOLS)
    assert imported(tmp_path, lock, "BUILT") == "True"


def test_a_build_that_needs_what_the_lock_does_not_pin_says_so(tmp_path: Path, shop: Path) -> None:
    lock = locked(tmp_path, sdist(shop, "quiet"))
    with pytest.raises(BuildError, match="its build needs setuptools, which the lock does not pin"):
        EnvironmentCache(tmp_path / "cache").ensure(lock, sources=ONE)


ATTACKS = {
    "the gate's variables": "seen = os.environ.get('GATES_SIGNING_KEY')",
    "the gate's variables, from its process": (
        "seen = None\n"
        "for one in pathlib.Path('/proc').glob('[0-9]*/environ'):\n"
        "    try:\n"
        "        seen = seen or (True if {path!r}.encode() in one.read_bytes() else None)\n"
        "    except OSError:\n"
        "        pass"
    ),
    "a file of the user": (
        "try:\n    seen = pathlib.Path({home!r}, 'token').read_text()\n"
        "except OSError:\n    seen = None"
    ),
    "a file beside the cache": (
        "try:\n    pathlib.Path({home!r}, 'owned').touch()\n    seen = 'wrote'\n"
        "except OSError:\n    seen = None"
    ),
    "a port of this machine": (
        "try:\n    seen = socket.create_connection(('127.0.0.1', {port}), 2) and 'reached'\n"
        "except OSError:\n    seen = None"
    ),
    "its environment": (
        "import sysconfig\n"
        "try:\n"
        "    pathlib.Path(sysconfig.get_path('purelib'), 'evil.pth').touch()\n    seen = 'wrote'\n"
        "except OSError:\n    seen = None"
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_build_reaches_nothing_of_the_gates(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch, attack: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "token").write_text("a-secret")
    monkeypatch.setenv("GATES_SIGNING_KEY", "a-secret")
    with served(shop) as index:
        port = int(index.url.partition("//")[2].partition("/")[0].partition(":")[2])
        body = attack.format(home=str(home), port=port, path=os.environ["PATH"])
        lock = locked(tmp_path, sdist(shop, "quiet", backed(body)))
        assert imported(tmp_path, lock, "SEEN") == "None"
    assert not (home / "owned").exists()


@pytest.mark.parametrize(
    ("body", "name", "words"),
    [
        ("raise RuntimeError('no compiler')", "", "failed: RuntimeError: no compiler"),
        ("raise SystemExit(3)", "", "failed: SystemExit: 3"),
        ("os._exit(7)", "", "died: it exited with code 7"),
        ("seen = 1", "plank-1.0-py3-none-any.whl", "left plank-1.0-py3-none-any.whl, and not its"),
        ("seen = 1", "quiet-2.0-py3-none-any.whl", "left quiet-2.0-py3-none-any.whl, and not its"),
        ("seen = 1", "quiet.whl", "left quiet.whl, and not its wheel"),
        (
            "seen = 1\npathlib.Path(folder, 'more').symlink_to('/etc/passwd')",
            "",
            "left something else than files and folders: ./more is neither",
        ),
        ("seen = 1\nos.mkfifo(pathlib.Path(folder, 'pipe'))", "", "is neither a file nor a folder"),
    ],
)
def test_a_build_that_fails_or_leaves_something_else_is_named(
    tmp_path: Path, shop: Path, body: str, name: str, words: str
) -> None:
    files = backed(body, name) if name else backed(body)
    lock = locked(tmp_path, sdist(shop, "quiet", files))
    with pytest.raises(BuildError, match=r"^quiet 1\.0: ") as caught:
        EnvironmentCache(tmp_path / "cache").ensure(lock, sources=ONE)
    assert words in caught.value.what
    assert [path.suffix for path in (tmp_path / "cache" / "envs").iterdir()] == [".lock"]


def test_a_build_that_takes_too_long_is_ended(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = partial(tasks.CagedTask, seconds=3.0)
    monkeypatch.setattr(
        "gates.environments._source_builds.CagedTask",
        lambda **given: hasty(**{name: one for name, one in given.items() if name != "seconds"}),
    )
    lock = locked(tmp_path, sdist(shop, "quiet", backed("import time; time.sleep(600)")))
    with pytest.raises(BuildError, match="had not finished after 3 s"):
        EnvironmentCache(tmp_path / "cache").ensure(lock, sources=ONE)


def test_another_file_than_the_locked_one_is_not_built(tmp_path: Path, shop: Path) -> None:
    mark = tmp_path / "owned"
    line = sdist(shop, "quiet", backed("seen = 1"))
    sdist(shop, "quiet", backed(f"open({str(mark)!r}, 'w'); seen = 2"))
    with pytest.raises(LockError, match="no source distribution with a hash of the lock"):
        EnvironmentCache(tmp_path / "cache").ensure(locked(tmp_path, line), sources=ONE)
    assert not mark.exists()


def test_a_source_distribution_comes_from_an_index_as_well(
    tmp_path: Path, shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = sdist(shop, "quiet", backed("seen = 'by index'"))
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    with served(shop) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        assert imported(tmp_path, locked(tmp_path, line), "SEEN") == "'by index'"


NO_CAGE = """
import json, sys
from pathlib import Path
from gates.environments import tasks
from gates.environments.cache import EnvironmentCache
from gates.errors import BuildError
from gates.locks.lock import read_installable
from gates.locks.source_files import source_builds
tasks.layers_told = lambda told, given: {**told["layers"], **json.loads(sys.argv[3])}
try:
    lock = read_installable(Path(sys.argv[2]))
    EnvironmentCache(Path(sys.argv[1])).ensure(lock, sources=source_builds(["quiet"]))
except BuildError as problem:
    print(problem.what)
"""


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (["files", "landlock"], "takes a cage with the layer 'files' or 'landlock'"),
        (["network", "system-calls"], "takes a cage with the layer 'network' or 'system-calls'"),
        (["privileges"], "takes a cage with the layer 'privileges'"),
    ],
)
def test_without_a_cage_nothing_is_built(
    tmp_path: Path, shop: Path, off: list[str], words: str
) -> None:
    lock = locked(tmp_path, sdist(shop, "quiet", backed("seen = 1")))
    told = json.dumps(dict.fromkeys(off, "not here"))
    done = subprocess.run(
        [sys.executable, "-c", NO_CAGE, str(tmp_path / "cache"), str(lock.path), told],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ.copy(),
    )
    assert words in done.stdout, done.stderr
