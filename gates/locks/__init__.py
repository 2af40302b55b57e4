"""Locks: what a model version was built with, and whether that can be believed.

    lock.py      a hash-locked requirements.txt, line by line: `read_lock`
    inputs.py    what a person asked for, in requirements.in or pyproject.toml: `read_inputs`
    verify.py    the two together with an environment and the repository's lock: `verify`
    subsets.py   which changes of an upgrade can be made without which: `Upgrade`
    mixed.py     a lock of lines of two locks: `mixed_lock`
    ddmin.py     the smallest part of a set that shows what the whole shows: `ddmin`
    markers.py   which requirements hold on which Python: `target_environment`

Nothing here goes to the network, and nothing here runs or imports what a lock names.
"""
