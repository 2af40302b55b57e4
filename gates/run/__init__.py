"""One run, from a request to its delivery.

request.py       what a run is asked: one value, from a command, pytest's options, the service
gate.py          one candidate, one card, one verdict: read this first
session.py       one pytest run: opens the gate, hears the items, delivers; items.py: one test
                 a bound; drive.py: pytest started in this process; watcher.py: who sees it
version.py       a version: its files, lock and environment
arm.py           a version at work: asked once for each frame; predictions.py: for what
subject.py       both arms and the golden set, as checks get them
own_tests.py     tests of the model's own, as judgements
lock_audit.py    a version's lock against all it must agree with
folder.py        what a run leaves on disk while it goes on
delivery.py      evidence and reports, on disk and in MLflow
source.py        by hand, or by which run of continuous integration
pruning.py       the cache kept small
"""
