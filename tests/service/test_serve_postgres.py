"""Two services that share a PostgreSQL: each version is gated once, and a host may die for ever."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import pytest

from gates.registry.mlflow import MlflowRegistry
from tests.conftest import VERSIONS, Shelf
from tests.service.postgres import new_database
from tests.service.processes import GatesServe, eventually
from tests.toys import MODEL, copy_project

pytestmark = pytest.mark.requires_postgres


def test_two_hosts_gate_each_version_once_and_one_takes_over_from_the_other(
    shelf: Shelf, cluster: str, tmp_path: Path
) -> None:
    project = copy_project(shelf.project, tmp_path / "shop")
    store = tmp_path / "mlflow.db"
    store.write_bytes((shelf.project / ".gates" / "pristine.db").read_bytes())
    uri = f"sqlite:///{store}"
    tell = {"GATES_SERVE_DATABASE": new_database(cluster), "GATES_SERVE_WORKERS": "1"}
    tell["GATES_SERVE_TAKEOVER"] = "8s"
    with ExitStack() as stack:
        hosts = [
            stack.enter_context(GatesServe(project, uri, shelf.cache, environ=tell))
            for _ in range(2)
        ]
        versions = [str(list(VERSIONS).index(name) + 1) for name in ("good", "noise", "hangs")]
        asked = [hosts[place % 2].ask(MODEL, version) for place, version in enumerate(versions)]
        again = [hosts[1 - place % 2].ask(MODEL, one) for place, one in enumerate(versions)]
        assert {one["id"] for one in asked} >= {one["id"] for one in again}
        # Whoever has the slow one dies, and never comes back.
        slow = hosts[0].job_when(versions[2], ["running"], ["score", "judge"])
        told = hosts[0].get(f"/api/v1/gates/{slow['id']}/journal")
        (starter,) = re.findall(r"was started by \S+-(\d)", "\n".join(one["text"] for one in told))
        gone, left = hosts[int(starter)], hosts[1 - int(starter)]
        gone.kill()
        ended = [left.job_when(version) for version in versions]
        assert [one["verdict"] for one in ended] == ["PASS", "PASS", "UNDECIDED"]
        left.job_when(str(len(VERSIONS)))  # the newest, which the reconciler found
        assert set(Counter(one["version"] for one in left.jobs()).values()) == {1}
        registry = MlflowRegistry(uri, shelf.cache)
        gated = Counter(one.version for one in registry.events(MODEL) if one.kind == "gate")
        assert gated == Counter([*versions, str(len(VERSIONS))])
        eventually(lambda: left.get("/ready")["status"] == "ready")
        assert left.terminate() == 0
