"""The stage that pull requests play on."""

from tests.action.pulls import stage

__all__ = ["stage"]
