"""Base images: pinned by digest, or named."""

from __future__ import annotations

from pathlib import Path

import pytest

from gates.locks.base_image import base_images, is_pinned_image
from gates.locks.finding import LockFinding

from .samples import Write

DIGEST = "sha256:" + "0123456789abcdef" * 4
PINNED = f"python:3.12@{DIGEST}"


@pytest.mark.parametrize(
    ("image", "pinned"),
    [
        (PINNED, True),
        (f"registry.example.org:5000/team/base@{DIGEST}", True),
        (DIGEST, True),
        ("python:3.12", False),
        ("python", False),
        ("", False),
        (f"python@{DIGEST[:-1]}", False),
        (f"python@{DIGEST.upper()}", False),
        (f"python@{DIGEST}\n", False),
        (f"@{DIGEST}", False),
        (f"a b@{DIGEST}", False),
        ("python@sha512:" + "a" * 128, False),
        ("0123456789abcdef" * 4, False),
    ],
)
def test_a_reference_is_pinned_by_a_whole_sha256_digest(image: str, pinned: bool) -> None:
    assert is_pinned_image(image) is pinned


@pytest.mark.parametrize(
    ("text", "looked_at"),
    [
        (f"FROM {PINNED}\n", 1),
        (f"FROM scratch\nCOPY --from={PINNED} /a /b\n", 1),
        (f"FROM --platform=linux/amd64 {PINNED} AS build\nFROM build\nFROM Build AS last\n", 1),
        (f"FROM {PINNED} as build\nCOPY --from=build /a /b\nCOPY --from=0 /a /b\n", 1),
        (f"ARG BASE={PINNED}\nFROM $BASE\n", 1),
        (f'ARG TAG=3.12\nARG BASE="python:${{TAG}}@{DIGEST}"\nFROM "${{BASE}}"\n', 1),
        (f"FROM ${{BASE:-{PINNED}}}\n", 1),
        (f"FROM \\\n  # why\n\n  --platform=$BUILDPLATFORM \\\n  {PINNED}\n", 1),
        (f"# escape=`\nFROM `\n {PINNED}\n", 1),
        (f"FROM {PINNED}\nRUN cat <<EOF\nFROM python\nEOF\n", 1),
        (f"FROM {PINNED}\nRUN cat <<-'A' 3<<B\nFROM x\n\tA\nFROM y\nB\nUSER nobody\n", 1),
        (f"FROM {PINNED}\n# FROM python\nRUN echo FROM python && echo '<<EOF'\n", 1),
        (f"FROM {PINNED} AS a\nRUN --mount=type=bind,from=a,target=/x true\n", 1),
    ],
)
def test_a_dockerfile_that_builds_on_digests_alone_is_clean(
    write: Write, text: str, looked_at: int
) -> None:
    finding = base_images(write(text, "Dockerfile").parent)
    assert (finding.problems, finding.absent, finding.looked_at) == ((), "", looked_at)


@pytest.mark.parametrize(
    ("text", "line", "image"),
    [
        ("FROM python:3.12\n", 1, "python:3.12"),
        ("from python AS build\n", 1, "python"),
        (f"FROM {PINNED} AS build\nFROM builder\n", 2, "builder"),
        (f"FROM {PINNED}\nCOPY --from=nginx:1 /a /b\n", 2, "nginx:1"),
        (f"FROM {PINNED}\nCOPY --chown=1 --from=1 /a /b\n", 2, "1"),
        (f"FROM {PINNED}\nONBUILD COPY --from=nginx /a /b\n", 2, "nginx"),
        (f"FROM {PINNED}\nRUN --mount=type=bind,from=nginx,target=/x true\n", 2, "nginx"),
        ("ARG BASE=python:3.12\nFROM ${BASE}\n", 2, "python:3.12"),
        ("ARG BASE\nFROM $BASE\n", 2, "$BASE"),
        (f"FROM {PINNED}\nARG BASE={PINNED}\nFROM $BASE\n", 3, "$BASE"),
        ("FROM \\\n  python\n", 1, "python"),
        ("FROM python \\", 1, "python"),
        ("# escape=`\nFROM scratch\nRUN a\\\nFROM b\n", 4, "b"),
        (f"FROM {PINNED}\nRUN <<A\nx\nA\nFROM y\n", 5, "y"),
        (f"FROM {PINNED}\nRUN echo '<<EOF'\nFROM y\n", 3, "y"),
    ],
)
def test_an_image_that_can_change_is_named_with_its_line(
    write: Write, text: str, line: int, image: str
) -> None:
    (problem,) = base_images(write(text, "Dockerfile").parent).problems
    assert problem.kind == "base-image"
    assert problem.requirement == image
    assert problem.message.startswith(f"Dockerfile:{line} takes the image `{image}`, which is not")


def test_where_no_image_is_taken_there_was_nothing_to_find_and_it_is_said(write: Write) -> None:
    folder = write("FROM scratch\n", "Dockerfile").parent
    assert base_images(folder) == LockFinding("base-image", nothing="Dockerfile takes no image")
    (folder / "Dockerfile").unlink()
    assert base_images(folder) == LockFinding(
        "base-image", nothing="no Dockerfile is beside the lock"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"FROM \xff\n", "Dockerfile: it is not UTF-8 text (byte 5)"),
        (b"#" * (1 << 20) + b"\n", "Dockerfile: it is larger than 1 MiB"),
        (b"FROM scratch\nRUN <<A\nFROM x\n", "Dockerfile: the heredoc of line 2 never ends"),
    ],
)
def test_a_dockerfile_that_cannot_be_read_is_not_clean(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "Dockerfile").write_bytes(content)
    assert base_images(tmp_path).absent == reason


def test_a_containerfile_counts_as_well(write: Write) -> None:
    write("FROM a\n", "Containerfile")
    problems = base_images(write("FROM b\n", "Dockerfile").parent).problems
    assert [one.requirement for one in problems] == ["b", "a"]
