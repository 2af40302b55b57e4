from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pip._internal.network.session import PipSession
from pip._internal.req import parse_requirements
from pip._internal.req.constructors import install_req_from_parsed_requirement

from gates.errors import LockError
from gates.locks.lock import LockedRequirement, read_lock

from .samples import SHA, Locked, Write, only, pins

PROJECT_LOCK = Path(__file__).parents[2] / "scripts" / "requirements.txt"


def test_a_compiled_lock_is_read_with_versions_extras_hashes_and_markers(locked: Locked) -> None:
    first, second = "sha256:" + "1" * 64, "sha512:" + "2" * 128
    lock = locked(
        "# compiled\n--pre\n\n"
        f"Scikit_Learn[B,a]==1.5.0 ; python_version >= '3.11' \\\n"
        f"    --hash={first} \\\n    --hash {second.upper()}\n    # via -r requirements.in\n"
        f"six===1.17  --hash={first}  # why\n"
    )
    assert lock.requirements == (
        LockedRequirement(
            name="scikit-learn",
            version="1.5.0",
            extras=("a", "b"),
            hashes=(first, second),
            marker='python_version >= "3.11"',
            line=4,
            raw="Scikit_Learn[B,a]==1.5.0 ; python_version >= '3.11'",
            via=("-r requirements.in",),
        ),
        LockedRequirement("six", "1.17", (), (first,), "", 8, "six===1.17"),
    )
    assert lock.problems == ()
    assert lock.options == ("--pre",)
    assert lock.digest == f"sha256:{hashlib.sha256(lock.path.read_bytes()).hexdigest()}"


def test_pip_reads_the_projects_lock_the_same() -> None:
    ours = read_lock(PROJECT_LOCK)
    with PipSession() as session:
        parsed = list(parse_requirements(str(PROJECT_LOCK), session=session))
    theirs = [install_req_from_parsed_requirement(one) for one in parsed]
    assert ours.problems == ()
    assert len(theirs) > 100
    assert [
        (one.name, f"=={one.version}", one.marker, sorted(one.hashes)) for one in ours.requirements
    ] == [
        (
            one.name,
            str(one.specifier),
            str(one.markers or ""),
            sorted(
                f"{name}:{digest}" for name, found in one.hash_options.items() for digest in found
            ),
        )
        for one in theirs
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("six", "six is not pinned to one version: it accepts any version"),
        ("six>=1.16", "six is not pinned to one version: it accepts `>=1.16`"),
        ("six==1.*", "six is not pinned to one version: it accepts `==1.*`"),
        ("six===newest", "six is not pinned to one version: it accepts `===newest`"),
        ("six==1.17,<2", "six is not pinned to one version: it accepts `<2,==1.17`"),
        ("six @ https://example.org/six.whl", "is a URL, checkout or path, not a version"),
        (
            "six @ git+https://t:x@example.org/six@main",
            "`six @ git+https://…@example.org/six@main`",
        ),
        ("git+ssh://example.org/six", "is a URL, checkout or path, not a version"),
        ("https://example.org/six.whl", "is a URL, checkout or path, not a version"),
        ("./wheels/six.whl", "is a URL, checkout or path, not a version"),
        ("file:six.whl", "is a URL, checkout or path, not a version"),
        (".", "is a URL, checkout or path, not a version"),
        ("-e .", "`-e .` is not a pin: an editable install takes whatever its folder holds"),
        ("--editable=./six", "an editable install takes whatever its folder holds"),
        ("-r base.txt", "`-r base.txt` is not a pin: it includes another file"),
        (
            "--index-url https://me:secret@example.org/simple",
            "`--index-url https://…@example.org/simple` is not a pin: where packages come from",
        ),
        ("-i https://example.org", "where packages come from is the team's setting"),
        ("--extra-index-url=http://169.254.169.254/", "where packages come from"),
        ("--find-links ../../wheels", "where packages come from"),
        ("-f https://example.org/wheels", "where packages come from"),
        ("--pre --trusted-host example.org", "`--trusted-host example.org` is not a pin"),
        ("--no-index", "`--no-index` is not a pin: where packages come from"),
        ("--no-binary :all:", "is not a pin: what may be built from source is the card's to say"),
        ("--no-binary=six", "what may be built from source is the card's to say"),
        ("--pre -c base.txt", "`-c base.txt` is not a pin: it leans on a constraints file"),
    ],
)
def test_a_line_that_is_no_pin_is_kept_as_unpinned(locked: Locked, line: str, message: str) -> None:
    suffix = "" if line.startswith("-") else f" {SHA}"
    lock = locked(f"# first\n{line}{suffix}\nidna==3.10 {SHA}\n")
    assert pins(lock) == [("idna", "3.10")]
    assert (only(lock).kind, only(lock).line) == ("unpinned", 2)
    assert message in only(lock).message


