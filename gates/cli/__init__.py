"""The command line: one file a command, errors caught once (`main.run`).

    main.py                 all commands, and where errors end
    common.py               what every command shares: options, settings, words and JSON
    _errors.py              how an error reaches whoever called

`gates lock check` is in `lock_check.py`, and so on; those of `gates golden` are in `golden.py`,
`add.py` and `record.py`. What commands print at length, or call upon, is beside them:
`_lock_report.py`, `_lock_look.py`, `_lock_changes.py`, `_bisection_words.py`, `_gating_tools.py`.
"""
