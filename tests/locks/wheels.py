"""Wheels made here, a folder of them, and an index that serves it."""

from __future__ import annotations

import base64
import hashlib
import html
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


def make_wheel(folder: Path, name: str, version: str, *needs: str) -> str:
    """A pure wheel with one module; gives its `sha256:…`."""
    info = f"{name}-{version}.dist-info"
    facts = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *needs, ""]
    wheel_facts = ["Wheel-Version: 1.0", "Generator: test", "Root-Is-Purelib: true"]
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": "\n".join(facts),
        f"{info}/WHEEL": "\n".join([*wheel_facts, "Tag: py3-none-any", ""]),
    }
    record = []
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record.append(f"{path},sha256={digest.rstrip(b'=').decode()},{len(text)}")
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def only_from(wheels: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let resolvers see a folder of wheels and nothing else, whatever this machine is set to."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(scratch / "uv-cache"))
    monkeypatch.setenv("PIP_TOOLS_CACHE_DIR", str(scratch / "pip-tools-cache"))
    monkeypatch.setenv("PIP_CACHE_DIR", str(scratch / "pip-cache"))
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_NO_INDEX", "1")


@dataclass
class Index:
    """A package index (PEP 503) of a folder's wheels.

    Attributes:
        url: Its address.
        yanked: File name → why its authors took it back.
    """

    url: str
    yanked: dict[str, str] = field(default_factory=dict)


@contextmanager
def served(wheels: Path, yanked: Mapping[str, str] | None = None) -> Iterator[Index]:
    """Serve a folder of packages as a package index on this machine."""
    index = Index("", dict(yanked or {}))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, kind, name, *_ = [*self.path.split("/"), "", ""]
            if kind == "simple" and (found := sorted(wheels.glob(f"{name}-*"))):
                self._send("".join(map(_link, found)).encode(), "text/html")
            elif kind == "files" and (wheels / name).is_file():
                self._send((wheels / name).read_bytes(), "application/octet-stream")
            else:
                self.send_error(404)

        do_HEAD = do_GET  # noqa: N815 - the server's name for it

        def _send(self, body: bytes, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    def _link(wheel: Path) -> str:
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        why = index.yanked.get(wheel.name)
        yanked = "" if why is None else f' data-yanked="{html.escape(why)}"'
        return f'<a href="/files/{wheel.name}#sha256={digest}"{yanked}>{wheel.name}</a>\n'

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.url = f"http://127.0.0.1:{server.server_port}/simple"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
