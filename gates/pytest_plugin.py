"""pytest plugin: a model card is a test file, each bound of it an item.

    pytest model_cards/product-ranker.md --candidate models:/product-ranker/7

It loads in every pytest run of everybody who has mlgates installed, so it imports nothing but
pytest: all else waits until there is something to gate (`gates.run.front`).
"""

from __future__ import annotations

import argparse
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gates.domain.subject import Arm, GoldenSet, Subject
    from gates.run.front import Front
    from gates.run.items import CardFile, OwnTestFile

_KEY: pytest.StashKey[Front] = pytest.StashKey()
_SHORT = ("--candidate", "--champion", "--against-itself", "--tracking-uri")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that open a gate, under names that no other plugin or project has."""
    group = parser.getgroup("gates", "release gate for search models")
    group.addoption(
        "--gates-candidate",
        metavar="URI",
        help="version under test, as models:/NAME/VERSION; opens a gate (where a model card is "
        "named, --candidate does too, and so do the next three without their gates-)",
    )
    group.addoption(
        "--gates-champion",
        metavar="URI",
        help="version to compare with (default: the card's alias)",
    )
    group.addoption(
        "--gates-against-itself",
        action="store_true",
        help="the candidate is the champion too: an A/A run, which can promote nothing",
    )
    group.addoption(
        "--gates-tracking-uri", metavar="URI", help="MLflow store (default: see gates --help)"
    )
    group.addoption("--gates-output", metavar="DIR", help="where the run gets its folder")
    group.addoption(
        "--gates-counterexamples", metavar="DIR", help="what earlier runs found, to be asked again"
    )
    group.addoption(
        "--gates-run-dir",
        metavar="DIR",
        help="the run's folder itself; what a run that was stopped has measured there is taken "
        "over, if versions, card and golden set are the same",
    )
    group.addoption(
        "--gates-unlogged",
        action="store_true",
        help="write evidence and reports, and log nothing to MLflow",
    )
    group.addoption("--gates-cache", metavar="DIR", help="environments and model snapshots")
    group.addoption("--gates-project", metavar="DIR", help="folder with model_cards/ and golden/")
    # How `gates run` hands over a judge that it has; nobody else has a use for it.
    group.addoption("--gates-judge", metavar="SOCKET", help=argparse.SUPPRESS)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, None, None]:
    """Take `--candidate` for `--gates-candidate` where a card is named, and only there.

    The short names are never registered: pytest refuses to start where a project's own conftest
    registers the same. By the end of this hook those are loaded, and what they know is theirs.
    """
    yield
    if not any(_card_of(one, early_config) for one in args):
        return
    _, unknown = parser.parse_known_and_unknown_args(args)
    for place, one in enumerate(args):
        name, equals, value = one.partition("=")
        if name in _SHORT and one in unknown:
            args[place] = f"--gates-{name.removeprefix('--')}{equals}{value}"


def _card_of(argument: str, config: pytest.Config) -> Path | None:
    """The model card that an argument names, or an item of; None when it names none."""
    path = config.invocation_params.dir / argument.split("::")[0]
    return path if path.suffix == ".md" and path.parent.name == "model_cards" else None


def pytest_configure(config: pytest.Config) -> None:
    """Prepare to show a gate when a candidate is named, or a judge was handed in."""
    if (
        config.getoption("gates_candidate")
        or config.getoption("gates_judge")
        or "gates_judge" in getattr(config, "workerinput", ())
    ):
        from gates.run.front import Front

        config.stash[_KEY] = Front(config)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Have a judge resolve both versions, read card and golden set; an error ends the run."""
    front = session.config.stash.get(_KEY, None)
    if front:
        front.start()


@pytest.hookimpl(tryfirst=True)
def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Dir | None:
    """Where a gate is shown, take no folder for a package: pytest would import it."""
    if parent.config.stash.get(_KEY, None) is None:
        return None
    folder: pytest.Dir = pytest.Dir.from_parent(parent, path=path)
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> Generator[None, list[object], list[object]]:
    """Collect a model card as a test file, and own tests as the judge lists them."""
    found = yield
    front = parent.config.stash.get(_KEY, None)
    if front:
        mine: CardFile | OwnTestFile | None = front.collect(file_path, parent)
        return [mine] if mine else [] if front.loads_nothing else found
    if file_path.suffix != ".md":
        return found
    named = (_card_of(str(one), parent.config) for one in parent.config.args)
    if file_path.absolute() in named:
        raise pytest.UsageError(
            f"{file_path} is a model card: name the version to gate, as in --candidate "
            "models:/NAME/VERSION (--gates-candidate where --candidate means something else)"
        )
    return found


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Have the evidence written and make the verdict the exit code."""
    front = session.config.stash.get(_KEY, None)
    if front:
        front.finish(session)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:  # noqa: ANN401
    """Say the verdict and where the evidence is."""
    front = config.stash.get(_KEY, None)
    if front:
        for line in front.summary():
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let the judge go, however the run ended."""
    front = config.stash.get(_KEY, None)
    if front:
        front.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - xdist's class, which may be absent
    """Hand the judge to each xdist worker."""
    front = node.config.stash.get(_KEY, None)
    if front:
        node.workerinput.update(front.worker_input)


def _subject(request: pytest.FixtureRequest) -> Subject:
    from gates.run.caged_session import OWN_TESTS_PLUGIN

    caged = request.config.pluginmanager.get_plugin(OWN_TESTS_PLUGIN)
    if caged is None:
        pytest.skip(
            "needs a gate, and to stand in golden/MODEL/test_*.py: pytest model_cards/MODEL.md "
            "--candidate models:/MODEL/VERSION"
        )
    subject: Subject = caged.subject
    return subject


@pytest.fixture(scope="session")
def subject(request: pytest.FixtureRequest) -> Subject:
    """What checks are given: both versions, the golden set, the seed."""
    return _subject(request)


@pytest.fixture(scope="session")
def candidate(request: pytest.FixtureRequest) -> Arm:
    """The version under test, running in its own environment."""
    return _subject(request).candidate


@pytest.fixture(scope="session")
def champion(request: pytest.FixtureRequest) -> Arm:
    """The version in production; a test that asks for it is skipped where there is none.

    Such a skip, unlike any other, does not keep a first version from being promoted.
    """
    found = _subject(request).champion
    if found is None:
        from gates.run.caged_session import ChampionMissing

        raise ChampionMissing
    return found


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> GoldenSet:
    """The golden set of the model under test."""
    return _subject(request).golden
