"""`gates promote`, `gates rollback`, `gates approve`: the alias moves only with its evidence.

promote.py    the alias to a candidate that evidence speaks for
rollback.py   … and back to a version that was under it before
guards.py     what a promotion asks, a function each: evidence and what there is now, compared
approvals.py  a second person has seen the evidence, and signs for it
refusals.py   a promotion that was refused stands in the history
plan.py       what a promotion would do, with each guard's answer
criteria.py   what a model is judged by as it is now
deployed.py   what serves somewhere, compared with the champion
guard.py      an alias that was moved past the gate: noticed, and put back
moves.py      the move: an event is recorded before the alias moves, and completed after
turns.py      one move at a time of a model, from whichever machine
"""
