"""XGBoost and LightGBM on a matrix that we wrote, with the parameters that we were given.

The matrix is raw f32, row by row; the outcome is raw f32. Training is timed as a user meets it:
from the numpy matrix to the fitted model, binning included. Quality is average precision on the
held-out rows, which are the last ones.
"""
import argparse
import json

import numpy as np

from figures import Stopwatch, report


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("matrix")
    arguments.add_argument("outcome")
    arguments.add_argument("--columns", type=int, required=True)
    arguments.add_argument("--train", type=int, required=True, help="rows to train on; the rest is held out")
    arguments.add_argument("--parameters", type=json.loads, required=True)
    arguments.add_argument("--threads", type=int, required=True)
    arguments.add_argument("--library", dest="peer", choices=("xgboost", "lightgbm"), required=True)
    arguments.add_argument("--runs", type=int, default=1)
    options = arguments.parse_args()

    from sklearn.metrics import average_precision_score

    x = np.fromfile(options.matrix, dtype=np.float32).reshape(-1, options.columns)
    y = np.fromfile(options.outcome, dtype=np.float32)
    n, p = options.train, options.parameters
    fit = {"xgboost": fit_xgboost, "lightgbm": fit_lightgbm}[options.peer]
    seconds = []
    for _ in range(options.runs):
        with Stopwatch() as watch:
            predict = fit(x[:n], y[:n], p, options.threads)
        seconds.append(watch.seconds)
    report({
        "seconds": min(seconds),
        "quality": float(average_precision_score(y[n:], predict(x[n:]))),
    })


def fit_xgboost(x, y, p, threads):
    import xgboost

    settings = dict(
        objective="binary:logistic", tree_method="hist", eta=p["learning_rate"], max_depth=p["max_depth"],
        max_bin=p["max_bin"], min_child_weight=p["min_child_weight"], reg_lambda=p["lambda"],
        base_score=float(np.mean(y)), nthread=threads, verbosity=0,
    )
    model = xgboost.train(settings, xgboost.QuantileDMatrix(x, y, max_bin=p["max_bin"], nthread=threads), p["n_estimators"])
    return lambda rows: model.inplace_predict(rows)


def fit_lightgbm(x, y, p, threads):
    import lightgbm

    settings = dict(
        objective="binary", learning_rate=p["learning_rate"], max_depth=p["max_depth"],
        num_leaves=2 ** p["max_depth"], max_bin=p["max_bin"], min_sum_hessian_in_leaf=p["min_child_weight"],
        min_data_in_leaf=0, lambda_l2=p["lambda"], num_threads=threads, verbose=-1,
    )
    model = lightgbm.train(settings, lightgbm.Dataset(x, y), p["n_estimators"])
    return lambda rows: model.predict(rows, num_threads=threads)


if __name__ == "__main__":
    main()
