"""What a model's trees split on, as its file says: LightGBM's text, XGBoost's JSON and UBJSON.

The file is read as data, in bounds; nothing is loaded. A pickle is not followed for it: only the
library that wrote it knows what is in it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from pathlib import Path

from gates.artifacts._forest import Forest, Unreadable
from gates.artifacts._layers import printable
from gates.artifacts._lightgbm import read_lightgbm
from gates.artifacts._xgboost import read_xgboost
from gates.domain.subject import NoSplits, Splits

__all__ = ["read_splits"]

_MOST_TEXT = 1 << 30
_MOST_DOCUMENT = 128 << 20  # a document takes several times its size once it is parsed
_LIGHTGBM = b"tree\n"
_BEGINS = (b'{"', b"{\n", b"{ ", b"{L", b"{l", b"{i", b"{U", b"{I")
_SURE = b"learner"


def read_splits(
    model_dir: Path, data: str | None, columns: Sequence[str] | None
) -> Splits | NoSplits:
    """Splits and gain of each input column; it never raises for anything that is in the folder.

    Args:
        model_dir: An MLflow model folder; untrusted.
        data: What its loader is given, relative to it: the model file itself, a folder, or None for
            all of it. In a folder there must be one tree model, for nobody knows which is used.
        columns: The input columns of its signature, in order; None when it names none.
    """
    try:
        path = _model_file(model_dir, data)
        forest = _read(path)
        names = _named(forest, columns)
    except OSError as problem:
        return NoSplits(f"its model file cannot be read: {problem.strerror or problem}")
    except Unreadable as problem:
        return NoSplits(str(problem))
    label = printable(path.relative_to(model_dir).as_posix())
    splits, gain = forest.splits.tolist(), forest.gain.tolist()
    held = dict.fromkeys(columns or names, 0)
    return Splits(
        label,
        held | dict(zip(names, splits, strict=True)),
        dict.fromkeys(held, 0.0) | dict(zip(names, gain, strict=True)),
    )


def _model_file(model_dir: Path, data: str | None) -> Path:
    start = model_dir / data if data else model_dir
    if start.is_file():
        if not _is_tree_model(start):
            raise Unreadable(f"{start.name} is no model file of LightGBM or XGBoost")
        return start
    files = (Path(where, name) for where, _, names in os.walk(start) for name in names)
    found = sorted(one for one in files if _is_tree_model(one))
    if not found:
        raise Unreadable("the artifact holds no model file of LightGBM or XGBoost")
    if len(found) > 1:
        names = ", ".join(printable(one.relative_to(model_dir).as_posix()) for one in found[:3])
        raise Unreadable(f"the artifact holds {len(found)} tree models, such as {names}")
    return found[0]


def _is_tree_model(path: Path) -> bool:
    if not stat.S_ISREG(path.lstat().st_mode):
        return False
    with path.open("rb") as stream:
        head = stream.read(4096)
    return head.startswith(_LIGHTGBM) or (head.startswith(_BEGINS) and _SURE in head)


def _read(path: Path) -> Forest:
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        text = stream.read(len(_LIGHTGBM)) == _LIGHTGBM
        most = _MOST_TEXT if text else _MOST_DOCUMENT
        if size > most:
            raise Unreadable(f"{path.name} is larger than the {most >> 20:,} MiB that are read")
        stream.seek(0)
        return read_lightgbm(stream) if text else read_xgboost(stream.read())


def _named(forest: Forest, columns: Sequence[str] | None) -> tuple[str, ...]:
    """The input column of each feature: by name, or by place where the file has no names."""
    if columns is None:
        if not forest.names:
            raise Unreadable("neither its model file nor its signature names its features")
        return forest.names
    if not forest.names:
        if len(columns) != forest.splits.size:
            width = forest.splits.size
            raise Unreadable(f"it was trained on {width} unnamed columns, not {len(columns)}")
        return tuple(columns)
    written = {name.replace(" ", "_"): name for name in columns}  # as LightGBM writes them
    written |= {name: name for name in columns}
    missing = [name for name in forest.names if name not in written]
    if missing:
        raise Unreadable(
            f"its trees ask for {printable(missing[0])}, which is not among its input columns"
        )
    return tuple(written[name] for name in forest.names)
