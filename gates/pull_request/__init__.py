"""A pull request, gated: what changed, what came of it, the one comment.

repository.py   git: the base, what differs from it, and a checkout of it
changes.py      which models changed, and what of each
criteria.py     how golden set and card changed
gating.py       one changed model, from two checkouts to a verdict
budget.py       a limit on time, kept by interruption
folder.py       the folder of reviews, and reading one that strangers wrote
annotations.py  findings that have a file and a line, as GitHub shows them
runner.py       what GitHub Actions tells a step, and what a step tells it
github.py       GitHub's REST API, the few calls that a comment takes
comments.py     one comment a pull request, kept up to date
"""
