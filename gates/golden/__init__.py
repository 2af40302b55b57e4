"""Golden sets: what a model is judged on, read from a folder and checked from end to end.

`manifest.py` says where a set comes from, `files.py` and `table.py` read and check one table;
`queries.py`, `candidates.py`, `judgments.py`, `expectations.py`, `templates.py`, `synonyms.py` and
`never_show.py` each know one kind of file. `reader.py` puts them together and `digest.py` names the
bytes; `recording.py` and `adding.py` say what a command would write.
"""

from gates.golden.digest import golden_digest
from gates.golden.reader import read_golden

__all__ = ["golden_digest", "read_golden"]
