"""Import statements of a parsed module that its Python will run and must succeed."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator

__all__ = ["import_statements"]

_FORGIVING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_COMPARE: dict[type[ast.cmpop], Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
}


def import_statements(tree: ast.Module, minor: int) -> Iterator[tuple[str, int]]:
    """Top-level name and line of every absolute import that must succeed, in order.

    Args:
        minor: The minor version of the Python 3 that will run it.
    """
    waiting: list[ast.AST] = [tree]  # a stack: code may be nested deeper than Python recurses
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.partition(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0 and node.module:
                yield node.module.partition(".")[0], node.lineno
        else:
            waiting.extend(reversed(_run(node, minor)))


def _run(node: ast.AST, minor: int) -> list[ast.AST]:
    """The children of a node that will run and whose imports must succeed."""
    if isinstance(node, ast.Try | ast.TryStar) and any(
        _forgives(one.type) for one in node.handlers
    ):
        return list(node.finalbody)
    if isinstance(node, ast.With) and any(_suppresses(one.context_expr) for one in node.items):
        return []
    if isinstance(node, ast.If):
        holds = _holds(node.test, minor)
        if holds is not None:
            return list(node.body if holds else node.orelse)
    return list(ast.iter_child_nodes(node))


def _forgives(caught: ast.expr | None) -> bool:
    if isinstance(caught, ast.Tuple):
        return any(_forgives(one) for one in caught.elts)
    return caught is None or _last_name(caught) in _FORGIVING


def _suppresses(context: ast.expr) -> bool:
    return (
        isinstance(context, ast.Call)
        and _last_name(context.func) == "suppress"
        and any(_last_name(one) in _FORGIVING for one in context.args)
    )


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _holds(test: ast.expr, minor: int) -> bool | None:
    """Whether a condition holds when the model runs; None when that cannot be told."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _holds(test.operand, minor)
        return None if inner is None else not inner
    if _last_name(test) == "TYPE_CHECKING":
        return False
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    compare = _COMPARE.get(type(test.ops[0]))
    version = _numbers(test.comparators[0])
    if compare is None or version is None or _last_name(test.left) != "version_info":
        return None
    # A limit inside a minor version cannot be told from major and minor alone.
    return compare((3, minor, 0), version) if len(version) <= 2 else None


def _numbers(node: ast.expr) -> tuple[int, ...] | None:
    if not isinstance(node, ast.Tuple):
        return None
    values = [one.value for one in node.elts if isinstance(one, ast.Constant)]
    numbers = tuple(value for value in values if isinstance(value, int))
    return numbers if len(numbers) == len(node.elts) else None
