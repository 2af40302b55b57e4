"""Locks: what a model version was built with, and whether that can be believed.

    lock.py        a hash-locked requirements.txt, line by line: `read_lock`
    inputs.py      what a person asked for, in requirements.in or pyproject.toml: `read_inputs`
    markers.py     which requirements hold on which Python: `target_environment`
    verify.py      the lock against all it must agree with: `verify`; each part is a file of its own
    unneeded.py    pins that nothing asks for
    imports.py     imports that nothing provides
    recorded.py    versions in the model's own files
    base_image.py  images a Dockerfile builds on
    advisories.py  what is known against the pins: `read_advisories`, `audit`
    finding.py     what each part gives: how much it looked at, or why it could not

Only `read_advisories` goes to the network, and only to the URL it is given. Nothing here runs or
imports what a lock names, or unpickles a model.
"""
