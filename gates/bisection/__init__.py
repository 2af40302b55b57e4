"""`gates lock bisect`: which change of a lock changes what a model answers.

bisect.py    from two locks and a model to a `Bisection`: start here
search.py    the whole upgrade first, then ever smaller parts of it
bench.py     one run of the model under one lock
journal.py   what has been tested, kept on disk after each test
finding.py   what was found, and in one line
"""

from gates.bisection.bench import Failure
from gates.bisection.bisect import bisect
from gates.bisection.finding import Bisection, changed
from gates.bisection.journal import Trial, bisection_key
from gates.comparison.answers import Difference, DifferingRow, Tolerance

__all__ = [
    "Bisection",
    "Difference",
    "DifferingRow",
    "Failure",
    "Tolerance",
    "Trial",
    "bisect",
    "bisection_key",
    "changed",
]
