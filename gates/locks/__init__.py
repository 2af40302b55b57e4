"""Locks: what a model version was built with, and whether that can be believed.

    lock.py      a hash-locked requirements.txt, line by line: `read_lock`
    inputs.py    what a person asked for, in requirements.in or pyproject.toml: `read_inputs`
    verify.py    the two together with an environment and the repository's lock: `verify`
    diff.py      what changed between two locks, and `chains.py` why it is there: `diff_locks`
    compile.py   from what a person asked for to a lock, as an `order.py` says: `compile_lock`
    resolve.py   whether the resolvers would give a lock again: `resolve_again`
    markers.py   which requirements hold on which Python: `target_environment`

Nothing here runs or imports what a lock names. Only `compile` and `resolve` start resolvers, which
go to the index; compiling may build what comes as source only, resolving again never does.
"""
