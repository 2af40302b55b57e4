from __future__ import annotations

import pytest

from gates.errors import RegistryError
from gates.registry.names import ModelURI, check_alias, check_name, parse_uri


@pytest.mark.parametrize(
    ("uri", "parts"),
    [
        ("models:/ranker/7", ModelURI("ranker", version="7")),
        ("ranker/12", ModelURI("ranker", version="12")),
        ("models:/ranker@champion", ModelURI("ranker", alias="champion")),
        ("a@b@champion", ModelURI("a@b", alias="champion")),
        ("a@b/7", ModelURI("a@b", version="7")),
    ],
)
def test_a_uri_is_taken_apart(uri: str, parts: ModelURI) -> None:
    assert parse_uri(uri) == parts


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("models:/ranker", "no version and no alias"),
        ("ranker/latest", "moves while the gate runs"),
        ("ranker/Production", "moves while the gate runs"),
        ("ranker/seven", "not a version number"),
        ("ranker/0", "not a version number"),
        ("ranker/７", "not a version number"),
        ("ranker/7/MLmodel", "not a version number"),
        ("models://server/ranker/7", "not a version number"),
        ("a:b/7", "cannot be the name"),
        ("runs:/0123/model", "not a version number"),
        ("runs:/7", "cannot be the name"),
        ("models:/@champion", "cannot be the name"),
        ("ranker@", "cannot be an alias"),
        ("ranker@latest", "cannot be an alias"),
        ("ranker@v2", "cannot be an alias"),
        ("ranker@the best", "cannot be an alias"),
        ("", "no version and no alias"),
    ],
)
def test_a_uri_of_another_form_is_refused(uri: str, said: str) -> None:
    with pytest.raises(RegistryError, match=said):
        parse_uri(uri)


@pytest.mark.parametrize(
    "name", ["", ".", "..", " x", "x ", "a/b", "a:b", "a\\b", "a'b", 'a"b', "a\nb", "x" * 201]
)
def test_a_name_that_a_store_a_folder_or_a_filter_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(RegistryError, match="cannot be the name"):
        check_name(name)


def test_ordinary_aliases_are_taken() -> None:
    for alias in ("champion", "Champion_2", "v", "v2-old"):
        assert check_alias(alias) == alias
