"""The record of a run, who vouches for it, and what the next run asks again.

evidence.py          the record: its schema, canonical bytes, digest; written and read
version_1.py         what earlier versions wrote, brought to the form of today; their exhibits:
                     version_1_exhibits.py
inventory.py         all that a run must come to, listed before anything runs
verdict.py           the verdict, derived again from what was measured
facts.py             where a run ran, and with what
signing.py           Ed25519 signatures over those bytes
counterexamples.py   what later runs ask again, kept in the project
"""
