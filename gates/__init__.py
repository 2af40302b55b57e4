"""mlgates: a release gate for search models. This page is the map.

A *candidate* (a new model version) is compared with the *champion* (the version in production) on a
*golden set*, as its *model card* demands. *Checks* make *measurements*; the card's *bounds* judge
them; the *verdict* is PASS, FAIL or UNDECIDED, and stands in signed *evidence*.

Where to read, from the top:

- `gates.gate`: one run, from two versions to a verdict. Start here.
- `gates.checks.ranking_diff`: one check. A new check is one file beside it.
- `gates.domain`: the values everything shares, and the judge.
- `gates.card`, `gates.evidence`: the policy and the record.
- `gates.subject`: what a check may ask; `gates.stand`, `gates.arms` and `gates.builds` answer.
- `gates.strategies`: golden queries, changed in named ways, for a model's own tests.
- `gates.slips`: typing mistakes, the same for checks and own tests.
- `gates.kernels`: the numbers, pure NumPy.
- `gates.difference`: `gates diff`, two ranking files without a model; `gates.rankings` reads them.
- `gates.bisection`: `gates lock bisect`, which change of a lock changes what a model answers.
- `gates.counterexamples`, `gates.recollection`: what a run found, asked again by the next.
- `gates.kept`, `gates.upkeep`: what the cache holds, who uses it, and when it goes.
- `gates.registry`, `gates.environments`, `gates.locks`, `gates.artifacts`, `gates.golden`: the
  outside world.
- `gates.scaffold`: `gates init`, what a gate needs, made for a model already in the registry.
- `gates.pull_request`: a pull request, gated, and its comment; `gates.review` holds the values.
- `gates.packaging`, `gates.promotion`, `gates.outcome`, `gates.report`: before and after a run.
- `gates.pytest_plugin`, `gates.pytest_gate`, `gates.driving`, `gates.cli`: how people call it.

Imports only ever point down this list's floors; `scripts/check` sees to it.
"""

__version__ = "0.1.0"
