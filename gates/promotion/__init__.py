"""`gates promote`, `gates rollback`, `gates approve`: the alias moves only with its evidence.

promote.py    the alias to a candidate that evidence speaks for
rollback.py   … and back to a version that was under it before
guards.py     what a promotion asks, a function each: evidence and what there is now, compared
approvals.py  a second person has seen the evidence, and signs for it
criteria.py   what a model is judged by as it is now
moves.py      the move: an event is recorded before the alias moves, and completed after
"""
