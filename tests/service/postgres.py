"""A PostgreSQL cluster of the tests' own, as an unprivileged user."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.servers import free_port

__all__ = ["new_database", "running_cluster"]

_PASSWORD = "p:ss/w@rd"
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=16MB")


def _programs() -> Path | None:
    """The folder of the newest PostgreSQL that is installed."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    named = shutil.which("initdb")
    if named:
        found.append(Path(named).parent)
    return max(found, key=lambda path: path.parent.name, default=None)


@contextmanager
def running_cluster() -> Iterator[str]:
    """A cluster that listens on this machine; gives the URL of its server, without a database."""
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    # Of all users, root is the one it refuses to run as; another may not look into pytest's folder.
    as_user: dict[str, Any] = {"user": "nobody", "extra_groups": []} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="gates-postgres-"))
    if as_user:
        shutil.chown(folder, "nobody")
    (folder / "password").write_text(_PASSWORD)
    (folder / "password").chmod(0o644)
    data, port = folder / "data", free_port()

    def run(program: str, *arguments: str) -> None:
        with (folder / f"{program}.said").open("ab") as said:
            done = subprocess.run(
                [programs / program, *arguments],
                cwd=folder,
                stdout=said,
                stderr=said,
                timeout=120,
                check=False,
                **as_user,
            )
        if done.returncode:
            log = "".join(path.read_text() for path in sorted(folder.glob("*.said")))
            pytest.fail(f"{program} failed:\n{log[-3000:]}")

    options = [f"-p {port} -k {folder} -h 127.0.0.1", *(f"-c {one}" for one in _QUICK)]
    try:
        auth = ("-U", "gates", "-A", "scram-sha-256", "--pwfile", str(folder / "password"))
        run("initdb", "-D", str(data), "--no-sync", "-E", "UTF8", "--locale=C", *auth)
        log = str(folder / "server.said")
        run("pg_ctl", "-D", str(data), "-w", "-l", log, "-o", " ".join(options), "start")
        try:
            yield f"postgresql://gates:p%3Ass%2Fw%40rd@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def new_database(cluster: str) -> str:
    """The URL of a fresh database.

    Args:
        cluster: The URL of its server.
    """
    name = f"gates_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(f"{cluster}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{cluster}/{name}"
