"""Evidence as real runs leave it, made from a seed: every outcome, and the hard cases."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterable, Mapping
from typing import Any

from gates.domain.exhibits import (
    Cell,
    DocumentMove,
    FeatureChange,
    NewPlace,
    OldPlace,
    QueryDifference,
    RankingDifference,
    Table,
)
from gates.domain.installation import Installed
from gates.domain.judging import (
    Bound,
    Cause,
    EnvironmentFacts,
    Judgement,
    Measurement,
    ModelVersion,
    Outcome,
    decide,
    judge,
)
from gates.errors import NoChampion
from gates.evidence.evidence import (
    CardFacts,
    CheckRecord,
    Evidence,
    GateFacts,
    GoldenFacts,
    Timing,
    canonical,
    of_file,
)

HOSTILE = "<script>alert('x')</script> | `tick` @octocat #12 \x1b[31mred\x07 \u202egnp.exe & \"q\""
_COLUMNS = ("Query", "Expectation", "Found", "Holds")
_CATEGORIES = ("chairs", "lighting", "rugs", "storage", "tables")
_MADE_OF = ("oak", "walnut", "linen", "velvet", "brass", "rattan", "steel", "marble", "pine")
_THINGS = ("armchair", "floor lamp", "round rug", "bookcase", "dining table", "bar stool")


def sha(seed: int) -> str:
    return f"sha256:{random.Random(seed).getrandbits(256):064x}"  # noqa: S311 - a stand-in


def golden_facts(*, queries: int, synthetic: bool = True, warnings: int = 1) -> GoldenFacts:
    said = ("12 queries have fewer than 3 judged documents", "2 annotators disagree on 'rugs'")
    return GoldenFacts(
        path="golden/product-ranker",
        digest=sha(3),
        name="Shop queries, spring",
        synthetic=synthetic,
        sampling="census of the head, tail proportional to traffic",
        queries=queries,
        documents=640,
        judgments=queries * 14,
        expectations=38,
        warnings=said[:warnings],
    )


def environment(*, cached: bool) -> EnvironmentFacts:
    return EnvironmentFacts(
        key="3f9a1c02d7be4411",
        python="3.11.7",
        platform="Linux x86_64",
        cached=cached,
        build_seconds=0.02 if cached else 14.8,
        layers={"memory limit": True, "scrubbed variables": True, "no network": False},
        encoding="arrow",
        load_seconds=1.94,
        lock=sha(6),
        installer="uv 0.9.3",
        distributions=(
            Installed("lightgbm", "4.6.0", sha(7)),
            Installed("old-stemmer", "1.0", sha(8), source=sha(9)),
        ),
    )


def ranking_exhibit(
    queries: int, *, shift: float = 0.0, k: int = 10, text: str = ""
) -> RankingDifference:
    """Two rankings of the same candidates for each query; `shift` moves every difference."""
    dice = random.Random(7)  # noqa: S311 - made-up data
    titles = {
        f"p{n:04}": f"{dice.choice(_MADE_OF).title()} {dice.choice(_THINGS)} no. {n}"
        for n in range(640)
    }
    if text:
        titles = dict.fromkeys(titles, text)
    rows = [_query(n, dice, sorted(titles), shift, k, text) for n in range(queries)]
    rows[:2] = [dataclasses.replace(row, old=None, new=None, delta=None) for row in rows[:2]]
    rows.sort(key=lambda row: (row.delta is None, row.delta))
    return RankingDifference(
        f"nDCG@{k}, query by query",
        metric=f"ndcg@{k}",
        k=k,
        severe=-0.3,
        queries=tuple(rows),
        titles=titles,
        why_note="Contributions are TreeSHAP values.",
    )


def _query(
    n: int, dice: random.Random, documents: list[str], shift: float, k: int, text: str
) -> QueryDifference:
    pool = dice.sample(documents, k + 5)
    grades: dict[str, float | None] = {
        doc: dice.choice((None, 0.0, 0.0, 1.0, 1.0, 2.0, 3.0)) for doc in pool
    }
    fresh = pool[:]
    for _ in range(dice.choice((0, 1, 3, 8))):
        fresh.insert(dice.randrange(k), fresh.pop(dice.randrange(k + 5)))
    ranks = {doc: rank for rank, doc in enumerate(pool, 1)}
    same = fresh == pool
    own = random.Random(n)  # noqa: S311 - made-up data
    spread = {
        doc: tuple(max(0.0, min(3.0, grade + own.choice((-1, 0, 0, 0, 1)))) for _ in range(3))
        for doc, grade in grades.items()
        if grade is not None
    }
    moves = [
        DocumentMove(
            doc,
            ranks[doc],
            rank,
            round(own.gauss(0, 0.2), 3),
            tuple(
                FeatureChange(text or name, *_pushed(own)) for name in ("title_match", "ctr_90d")
            ),
        )
        for rank, doc in enumerate(fresh[:k], 1)
        if ranks[doc] > rank + 1
    ]
    old = round(dice.uniform(0.35, 0.95), 4)
    delta = 0.0 if same else max(-old, min(1 - old, dice.gauss(shift, 0.14)))
    return QueryDifference(
        id=f"q{n:04}",
        text=text or f"{dice.choice(_MADE_OF)} {dice.choice(_THINGS)} {dice.randint(40, 240)} cm",
        weight=round(dice.lognormvariate(0, 1), 3),
        slices={
            "category": dice.choice(_CATEGORIES),
            "traffic": dice.choice(("head", "torso", "tail")),
        },
        old=old,
        new=old + delta,
        delta=delta,
        overlap=len({*pool[:k]} & {*fresh[:k]}) / k,
        rbo=1.0 if same else round(dice.uniform(0.5, 0.97), 3),
        top1_changed=pool[0] != fresh[0],
        old_list=tuple(OldPlace(doc, grades[doc]) for doc in pool[:k]),
        new_list=tuple(NewPlace(doc, grades[doc], ranks[doc]) for doc in fresh[:k]),
        spread=spread,
        moves=tuple(moves[:3]),
    )


def _pushed(dice: random.Random) -> tuple[float, float, float]:
    old, new = round(dice.gauss(0, 0.4), 2), round(dice.gauss(0, 0.4), 2)
    return old, new, round(new - old, 2)


def ranking_record(
    queries: int,
    *,
    delta: float,
    half: float,
    slices: Mapping[str, tuple[float, float]],
    text: str = "",
) -> CheckRecord:
    """The measurements of a ranking difference; `slices`: name → (delta, half width)."""
    n = queries - 2

    def measured(value: float, width: float, size: int, name: str = "") -> Measurement:
        return Measurement(
            "ndcg@10.delta",
            value,
            size,
            "nDCG",
            value - width,
            value + width,
            name,
            extra=_facts(value, width, size),
        )

    return CheckRecord(
        "ranking-diff",
        (
            measured(delta, half, n),
            *(
                measured(d, w, n // 5 if w < math.inf else 1, name)
                for name, (d, w) in slices.items()
            ),
            Measurement("severe-loss.share", 0.0253, n, "share of queries", 0.0088, 0.0575),
            Measurement("overlap@10", 0.8617, n, "share of documents"),
            Measurement("rbo", 0.8124, n, "RBO"),
            Measurement("top1.changed", 0.1962, n, "share of queries", 0.145, 0.2562),
        ),
        (ranking_exhibit(queries, shift=delta, text=text),),
        seconds=0.412,
    )


def _facts(value: float, width: float, size: int) -> dict[str, float | None]:
    losses = float(round(size * (0.4 if value > 0 else 0.6)))
    return {
        "old": 0.6712,
        "new": 0.6712 + value,
        "n_eff": size * 0.71,
        "mde": width * 1.5 if width < math.inf else None,
        "left_out": 2.0,
        "wins": max(0.0, size - losses - 1),
        "losses": losses,
        "ties": 1.0,
    }


def behaviour_record(*, broken: int = 0) -> CheckRecord:
    rows: list[list[Any]] = [
        ["walnut desk", "p0012 must be in the top 3", "rank 9", False],
        ["kids lamp", "p0201 must never be in the top 10", "rank 4", False],
    ]
    exhibits = (Table("Broken expectations", _COLUMNS, rows[:broken]),) if broken else ()
    return CheckRecord(
        "behaviour",
        (
            Measurement("expectations.kept", (38 - broken) / 38, 38, "share of expectations"),
            Measurement("case.invariant", 1.0, 160, "share of queries"),
            Measurement("typo.stable", 0.9375, 160, "share of queries", 0.8952, 0.9661),
        ),
        exhibits,
        seconds=0.874,
    )


def lock_record() -> CheckRecord:
    rows: list[list[Cell]] = [
        ["scikit-learn", "1.7.2", "1.7.2", True],
        ["lightgbm", "4.6.0", "4.6.0", True],
    ]
    columns = ["Requirement", "Locked", "Ran", "Equal"]
    return CheckRecord(
        "lockfile",
        (
            Measurement("pinned", 1.0, 27, "share of requirements"),
            Measurement("hashed", 1.0, 27, "share of requirements"),
            Measurement("environment.equal", 1.0, 27, "share of requirements"),
        ),
        (Table("Requirements as locked and as they ran", columns, rows),),
        seconds=0.061,
    )


def bounds(*slices: str) -> tuple[Bound, ...]:
    return (
        Bound("lockfile", "pinned", minimum=1.0),
        Bound("lockfile", "hashed", minimum=1.0),
        Bound("lockfile", "environment.equal", minimum=1.0),
        Bound("behaviour", "expectations.kept", minimum=1.0),
        Bound("behaviour", "case.invariant", minimum=1.0),
        Bound("behaviour", "typo.stable", minimum=0.95, advisory=True),
        Bound("ranking-diff", "ndcg@10.delta", minimum=-0.02),
        *(Bound("ranking-diff", "ndcg@10.delta", minimum=-0.05, slice=name) for name in slices),
        Bound("ranking-diff", "severe-loss.share", maximum=0.06),
    )


def evidence(
    records: tuple[CheckRecord, ...],
    asked: Iterable[Bound],
    *,
    golden: GoldenFacts,
    model: str = "product-ranker",
    task: str = "ranking",
    first: bool = False,
) -> Evidence:
    """Evidence of these records, judged and decided by the real judge."""
    measured = {(r.check, m.metric, m.slice): m for r in records for m in r.measurements}
    faults = {record.check: record for record in records if record.fault}
    judgements = tuple(
        Judgement(b, faults[b.check].cause or Cause.FAULT, faults[b.check].fault)
        if b.check in faults
        else judge(b, measured.get((b.check, b.metric, b.slice)))
        for b in asked
    )
    champion = None if first else ModelVersion(model, "7", sha(2), sha(5), "run-champion")
    environments = {"candidate": environment(cached=False)}
    if champion:
        environments["champion"] = environment(cached=True)
    made = Evidence(
        run_id="7c1e0a4b9d2f4e83",
        created="2026-03-14T09:26:53Z",
        gate=GateFacts("0.1.0", "3.11.7", "Linux x86_64", "3.17.2", ("gates", "run")),
        card=CardFacts(
            f"model_cards/{model}.md", sha(4), model, task, "champion", ("search-team",), {}
        ),
        golden=golden,
        candidate=ModelVersion(model, "8", sha(1), sha(6), "run-candidate"),
        champion=champion,
        environments=environments,
        seed=20260101,
        records=records,
        judgements=judgements,
        timings=(
            Timing("resolve versions", 0.31),
            Timing("environment of the candidate", 14.8),
            Timing("environment of the champion", 0.02),
            Timing("start workers", 1.94),
            Timing("predict", 0.62),
            Timing("checks", 1.35),
        ),
        verdict=decide(judgements),
    )
    return of_file(made, canonical(made))


_GOOD = {"category=chairs": (0.031, 0.03), "category=rugs": (0.012, 0.041)}
_GOOD |= {"category=lighting": (0.008, 0.035), "traffic=head": (0.027, 0.02)}
_GOOD |= {"traffic=torso": (0.014, 0.031), "traffic=tail": (0.006, 0.052)}


def _ranking(
    *,
    delta: float,
    half: float,
    slices: Mapping[str, tuple[float, float]],
    queries: int = 160,
    broken: int = 0,
    text: str = "",
    synthetic: bool = True,
) -> Evidence:
    records = (
        lock_record(),
        behaviour_record(broken=broken),
        ranking_record(queries, delta=delta, half=half, slices=slices, text=text),
    )
    golden = golden_facts(queries=queries, synthetic=synthetic)
    return evidence(records, bounds(*slices), golden=golden)


def passing(*, queries: int = 160, synthetic: bool = True) -> Evidence:
    return _ranking(delta=0.0213, half=0.017, slices=_GOOD, queries=queries, synthetic=synthetic)


def failing() -> Evidence:
    slices = {**_GOOD, "category=rugs": (-0.1841, 0.061), "traffic=tail": (-0.0112, 0.052)}
    return _ranking(delta=0.0031, half=0.0184, slices=slices, broken=2)


def undecided() -> Evidence:
    return _ranking(delta=-0.0092, half=0.0203, slices=_GOOD)


def lonely_slice() -> Evidence:
    """A slice of one query, whose interval is open at both ends."""
    return _ranking(delta=0.0213, half=0.017, slices={**_GOOD, "brand=yes": (0.0, math.inf)})


def hostile() -> Evidence:
    """Markup, control characters and mentions wherever data can put them."""
    slices = {**_GOOD, f"category={HOSTILE}": (-0.21, 0.05)}
    plain = _ranking(delta=0.0031, half=0.0184, slices=slices, text=HOSTILE, broken=1)
    extra = CheckRecord(
        "odd",
        exhibits=(Table(HOSTILE, [HOSTILE], [[HOSTILE], [None]]),),
        cause=Cause.FAULT,
        fault=HOSTILE,
        log=HOSTILE,
    )
    return evidence(
        (*plain.records, extra),
        [*(j.bound for j in plain.judgements), Bound("odd", HOSTILE, minimum=0)],
        golden=GoldenFacts(HOSTILE, sha(3), HOSTILE, True, HOSTILE, 160, 640, 2240, 38, (HOSTILE,)),
    )


def own_tests() -> Evidence:
    """A model's own tests: one passed, one failed, one skipped, one file that does not import."""
    folder = "golden/product-ranker"
    found = (
        ("test_new.py::test_a_product_nobody_has_bought_is_found", Cause.TEST_PASSED, "passed"),
        ("test_new.py::test_a_label[oak/ash]", Cause.TEST_FAILED, "AssertionError: rank 9, not 1"),
        ("test_old.py::test_needs_more", Cause.SKIPPED, "skipped: no champion"),
        ("test_broken.py", Cause.FAULT, "it could not be collected: SyntaxError"),
    )
    own = tuple(Judgement(Bound("tests", f"{folder}/{n}"), one, why) for n, one, why in found)
    plain = first_version()
    judgements = (*plain.judgements, *own)
    made = dataclasses.replace(plain, judgements=judgements, verdict=decide(judgements))
    return of_file(made, canonical(made))


