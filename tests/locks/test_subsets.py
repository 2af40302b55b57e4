"""Which parts of an upgrade can be installed, and the lock of a part."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.domain.lock_report import Distribution
from gates.environments.cache import EnvironmentCache
from gates.environments.inspect import distributions
from gates.errors import LockError
from gates.locks.lock import Lock, LockedRequirement, read_installable, read_lock
from gates.locks.markers import target_environment
from gates.locks.subsets import Upgrade

HERE = target_environment("3.11")
Metadata = dict[str, tuple[str, list[str]]]
"""name → version and what it requires."""


def upgrade(old: Metadata, new: Metadata) -> Upgrade:
    """An upgrade from metadata alone."""

    def lock(side: Metadata, name: str) -> Lock:
        pins = tuple(
            LockedRequirement(one, version, (), (), "", line, "")
            for line, (one, (version, _)) in enumerate(side.items(), start=1)
        )
        return Lock(Path(name), f"sha256:{name}", pins)

    def installed(side: Metadata) -> list[Distribution]:
        return [Distribution(one, version, tuple(needs)) for one, (version, needs) in side.items()]

    return Upgrade(lock(old, "old"), lock(new, "new"), installed(old), installed(new), HERE)


def test_changes_that_need_nothing_can_be_made_alone() -> None:
    found = upgrade({"a": ("1", ["b"]), "b": ("1", [])}, {"a": ("2", ["b"]), "b": ("2", [])})
    assert found.closure({"a"}) == {"a"}
    assert found.closure({"b"}) == {"b"}


def test_a_new_version_takes_along_what_it_needs() -> None:
    found = upgrade(
        {"pandas": ("2.2", ["numpy>=1.26"]), "numpy": ("1.26", []), "six": ("1", [])},
        {"pandas": ("3.0", ["numpy>=2"]), "numpy": ("2.3", []), "six": ("2", [])},
    )
    assert found.closure({"pandas"}) == {"pandas", "numpy"}
    assert found.closure({"numpy"}) == {"numpy"}
    assert found.interior({"pandas", "six"}) == {"six"}
    assert found.roots({"pandas", "numpy"}) == ("pandas",)


def test_an_old_version_that_forbids_a_new_one_is_taken_along() -> None:
    found = upgrade(
        {"pandas": ("2.2", ["numpy<2"]), "numpy": ("1.26", [])},
        {"pandas": ("3.0", ["numpy"]), "numpy": ("2.3", [])},
    )
    assert found.closure({"numpy"}) == {"pandas", "numpy"}
    assert found.closure({"pandas"}) == {"pandas"}


def test_where_only_the_whole_is_consistent_it_is_the_whole() -> None:
    old: Metadata = {"a": ("1", ["b==1"]), "b": ("1", ["c==1"]), "c": ("1", ["a==1"])}
    new: Metadata = {"a": ("2", ["b==2"]), "b": ("2", ["c==2"]), "c": ("2", ["a==2"])}
    found = upgrade(old, new)
    assert {found.closure({name}) for name in "abc"} == {frozenset("abc")}
    assert found.interior({"a", "b"}) == frozenset()


def test_what_was_added_and_removed_are_changes_too() -> None:
    found = upgrade(
        {"a": ("1", ["gone"]), "gone": ("1", [])}, {"a": ("2", ["come"]), "come": ("1", [])}
    )
    assert found.names == {"a", "come", "gone"}
    assert found.closure({"a"}) == {"a", "come"}
    assert found.closure({"gone"}) == {"a", "come", "gone"}
    assert found.closure({"come"}) == {"come"}


def test_markers_are_those_of_the_target_python() -> None:
    found = upgrade(
        {"a": ("1", []), "b": ("1", [])},
        {
            "a": ("2", ["b>=2; python_version < '3.11'", "b>=2; sys_platform == 'win32'"]),
            "b": ("2", []),
        },
    )
    assert found.closure({"a"}) == {"a"}


def test_an_extra_binds_who_asks_for_it() -> None:
    served = ["h11>=2; extra == 'standard'"]
    old: Metadata = {"web": ("1", ["u"]), "u": ("1", served), "h11": ("1", [])}
    new: Metadata = {"web": ("2", ["u[standard]"]), "u": ("1", served), "h11": ("2", [])}
    assert upgrade(old, new).closure({"web"}) == {"web", "h11"}


def test_what_is_broken_in_a_full_environment_is_no_reason() -> None:
    forced: Metadata = {"a": ("1", ["b<1"]), "b": ("1", []), "c": ("1", [])}
    found = upgrade(forced, {**forced, "b": ("2", []), "c": ("2", [])})
    assert found.closure({"c"}) == {"c"}
    assert found.closure({"b"}) == {"b"}


def test_metadata_that_no_installer_can_follow_asks_for_nothing() -> None:
    odd = ["six (>=1.0", "b>2; python_version in 7"]
    found = upgrade({"a": ("1", odd), "b": ("1", [])}, {"a": ("2", odd), "b": ("2", [])})
    assert found.closure({"a"}) == {"a"}


NAMES = "abcdef"


@st.composite
def upgrades(draw: st.DrawFn) -> Upgrade:
    """Two full environments, each consistent, with requirements of every kind between them."""
    bound = st.sampled_from(["", "==1", "==2", "<=1", ">=2", "<3"])
    sides: list[Metadata] = []
    for version in ("1", "2"):
        side: Metadata = {name: (version, []) for name in NAMES if draw(st.integers(0, 5))}
        for name, (_, needs) in side.items():
            for other in draw(st.lists(st.sampled_from(sorted(side)), max_size=2)):
                spec = draw(bound)
                allowed = {"": "12", "==1": "1", "==2": "2", "<=1": "1", ">=2": "2", "<3": "12"}
                if other != name and version in allowed[spec]:
                    needs.append(f"{other}{spec}")
        sides.append(side)
    return upgrade(sides[0], sides[1])


def parts(names: frozenset[str]) -> list[frozenset[str]]:
    return [
        frozenset(one)
        for size in range(len(names) + 1)
        for one in itertools.combinations(sorted(names), size)
    ]


@given(upgrades())
def test_closure_and_interior_are_the_nearest_consistent_parts(found: Upgrade) -> None:
    consistent = [part for part in parts(found.names) if not list(found._broken(part))]
    assert {frozenset(), found.names} <= set(consistent)
    for part in parts(found.names):
        above = [one for one in consistent if part <= one]
        below = [one for one in consistent if one <= part]
        assert found.closure(part) == min(above, key=len)
        assert found.interior(part) == max(below, key=len)
        roots = found.roots(found.closure(part))
        assert found.closure(roots) == found.closure(part)


def locks(tmp_path: Path) -> tuple[Path, Path]:
    """Two locks of real distributions, with comments and markers, as compilers write them."""
    old, new = tmp_path / "old.txt", tmp_path / "new.txt"
    old.write_text("--pre\n# made for a test\n" + OLD_IDNA + SIX_16 + "    # via -r x.in\n")
    new.write_text(NEW_IDNA + "# and six\n" + SIX_17)
    return old, new


OLD_IDNA = """\
idna==3.6 ; python_version >= "3.8" \\
    --hash=sha256:9ecdbbd083b06798ae1e86adcbfe8ab1479cf864e4ee30fe4e46a003d12491ca \\
    --hash=sha256:c05567e9c24a6b9faaa835c4821bad0590fbb9d5779e7caa6e1cc4978e7eb24f
