"""A model's own tests, in their cage: the program that `own_process.py` starts there.

Run by path as `<python> -I -B -u caged_tests.py <requests> <replies> <hello>`, the cage closed
around it. All that pytest would load of a project (its conftests, its settings, its tests, whatever
they import) is loaded here and nowhere else.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import sys

_PR_SET_DUMPABLE = 4


def main() -> None:
    """Make this the interpreter of whoever asked, then hand over to pytest."""
    requests, replies, hello = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3])  # noqa: TID251 - nothing of ours is to be found before the path is set
    for pipe in (requests, replies):
        os.set_inheritable(pipe, False)
    if sys.platform == "linux":  # a model's worker may be the same user
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    # In its scratch folder, which is its home: a project is read-only.
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = os.environ["HOME"] + "/hypothesis"
    with contextlib.suppress(OSError):
        os.chdir(hello["project"])
    known = set(sys.path)
    sys.path[:0] = [one for one in hello["path"] if one not in known]
    sys.argv = ["pytest"]
    from gates.run.caged_session import run_tests

    run_tests(requests, replies, hello)


if __name__ == "__main__":
    main()
