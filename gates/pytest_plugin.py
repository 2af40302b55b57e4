"""pytest plugin: a model card is a test file, each bound of it an item.

    pytest model_cards/product-ranker.md --candidate models:/product-ranker/7

It loads in every pytest run of everybody who has mlgates installed, so it imports nothing but
pytest: all else waits until `--candidate` is given (`gates.run.session`).
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options that open a gate."""
    group = parser.getgroup("gates", "release gate for search models")
    group.addoption(
        "--candidate",
        metavar="URI",
        help="version under test, as models:/NAME/VERSION; opens a gate",
    )
    group.addoption(
        "--champion", metavar="URI", help="version to compare with (default: the card's alias)"
    )
    group.addoption(
        "--against-itself",
        action="store_true",
        help="the candidate is the champion too: an A/A run, which can promote nothing",
    )
    group.addoption(
        "--tracking-uri", metavar="URI", help="MLflow store (default: see gates --help)"
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


def pytest_configure(config: pytest.Config) -> None:
    """Prepare a gate session when a candidate is named."""
    if config.getoption("candidate"):
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
    if _is_named_card(file_path, parent.config):
        raise pytest.UsageError(
            f"{file_path} is a model card: name the version to gate, "
            "as in --candidate models:/NAME/VERSION"
        )
    return None


def _is_named_card(path: Path, config: pytest.Config) -> bool:
    named = {Path(str(one).split("::")[0]).absolute() for one in config.args}
    return path.absolute() in named and path.parent.name == "model_cards"


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
        node.workerinput["gates_run"] = str(gate.run_dir)


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
