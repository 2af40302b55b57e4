"""The documentation site: the pages of docs/, arranged, with a reference made from the code.

- `docsite.build` gathers the sources in a scratch folder and has Sphinx make pages of them.
- `docsite.arrangement` says which page stands where.
- `docsite.card_keys`, `docsite.command_line`, `docsite.interface` make reference pages.
- `docsite.pictures` draws what docs/statistics.md shows; `docsite.photographs` takes those of a
  report that README and docs/diff.md show, from a finished demo.

python -m docsite FOLDER      builds it; a broken link, or anything else Sphinx warns of, fails
"""