def large(*, title: str = "") -> Evidence:
    """500 queries of 10 documents, with titles as long as shops write them."""
    return _ranking(delta=0.0213, half=0.009, slices=_GOOD, queries=500, text=title)


def many_slices(n: int) -> Evidence:
    """A card that asks for every one of `n` slices."""
    slices = {f"brand=maker {i}": (0.02, 0.03) for i in range(n)}
    return _ranking(delta=0.0213, half=0.017, slices=slices)


def faulty() -> Evidence:
    """A worker that died while it loaded the candidate."""
    log = 'Traceback (most recent call last):\n  File "model.py", line 3, in load_context\n'
    log += "OSError: libgomp.so.1: cannot open shared object file"
    fault = "the candidate's worker died while loading its model (exit code 1)"
    asked = bounds()
    failed = tuple(
        CheckRecord(name, cause=Cause.FAULT, fault=fault, log=log)
        for name in ("behaviour", "ranking-diff")
    )
    run = evidence((lock_record(), *failed), asked, golden=golden_facts(queries=160))
    assert run.verdict.outcome is Outcome.UNDECIDED
    return run


def first_version() -> Evidence:
    """A PASS without a champion to compare with."""
    return evidence(
        (lock_record(), behaviour_record()),
        [bound for bound in bounds() if bound.check != "ranking-diff"],
        golden=golden_facts(queries=160, synthetic=False, warnings=0),
        first=True,
    )


