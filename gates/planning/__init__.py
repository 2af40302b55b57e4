"""`gates plan`: how likely a card is to pass a version, before any version is run.

plan.py    every bound of a card held against samples like a pilot's: start here
pilot.py   the queries that they are like: of an earlier gate, or assumed
"""
