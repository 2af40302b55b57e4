"""Old ranking, new ranking and judgments of the same queries, brought together block by block."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.comparison.files.arrow import as_arrow
from gates.comparison.files.coded import CodedPiece, code_pieces
from gates.comparison.files.columns import Columns, Reading, judgment_columns, read_pieces
from gates.comparison.files.formats import open_source
from gates.comparison.files.order import Order, ordered_columns
from gates.comparison.files.parallel import in_order
from gates.comparison.files.regroup import regrouped
from gates.comparison.files.source import Source
from gates.comparison.files.store import CodedFile, Collector, Partition, Scattered
from gates.comparison.rows import AlignedQueries
from gates.errors import RankingError
from gates.kernels.ids import Codes
from gates.kernels.matching import Lists
from gates.kernels.packed import Ints

__all__ = ["Aligned", "align"]

MEMORY = 144 << 20
"""Bytes of codes that are held in memory; beyond it they are kept on disk, by query."""

_QUERIES = 4096  # of a block: smaller ones would have threads wait for one another

Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True, eq=False)
class Aligned:
    """Three files that speak of the same queries.

    Attributes:
        old: The old ranking.
        new: The new ranking.
        query: uint64[Q], codes of all queries of any file, ordered as their ids are.
        names: Arrow strings[Q], their ids, ascending.
        partitions: How many partitions the rows are kept in.
        notes: What to know of how the rankings are ordered.
    """

    old: CodedFile
    new: CodedFile
    judgments: CodedFile
    query: Codes
    names: pa.Array
    partitions: int
    notes: tuple[str, ...] = ()

    def blocks(self) -> Iterator[AlignedQueries]:
        """All queries, some thousand at a time, in no order that means anything; once."""
        by_code = np.argsort(self.query)
        codes = self.query[by_code]
        for number in range(self.partitions):
            parts = [one.part(number) for one in (self.old, self.new, self.judgments)]
            held = np.unique(np.concatenate([part.query for part in parts]))
            # In the order of the old file, whose rows then lie together.
            held = held[np.argsort(_starts(parts[0], held), kind="stable")]
            for first in range(0, held.size, _QUERIES):
                some = held[first : first + _QUERIES]
                old, new, judged = (_lists(part, some) for part in parts)
                grades = parts[2].grades[judged[1]].astype(np.float64)
                yield AlignedQueries(
                    by_code[np.searchsorted(codes, some)], old[0], new[0], judged[0], grades
                )


def align(
    old: Path,
    new: Path,
    judgments: Path,
    *,
    scratch: Path,
    progress: Progress,
    order: Order = "",
    memory: int = MEMORY,
) -> Aligned:
    """Read three long files and bring their queries together.

    Args:
        old: The ranking in production.
        new: The ranking under test.
        judgments: The relevance judgments.
        scratch: A folder for what does not fit into memory.
        progress: Told how many rows were read so far, and of how many (None when nobody knows).
        order: What orders both rankings, where somebody said.
        memory: Bytes of codes to hold in memory; it changes no result.

    Raises:
        RankingError: A file is missing or wrong.
    """
    sources = [
        open_source(old, "run"),
        open_source(new, "run"),
        open_source(judgments, "judgments"),
    ]
    found = [ordered_columns(one, order) for one in sources[:2]]
    columns = [*(one for one, _ in found), judgment_columns(sources[2])]
    notes = tuple(dict.fromkeys(note for _, some in found for note in some))
    partitions = _partitions(sources, memory)
    known = [source.rows for source in sources]
    total = None if None in known else sum(one for one in known if one is not None)
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        progress(done, total)

    files = _read(list(zip(sources, columns, strict=True)), partitions, scratch, count)
    pa.default_memory_pool().release_unused()  # what decoding took is not needed again
    for file in files:
        if not file.rows:
            raise RankingError(
                "it holds no row, so there is nothing to compare",
                path=file.source.path,
                advice="name a file with rows in it",
            )
    query, first = np.unique(np.concatenate([one.query for one in files]), return_index=True)
    names = pa.concat_arrays([one.names for one in files]).take(as_arrow(first))
    by_name = pc.sort_indices(names)
    query = query[np.from_dlpack(by_name)]
    return Aligned(files[0], files[1], files[2], query, names.take(by_name), partitions, notes)


def _read(
    files: Sequence[tuple[Source, Columns]],
    partitions: int,
    scratch: Path,
    count: Callable[[int], None],
) -> list[CodedFile]:
    """Read files side by side; those whose queries lie scattered are regrouped and read again."""
    collectors = [
        Collector(
            source,
            columns,
            partitions=partitions,
            scratch=Path(tempfile.mkdtemp(dir=scratch)) / "r",
        )
        for source, columns in files
    ]

    def code(task: tuple[int, Reading]) -> tuple[int, CodedPiece]:
        number, read = task
        return number, code_pieces(read(), files[number][1])

    tasks = ((number, read) for number, file in enumerate(files) for read in read_pieces(*file))
    for number, coded in in_order(code, tasks):
        collectors[number].add(coded)
        count(coded.codes.size)
    return [
        _finished(collector, *file, partitions, scratch)
        for collector, file in zip(collectors, files, strict=True)
    ]


def _finished(
    collector: Collector, source: Source, columns: Columns, partitions: int, scratch: Path
) -> CodedFile:
    try:
        return collector.finish()
    except Scattered:
        again = regrouped(source, columns, Path(tempfile.mkdtemp(dir=scratch)) / "regrouped")
        # The numbers of the rows are a column now.
        columns = replace(columns, counted=False)
        (file,) = _read([(again, columns)], partitions, scratch, lambda _: None)
        return file


def _partitions(sources: Sequence[Source], memory: int) -> int:
    """How many partitions make the codes of one of them fit into memory, a power of two."""
    rows = sum(one.bytes // 12 if one.rows is None else one.rows for one in sources)
    needed = rows * 10  # eight bytes a code, and a grade in every third file
    return 1 if needed <= memory else 1 << (2 * needed // memory).bit_length()


def _starts(part: Partition, query: Codes) -> Ints:
    """Where each query's rows begin; those without rows come last."""
    place = np.minimum(np.searchsorted(part.query, query), max(part.query.size - 1, 0))
    if not part.query.size:
        return np.zeros(query.size, dtype=np.int64)
    there = part.query[place] == query
    return np.where(there, part.start[place], np.iinfo(np.int64).max)


def _lists(part: Partition, query: Codes) -> tuple[Lists, Ints]:
    """The rows of some queries, packed; and which rows of the part they are."""
    start = np.zeros(query.size, dtype=np.int64)
    length = np.zeros(query.size, dtype=np.int64)
    if part.query.size:
        place = np.minimum(np.searchsorted(part.query, query), part.query.size - 1)
        there = part.query[place] == query
        start[there], length[there] = part.start[place[there]], part.length[place[there]]
    starts = np.concatenate(([0], np.cumsum(length)))
    rows = np.repeat(start - starts[:-1], length) + np.arange(int(starts[-1]))
    return Lists(starts, part.codes[rows]), rows
