"""A hundred promotions and rollbacks of two candidates at once make one history, however."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from gates.promotion.promote import promote
from gates.promotion.rollback import rollback
from gates.registry.history import read_history
from gates.registry.mlflow import MlflowRegistry
from tests.registry.stores import embedded, toy_model
from tests.servers import MlflowServer

from .parts import criteria, toy_card, write_gated

# A machine with other work takes minutes for what an idle one does in one.
pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]


def prepared(registry: MlflowRegistry, folder: Path, model: str) -> None:
    """Three versions, of which the first was promoted and the second is the champion."""
    card = toy_card(folder / "project", model)
    for number in "123":
        registry.register(model, toy_model(folder / number, number), {}, "")
    for number in "12":
        evidence = write_gated(folder / f"{number}.json", registry, card, number)
        promote(
            registry,
            card,
            f"{model}/{number}",
            evidence,
            criteria=criteria(evidence),
            why="before the race",
            by="ada",
            first=number == "1",
        )


def raced(
    uri: str,
    model: str,
    caches: Sequence[Path],
    processes: int,
    operations: int,
    within: Sequence[Sequence[str]] = (),
) -> Counter[str]:
    """Let processes race from several machines, each with a cache and locks of its own."""
    started = []
    for place, cache in enumerate(caches):
        command = [
            *(within[place] if within else ()),
            sys.executable,
            "-m",
            __package__ + ".racing",
        ]
        command += [uri, str(cache), model, str(processes), str(operations)]
        environ = {
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        }
        started.append(
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ)
        )
    found: Counter[str] = Counter()
    for one in started:
        said, _ = one.communicate(timeout=900)
        found.update(json.loads(said))
    return found


def assert_one_history(registry: MlflowRegistry, model: str, moved: int) -> None:
    """One chain, whose last line is where the alias is, and back from there as often as wanted."""
    history = read_history(registry, model)
    moves = [one for one in history.moves if one.state == "done"]
    assert len(moves) == moved + 2
    assert history.faults == ()
    assert {one.kind for one in moves} <= {"promote", "rollback"}
    for after, before in pairwise(moves):
        assert after.previous_version == before.version
    assert history.aliases["champion"] == moves[0].version
    for _ in range(3):
        event = rollback(registry, model, "champion", why="after the race", by="ada")
        assert registry.aliases(model)["champion"] == event.version


def test_a_hundred_moves_of_many_processes_on_one_store(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    registry = embedded(tmp_path, tmp_path_factory)
    prepared(registry, tmp_path, "toy")
    said = raced(registry._connection.uri, "toy", [tmp_path / "cache"], 25, 4)
    assert set(said) <= {"moved", "refused"}, said
    assert said.total() == 100
    assert_one_history(registry, "toy", said["moved"])


def test_several_machines_on_one_server(tmp_path: Path, server: str) -> None:
    registry = MlflowRegistry(server, tmp_path / "cache")
    prepared(registry, tmp_path, "raced")
    caches = [tmp_path / f"machine-{number}" for number in range(3)]
    said = raced(server, "raced", caches, 4, 1)
    assert set(said) <= {"moved", "refused"}, said
    assert said.total() == 12
    assert_one_history(registry, "raced", said["moved"])


_BRIDGE, _NET = "gatesbr0", "10.213.87"


@pytest.fixture
def machines() -> Iterator[list[list[str]]]:
    """Three machines with networks of their own, as far as the kernel has such: their prefixes."""
    names = [f"gates-race-{number}" for number in range(3)]

    def ip(*words: str) -> None:
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def clean() -> None:
        for words in (["link", "del", _BRIDGE], *(["netns", "del", name] for name in names)):
            subprocess.run(["ip", *words], check=False, capture_output=True)

    clean()
    try:
        ip("link", "add", _BRIDGE, "type", "bridge")
        ip("addr", "add", f"{_NET}.1/24", "dev", _BRIDGE)
        ip("link", "set", _BRIDGE, "up")
        for number, name in enumerate(names):
            ip("netns", "add", name)
            ip("link", "add", f"gatesv{number}", "type", "veth", "peer", "eth0", "netns", name)
            ip("link", "set", f"gatesv{number}", "master", _BRIDGE, "up")
            ip("-n", name, "addr", "add", f"{_NET}.{10 + number}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
    except (OSError, subprocess.CalledProcessError) as problem:
        clean()
        pytest.skip(f"network namespaces need root and iproute2: {problem}")
    yield [["ip", "netns", "exec", name] for name in names]
    clean()


def test_a_hundred_moves_from_three_machines_on_one_server(
    tmp_path: Path, machines: list[list[str]]
) -> None:
    caches = [tmp_path / f"machine-{number}" for number in range(3)]
    with MlflowServer(tmp_path, host=f"{_NET}.1") as server:
        registry = MlflowRegistry(server.uri, tmp_path / "cache")
        prepared(registry, tmp_path, "raced")
        said = raced(server.uri, "raced", caches, 4, 9, machines)
        assert set(said) <= {"moved", "refused"}, said
        assert said.total() == 108
        assert_one_history(registry, "raced", said["moved"])
