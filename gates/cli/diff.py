"""`gates diff`: two rankings against judgments, without a model, a card or MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from gates.cli.common import JsonOption, Speech

if TYPE_CHECKING:
    from gates.comparison.compare import Compared, Progress
    from gates.comparison.plan import ComparisonPlan

__all__ = ["DiffCommand", "diff"]


class DiffCommand(TyperCommand):
    """`gates diff`, whose help ends with the metrics there are."""

    def get_help(self, ctx: Any) -> str:  # noqa: ANN401 - typer names it in private alone
        """Looking for metrics imports NumPy, for which no other command's help should wait."""
        from gates.comparison.metrics import judging_metrics

        named = {one.name.replace("{k}", "K"): one.words for one in judging_metrics()}
        width = max(map(len, named))
        lines = [f"  {name:{width}}  {words}" for name, words in named.items()]
        self.epilog = "\n".join(["\b", "Metrics:", *lines])
        return super().get_help(ctx)


class Gain(StrEnum):
    """nDCG's gain."""

    LINEAR = "linear"
    EXPONENTIAL = "exponential"


class Unjudged(StrEnum):
    """What documents are that nobody judged."""

    OPEN = "open"
    IRRELEVANT = "irrelevant"


class Missing(StrEnum):
    """What a query is that a ranking lacks."""

    ERROR = "error"
    EMPTY = "empty"


class Order(StrEnum):
    """What orders a ranking."""

    SCORE = "score"
    RANK = "rank"
    ROWS = "rows"


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The ranking in production.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The ranking under test.")],
    judgments: Annotated[
        Path, typer.Option("--judgments", "-j", metavar="FILE", help="Relevance judgments.")
    ],
    queries: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights, sampling and slice columns: query_id, weight, sampling, "
            "inclusion_probability and any others.",
        ),
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="What is judged: a metric named below, such as mrr or recall@50 "
            "(default: ndcg@K with --k).",
        ),
    ] = "",
    gain: Annotated[Gain, typer.Option(help="nDCG's gain.")] = Gain.LINEAR,
    k: Annotated[int, typer.Option("--k", min=1, max=9999, help="Depth of the metrics.")] = 10,
    margin: Annotated[
        float, typer.Option(metavar="LOSS", help="How much of the metric NEW may lose.")
    ] = 0.01,
    slices: Annotated[
        list[str] | None,
        typer.Option(
            "--slice",
            metavar="COLUMN[=VALUE]",
            help="A slice that must hold by itself; may be repeated.",
        ),
    ] = None,
    slice_margin: Annotated[
        float | None,
        typer.Option(metavar="LOSS", help="How much a slice may lose (default: --margin)."),
    ] = None,
    better: Annotated[
        bool, typer.Option("--better", help="Demand that NEW is shown to be better as well.")
    ] = False,
    severe: Annotated[
        float, typer.Option(metavar="LOSS", help="From which loss a query is a severe loss.")
    ] = 0.3,
    max_severe: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="Greatest share of severe losses (default: any)."),
    ] = None,
    relevant: Annotated[
        float, typer.Option(metavar="GRADE", help="From which grade a document is relevant.")
    ] = 1.0,
    unjudged: Annotated[
        Unjudged,
        typer.Option(help="Whether documents that nobody judged may decide, or are irrelevant."),
    ] = Unjudged.OPEN,
    missing: Annotated[
        Missing, typer.Option(help="What a query is that a ranking lacks.")
    ] = Missing.ERROR,
    order: Annotated[
        Order | None,
        typer.Option(
            help="What orders OLD and NEW (default: the rank where a file has one, else the score)."
        ),
    ] = None,
    cluster: Annotated[
        str,
        typer.Option(
            metavar="COLUMN",
            help="Column of the queries' file whose values near-duplicate queries share: "
            "they count as one.",
        ),
    ] = "",
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with both lists side by side.")
    ] = None,
    per_query: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every query's metrics as Parquet."),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every note, slice and listed document.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compare two rankings of the same queries: PASS when NEW is no worse than the margin allows.

    OLD, NEW and the judgments are Parquet (a file or a folder of parts), CSV, TSV, JSON lines or
    TREC files, told by their names: query_id, doc_id and score or rank; judgments have grade.
    Exit codes: 0 PASS, 1 FAIL, 2 usage or input error, 3 UNDECIDED.

    Example: gates diff old.parquet new.parquet --judgments judgments.parquet --margin 0.01
    """
    from gates.comparison.compare import compare
    from gates.comparison.plan import ComparisonPlan

    plan = ComparisonPlan(
        old,
        new,
        judgments,
        queries,
        metric,
        gain.value,
        k,
        margin,
        tuple(slices or ()),
        slice_margin,
        better,
        severe,
        max_severe,
        relevant,
        unjudged.value,
        missing.value,
        order.value if order else "",
        cluster,
    )
    speech = Speech(as_json)
    with _shown(speech) as told:
        compared = compare(plan, progress=told, with_lists=html is not None)
    _deliver(plan, compared, html, per_query, speech, verbose=verbose)
    raise typer.Exit(compared.comparison.verdict.outcome.exit_code)


@contextmanager
def _shown(speech: Speech) -> Iterator[Progress]:
    """A bar for each thing that takes long."""
    with speech.working() as bars:
        task = bars.add_task("reading rows", total=None)

        def told(doing: str, done: int, total: int | None) -> None:
            bars.update(task, description=doing, completed=done, total=total)

        yield told


def _deliver(
    plan: ComparisonPlan,
    compared: Compared,
    html: Path | None,
    per_query: Path | None,
    speech: Speech,
    *,
    verbose: bool,
) -> None:
    from gates.comparison.document import document, write_per_query
    from gates.report import comparison_page, comparison_terminal
    from gates.system.files import write_atomically

    if html:
        write_atomically(html.absolute(), comparison_page.render(compared.comparison).encode())
    comparison_terminal.render(compared.comparison, speech.out, page=html, verbose=verbose)
    if per_query:
        write_per_query(per_query, compared)
        speech.say(f"queries: {per_query}")
    speech.result(document(plan, compared))
