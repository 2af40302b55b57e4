"""Golden sets: what a model is judged on, read from a folder and checked end to end.

    reader.py      from a folder to a `GoldenSet`: start here
    manifest.py    where a set comes from, and what its columns mean
    digest.py      one name for all of its bytes
    files.py       one file as text, CSV or Parquet; pairs.py: what rows of pairs share
    recording.py   a version's answers as expectations; adding.py: one query more
    sheet.py       a CSV file changed by a command: the rest stays to the byte
    snapshot.py    the features a model was trained on

One file a kind of file: `queries.py`, `candidates.py`, `judgments.py`, `expectations.py`,
`templates.py`, `synonyms.py`, `never_show.py`.
"""

from gates.golden.digest import golden_digest
from gates.golden.reader import read_golden

__all__ = ["golden_digest", "read_golden"]
