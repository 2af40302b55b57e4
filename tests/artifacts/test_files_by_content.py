"""Archives, compressed files and arrays are opened by what they are, within bounds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gates.artifacts.scan import scan_artifact
from tests.artifacts.samples import Calls, hostile, said, scan, zipped

CALLS = f"calls {os.name}.system('id') (critical)"


@pytest.mark.parametrize("name", ["weights.bin", "README.md", "model.onnx", "noname"])
def test_a_pickle_is_known_whatever_it_is_called(name: str, tmp_path: Path) -> None:
    assert said(scan(tmp_path, hostile(), name)) == [f"{name} {CALLS}"]
    assert said(scan(tmp_path, hostile(0), name)) == [f"{name} {CALLS}"]


@pytest.mark.parametrize(
    "compress",
    [
        zlib.compress,
        gzip.compress,
        bz2.compress,
        lzma.compress,
        lambda raw: lzma.compress(raw, format=lzma.FORMAT_ALONE),
        lambda raw: gzip.compress(raw[:9]) + gzip.compress(raw[9:]),
        lambda raw: zlib.compress(raw[:9]) + zlib.compress(raw[9:]),
    ],
    ids=["zlib", "gzip", "bz2", "xz", "lzma", "gzip in two", "zlib in two"],
)
def test_compressed_pickles_are_followed(
    compress: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    assert said(scan(tmp_path, compress(hostile()), "model.joblib")) == [f"model.joblib {CALLS}"]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_of_zip_archives_are_followed_also_nested(method: int, tmp_path: Path) -> None:
    inner = zipped({"archive/data": hostile()}, method)
    found = said(scan(tmp_path, zipped({"in.zip": inner}, method), "model.pt"))
    assert found == [f"model.pt: in.zip: archive/data {CALLS}"]


def test_a_wrong_checksum_or_a_password_flag_hides_no_member(tmp_path: Path) -> None:
    for at, (offset, value) in enumerate(((16, b"\0\0\0\0"), (8, b"\1"))):
        archive = bytearray(zipped({"data.pkl": hostile()}))
        place = archive.find(b"PK\x01\x02") + offset
        archive[place : place + len(value)] = value
        found = said(scan(tmp_path / str(at), bytes(archive), "model.pt"))
        assert found == [f"model.pt: data.pkl {CALLS}"]


def test_a_zip_archive_after_other_bytes_is_opened(tmp_path: Path) -> None:
    found = said(scan(tmp_path, b"#!/bin/sh\n" + zipped({"data.pkl": hostile()}), "run"))
    assert f"run: data.pkl {CALLS}" in found


def test_members_of_tar_archives_are_followed(tmp_path: Path) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        member = tarfile.TarInfo("../data.pkl")
        member.size = len(hostile(0))
        archive.addfile(member, io.BytesIO(hostile(0)))
    found = said(scan(tmp_path, target.getvalue(), "model.bin"))
    assert found == [f"model.bin: ../data.pkl {CALLS}"]


def test_object_arrays_are_pickles_and_others_are_not(tmp_path: Path) -> None:
    objects = np.array([Calls(os.system, "id")], dtype=object)
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "a.npz", objects)
    np.savez_compressed(tmp_path / "b.npz", numbers=np.arange(1000.0))
    assert sorted(said(scan_artifact(tmp_path))) == [
        f"a.npy {CALLS}",
        f"a.npz: arr_0.npy {CALLS}",
    ]


def test_a_keras_lambda_layer_is_code_and_file_operations_are_high(tmp_path: Path) -> None:
    layer = b'{"config": {"layers": [{"class_name": "Lambda", "config": {}}]}}'
    keras = scan(tmp_path / "keras", zipped({"config.json": layer}), "model.keras")
    assert said(keras) == ["model.keras: config.json holds a Keras Lambda layer (medium)"]
    graph = scan(tmp_path / "tf", b"\x0a\x04node\x12\x09WriteFile", "saved_model.pb")
    assert [one.severity for one in graph.findings] == ["high"]


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"\x04\x22\x4d\x18", "LZ4"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"7z\xbc\xaf\x27\x1c", "7z"),
        (b"PK\x03\x04", "damaged zip"),
        (b"\x93NUMPY\x01\x00\x01\x00{", "bad header"),
        (b"ZF0x12", "joblib before 0.10"),
    ],
)
def test_what_cannot_be_looked_into_is_unread_with_the_reason(
    head: bytes, why: str, tmp_path: Path
) -> None:
    report = scan(tmp_path, head + bytes(100), "model.bin")
    assert (report.files, report.scanned, report.findings) == (1, 0, ())
    assert why in report.unread["model.bin"]


def test_a_zip_bomb_is_unread_and_so_is_what_comes_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gates.artifacts._values.MOST_EXPANDED", 20 << 20)
    members = {str(at): bytes(4 << 20) for at in range(8)}
    (tmp_path / "a.zip").write_bytes(zipped(members, zipfile.ZIP_DEFLATED))
    (tmp_path / "b.joblib").write_bytes(zlib.compress(hostile()))
    report = scan_artifact(tmp_path)
    assert report.scanned == 0
    assert set(report.unread) == {"a.zip", "b.joblib"}
    assert all("expands to more than" in why for why in report.unread.values())


def test_a_large_file_with_nothing_in_it_is_looked_at_whole(tmp_path: Path) -> None:
    with (tmp_path / "sparse.bin").open("wb") as stream:
        stream.truncate(200 << 20)
    report = scan_artifact(tmp_path)
    assert (report.scanned, report.findings, report.unread) == (1, (), {})


def test_files_nested_too_deep_are_unread(tmp_path: Path) -> None:
    content = hostile()
    for _ in range(20):
        content = zipped({"a": content})
    report = scan(tmp_path, content, "deep.zip")
    assert "one inside the other" in next(iter(report.unread.values()))


def test_opcodes_that_would_fill_memory_are_unread(tmp_path: Path) -> None:
    report = scan(tmp_path, b"\x80\x04" + b"(" * 200_000 + b".")
    assert "deep" in report.unread["model.pkl"]


def test_links_are_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.pkl"
    outside.write_bytes(hostile())
    model = tmp_path / "model"
    model.mkdir()
    (model / "link.pkl").symlink_to(outside)
    (model / "folder").symlink_to(tmp_path)
    os.mkfifo(model / "pipe")
    report = scan_artifact(model)
    assert report.findings == ()
    assert set(report.unread) == {"link.pkl", "folder", "pipe"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"cloudpickle==3.1.2\nnumpy==2.4.6\n",
        b"cos\nsin\ntan\nsystem\n",
        b"channels:\n- conda-forge\n",
        b"BZh is how a bz2 file begins\n",
        b"x\x9cnot zlib at all",
        b"\x80\x02\x00\x00" + bytes(range(256)),
        struct.pack("<4q", 128, 640, 1, 2),
        b"\x5d\x00\x00\x01 not lzma",
    ],
)
def test_other_files_are_no_findings(content: bytes, tmp_path: Path) -> None:
    report = scan(tmp_path, content, "file.txt")
    assert (report.findings, report.unread) == ((), {})


def test_random_bytes_are_no_findings(tmp_path: Path) -> None:
    for seed in range(20):
        noise = np.random.default_rng(seed).bytes(200_000)
        report = scan(tmp_path, noise, "weights.bin")
        assert (report.findings, report.unread) == ((), {})


def test_every_way_to_damage_a_pickle_gives_a_report(tmp_path: Path) -> None:
    whole = pickle.dumps({"a": [1, (2, "x"), Calls(os.system, "id")], "b": {3.0, None}})
    generator = np.random.default_rng(5)
    for _ in range(300):
        damaged = bytearray(whole)
        for at in generator.integers(0, len(whole), 3):
            damaged[at] = int(generator.integers(0, 256))
        assert scan(tmp_path, bytes(damaged)).files == 1
