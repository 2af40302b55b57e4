"""Numbers from arrays: pure functions on NumPy, no files, no models, no policy.

- `packed`: the layout every ranking kernel shares (one flat array, cut into queries by offsets)
- `ranking`: canonical order, nDCG, average precision, reciprocal rank, precision, recall
- `browsing`: rank-biased precision, expected reciprocal rank
- `similarity`: old list against new list (overlap, RBO, Kendall's tau, moves)
- `attribution`: which document cost how much DCG
- `named`: those metrics by the names that cards and commands use
- `ids`, `canonical`, `matching`, `blocks`: long lists with text ids, ordered and matched by sorts
- `intervals`: bootstrap-t bounds, sign-flip test, Clopper-Pearson bounds
- `multiplicity`: p-values adjusted for how many were looked at (Holm; Benjamini and Hochberg)
- `unjudged`: how far documents that nobody judged could move a difference
- `discovery`, `traits`: slices found by search, and columns to search in
- `power`: the smallest difference a golden set can see, and the queries a margin needs
- `agreement`: Krippendorff's alpha between annotators

A kernel trusts its caller to have named bad input in the user's words (file, query, document).
It raises `ValueError` only where it would otherwise return a wrong number in silence.
"""
