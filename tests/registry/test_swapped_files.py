"""A store that somebody changes while it is read: what leads out of it is never read."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates.errors import IntegrityError
from gates.registry._opening import Tree
from gates.registry.digests import copy_counted, tree_digest

SECRET = b"a secret of the gate's user"

# Swaps a name between what it should be and a link that leads out, as fast as it can.
SWAPPER = """
import os, sys
place, other = sys.argv[1:]
kept, link = place + '.kept', place + '.link'
os.rename(place, kept)
while True:
    os.symlink(other, link); os.rename(link, place)
    os.remove(place)
    os.rename(kept, place); os.rename(place, kept)
"""


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "weights").write_bytes(SECRET)
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    root = tmp_path / "store"
    for folder in ("data", "more"):
        (root / folder).mkdir(parents=True)
        (root / folder / "weights").write_bytes(b"weights")
    (root / "MLmodel").write_bytes(b"flavors: {}")
    return root


@contextlib.contextmanager
def swapping(place: Path, other: Path) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", SWAPPER, str(place), str(other)]) as swapper:
        try:
            time.sleep(0.3)
            yield
        finally:
            swapper.kill()


@pytest.mark.parametrize("swapped", ["data/weights", "data", "MLmodel"])
def test_what_is_swapped_for_a_link_out_is_never_copied(
    swapped: str, store: Path, outside: Path, tmp_path: Path
) -> None:
    other = outside if swapped == "data" else outside / "weights"
    end = time.monotonic() + 4
    with swapping(store / swapped, other):
        at = 0
        while time.monotonic() < end:
            copy = tmp_path / f"copy{at}"
            with contextlib.suppress(IntegrityError):
                copy_counted(store, copy)
            at += 1
            held = [path.read_bytes() for path in copy.rglob("*") if path.is_file()]
            assert SECRET not in held
    assert at > 10


def test_a_file_swapped_between_listing_and_opening_is_not_followed(
    store: Path, outside: Path
) -> None:
    with Tree(store) as tree:
        names = sorted(tree.files())
        assert names == ["MLmodel", "data/weights", "more/weights"]
        (store / "MLmodel").unlink()
        (store / "MLmodel").symlink_to(outside / "weights")
        (store / "data").rename(store.parent / "moved")
        (store / "data").symlink_to(outside)
        for name in ("MLmodel", "data/weights"):
            with pytest.raises(IntegrityError, match="outside the folder"), tree.opened(name):
                pass
        (store / "more" / "weights").unlink()
        os.mkfifo(store / "more" / "weights")
        with pytest.raises(IntegrityError, match="regular"), tree.opened("more/weights"):
            pass


def test_the_root_moved_away_is_still_what_is_read(store: Path, outside: Path) -> None:
    digest = tree_digest(store)
    with Tree(store) as tree:
        store.rename(store.with_name("away"))
        store.symlink_to(outside)
        with tree.opened("data/weights") as stream:
            assert stream.read() == b"weights"
    assert tree_digest(store.with_name("away")) == digest


@pytest.mark.parametrize(
    "target",
    ["../outside/weights", "../../etc/passwd", "/etc/passwd", "data/../../outside/weights", "loop"],
)
def test_a_link_that_leads_out_is_refused(target: str, store: Path, outside: Path) -> None:
    (store / "loop").symlink_to(target)
    with pytest.raises(IntegrityError):
        tree_digest(store)


@pytest.mark.parametrize("made", ["fifo", "socket", "device", "broken"])
def test_what_is_no_file_is_refused_without_waiting(
    made: str, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = store / "data" / "odd"
    if made == "fifo":
        os.mkfifo(place)
    elif made == "socket":
        with socket.socket(socket.AF_UNIX) as service:
            monkeypatch.chdir(place.parent)  # its path may be too long for an address
            service.bind(place.name)
    elif made == "device":
        place.symlink_to("/dev/zero")
    else:
        place.symlink_to("nothing")
    with pytest.raises(IntegrityError):
        tree_digest(store)


@pytest.mark.parametrize(
    "target", ["data/weights", "../store/data/weights", "more/../data/weights"]
)
def test_a_link_within_the_folder_counts_as_its_file(
    target: str, store: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    (store / "alias").write_bytes(b"weights")
    copy_counted(store, plain)
    (store / "alias").unlink()
    (store / "alias").symlink_to(target)
    if target.startswith(".."):
        with pytest.raises(IntegrityError):
            tree_digest(store)
    else:
        assert tree_digest(store) == tree_digest(plain)
    (store / "alias").unlink()
    (store / "alias").symlink_to(store / "data" / "weights")
    assert tree_digest(store) == tree_digest(plain)
