"""The maps show what there is: every package has its line, and no file is named that is gone."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import gates

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "gates"
PACKAGES = sorted(path.parent for path in HOUSE.rglob("__init__.py"))
PAGE = ROOT / "docs" / "architecture.md"


def docstring(package: Path) -> str:
    tree = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    return ast.get_docstring(tree) or ""


def contract() -> list[set[str]]:
    """The floors of the import contract, from the top down: packages and modules of each."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = next(one for one in whole["tool"]["importlinter"]["contracts"] if "layers" in one)
    return [set(re.findall(r"gates\.(\w+)", floor)) for floor in layers["layers"]]


def the_house() -> set[str]:
    """What stands at the root, as the maps write it."""
    packages = {f"{path.parent.name}/" for path in HOUSE.glob("*/__init__.py")}
    return packages | {path.name for path in HOUSE.glob("*.py")} - {"__init__.py"}


def map_of(text: str) -> str:
    """The map in a text: from its first floor to the last line of the seventh, unindented."""
    lines = text[re.search(r"^ *1  how people call it$", text, re.MULTILINE).start() :].split("\n")  # type: ignore[union-attr]  # None is a failure too
    indent = len(lines[0]) - len(lines[0].lstrip())
    floors: list[str] = []
    for line in lines:
        if line and not re.match(r"(\d  |   )\S", line[indent:]):
            break
        floors.append(line[indent:])
    return "\n".join(floors).strip()


def floors_of(text: str) -> list[set[str]]:
    """What each floor of a map names first on its lines."""
    found: list[set[str]] = []
    for line in map_of(text).split("\n"):
        if re.match(r"\d  ", line):
            assert line.startswith(f"{len(found) + 1}  "), line
            found.append(set())
        elif line:
            found[-1].add(line.split()[0])
    return found


def test_both_maps_are_the_same() -> None:
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert map_of(contributing) == map_of(gates.__doc__ or "")


def test_the_map_has_a_line_for_all_there_is_and_for_nothing_else() -> None:
    floors = floors_of(gates.__doc__ or "")
    assert set().union(*floors) == the_house()
    assert sum(map(len, floors)) == len(the_house())


def test_every_line_stands_on_the_floor_of_the_import_contract() -> None:
    floors = [
        {one.rstrip("/").removesuffix(".py") for one in floor}
        for floor in floors_of(gates.__doc__ or "")
    ]
    assert floors == contract()


def test_the_page_draws_the_floors_of_the_import_contract() -> None:
    lines = re.findall(r"^\d  .{22}(.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = whole["tool"]["importlinter"]["contracts"]
    layers = next(one["layers"] for one in contracts if "layers" in one)
    drawn = [re.sub(r"\s*\|\s*", " | ", one).split() for one in lines]
    assert drawn == [one.replace("gates.", "").replace(" : ", " ").split() for one in layers]


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_package_says_what_it_is_and_names_what_is_there(package: Path) -> None:
    text = docstring(package)
    assert text, "a package has no docstring"
    for name in named_in(text):
        assert any((base / name).exists() for base in (package, HOUSE, ROOT)), name


@pytest.mark.parametrize(
    "package", [one for one in PACKAGES if one != HOUSE], ids=lambda path: path.name
)
def test_a_package_names_all_that_is_in_it(package: Path) -> None:
    """Where there is one file a command, or a metric, their names say what they are."""
    text = docstring(package)
    inside = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    if not re.search(r"\bone file (a|each)\b", text.partition("\n")[0]):
        inside |= {path.name for path in package.glob("*.py")} - {"__init__.py"}
    assert inside <= set(named_in(text))


def test_the_page_of_the_architecture_names_what_is_there() -> None:
    names = named_in(PAGE.read_text(encoding="utf-8"))
    assert len(names) > 40
    for name in names:
        assert (HOUSE / name).exists() or (ROOT / name).exists(), name


def named_in(text: str) -> list[str]:
    """The Python files and the folders that a text names."""
    words = re.findall(r"(?<![\w./:-])[\w/]+(?:\.py\b|/(?=[`\s:;,.]|$))", text, re.MULTILINE)
    return [one for one in words if not one.startswith("/")]
