"""A process that works on jobs, for tests: `python -m tests.service.working PROJECT URI CACHE DB`.

It says `ready`, works until its stdin ends or SIGTERM comes, and says `stopped`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from gates.project import Project
from gates.service.config import load_config
from gates.service.context import Resources
from gates.service.store.database import open_database
from gates.service.store.jobs import Jobs
from gates.service.store.leases import Leases
from gates.service.work import DurableWork
from gates.settings import load_settings


def main() -> None:
    folder, uri, cache, database = sys.argv[1:]
    project = Project(load_settings(Path(folder), tracking_uri=uri, cache=Path(cache)))
    config = load_config(project.settings, environ={**os.environ, "GATES_SERVE_DATABASE": database})
    engine = open_database(database)
    work = DurableWork(
        Resources(
            config,
            project,
            Jobs(engine),
            Leases(engine),
            project.open_registry,
        )
    )
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    work.start()
    print("ready", flush=True)

    def listen() -> None:
        for line in sys.stdin:
            verb, _, job = line.strip().partition(" ")
            {"enqueue": work.enqueue, "cancel": work.cancel}[verb](job)
        stop.set()

    threading.Thread(target=listen, daemon=True).start()
    stop.wait()
    work.stop(timedelta(seconds=20))
    print("stopped", flush=True)


if __name__ == "__main__":
    main()
