"""Two rankings of the same queries, compared: the gate's `ranking-diff` and `gates diff` alike.

    metric.py       what a metric is
    metrics/        one file a metric, found by listing it
    rows.py         what is asked of rows, wherever they come from
    population.py   which queries count, for how much, and in which slices
    measures.py     what is measured of every query, told from the names of measurements
    per_query.py    every metric of every query, from blocks of matched lists
    measure.py      from queries to measurements by name: start here
    measuring.py    how sure a mean or a share is
    differences.py  how sure a difference is; relative.py: as a share of the old mean
    paired.py       a metric of both rankings, query by query
    measured_rows.py  measured queries as a Parquet file, and measured again
    goals.py        what a bound asks of samples that are still to come
    exhibits.py     lists side by side, documents to judge next, slices that lost most
    slices.py       queries cut by the slices that somebody names

The check makes its rows from a golden set and two models. `gates diff` has them from files:

    files/          long files, read in pieces and brought together by query
    plan.py         what is asked of them
    compare.py      all of it, in order
    document.py     the answer as JSON, its queries as a Parquet table

And two sets of answers of one golden set, compared answer by answer: answers.py.
"""
