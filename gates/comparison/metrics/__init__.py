"""The metrics of rankings: one file each, found by listing this package.

A new metric is one file here with a `METRIC` in it (and a test): the check `ranking-diff`, `gates
diff`, its help and the reference of model cards find it by themselves. What it computes is a
function of NumPy arrays, in `gates.kernels` where it is more than a line.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from gates.comparison.metric import Likeness, Metric
from gates.domain.metric_names import depth_in

__all__ = ["find", "judging_metrics", "likeness_measures", "quality", "quality_metrics"]


@cache
def quality_metrics() -> tuple[Metric, ...]:
    """Every metric of how good a list is, by name."""
    return tuple(one for one in _found() if isinstance(one, Metric))


def judging_metrics() -> tuple[Metric, ...]:
    """Those that two rankings can be judged by: the metrics that say something of a ranking."""
    return tuple(one for one in quality_metrics() if one.describes == "ranking")


@cache
def likeness_measures() -> tuple[Likeness, ...]:
    """Every measure of how alike two lists are, by name."""
    return tuple(one for one in _found() if isinstance(one, Likeness))


def find(name: str) -> Metric | Likeness:
    """The metric of a name, such as `ndcg@10`, at its depth.

    Raises:
        KeyError: There is no such metric.
    """
    for one in _found():
        if (depth := depth_in(name, one.name)) is not None:
            return one.at(depth)
    raise KeyError(name)


def quality(name: str) -> Metric:
    """The quality metric of a name, at its depth.

    Raises:
        KeyError: There is none.
    """
    metric = find(name)
    if not isinstance(metric, Metric):
        raise KeyError(name)
    return metric


@cache
def _found() -> tuple[Metric | Likeness, ...]:
    modules = [importlib.import_module(f"{__name__}.{one.name}") for one in _listed()]
    return tuple(sorted((one.METRIC for one in modules), key=lambda metric: metric.name))


def _listed() -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(__path__))
