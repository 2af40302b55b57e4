"""The record of a run, who vouches for it, and what the next run asks again.

evidence.py          the record: its schema, canonical bytes, digest
statement.py         the record as an in-toto statement: subjects, a test result
envelope.py          a DSSE envelope around the statement, with signatures
approval.py          that somebody saw the evidence and lets it promote, signed by a key of theirs
signing.py           Ed25519 keys: in a file, in a variable, or behind a command
bundle.py            the file `evidence.json`, written and read
version_2.py         what earlier versions wrote, brought to the form of today: a bare record, and
version_1.py         one without causes; its exhibits: version_1_exhibits.py
inventory.py         all that a run must come to, listed before anything runs
bar.py               when the bar was fixed, and whether it moved once results were seen
verdict.py           the verdict, derived again from what was measured
rejudging.py         the verdict that another card would have given
facts.py             where a run ran, and with what
counterexamples.py   what later runs ask again, kept in the project
"""
