"""YAML read without what a few bytes of it can stand for: every YAML text goes through here.

An alias repeats what its anchor names, so that 200 bytes stand for billions of values to whoever
walks them. What a text stands for is counted on its nodes, before anything is built of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

__all__ = ["compose_yaml", "construct_yaml", "yaml_value"]

_MOST_CHARACTERS = 1 << 20
_MOST_REPEATED = 1_000  # nodes that aliases stand for, beside those that are written
_DEEPEST = 64
_LONGEST_NUMBER = 1_000  # digits; Python takes the square of their number to read them
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")

_Size = tuple[int, int]  # nodes, depth


def yaml_value(text: str, *, most_characters: int = _MOST_CHARACTERS) -> Any:  # noqa: ANN401 - any YAML
    """The value of a YAML text: plain mappings, lists and scalars.

    Args:
        text: One document.
        most_characters: How long it may be.

    Raises:
        yaml.YAMLError: It is not YAML, is too long, nested too deep, or its aliases stand for too
            much; marked with the line where that is known.
    """
    return construct_yaml(compose_yaml(text, most_characters=most_characters))


def compose_yaml(text: str, *, most_characters: int = _MOST_CHARACTERS) -> yaml.Node | None:
    """The nodes of a YAML text, of a bounded size; None when it is empty.

    Raises:
        yaml.YAMLError: As `yaml_value`.
    """
    if len(text) > most_characters:
        raise yaml.MarkedYAMLError(problem=f"longer than {most_characters:,} characters")
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except ValueError as problem:
        raise yaml.MarkedYAMLError(problem=str(problem)) from None
    except RecursionError:
        raise yaml.MarkedYAMLError(problem=f"nested deeper than {_DEEPEST} levels") from None
    if root is not None:
        _check_size(root)
    return root


def construct_yaml(root: yaml.Node | None) -> Any:  # noqa: ANN401 - any YAML
    """What nodes of a bounded size stand for.

    Raises:
        yaml.YAMLError: A value that YAML does not have, such as the date 2026-13-01.
    """
    if root is None:
        return None
    try:
        return yaml.SafeLoader("").construct_document(root)
    except (ValueError, OverflowError) as problem:
        raise yaml.MarkedYAMLError(problem=str(problem), problem_mark=root.start_mark) from None


def _check_size(root: yaml.Node) -> None:
    sizes: dict[int, _Size] = {}
    _measure(root, sizes, frozenset())
    repeated = sizes[id(root)][0] - len(sizes)
    if repeated > _MOST_REPEATED:
        _refuse(f"its aliases stand for {min(repeated, 10**9):,} values or more", root)


def _measure(node: yaml.Node, sizes: dict[int, _Size], above: frozenset[int]) -> _Size:
    """How many nodes a node stands for, each alias counted as what it repeats, and how deep."""
    known = sizes.get(id(node))
    if known is not None:
        return known
    if id(node) in above:
        _refuse("an alias stands within what it repeats", node)
    if len(above) >= _DEEPEST:
        _refuse(f"nested deeper than {_DEEPEST} levels", node)
    if node.tag in _NUMBERS and len(node.value) > _LONGEST_NUMBER:
        _refuse(f"a number of more than {_LONGEST_NUMBER:,} digits", node)
    inner = [_measure(one, sizes, above | {id(node)}) for one in _inside(node)]
    size = (1 + sum(one[0] for one in inner), 1 + max((one[1] for one in inner), default=0))
    if len(above) + size[1] > _DEEPEST:  # an alias may bring depth of its own
        _refuse(f"nested deeper than {_DEEPEST} levels", node)
    sizes[id(node)] = size
    return size


def _inside(node: yaml.Node) -> Iterator[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _refuse(problem: str, node: yaml.Node) -> None:
    raise yaml.composer.ComposerError(None, None, problem, node.start_mark)
