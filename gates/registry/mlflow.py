"""MLflow as the registry: an embedded SQLite store or a running server, alike.

What MLflow does not give is made up for here: versions have no digest and can change after they
were registered, so every resolution digests the artifact anew and keeps its own copy; aliases have
no compare-and-set, so a move is read, compared, written and read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gates.domain.judging import ModelVersion
from gates.errors import IntegrityError, NoSuchModel, PromotionRefused, RegistryError
from gates.evidence.evidence import RegistryFacts
from gates.registry import Event, GateSource, Listed, Origin
from gates.registry._connection import Absent, Connection, Taken
from gates.registry._identity import identity_of
from gates.registry._ledger import Ledger
from gates.registry._origins import origin_of
from gates.registry._runs import Runs
from gates.registry._snapshots import Snapshots
from gates.registry.chain import in_order
from gates.registry.digests import file_digest, tree_digest
from gates.registry.names import check_alias, check_name, parse_uri
from gates.registry.turns import Ending, Turn
from gates.system.strict_yaml import nearest

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as Registered
    from mlflow.entities.model_registry import RegisteredModel

__all__ = ["MlflowRegistry"]


class MlflowRegistry:
    """A `Registry` in MLflow. It never loads a model.

    Args:
        tracking_uri: `sqlite:///path` (made when missing, with its artifacts beside it) or the
            address of an MLflow server.
        cache_root: Where copies of artifacts are kept.

    Raises:
        UsageError: The URI is neither.
    """

    def __init__(self, tracking_uri: str, cache_root: Path) -> None:
        self._connection = Connection(tracking_uri, cache_root)
        self._snapshots = Snapshots(cache_root / "models")
        self._runs = Runs(self._connection)
        self._ledger = Ledger(self._connection, self._runs)

    def resolve(self, uri: str) -> ModelVersion:
        """See `Registry.resolve`."""
        return self._digested(self._named(uri))

    def _named(self, uri: str) -> Registered:
        asked = parse_uri(uri)
        version = asked.version
        if asked.alias:
            aliases = self.aliases(asked.name)
            if asked.alias not in aliases:
                raise RegistryError(
                    f"model '{asked.name}' has no alias '{asked.alias}'",
                    advice=nearest(asked.alias, aliases)
                    if aliases
                    else "no alias is set yet; name a version: models:/NAME/VERSION",
                )
            version = aliases[asked.alias]
        return self._registered(asked.name, version)

    def identity(self) -> RegistryFacts:
        """See `Registry.identity`."""
        return identity_of(self._connection)

    def path(self, version: ModelVersion) -> Path:
        """See `Registry.path`."""
        return self._snapshots.path(version.digest)

    def aliases(self, name: str) -> Mapping[str, str]:
        """See `Registry.aliases`."""
        found: Mapping[str, int | str] = self._model(name).aliases
        return {alias: str(version) for alias, version in found.items()}

    def versions(self, name: str) -> tuple[Listed, ...]:
        """See `Registry.versions`."""
        found: list[Listed] = []
        token = None
        with self._connection.calls(f"list the versions of '{check_name(name)}'") as client:
            while True:
                page = client.search_model_versions(
                    f"name = '{name}'", max_results=1000, page_token=token
                )
                found += [_listed(one) for one in page]
                token = page.token
                if not token:
                    break
        return tuple(sorted(found, key=lambda one: int(one.version), reverse=True))

    def alias(self, name: str, alias: str) -> ModelVersion | None:
        """See `Registry.alias`."""
        version = self.aliases(name).get(check_alias(alias))
        return self._digested(self._registered(name, version)) if version else None

    def register(
        self, name: str, model_dir: Path, tags: Mapping[str, str], description: str, *, by: str = ""
    ) -> ModelVersion:
        """See `Registry.register`."""
        tags = {**tags, "gates.digest": tree_digest(model_dir)}
        event = Event(datetime.now(UTC), "package", check_name(name), "", by=by, state="begun")
        run = self.log_event(event)
        try:
            version = self._store(name, model_dir, tags, description, run)
        except RegistryError:
            self.log_event(replace(event, run_id=run, state="failed"))
            raise
        self.log_event(replace(event, run_id=run, version=version, state="done"))
        return self.resolve(f"models:/{name}/{version}")

    def newest(self, name: str) -> str | None:
        """See `Registry.newest`."""
        self._model(name)
        with self._connection.calls(f"list the versions of '{name}'") as client:
            order = ["version_number DESC"]
            found = client.search_model_versions(f"name = '{name}'", 1, order)
        return str(found[0].version) if found else None

    def origin(self, version: ModelVersion) -> Origin:
        """See `Registry.origin`."""
        return origin_of(self._registered(version.name, version.version), self._connection)

    def set_alias(self, name: str, alias: str, version: str, expected: str | None) -> None:
        """See `Registry.set_alias`.

        Processes on one machine take turns under a lock. Against a server used from several
        machines a moment remains, between reading and writing, in which the last one wins; the
        other is refused when it reads back, unless it had read back before.
        """
        self._registered(name, version)
        with self._connection.exclusive():
            self._expect(name, check_alias(alias), expected)
            with self._connection.calls(f"set the alias '{alias}' of '{name}'") as client:
                client.set_registered_model_alias(name, alias, version)
            self._expect(name, alias, version)

    def exclusive(self, name: str) -> AbstractContextManager[object]:
        """See `Registry.exclusive`."""
        return self._connection.exclusive(check_name(name))

    def tag(self, version: ModelVersion, tags: Mapping[str, str]) -> None:
        """See `Registry.tag`."""
        self.note(version.name, version.version, tags)

    def note(self, name: str, version: str, tags: Mapping[str, str]) -> None:
        """See `Registry.note`."""
        with self._connection.calls(f"tag models:/{check_name(name)}/{version}") as client:
            for key, value in tags.items():
                client.set_model_version_tag(name, version, key, value)

    def log_gate(
        self,
        evidence: Path,
        files: Sequence[Path],
        version: ModelVersion,
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        *,
        source: GateSource,
        summary: str = "",
    ) -> str:
        """See `Registry.log_gate`."""
        event = Event(
            datetime.now(UTC),
            "gate",
            version.name,
            version.version,
            by=source.by,
            verdict=tags.get("gates.verdict", ""),
            evidence_digest=tags.get("gates.evidence_digest", ""),
            state="begun",
            champion=tags.get("gates.champion", ""),
            origin=source.origin,
            link=source.link,
            job=source.job,
            summary=summary,
        )
        begun = self._runs.gate_of(event)
        event = begun or replace(event, run_id=self.log_event(event))
        run = event.run_id
        self._runs.keep_evidence(run, evidence, files, metrics, tags)
        self.log_event(replace(event, state="done"))
        now = {"gates.evidence_run": run, "gates.gated_at": event.when.isoformat()}
        self.tag(version, {**tags, **now})
        return run

    def evidence(self, uri: str, into: Path) -> Path | None:
        """See `Registry.evidence`."""
        run = self._named(uri).tags.get("gates.evidence_run")
        return self._runs.fetch_evidence(run, into) if run else None

    def evidence_of(self, run_id: str, into: Path) -> Path:
        """See `Registry.evidence_of`."""
        return self._runs.fetch_evidence(run_id, into)

    def turns(self, name: str) -> tuple[Turn, ...]:
        """See `Registry.turns`."""
        return self._ledger.turns(check_name(name))

    def claim_turn(self, name: str, number: int, by: str) -> Turn | None:
        """See `Registry.claim_turn`."""
        return self._ledger.claim(check_name(name), number, by)

    def end_turn(self, name: str, turn: Turn, ending: Ending) -> Ending:
        """See `Registry.end_turn`."""
        return self._ledger.end(check_name(name), turn, ending)

    def is_left(self, name: str, turn: Turn) -> bool:
        """See `Registry.is_left`."""
        return bool(turn.lock) and turn.lock == self._connection.lock_identity(check_name(name))

    def log_event(self, event: Event, files: Sequence[Path] = ()) -> str:
        """See `Registry.log_event`."""
        return self._runs.record(event, files)

    def events(self, name: str, since: datetime | None = None) -> tuple[Event, ...]:
        """See `Registry.events`."""
        self._model(name)
        return in_order(self._runs.recorded(name, since), self._ledger.turns(name))

    def _model(self, name: str) -> RegisteredModel:
        check_name(name)
        try:
            with self._connection.calls(f"find model '{name}'") as client:
                return client.get_registered_model(name)
        except Absent:
            with self._connection.calls("list the models") as client:
                names = [model.name for model in client.search_registered_models(max_results=1000)]
        raise NoSuchModel(
            f"there is no model '{name}' at {self._connection.shown}",
            advice=nearest(name, names)
            if names
            else f"nothing is registered there yet: gates package {name}",
        )

    def _registered(self, name: str, version: str) -> Registered:
        check_name(name)
        try:
            with self._connection.calls(f"find models:/{name}/{version}") as client:
                return client.get_model_version(name, version)
        except Absent:
            self._model(name)
            with self._connection.calls(f"list the versions of '{name}'") as client:
                found = client.search_model_versions(f"name = '{name}'", max_results=1000)
        numbers = sorted((int(one.version) for one in found), reverse=True)
        listed = ", ".join(map(str, numbers[:20])) + (", …" if len(numbers) > 20 else "")
        raise RegistryError(
            f"model '{name}' has no version {version}",
            advice=f"it has: {listed}" if numbers else "it has no version yet: gates package",
        )

    def _digested(self, found: Registered) -> ModelVersion:
        uri = f"models:/{found.name}/{found.version}"
        with self._connection.calls(f"fetch the artifact of {uri}", transfer=True) as client:
            source = client.get_model_version_download_uri(found.name, found.version)
            digest = self._snapshots.take(source, self._connection.uri)
        recorded = found.tags.get("gates.digest", digest)
        if recorded != digest:
            raise IntegrityError(
                f"artifact of {uri} changed since it was packaged: "
                f"recorded {recorded}, now {digest}",
                advice="find out who wrote to the artifact store, then package a new version",
            )
        lock = self._snapshots.path(digest) / "gates" / "requirements.txt"
        return ModelVersion(
            name=found.name,
            version=str(found.version),
            digest=digest,
            lock_digest=file_digest(lock) if lock.is_file() else "",
            run_id=found.run_id or "",
            tags={key: value for key, value in found.tags.items() if key.startswith("gates.")},
        )

    def _store(
        self, name: str, model_dir: Path, tags: Mapping[str, str], description: str, run: str
    ) -> str:
        with self._connection.calls(f"store a version of '{name}'", transfer=True) as client:
            client.log_artifacts(run, str(model_dir), "model")
            source = f"{client.get_run(run).info.artifact_uri.rstrip('/')}/model"
        try:
            with self._connection.calls(f"make model '{name}'") as client:
                client.create_registered_model(name)
        except Taken:
            pass
        with self._connection.calls(f"register a version of '{name}'") as client:
            made = client.create_model_version(
                name, source, run, tags=dict(tags), description=description
            )
        return str(made.version)

    def _expect(self, name: str, alias: str, expected: str | None) -> None:
        now = self.aliases(name).get(alias)
        if now != expected:
            raise PromotionRefused(
                f"the alias '{alias}' of '{name}' was moved meanwhile: expected "
                f"{expected or 'none'}, it is at {now or 'none'}",
                advice="look at gates history, then gate again against the version there now",
            )


def _listed(found: Registered) -> Listed:
    created = datetime.fromtimestamp(found.creation_timestamp / 1000, UTC)
    return Listed(found.name, str(found.version), created, dict(found.tags))
