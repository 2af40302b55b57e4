"""The command line's reference, from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import typer.main

from docsite.attributes import in_one_line
from gates.cli.main import app

__all__ = ["page"]


def page() -> str:
    """The page, in Markdown: every command with its arguments, options and example."""
    whole = typer.main.get_command(app)
    lines = ["# Commands", "", *_section(whole, "gates", level=0)]
    for path, command in _commands(whole, "gates"):
        lines += _section(command, path, level=1 + path.count(" "))
    return "\n".join(lines)


def _commands(group: Any, path: str) -> Iterator[tuple[str, Any]]:
    for name, command in sorted(group.commands.items()):
        if not command.hidden:
            here = f"{path} {name}"
            yield here, command
            if hasattr(command, "commands"):
                yield from _commands(command, here)


def _section(command: Any, path: str, *, level: int) -> list[str]:
    lines = [f"{'#' * level} `{path}`", ""] if level else []
    text, _, example = inspect.cleandoc(command.help or "").partition("Example:")
    lines += [text.replace("\f", "").strip(), ""]
    if hasattr(command, "commands"):
        names = sorted(name for name, one in command.commands.items() if not one.hidden)
        usage = f"{path} {{{'|'.join(names)}}} …"
    else:
        arguments = [_argument(one) for one in command.params if _is_argument(one)]
        usage = " ".join([path, *arguments, "[OPTIONS]"])
    lines += ["```text", usage, "```", ""]
    rows = [_row(one) for one in command.params if not getattr(one, "hidden", False)]
    if rows:
        lines += ["| | what | default |", "| --- | --- | --- |", *rows, ""]
    if example:
        lines += ["Example:", "", "```text", re.sub(r"\n\s+", "\n", example.strip()), "```", ""]
    return lines


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    name = f"{name}…" if parameter.nargs == -1 else name
    return name if parameter.required else f"[{name.strip('[]')}]"


def _row(parameter: Any) -> str:
    if _is_argument(parameter):
        names = f"`{_argument(parameter)}`"
    else:
        flags = [*parameter.opts, *parameter.secondary_opts]
        value = "" if parameter.is_flag else f" {parameter.metavar or parameter.name.upper()}"
        names = ", ".join(f"`{flag}{value}`" for flag in flags)
    default = parameter.default
    shown = "" if default in (None, False, (), []) or callable(default) else f"`{default}`"
    if parameter.required:
        shown = "*required*"
    return f"| {names} | {in_one_line(parameter.help or '')} | {shown} |"
