"""`gates diff`: two ranking files of the same queries, compared without a model, a card or MLflow.

plan.py         what is asked
population.py   which queries count, for how much, and in which slices
per_query.py    every metric of every query, from blocks of aligned lists
measure.py      from queries to measurements
lists.py        the result lists that a page shows, read again from the files
compare.py      all of it, in order: start here
files/          long files, read in pieces and brought together by query
document.py     a comparison as JSON, its queries as a Parquet table
"""

from gates.comparison.compare import compare
from gates.comparison.plan import ComparisonPlan

__all__ = ["ComparisonPlan", "compare"]
