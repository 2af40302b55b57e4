"""The stream of an attached container, taken apart into what it wrote to stdout and stderr."""

from __future__ import annotations

import struct

__all__ = ["Streams"]

_HEADER_BYTES = 8
_STDOUT = 1
_TAIL_BYTES = 64 << 10


class Streams:
    """The engine's stream: pieces, each after eight bytes `>BxxxI` (1 stdout or 2 stderr; length).

    Of stderr only the end is kept.

    Source: Docker Engine API, "Attach to a container", stream format.
    """

    def __init__(self) -> None:
        self._header = b""
        self._kind = 0
        self._left = 0
        self._tail = bytearray()

    @property
    def log(self) -> bytes:
        """The end of what it wrote to stderr, at most 64 KiB."""
        return bytes(self._tail)

    def feed(self, chunk: bytes) -> bytes:
        """Take in a chunk; gives what of it was written to stdout."""
        written = bytearray()
        view = memoryview(chunk)
        while view:
            if not self._left:
                missing = _HEADER_BYTES - len(self._header)
                self._header += bytes(view[:missing])
                view = view[missing:]
                if len(self._header) == _HEADER_BYTES:
                    self._kind, self._left = struct.unpack(">BxxxI", self._header)
                    self._header = b""
                continue
            piece, view = view[: self._left], view[self._left :]
            self._left -= len(piece)
            if self._kind == _STDOUT:
                written += piece
            else:
                self._tail += piece[-_TAIL_BYTES:]
                del self._tail[:-_TAIL_BYTES]
        return bytes(written)
