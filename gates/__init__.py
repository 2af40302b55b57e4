"""mlgates: a release gate for search models. This page is the map.

A *candidate* (a new model version) is compared with the *champion* (the version in production) on a
*golden set*, as its *model card* demands. *Checks* make *measurements*; the card's *bounds* judge
them; the *verdict* is PASS, FAIL or UNDECIDED, and stands in signed *evidence*.

There are seven floors, and imports only ever point down; `scripts/check` sees to it. The docstring
of each package is the map of its files.

    1  how people call it
       cli/              one file a command: `cli/lock_check.py` is `gates lock check`
       service/          `gates serve`: events of the registry in, verdicts out, pages, an API
       doctor/           `gates doctor`: is everything there that gates and the service need
       pytest_plugin.py  a model card is a test file, each of its bounds a test
       subject.py        what a team's own tests import
       __main__.py       `python -m gates`

    2  what is done
       run/              one run, from a request to its delivery; read `run/gate.py` first
       promotion/        `gates promote`, `gates rollback`: the alias moves only on evidence
       verification.py   `gates verify`: evidence made again from what it was made of
       planning/         `gates plan`: how likely a card passes, before anything is run
       packaging.py      `gates package`: from a model folder to a registered version
       pull_request/     `gates pr`: what a pull request changed, its gates, its one comment
       bisection/        `gates lock bisect`: which change of a lock changes the answers
       scaffold/         `gates init`: card, golden set and lock for a model that is registered
       demo/             `gates demo`: a synthetic shop, three models, versions of each
       project.py        its folder, settings, registry, cards and models, as one object

    3  what a run asks and shows
       checks/           one file or package a check; read `checks/ranking_diff/` first
       strategies/       Hypothesis strategies for own tests: queries changed in named ways
       report/           evidence as HTML, Markdown, JUnit, in the terminal, as a comment

    4  the outside world
       registry/         MLflow: versions, aliases, model artifacts, history, webhooks
       environments/     built from a version's lock, with its worker in a cage or a container
       locks/            requirements with hashes: read, verified, compiled, compared
       artifacts/        what is in a model's files, told without loading them
       golden/           golden sets: read, checked, recorded, added to
       comparison/       two rankings, or two sets of answers, compared; `gates diff`
       settings.py       flags, variables and `[tool.gates]`: where things are

    5  policy and record
       card/             the model card: which checks, metrics, bounds and options there are
       evidence/         the record of a run: schema, digest, signature, counterexamples

    6  values and numbers
       domain/           frozen values, the judge (`domain/judging.py`), a file a model task
       kernels/          metrics and statistics: pure functions on NumPy

    7  the ground
       system/           commands, files, JSON, YAML, locks, retries, signals
       errors.py         every error a user can meet, as one tree

How a candidate goes through it, and a webhook: docs/architecture.md.
"""

__version__ = "0.1.0"
