"""Implicit matrix factorisation of MovieLens-1M by `implicit`: 64 factors, 15 iterations, 2 threads.

python recommendations_quality.py SEQUENCES.parquet: fits all but the last item of each user and
finds it among all items that the user has not touched, ties counted half.
"""
import os
import sys

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the library asks for

import numpy as np
import pandas as pd
import scipy.sparse as sp
from figures import Stopwatch, report
from implicit.als import AlternatingLeastSquares


def ndcg10(model, train, wanted):
    gains = np.zeros(len(wanted))
    for user, item in enumerate(wanted):
        scores = model.item_factors @ model.user_factors[user]
        own = scores[item]
        scores[train[user].indices] = -np.inf
        scores[item] = -np.inf
        place = (scores > own).sum() + (scores == own).sum() / 2
        gains[user] = 1 / np.log2(place + 2) if place < 10 else 0
    return gains.mean()


def fit(train, **more):
    model = AlternatingLeastSquares(factors=64, iterations=15, use_gpu=False, num_threads=2, random_state=1, **more)
    with Stopwatch() as watch:
        model.fit(train, show_progress=False)
    return model, watch.seconds


def main():
    events = pd.read_parquet(sys.argv[1]).sort_values(["user", "pos"], kind="stable")
    last = events.groupby("user").tail(1)
    known = events.drop(last.index)
    shape = (events.user.max(), events.item.max())
    cells = (known.user.to_numpy() - 1, known.item.to_numpy() - 1)
    train = sp.csr_matrix((np.ones(len(known), np.float32), cells), shape=shape)
    wanted = last.sort_values("user").item.to_numpy() - 1
    model, seconds = fit(train)
    tuned, _ = fit(train, regularization=5.0, alpha=2.0)
    report({"seconds": seconds, "ndcg10": ndcg10(model, train, wanted), "ndcg10_tuned": ndcg10(tuned, train, wanted)})


if __name__ == "__main__":
    main()
