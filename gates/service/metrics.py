"""Numbers for Prometheus: what came in, what waits, how gates ended and how long they took."""

from __future__ import annotations

from collections import Counter as Counted
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from gates import __version__
from gates.promotion.guard import standing_in
from gates.service.last_seen import LastSeenRegistry
from gates.service.store.jobs import Jobs

__all__ = ["Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The numbers of one service.

    Args:
        jobs: Its jobs: what waits, runs and ended is counted when somebody asks.
        last_seen: What MLflow holds of gates, wherever they ran.
        models: The models that it looks after.
    """

    def __init__(
        self, jobs: Jobs, last_seen: LastSeenRegistry, models: Callable[[], Iterable[str]]
    ) -> None:
        self._registry = CollectorRegistry()
        self._deliveries = Counter(
            "gates_deliveries", "Webhook deliveries.", ["outcome"], registry=self._registry
        )
        self._requests = Histogram(
            "gates_request_seconds",
            "Time to answer a request.",
            ["area"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0),
            registry=self._registry,
        )
        for outcome in ("stored", "duplicate", "refused", "overloaded"):
            self._deliveries.labels(outcome)
        self._registry.register(_Stored(jobs))
        self._registry.register(_Recorded(last_seen, models))

    def delivery(self, outcome: str) -> None:
        """Count a delivery.

        Args:
            outcome: `stored`, `duplicate`, `refused` or `overloaded`.
        """
        self._deliveries.labels(outcome).inc()

    def request(self, area: str, seconds: float) -> None:
        """Count a request.

        Args:
            area: `webhook`, `api`, `pages` or `health`.
            seconds: How long its answer took.
        """
        self._requests.labels(area).observe(seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)


class _Stored(Collector):
    """What the database knows, read when it is asked for."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        states = GaugeMetricFamily("gates_jobs", "Gates by state.", labels=["state"])
        found = self._jobs.counts()
        for state in ("queued", "running", "done", "parked", "cancelled", "skipped"):
            states.add_metric([state], found.get(state, 0))
        yield states
        verdicts = GaugeMetricFamily(
            "gates_verdicts", "Gates that the service ran, by verdict.", labels=["verdict"]
        )
        for verdict, count in self._jobs.verdicts().items():
            verdicts.add_metric([verdict], count)
        yield verdicts
        about = GaugeMetricFamily("gates_build_info", "Which mlgates this is.", labels=["version"])
        about.add_metric([__version__], 1)
        yield about

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: describing must not ask the database."""
        return iter(())


class _Recorded(Collector):
    """What MLflow holds, as it was seen last: no scrape waits for it."""

    def __init__(self, last_seen: LastSeenRegistry, models: Callable[[], Iterable[str]]) -> None:
        self._last_seen = last_seen
        self._models = models

    def collect(self) -> Iterator[GaugeMetricFamily]:
        counts: Counted[tuple[str, str]] = Counted()
        read = foreign = 0
        glimpses = self._last_seen.of(self._models(), patience=0.0)
        for model, glimpse in glimpses.items():
            read += glimpse.is_sure
            if glimpse.history:
                aliases = {one.alias for one in glimpse.history.moves}
                found = (standing_in(glimpse.history, model, one).state for one in aliases)
                foreign += sum(state == "foreign" for state in found)
                counts.update((one.origin, one.verdict) for one in glimpse.history.gates)
        recorded = GaugeMetricFamily(
            "gates_recorded",
            "Gates that MLflow holds, by where they ran and their verdict.",
            labels=["origin", "verdict"],
        )
        for (origin, verdict), count in sorted(counts.items()):
            recorded.add_metric([origin or "unknown", verdict], count)
        yield recorded
        unread = GaugeMetricFamily(
            "gates_models_unread", "Models whose history in MLflow could not be read, or not yet."
        )
        unread.add_metric([], len(glimpses) - read)
        yield unread
        moved = GaugeMetricFamily(
            "gates_aliases_foreign", "Aliases that somebody moved past the gate."
        )
        moved.add_metric([], foreign)
        yield moved

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Nothing: describing must not ask MLflow."""
        return iter(())
