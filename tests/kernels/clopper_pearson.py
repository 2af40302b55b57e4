"""Clopper and Pearson's bounds on a share of things that all count alike: a reference."""

from gates.kernels._beta import beta_quantile


def clopper_pearson(k: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact lower and upper bounds, each one-sided at 1 - alpha, on a share seen k times in n.

    Clopper and Pearson, Biometrika 1934. Nothing seen (n = 0) gives (0, 1).
    """
    lower = beta_quantile(alpha, k, n - k + 1) if k > 0 else 0.0
    upper = beta_quantile(1 - alpha, k + 1, n - k) if k < n else 1.0
    return lower, upper
