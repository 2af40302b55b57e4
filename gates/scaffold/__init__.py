"""`gates init`: what a gate needs, made for a model that is already in the registry.

model     what the version's files say of it; nothing is loaded
detection which task it has, and what that was found out from
tasks     what each task says of all this; one file a task
texts     golden queries from a CSV file or the logged input example
lists     golden candidates of a ranking model from a CSV or Parquet file
golden    the golden set's files
card      the model card
pages     the workflow and the first test of one's own
locks     locks for versions that were registered without one
plan      all of it together: what would be written, and what is missing
"""
