"""mlgates: a release gate for search models. This page is the map.

A *candidate* (a new model version) is compared with the *champion* (the version in production) on a
*golden set*, as its *model card* demands. *Checks* make *measurements*; the card's *bounds* judge
them; the *verdict* is PASS, FAIL or UNDECIDED, and stands in signed *evidence*.

Where to read, from the top floor down. Imports only ever point down; `scripts/check` sees to it.

1. How people call it: `gates.cli`, `gates.service` (events of the registry in, verdicts out),
   `gates.doctor`, `gates.pytest_plugin`, and `gates.subject`, the door for a team's own tests.
2. What is done: `gates.run` (one run, from a request to its delivery; read `gates.run.gate` first),
   `gates.packaging`, `gates.promotion`, `gates.pull_request`, `gates.scaffold` (`gates init`),
   `gates.bisection` (`gates lock bisect`), `gates.demo`.
3. What a run asks and shows: `gates.checks` (one file or package a check; read
   `gates.checks.ranking_diff`), `gates.strategies` (golden queries, changed in named ways),
   `gates.report`.
4. The outside world: `gates.registry`, `gates.environments`, `gates.locks`, `gates.artifacts`,
   `gates.golden`, `gates.comparison` (two rankings, from models or from files), `gates.settings`.
5. Policy and record: `gates.card`, `gates.evidence`.
6. Values and numbers: `gates.domain` (frozen values and the judge; `gates.domain.tasks` has one
   file a task), `gates.kernels` (pure NumPy).
7. The ground: `gates.system` (commands, files, locks, signals), `gates.errors`.
"""

__version__ = "0.1.0"
