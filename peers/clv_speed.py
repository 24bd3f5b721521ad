"""Customer value of a whole shop, as it is done with pandas and XGBoost.

python clv_speed.py ORDERS.parquet OUT.parquet: features of every customer at two origins, six
months of spending after each, a model, features at the end and a score for everybody.
"""
import resource
import sys

import numpy as np
import pandas as pd
import xgboost
from figures import Stopwatch, report

ORIGINS = ("2025-05-01", "2025-06-01")
SCORED_AT = "2026-01-01"


def features(orders, origin):
    """What is known of everybody who bought before the origin."""
    known = orders[orders.ordered_at < origin]
    by = known.groupby("customer_id")
    g = by.agg(count=("amount", "size"), first=("ordered_at", "min"), last=("ordered_at", "max"), value=("amount", "mean"))
    g["age"] = (origin - g.pop("first")).dt.total_seconds() / 86400
    g["recency"] = g.age - (origin - g.pop("last")).dt.total_seconds() / 86400
    for days in (30, 91, 182, 365):
        recent = known[known.ordered_at >= origin - pd.Timedelta(days=days)]
        s = recent.groupby("customer_id").amount.agg(["count", "sum", "mean", "max"])
        g = g.join(s.add_suffix(f"_{days}d"))
    return g.fillna(0).astype(np.float32)


def spending(orders, origin, customers):
    following = orders[(orders.ordered_at >= origin) & (orders.ordered_at < origin + pd.DateOffset(months=6))]
    return following.groupby("customer_id").amount.sum().reindex(customers).fillna(0)


def main():
    path, out = sys.argv[1:3]
    with Stopwatch() as training:
        orders = pd.read_parquet(path)
        rows, targets = [], []
        for day in ORIGINS:
            origin = pd.Timestamp(day, tz="UTC")
            x = features(orders, origin)
            rows.append(x)
            targets.append(spending(orders, origin, x.index))
        model = xgboost.XGBRegressor(n_estimators=100, learning_rate=0.1, max_depth=4, n_jobs=2)
        model.fit(pd.concat(rows), pd.concat(targets))
    with Stopwatch() as scoring:
        x = features(orders, pd.Timestamp(SCORED_AT, tz="UTC"))
        pd.DataFrame({"customer_id": x.index, "value": model.predict(x)}).to_parquet(out)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    report({"training_seconds": training.seconds, "scoring_seconds": scoring.seconds, "peak_mib": peak, "customers": len(x)})


if __name__ == "__main__":
    main()
