"""Compiling locks with the real uv and the real pip-tools, from wheels made here."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from gates.errors import LockError, UsageError
from gates.locks.compile import Compiled, compile_lock
from gates.locks.lock import read_lock
from gates.locks.markers import RUNNING_PYTHON
from gates.locks.order import CompileRequest, Resolver, default_lock, options_of

from .samples import Make, Write, pins
from .wheels import served

BOTH: tuple[Resolver, Resolver] = ("uv", "pip-tools")


@pytest.fixture
def inputs(write: Write, make: Make) -> Path:
    """Asks for shelf, which needs plank; of both there are two versions."""
    for version in ("1.0", "2.0"):
        make("plank", version)
        make("shelf", version, "Requires-Dist: plank")
    return write("shelf\n")


def ordered(
    inputs: Path,
    *,
    resolvers: tuple[Resolver, ...] = ("uv",),
    universal: bool = False,
    python: str = RUNNING_PYTHON,
    exclude_newer: str = "",
    upgrade: bool = False,
    packages: tuple[str, ...] = (),
    lock: Path | None = None,
) -> CompileRequest:
    return CompileRequest(
        inputs,
        lock or default_lock(inputs),
        resolvers,
        python,
        universal,
        exclude_newer,
        upgrade,
        packages,
    )


def compiled(order: CompileRequest) -> Compiled:
    return compile_lock(order, progress=lambda _: None)


def written(order: CompileRequest) -> list[tuple[str, str]]:
    compiled(order).write()
    return pins(read_lock(order.lock))


@pytest.mark.parametrize("resolver", BOTH)
def test_a_lock_is_pinned_and_hashed_and_says_how_to_make_it_again(
    inputs: Path, resolver: Resolver
) -> None:
    order = ordered(inputs, resolvers=(resolver,))
    assert written(order) == [("plank", "2.0"), ("shelf", "2.0")]
    lock = read_lock(order.lock)
    assert lock.problems == ()
    assert lock.options == ()
    assert [one.via for one in lock.requirements] == [("shelf",), ("-r requirements.in",)]
    text = order.lock.read_text(encoding="utf-8")
    named = "" if resolver == "uv" else "--resolver pip-tools "
    assert f"\n#    gates lock compile {named}--python {RUNNING_PYTHON} requirements.in\n" in text
    assert str(inputs.parent) not in text


@pytest.mark.parametrize("resolver", BOTH)
def test_pins_are_kept_until_something_is_to_be_upgraded(
    inputs: Path, write: Write, resolver: Resolver
) -> None:
    write("shelf==1.0\nplank==1.0\n")
    assert written(ordered(inputs, resolvers=(resolver,))) == [("plank", "1.0"), ("shelf", "1.0")]
    write("shelf\n")
    order = ordered(inputs, resolvers=(resolver,))
    assert written(order) == [("plank", "1.0"), ("shelf", "1.0")]
    one = ordered(inputs, resolvers=(resolver,), packages=("Plank",))
    assert written(one) == [("plank", "2.0"), ("shelf", "1.0")]
    back = ordered(inputs, resolvers=(resolver,), packages=("plank==1.0",))
    assert written(back) == [("plank", "1.0"), ("shelf", "1.0")]
    assert written(ordered(inputs, resolvers=(resolver,), upgrade=True)) == [
        ("plank", "2.0"),
        ("shelf", "2.0"),
    ]


def test_compiling_again_changes_nothing_and_writes_nothing(inputs: Path) -> None:
    order = ordered(inputs)
    assert compiled(order).write()
    stamp = order.lock.stat().st_mtime_ns
    again = compiled(order)
    assert not again.changes
    assert not again.write()
    assert order.lock.stat().st_mtime_ns == stamp


def test_another_header_alone_is_no_change_but_is_written(inputs: Path) -> None:
    written(ordered(inputs))
    wide = compiled(ordered(inputs, universal=True))
    assert not wide.changes
    assert wide.write()
    assert options_of(wide.order.lock) == {"universal": "yes", "python": RUNNING_PYTHON}


def test_one_lock_for_every_platform(write: Write, make: Make) -> None:
    make("bolt", "1.0")
    make("nut", "1.0")
    inputs = write("bolt ; sys_platform == 'win32'\nnut\n")
    assert written(ordered(inputs)) == [("nut", "1.0")]
    assert written(ordered(inputs, universal=True)) == [("bolt", "1.0"), ("nut", "1.0")]
    # pip-tools starts from the pins that hold here.
    assert compiled(ordered(inputs, resolvers=BOTH, universal=True)).new.requirements[0].marker


def test_a_lock_for_another_python(write: Write, make: Make) -> None:
    make("new", "2.0", "Requires-Python: >=3.13")
    make("new", "1.0")
    inputs = write("new\n")
    assert written(ordered(inputs, python="3.12")) == [("new", "1.0")]
    assert written(ordered(inputs, python="3.13", upgrade=True)) == [("new", "2.0")]


def test_a_project_is_compiled_with_all_its_groups(write: Write, inputs: Path) -> None:
    project = write(
        '[project]\nname = "p"\nversion = "1"\ndependencies = ["plank<2"]\n'
        '[project.optional-dependencies]\ndev = ["shelf"]\n',
        "pyproject.toml",
    )
    assert written(ordered(project)) == [("plank", "1.0"), ("shelf", "2.0")]
    assert read_lock(default_lock(project)).requirements[0].via[0] == "p (pyproject.toml)"


@pytest.mark.parametrize("resolver", BOTH)
def test_what_cannot_be_resolved_leaves_the_lock_and_quotes_the_resolver(
    inputs: Path, write: Write, resolver: Resolver
) -> None:
    order = ordered(inputs, resolvers=(resolver,))
    compiled(order).write()
    before = order.lock.read_bytes()
    write("shelf>=3\n")
    with pytest.raises(LockError, match=f"{resolver} cannot resolve it") as caught:
        compiled(order)
    assert "shelf>=3" in caught.value.what
    assert "Traceback" not in caught.value.what
    assert 'File "' not in caught.value.what
    assert caught.value.path == inputs
    assert order.lock.read_bytes() == before
    assert sorted(one.name for one in inputs.parent.glob("*requirements*")) == [
        "requirements.in",
        "requirements.txt",
    ]


def test_nothing_is_written_when_the_resolvers_disagree(write: Write, make: Make) -> None:
    # uv decides in the order of the file, pip changes its mind about what it pinned first.
    for name, version, *needs in (("a", "1.0"), ("a", "2.0", "Requires-Dist: b<2"), ("b", "1.0")):
        make(name, version, *needs)
    make("b", "2.0")
    order = ordered(write("b\na\n"), resolvers=BOTH)
    with pytest.raises(LockError, match="uv and pip-tools do not pin the same") as caught:
        compiled(order)
    assert "a: uv 1.0, pip-tools 2.0" in caught.value.what
    assert "b: uv 2.0, pip-tools 1.0" in caught.value.what
    assert not order.lock.exists()


def test_when_both_agree_the_lock_says_that_both_were_asked(inputs: Path) -> None:
    order = ordered(inputs, resolvers=BOTH)
    assert written(order) == [("plank", "2.0"), ("shelf", "2.0")]
    assert options_of(order.lock) == {"both": "yes", "python": RUNNING_PYTHON}


def test_a_build_script_beside_the_inputs_is_not_run(inputs: Path, write: Write) -> None:
    write("raise SystemExit('it ran')\n", "build.py")
    assert written(ordered(inputs, resolvers=("pip-tools",)))


def test_an_index_with_a_password_is_used_and_not_written(
    inputs: Path, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.delenv("UV_NO_INDEX")
    with served(wheels) as index:
        url = index.url.replace("//", "//me:secret-word@")
        monkeypatch.setenv("UV_DEFAULT_INDEX", url)
        for resolver in BOTH:
            order = ordered(inputs, resolvers=(resolver,))
            assert written(order) == [("plank", "2.0"), ("shelf", "2.0")]
            text = order.lock.read_text(encoding="utf-8")
            assert "127.0.0.1" not in text
            assert "secret-word" not in text
            order.lock.unlink()


def test_an_index_that_cannot_be_reached_is_named_without_its_password(
    inputs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:secret-word@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(LockError, match=r"127\.0\.0\.1:9") as caught:
        compiled(ordered(inputs))
    assert "secret-word" not in str(caught.value)


def test_what_uv_warns_of_is_told(
    inputs: Path, write: Write, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("plank==1.0\n")
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.delenv("UV_NO_INDEX")
    with served(wheels, {"plank-1.0-py3-none-any.whl": "splinters"}) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        warnings = compiled(ordered(inputs)).warnings
    assert warnings == ('`plank==1.0` is yanked (reason: "splinters")',)


def test_of_two_at_once_none_writes_half_a_lock_or_over_the_other(inputs: Path) -> None:
    order = ordered(inputs)
    ready = threading.Barrier(2)
    ended: list[object] = []

    def one(packages: tuple[str, ...]) -> None:
        mine = compiled(ordered(inputs, packages=packages))
        ready.wait(60)
        try:
            ended.append(mine.write())
        except LockError as problem:
            ended.append(problem.what)

    inputs.write_text("shelf==1.0\nplank==1.0\n", encoding="utf-8")
    compiled(order).write()
    inputs.write_text("shelf\n", encoding="utf-8")
    both = [threading.Thread(target=one, args=((name,),)) for name in ("plank", "shelf")]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert read_lock(order.lock).problems == ()
    assert True in ended


def test_a_lock_that_somebody_else_changed_is_not_written_over(inputs: Path) -> None:
    order = ordered(inputs)
    mine = compiled(order)
    order.lock.write_text("# theirs\n", encoding="utf-8")
    with pytest.raises(LockError, match="somebody else changed it"):
        mine.write()
    assert order.lock.read_text(encoding="utf-8") == "# theirs\n"


def test_a_lock_behind_a_link_is_written_where_the_link_leads(inputs: Path, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere.txt"
    real.touch()
    default_lock(inputs).symlink_to(real)
    written(ordered(inputs))
    assert default_lock(inputs).is_symlink()
    assert len(read_lock(real).requirements) == 2


def test_a_folder_that_cannot_be_written_is_named(inputs: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    order = ordered(inputs, lock=tmp_path / "file" / "requirements.txt")
    with pytest.raises((UsageError, LockError), match=r"cannot be read|could not be written"):
        compiled(order).write()


def test_a_read_only_folder_is_named(inputs: Path, tmp_path: Path) -> None:
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("root may write everywhere")
    with pytest.raises(UsageError, match="could not be written: Permission denied"):
        compiled(ordered(inputs, lock=folder / "requirements.txt")).write()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("shelf @ https://example.org/shelf.whl\n", "by URL or path"),
        ("-e .\n", "by URL or path"),
        ("shelf=>1\n", "is not a requirement"),
        ("-r gone.in\n", "not there"),
    ],
)
def test_inputs_that_no_lock_can_pin_are_named_with_their_line(
    inputs: Path, write: Write, text: str, says: str
) -> None:
    write(f"# first\n{text}")
    with pytest.raises(LockError, match=says) as caught:
        compiled(ordered(inputs))
    assert (caught.value.path, caught.value.line) == (inputs, 2)


def test_missing_inputs_are_named(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="there is no such file"):
        compiled(ordered(tmp_path / "requirements.in"))


@pytest.mark.parametrize(
    ("order", "says"),
    [
        ({"packages": ("plonk",)}, "plonk: .* does not hold it"),
        ({"packages": ("--index-url",)}, "is no distribution"),
        ({"packages": ("a @ https://example.org",)}, "is no distribution"),
        ({"exclude_newer": "yesterday"}, "is no date"),
        ({"python": "three"}, "is not a Python version"),
        ({"resolvers": ("pip-tools",), "universal": True}, "pip-tools knows no --universal"),
        ({"resolvers": BOTH, "exclude_newer": "2026-01-01"}, "knows no --exclude-newer"),
        ({"resolvers": BOTH, "python": "3.9"}, "pip-tools resolves for the Python it runs in"),
    ],
)
def test_orders_that_cannot_be_carried_out(
    inputs: Path, order: dict[str, object], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        compiled(ordered(inputs, **order))  # type: ignore[arg-type]  # one bad option each


@pytest.mark.parametrize(
    ("header", "options"),
    [
        ("# by uv:\n#    uv pip compile --universal --python-version=3.11 a.in -o b.txt\n#\n",
         {"universal": "yes", "python": "3.11"}),
        ("#    gates lock compile --resolver pip-tools --python 3.12 --exclude-newer 2026-01-01\n",
         {"resolver": "pip-tools", "python": "3.12", "exclude-newer": "2026-01-01"}),
        ("#    gates lock compile 'unclosed\n", {}),
        ("#    pip-compile --universal\n", {}),
        ("six==1\n#    gates lock compile --universal\n", {}),
    ],
)  # fmt: skip
def test_a_header_says_with_which_options(
    write: Write, header: str, options: dict[str, str]
) -> None:
    assert options_of(write(header, "requirements.txt")) == options


def test_a_lock_elsewhere_is_named_in_its_header(inputs: Path) -> None:
    order = ordered(inputs, lock=inputs.parent / "locks" / "mine.txt")
    assert order.command.endswith("--output locks/mine.txt requirements.in")
    assert options_of(order.lock) == {}
