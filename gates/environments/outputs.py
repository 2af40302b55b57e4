"""The output contract: what a model must have answered before a check uses it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gates.card.policy import UNWRITTEN, AnswerPolicy
from gates.domain.subject import BIAS, Columns, Contributions
from gates.errors import FaultKind, ModelFault

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["as_contributions", "as_labels", "as_scores", "as_vectors"]

Output = Mapping[str, "NDArray[Any] | list[Any]"]


def as_scores(
    columns: Output, rows: int, answer: AnswerPolicy = UNWRITTEN.answer
) -> NDArray[np.float64]:
    """One finite score for each row.

    Args:
        columns: What the model returned. Where the card does not say which, the score is its only
            column, or `score`, or `prediction`.
        rows: How many rows it was given.
        answer: What the card says of its columns.

    Returns:
        float64[rows].

    Raises:
        ModelFault: A breach: `wrong-rows`, `wrong-type`, `nan` or `infinite`.
    """
    _check_rows(columns, rows)
    if answer.score is not None:
        chosen = _chosen(columns, answer.score, "score")
        return _finite(columns[chosen], chosen)
    name = next(iter(columns)) if len(columns) == 1 else _first_of(columns, "score", "prediction")
    if name is None:
        raise _breach(
            "wrong-type",
            f"the model returned {_list(columns)}: a score is the only column, or score or "
            "prediction; the card can say which other one: environment: {answer: {score: "
            f"{_example(columns)}}}}}",
        )
    return _finite(columns[name], name)


def as_labels(
    columns: Output, rows: int, answer: AnswerPolicy = UNWRITTEN.answer, *, alone: bool = False
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """One label and its finite score for each row.

    Args:
        columns: What the model returned, with `label` and `score` among its columns, or those that
            the card names.
        rows: How many rows it was given.
        answer: What the card says of its columns.
        alone: Whether a label alone will do: the only column, of texts or whole numbers. Its score
            is then 1, since the model names it without a doubt.

    Returns:
        `rows` labels, and float64[rows].

    Raises:
        ModelFault: A breach: `wrong-rows`, `wrong-type`, `nan` or `infinite`.
    """
    _check_rows(columns, rows)
    if alone and len(columns) == 1:
        ((name, values),) = columns.items()
        return _labels(values, name, whole_numbers=True), _ones(rows)
    label, score = str(answer.label or "label"), answer.score
    told = "score" if score is None else str(score)
    missing = [name for name in (label, told) if name not in columns]
    if missing and not (alone and missing == [told] and score is None):
        raise _breach(
            "wrong-type",
            f"the model returned {_list(columns)} without {' and '.join(missing)}; the card can "
            "name others: environment: {answer: {label: …, score: …}}",
        )
    scores = _ones(rows) if missing else _finite(columns[told], told)
    return _labels(columns[label], label, whole_numbers=alone), scores


def as_vectors(columns: Output, rows: int) -> NDArray[np.float64]:
    """One finite vector for each row.

    Args:
        columns: What the model returned: a column for each dimension, named 0, 1, … in their
            order. The worker makes that of a matrix and of lists of one length.
        rows: How many rows it was given.

    Returns:
        float64[rows, dimensions], of two dimensions at least.

    Raises:
        ModelFault: A breach: `wrong-rows`, `wrong-type`, `nan` or `infinite`.
    """
    import numpy as np

    _check_rows(columns, rows)
    names = [str(at) for at in range(len(columns))]
    if len(columns) < 2 or set(names) != set(columns):
        raise _breach(
            "wrong-type",
            f"the model returned {_list(columns)}: a vector is a list of two numbers or more, of "
            "one length in all rows",
        )
    vectors = np.stack([_numbers(columns[name], name) for name in names], axis=1)
    _check_finite(vectors, "vectors")
    return vectors


def as_contributions(columns: Output, rows: int, given: Columns) -> Contributions:
    """What each input column added to each row's score: columns it was given, and finite numbers.

    Args:
        columns: What the worker answered.
        rows: How many rows it was given.
        given: The columns it was given.

    Raises:
        ModelFault: A breach: `wrong-rows`, `wrong-type`, `nan` or `infinite`.
    """
    import numpy as np

    strange = next((name for name in columns if name not in given and name != BIAS), None)
    if strange is not None:
        what = f"the model told what {strange[:80]!r} contributes, a column it was not given"
        raise _breach("wrong-type", what)
    names = tuple(name for name in columns if name != BIAS)
    if not names:
        raise _breach("wrong-type", "the model told what no column contributes")
    _check_rows(columns, rows)
    values = np.stack([_finite(columns[name], name) for name in names], axis=1)
    bias = _finite(columns[BIAS], BIAS) if BIAS in columns else np.zeros(rows)
    return Contributions(names, values, bias)


def _breach(kind: FaultKind, what: str) -> ModelFault:
    return ModelFault(kind, what, breach=True)


def _chosen(columns: Output, named: str | int, what: str) -> str:
    if str(named) in columns:
        return str(named)
    if named == 0 and len(columns) == 1:
        return next(iter(columns))
    raise _breach(
        "wrong-type",
        f"the model returned {_list(columns)}, and the card says that its {what} is {named!r}",
    )


def _example(columns: Output) -> str:
    """The column that a person most probably means: of two classes, the second."""
    names = list(columns)
    return names[1] if names == ["0", "1"] else next(iter(names), "NAME")


def _list(columns: Output) -> str:
    names = [repr(name) for name in columns]
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"the columns {shown}" if names else "no columns"


def _first_of(columns: Output, *names: str) -> str | None:
    return next((name for name in names if name in columns), None)


def _check_rows(columns: Output, rows: int) -> None:
    for name, values in columns.items():
        if len(values) != rows:
            raise _breach(
                "wrong-rows",
                f"the model returned {len(values)} rows for {rows} given (column {name!r})",
            )


def _labels(
    values: NDArray[Any] | list[Any], name: str, *, whole_numbers: bool = False
) -> tuple[str, ...]:
    labels = list(values)
    if whole_numbers and {type(label).__name__ for label in labels} <= {"int", "int64"}:
        return tuple(str(int(label)) for label in labels)
    bad = next((i for i, label in enumerate(labels) if not isinstance(label, str)), None)
    if bad is not None:
        kind = "nothing" if labels[bad] is None else type(labels[bad]).__name__
        raise _breach("wrong-type", f"the model returned {kind} for {name} in row {bad}, not text")
    return tuple(labels)


def _ones(rows: int) -> NDArray[np.float64]:
    import numpy as np

    return np.ones(rows)


def _finite(values: NDArray[Any] | list[Any], name: str) -> NDArray[np.float64]:
    numbers = _numbers(values, name)
    _check_finite(numbers, f"values of {name!r}")
    return numbers


def _numbers(values: NDArray[Any] | list[Any], name: str) -> NDArray[np.float64]:
    import numpy as np

    kinds = {type(value).__name__ for value in values if value is not None} - {"float", "int"}
    held = ({values.dtype.name} if isinstance(values, np.ndarray) else kinds) - {
        "float64",
        "int64",
    }
    if held:
        raise _breach(
            "wrong-type", f"the model returned {', '.join(sorted(held))} for {name!r}, not numbers"
        )
    return np.array(values, dtype=np.float64)  # None, a missing value, becomes NaN


def _check_finite(numbers: NDArray[np.float64], what: str) -> None:
    import numpy as np

    tests: tuple[tuple[FaultKind, str, NDArray[np.bool_]], ...] = (
        ("nan", "NaN or missing", np.isnan(numbers)),
        ("infinite", "infinite", np.isinf(numbers)),
    )
    for kind, words, found in tests:
        bad = found if found.ndim == 1 else np.asarray(found.any(axis=1))
        if bad.any():
            held = "are" if found.ndim == 1 else "hold numbers that are"
            raise _breach(
                kind,
                f"the model returned {int(bad.sum())} of {len(bad)} {what} that {held} "
                f"{words}; the first is in row {int(bad.argmax())}",
            )
