"""What containers are given and what they say, without an engine."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import tarfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.environments._base_image import BaseImage
from gates.environments._owner import has_ended, this_process
from gates.environments._streams import Streams
from gates.environments._tar import tarred
from gates.environments.images import ImageCache
from gates.errors import BuildError
from gates.locks.lock import read_installable


@given(
    pieces=st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(max_size=40))),
    cuts=st.lists(st.integers(1, 30), min_size=1),
)
def test_a_stream_is_taken_apart_wherever_it_is_cut(
    pieces: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    whole = b"".join(struct.pack(">BxxxI", kind, len(data)) + data for kind, data in pieces)
    streams, written, at = Streams(), b"", 0
    while at < len(whole):
        size = cuts[at % len(cuts)]
        written += streams.feed(whole[at : at + size])
        at += size
    assert written == b"".join(data for kind, data in pieces if kind == 1)
    assert streams.log == b"".join(data for kind, data in pieces if kind == 2)


def test_of_a_long_log_only_the_end_is_kept() -> None:
    streams = Streams()
    for i in range(64):
        assert streams.feed(struct.pack(">BxxxI", 2, 1 << 20) + bytes([i]) * (1 << 20)) == b""
    assert streams.log == bytes([63]) * (64 << 10)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "inside").mkdir(parents=True)
    (root / "inside" / "data").write_bytes(bytes(range(256)) * 5000)
    (root / "program").write_bytes(b"#!/bin/sh\n")
    (root / "program").chmod(0o700)
    (root / "inside" / "data").chmod(0o400)
    (root / "link").symlink_to("/usr/bin/python3")
    (root / ("long" * 50)).touch()
    return root


def test_an_archive_holds_the_tree_readable_by_everybody_and_writable_by_root(tree: Path) -> None:
    packed = b"".join(tarred((tree, PurePosixPath("opt/here"))))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        members = {one.name: one for one in archive.getmembers()}
        data = archive.extractfile("opt/here/inside/data")
        assert data is not None
        assert data.read() == (tree / "inside" / "data").read_bytes()
    assert list(members)[:2] == ["opt", "opt/here"]
    assert f"opt/here/{'long' * 50}" in members
    assert members["opt/here/program"].mode == 0o755
    assert members["opt/here/inside/data"].mode == 0o644
    assert members["opt/here/link"].linkname == "/usr/bin/python3"
    assert {(one.uid, one.gid, one.mtime) for one in members.values()} == {(0, 0, 0)}


def test_archives_of_the_same_tree_are_the_same_bytes(tree: Path) -> None:
    first = b"".join(tarred((tree, PurePosixPath("x"))))
    os.utime(tree / "program", (1, 1))
    assert b"".join(tarred((tree, PurePosixPath("x")))) == first


@pytest.mark.parametrize(
    ("machine", "libc", "target"),
    [
        ("x86_64", "glibc-2.36", "x86_64-manylinux_2_36"),
        ("x86_64", "glibc-2.29", "x86_64-manylinux_2_28"),
        ("aarch64", "glibc-2.99", "aarch64-manylinux_2_40"),
        ("aarch64", "musl", "aarch64-unknown-linux-musl"),
    ],
)
def test_wheels_are_those_of_the_base_image(machine: str, libc: str, target: str) -> None:
    assert BaseImage("sha256:1", "3.11.2", "/usr/bin/python3", machine, libc).target == target


@pytest.mark.parametrize(("machine", "libc"), [("s390x", "glibc-2.36"), ("x86_64", "glibc-2.5")])
def test_a_platform_without_wheels_is_named(machine: str, libc: str) -> None:
    base = BaseImage("sha256:1", "3.11.2", "/usr/bin/python3", machine, libc)
    with pytest.raises(BuildError, match="for which no wheels can be chosen"):
        base.target  # noqa: B018 - it is asked for


def test_an_owner_that_runs_has_not_ended_and_one_of_another_machine_is_not_judged() -> None:
    assert not has_ended(this_process())
    assert not has_ended("another-machine 1 1")
    assert not has_ended("nonsense")


def test_an_owner_that_has_ended_is_known_even_when_its_id_is_given_anew() -> None:
    code = "from gates.environments._owner import this_process; print(this_process())"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert has_ended(said)
    machine, _, started = said.split(" ")
    assert has_ended(f"{machine} {os.getpid()} {started}")


@pytest.mark.parametrize("host", ["unix:///no/such/engine.sock", "tcp://127.0.0.1:9"])
def test_an_engine_that_is_not_there_is_named_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    lock = tmp_path / "requirements.txt"
    lock.touch()
    with pytest.raises(BuildError, match="the Docker engine cannot be reached at") as caught:
        ImageCache(tmp_path).ensure(read_installable(lock), image="any")
    assert host in caught.value.what
    assert caught.value.what.endswith(("No such file or directory", "Connection refused"))
    assert "DOCKER_HOST" in caught.value.advice


@pytest.mark.parametrize("host", ["ssh://someone@somewhere", "tcp://127.0.0.1:2376"])
def test_an_engine_behind_tls_or_ssh_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    lock = tmp_path / "requirements.txt"
    lock.touch()
    with pytest.raises(BuildError, match="cannot be spoken to") as caught:
        ImageCache(tmp_path).ensure(read_installable(lock), image="any")
    assert "someone" not in str(caught.value)
    assert "Forward its socket" in caught.value.advice
