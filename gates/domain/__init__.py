"""Frozen values that every floor shares; no file, process or network is touched here."""
