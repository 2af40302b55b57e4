"""pytest plugin: a model card is a test file, each bound of it an item.

    pytest model_cards/product-ranker.md --candidate models:/product-ranker/7

It loads in every pytest run of everybody who has mlgates installed, so it imports nothing but
pytest: all else waits until there is something to gate (`gates.run.session`).
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gates.domain.subject import Arm, GoldenSet, Subject
    from gates.run.items import CardFile
    from gates.run.session import GateSession

_KEY: pytest.StashKey[GateSession] = pytest.StashKey()
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
    """Prepare a gate session when a candidate is named, or a whole request was handed in."""
    if (
        config.getoption("gates_candidate")
        or config.pluginmanager.has_plugin("gates-request")
        or "gates_request" in getattr(config, "workerinput", ())
    ):
        from gates.run.session import GateSession

        config.stash[_KEY] = GateSession(config)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Resolve both versions, read card and golden set; an input error ends the run with 2."""
    gate = session.config.stash.get(_KEY, None)
    if gate:
        gate.start()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CardFile | None:
    """Collect a model card as a test file."""
    if file_path.suffix != ".md":
        return None
    gate = parent.config.stash.get(_KEY, None)
    if gate:
        return gate.collect(file_path, parent)
    named = (_card_of(str(one), parent.config) for one in parent.config.args)
    if file_path.absolute() in named:
        raise pytest.UsageError(
            f"{file_path} is a model card: name the version to gate, as in --candidate "
            "models:/NAME/VERSION (--gates-candidate where --candidate means something else)"
        )
    return None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put what a gate must know of an item into its report, so that it survives xdist."""
    report = yield
    gate = item.config.stash.get(_KEY, None)
    if gate:
        gate.annotate(item, call, report)
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the evidence and make the verdict the exit code."""
    gate = session.config.stash.get(_KEY, None)
    if gate:
        gate.finish(session)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:  # noqa: ANN401
    """Say the verdict and where the evidence is."""
    gate = config.stash.get(_KEY, None)
    if gate:
        for line in gate.summary():
            terminalreporter.write_line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the workers, however the run ended."""
    gate = config.stash.get(_KEY, None)
    if gate:
        gate.close()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401 - xdist's class, which may be absent
    """Hand the resolved run to each xdist worker."""
    gate = node.config.stash.get(_KEY, None)
    if gate:
        node.workerinput.update(gate.worker_input())


def _subject(request: pytest.FixtureRequest) -> Subject:
    gate = request.config.stash.get(_KEY, None)
    if gate is None:
        pytest.skip("needs a gate: pytest model_cards/MODEL.md --candidate models:/MODEL/VERSION")
    return gate.opened.subject


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
        from gates.run.own_tests import ChampionMissing

        raise ChampionMissing
    return found


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> GoldenSet:
    """The golden set of the model under test."""
    return _subject(request).golden