"""
NEW_IDNA = """\
idna==3.10 \\
    --hash=sha256:12f65c9b470abda6dc35cf8e63cc574b1c52b11df2c86030af0ac09b01b13ea9 \\
    --hash=sha256:946d195a0d259cbba61165e88e65941f16e9b36ea6ddb97f00452bae8b1287d3
"""
SIX_16 = """\
six==1.16.0 --hash=sha256:8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254
"""
SIX_17 = """\
six==1.17.0 \\
    --hash=sha256:4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274
"""


def test_a_mixed_lock_is_made_of_whole_lines_and_installs_with_hashes(tmp_path: Path) -> None:
    cache = EnvironmentCache(tmp_path / "cache")
    old, new = (read_lock(path) for path in locks(tmp_path))
    before, after = (
        distributions(cache.ensure(read_installable(lock.path)).path) for lock in (old, new)
    )
    found = Upgrade(old, new, before, after, HERE)
    text = found.lock_text({"six"})
    assert text == "--pre\n" + OLD_IDNA + SIX_17
    mixed = tmp_path / "mixed.txt"
    mixed.write_text(text)
    assert read_lock(mixed).problems == ()
    held = distributions(cache.ensure(read_installable(mixed)).path)
    assert [(one.name, one.version) for one in held] == [("idna", "3.6"), ("six", "1.17.0")]


def test_a_lock_that_changes_meanwhile_is_not_mixed(tmp_path: Path) -> None:
    old, new = (read_lock(path) for path in locks(tmp_path))
    found = Upgrade(old, new, (), (), HERE)
    new.path.write_text(SIX_16)
    with pytest.raises(LockError, match="was changed while"):
        found.lock_text({"six"})
