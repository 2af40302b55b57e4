"""Locks: what a model version was built with, and whether that can be believed.

    lock.py        a hash-locked requirements.txt, line by line: `read_lock`; _lines.py, _via.py
    inputs.py      what a person asked for, in requirements.in or pyproject.toml: `read_inputs`
    markers.py     which requirements hold on which Python: `target_environment`
    verify.py      the lock against all it must agree with: `verify`; each part is a file of its own
    unneeded.py    pins that nothing asks for
    imports.py     imports that nothing provides: _import_statements.py, _standard_library.py
    recorded.py    versions in the model's own files: _mlmodel_versions.py, _model_bytes.py,
                   _written.py
    base_image.py  images a Dockerfile builds on
    advisories.py  what is known against the pins: `read_advisories`, `audit`; from where and in
                   which form: _advisory_source.py, _fetch.py, _osv.py
    finding.py     what each part gives: how much it looked at, or why it could not
    resolve.py     whether the resolvers (_resolvers.py) would give a lock again: `resolve_again`
    compile.py     from what a person asked for to a lock, as an `order.py` says: `compile_lock`
    diff.py        what changed between two locks, and `chains.py` why it is there: `diff_locks`
    source_files.py  source distributions, fetched unopened
    late.py        locks made for versions that were registered without one; logged.py: from what
                   MLflow logged
    requires.py    what a distribution's own metadata says it requires
    subsets.py     which parts of an upgrade can be installed; `mixed.py` writes their locks
    ddmin.py       the smallest part that still does it

Nothing here runs or imports what a lock names, or unpickles a model. `compile` and `resolve` start
resolvers, which go to the index (compiling may build what comes as source only, resolving again
never does); `read_advisories` goes to the URL it is given.
"""
