"""Model URIs and the names in them: parsed and checked before the registry is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gates.errors import RegistryError

__all__ = ["ModelURI", "check_alias", "check_name", "parse_uri"]

_FORMS = "write models:/NAME/VERSION (a number) or models:/NAME@ALIAS"


@dataclass(frozen=True, slots=True)
class ModelURI:
    """A model URI in parts: a name, and a version number or an alias (the other empty)."""

    name: str
    version: str = ""
    alias: str = ""


def parse_uri(uri: str) -> ModelURI:
    """Take a model URI apart.

    Args:
        uri: `models:/name/7` or `models:/name@alias`; `models:/` may be left out.

    Raises:
        RegistryError: It has neither form, or a name in it is not allowed.
    """
    rest = uri.removeprefix("models:/")
    name, slash, version = rest.partition("/")
    if slash:
        if not re.fullmatch(r"[1-9][0-9]{0,17}", version):
            moving = version.lower() in {"latest", "staging", "production", "archived", "none"}
            what = "moves while the gate runs" if moving else "is not a version number"
            raise RegistryError(f"'{uri}': '{version}' {what}", advice=_FORMS)
        return ModelURI(check_name(name), version=version)
    name, at, alias = rest.rpartition("@")
    if not at:
        raise RegistryError(f"'{uri}' names no version and no alias", advice=_FORMS)
    return ModelURI(check_name(name), alias=check_alias(alias))


def check_name(name: str) -> str:
    """A registered model's name, if MLflow, a folder and a filter can all hold it.

    Raises:
        RegistryError: They cannot.
    """
    printable = name.isprintable() and name == name.strip()
    if (
        not name
        or not printable
        or len(name) > 200
        or name in {".", ".."}
        or set(name) & set("/:\\'\"`")
    ):
        raise RegistryError(
            f"{name!r} cannot be the name of a model",
            advice="a name has no slash, backslash, colon or quote and no spaces around it",
        )
    return name


def check_alias(alias: str) -> str:
    """An alias, if MLflow can hold it.

    Raises:
        RegistryError: It has other characters, or one of the forms MLflow keeps for itself.
    """
    kept = alias.lower() == "latest" or re.fullmatch(r"[vV][0-9]+", alias)
    if kept or not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", alias):
        raise RegistryError(
            f"{alias!r} cannot be an alias",
            advice="use letters, digits, - and _; 'latest' and 'v1', 'v2', … are MLflow's own",
        )
    return alias