@pytest.mark.parametrize(
    ("hashes", "message"),
    [
        ("", "six 1.17.0 has no hash: any file of that version would be installed"),
        ("--hash=md5:" + "a" * 32, "the algorithm must be sha256, sha384 or sha512"),
        ("--hash=" + "a" * 64, "the algorithm must be sha256, sha384 or sha512"),
        ("--hash=sha256:" + "a" * 63, "sha256 has 64 hexadecimal digits, this has 63"),
        ("--hash=sha512:" + "a" * 64, "sha512 has 128 hexadecimal digits, this has 64"),
        ("--hash=sha256:" + "g" * 64, "it holds more than hexadecimal digits"),
        (f"{SHA} --hash=sha1:" + "a" * 40, "the malformed hash `sha1:"),
        ("--hash", "the malformed hash ``"),
    ],
)
def test_a_pin_without_a_sound_hash_is_kept_as_unhashed(
    locked: Locked, hashes: str, message: str
) -> None:
    lock = locked(f"six==1.17.0 {hashes}\n")
    assert pins(lock) == [("six", "1.17.0")]
    assert (only(lock).kind, only(lock).requirement, only(lock).line) == ("unhashed", "six", 1)
    assert message in only(lock).message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("six=1.0\n", 1, "`six=1.0` is not a requirement"),
        (f"\nsix==1.0 \\\n  # via\n  {SHA}\n", 4, "the option `--hash` has no place here"),
        ("six==1.0 --edit .\n", 1, "the option `--edit` has no place after a requirement"),
        ("--edit .\n", 1, "the option `--edit` has no place here"),
        ("six==1.0 # why \\\nidna==3.10\n", 1, "would swallow the next line"),
        (f"idna==3.10\nsix==1.0 {SHA} \\\n", 2, "the file ends inside this requirement"),
        ("six==1.0 ; os_name ~= 'x'\n", 1, "has no answer"),
        ("six==1.0 ; 'x' in extras\n", 1, "has no answer"),
        ("# hidden\u2028six==6.6.6\n", 1, "control character '\\u2028'"),
        ("six==1.0\n\x00", 2, "control character '\\x00'"),
        ("(" * 3000, 1, "is not a requirement"),
    ],
)
def test_a_line_no_reader_agrees_on_is_an_error_at_its_line(
    locked: Locked, text: str, line: int, message: str
) -> None:
    with pytest.raises(LockError) as caught:
        locked(text)
    assert caught.value.line == line
    assert message in str(caught.value)


def test_a_missing_file_a_folder_and_binary_bytes_are_errors(tmp_path: Path) -> None:
    with pytest.raises(LockError, match="there is no such file"):
        read_lock(tmp_path / "requirements.txt")
    with pytest.raises(LockError, match="it cannot be read"):
        read_lock(tmp_path)
    (tmp_path / "latin.txt").write_bytes(b"six==1.0\n# caf\xe9\n")
    with pytest.raises(LockError, match=r"latin\.txt:2: it is not UTF-8 text"):
        read_lock(tmp_path / "latin.txt")


def test_an_empty_lock_is_read_as_nothing(write: Write) -> None:
    lock = read_lock(write("\n# nothing\n"))
    assert (lock.requirements, lock.problems, lock.options) == ((), (), ())


names = st.from_regex(r"[a-z][a-z0-9]{0,6}(-[a-z0-9]{1,4})?", fullmatch=True)
versions = st.from_regex(r"(0|[1-9][0-9]{0,3})(\.(0|[1-9][0-9]?)){0,3}((a|b|rc)[1-9]|\.post[1-9])?",
                         fullmatch=True)  # fmt: skip
hashes = st.sampled_from([("sha256", 32), ("sha384", 48), ("sha512", 64)]).flatmap(
    lambda kind: st.binary(min_size=kind[1], max_size=kind[1]).map(
        lambda digest: f"{kind[0]}:{digest.hex()}"
    )
)
markers = st.sampled_from(
    ["", 'python_version >= "3.11"', 'os_name == "nt" and (extra == "x" or os_name != "a")']
)
locked_requirements = st.builds(
    LockedRequirement,
    name=names,
    version=versions,
    extras=st.lists(names, max_size=2, unique=True).map(lambda found: tuple(sorted(found))),
    hashes=st.lists(hashes, min_size=1, max_size=3).map(tuple),
    marker=markers,
    line=st.just(0),
    raw=st.just(""),
)


def render(found: LockedRequirement) -> str:
    extras = f"[{','.join(found.extras)}]" if found.extras else ""
    marker = f" ; {found.marker}" if found.marker else ""
    lines = [f"{found.name}{extras}=={found.version}{marker}"]
    return (
        " \\\n    ".join([*lines, *(f"--hash={one}" for one in found.hashes)]) + "\n    # via x\n"
    )


@settings(deadline=None)
@given(wanted=st.lists(locked_requirements, max_size=4))
def test_what_is_rendered_is_read_back(
    wanted: list[LockedRequirement], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "rendered.txt"
    path.write_text("".join(map(render, wanted)), encoding="utf-8")
    lock = read_lock(path)

    def facts(found: LockedRequirement) -> tuple[object, ...]:
        return found.name, found.version, found.extras, found.hashes, found.marker

    assert list(map(facts, lock.requirements)) == list(map(facts, wanted))
    assert lock.problems == ()


pieces = st.sampled_from(
    "six|==|1.0|>=|.*| |\n|\\\n|#|;|[|]|(|-|--hash=|-e|-r|@|/|os_name|'3'|and|extra|~=|===|\t|\r|,"
    f"|{SHA}".split("|")
)


@settings(deadline=None)
@given(
    content=st.binary()
    | st.text(st.characters(codec="utf-8")).map(str.encode)
    | st.lists(pieces).map("".join).map(str.encode)
)
def test_no_bytes_raise_anything_but_a_lock_error(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.txt"
    path.write_bytes(content)
    try:
        lock = read_lock(path)
    except LockError:
        return
    assert all(one.line >= 1 and one.message for one in lock.problems)
    unhashed = {one.line for one in lock.problems if one.kind == "unhashed"}
    assert all(one.hashes or one.line in unhashed for one in lock.requirements)
