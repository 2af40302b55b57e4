"""Frozen values that every floor shares, and the judge; no file, process or network.

judging.py           measurements, bounds, outcomes, and the one function that judges;
                     waivers.py: what is excused for a while
tasks/               what each kind of model is asked and answers; one file a task
subject.py           what a check may ask of a run
golden_set.py        queries, candidates, judgments, expectations; phrases.py and design.py:
                     queries made from templates, and how queries were drawn
bar.py               how the demands of two cards differ
query_rows.py        what measurements were made of, as a file beside the evidence
counterexamples.py   what a version got wrong, for the next to be asked
installation.py      what an installer is given of a version: pins, hashes, a Python version
lock_report.py       what is known of a version's dependencies; lock_changes.py: in words
artifact_scan.py     what looking at a model's files found
exhibits.py          what a report shows beside the numbers, never judged
comparison.py        the record of `gates diff`
review.py            what a pull request changed, and what came of it
metric_names.py      `ndcg@{k}` and `ndcg@10`
id_repairs.py        why ids of two files do not meet
typos.py             every typing mistake of one letter
"""