def nothing_in_production() -> Evidence:
    """A first version whose card asks for a comparison."""
    alone = CheckRecord("ranking-diff", cause=Cause.NO_CHAMPION, fault=str(NoChampion()))
    return evidence(
        (lock_record(), alone),
        [bound for bound in bounds() if bound.check != "behaviour"],
        golden=golden_facts(queries=160),
        first=True,
    )


def classification() -> Evidence:
    """A classifier whose scores left their range for some queries."""
    rows: list[list[Cell]] = [
        ["led strip", "lighting", "storage", 0.412, "≥ 0.6"],
        ["berber rug", "rugs", "rugs", 0.533, "≥ 0.6"],
    ]
    columns = ["Query", "Expected", "Label", "Score", "Demanded"]
    record = CheckRecord(
        "score-range",
        (
            Measurement("label.correct", 0.9805, 154, "share of queries", 0.9503, 0.9941),
            Measurement("score.in-range", 0.8701, 154, "share of queries", 0.8169, 0.9119),
        ),
        (Table("Queries outside their range", columns, rows),),
        seconds=0.22,
    )
    return evidence(
        (lock_record(), record),
        [
            Bound("lockfile", "hashed", minimum=1.0),
            Bound("score-range", "label.correct", minimum=0.9),
            Bound("score-range", "score.in-range", minimum=0.95),
        ],
        golden=golden_facts(queries=154),
        model="query-category",
        task="classification",
    )


EVERY = {
    one.__name__: one
    for one in (
        passing,
        failing,
        undecided,
        lonely_slice,
        hostile,
        faulty,
        first_version,
        nothing_in_production,
        classification,
        own_tests,
    )
}
