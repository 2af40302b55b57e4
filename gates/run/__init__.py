"""One run, from a request to its delivery.

request.py       what a run is asked: one value, from a command, pytest's options, the service
gate.py          one candidate, one card, one verdict: read this first
session.py       one run: opens the gate, judges, delivers; drive.py: one driven to its end;
                 watcher.py: who sees it
serving.py       the judge asked over a socket; front.py: the pytest that people see, which asks;
                 items.py: one test a bound, one an own test
version.py       a version: its files, lock and environment
arm.py           a version at work: asked once for each frame; predictions.py: for what
subject.py       both arms and the golden set, as checks get them
bar.py           when the card was committed, and how its bounds moved since results were seen
own_tests.py     tests of the model's own, as judgements; own_process.py: their process, told what
                 to run; caged_tests.py: its program, with caged_session.py (pytest in it) and
                 caged_arms.py (both versions as tests see them there)
lock_audit.py    a version's lock against all it must agree with
folder.py        what a run leaves on disk while it goes on
delivery.py      evidence and reports, on disk and in MLflow
source.py        by hand, or by which run of continuous integration
pruning.py       the cache kept small
"""
