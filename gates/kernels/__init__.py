"""Numbers from arrays: pure functions on NumPy, no files, no models, no policy.

    packed.py         the layout every ranking kernel shares: one flat array, cut by offsets
    ranking.py        nDCG, average precision, reciprocal rank, precision, recall
    random_order.py   what a metric is without any model, and at its best
    browsing.py       rank-biased precision, expected reciprocal rank
    similarity.py     old list against new list: overlap, RBO, Kendall's tau, moves
    canonical.py      the one order of scored documents
    matching.py       which document of one list is which of another, with its grade
    ids.py            text ids as numbers; blocks.py: ragged lists as rectangles
    mean_bounds.py    bounds on weighted means and shares, the same for all kinds of data; their p
                      (_exponential_sums.py)
    design.py         how rows were drawn (weights, census, clusters), and what they come to
    losses.py         what a bound on the mean loss guarantees, in two parts and together
    planning.py       how likely a PASS is, and the queries it takes, by trying the deciding bound
                    (_plan_samples.py, _pooling.py)
    power.py          the smallest loss a set can see, and the queries a margin needs, at once
    multiplicity.py   p-values adjusted for how many were looked at (Holm; Benjamini and Hochberg)
    informative.py    which queries can tell two rankings apart at all
    unjudged.py       how far documents that nobody judged could move a difference
    discovery.py      slices found by search; traits.py: columns to search in
    agreement.py      Krippendorff's alpha between annotators
    calibration.py    how far a classifier's scores are from how often it is right (_resamples.py)
    confusion.py      pairs of labels, counted
    drift.py          how far a feature has drifted (_chi_squared.py, _beta.py)
    association.py    which way two numbers go
    latency.py        quantiles of times, with bounds
    vectors.py        nearest neighbours, and vectors that collapsed

A kernel trusts its caller to have named bad input in the user's words (file, query, document).
It raises `ValueError` only where it would otherwise return a wrong number in silence.
"""
