"""Long files of rankings and judgments: read in pieces, coded, and brought together by query.

    source.py     a file that can be read piece by piece
    formats.py    Parquet, CSV, JSON lines and TREC files as such sources: _parquet.py, _text.py
    columns.py    which column is what, and what a cell may hold
    order.py      by what a ranking is ordered, and what is doubtful about it
    coded.py      one piece of a file: text ids as codes, each query's rows in rank order
    store.py      all pieces of a file, in memory or in partitions on disk
    regroup.py    files whose queries lie scattered, rewritten query by query
    aligned.py    old, new and judgments of the same queries, a block at a time
    rows.py       these as a comparison asks for them, and lists to show read again
    queries.py    the weights, design and slices of the queries
    judgment_notes.py   judgments that stand there twice, or meet no ranking
    arrow.py      numbers between Arrow and NumPy; parallel.py: work in threads, in order

Nothing holds a whole file's text in memory: ids become 64-bit codes piece by piece.
"""
