"""`gates init`: what a gate needs, made for a model that is already in the registry.

plan.py        all of it together: what would be written, and what is missing
model.py       what the version's files say of it; nothing is loaded
detection.py   which task it has, and what that was found out from
tasks/         what each task says of all this; one file a task
texts.py       golden queries from a CSV file or the logged input example
lists.py       golden candidates of a ranking model from a CSV or Parquet file
golden.py      the golden set's files
card.py        the model card
pages.py       the workflow and the first test of one's own
locks.py       locks for versions that were registered without one
"""
