"""Customer lifetime value on Online Retail II: XGBoost, LightGBM, BG/NBD with Gamma-Gamma.

python clv_quality.py RETAIL.parquet OUT.json SEEDS: writes each model's predictions to OUT.json:
plan -> {customers, actual, shuffled, models: {name: [predictions of each seed]}}.

Plans: `matched` (features 2009-12.. at 2010-06-01, tested at 2011-06-01), `unmatched` (trained at
2010-12-01, tested at 2011-06-01), each with six months to predict, and `year` (12 months from
2010-12-01, five folds over customers).
"""
import json
import sys
import warnings

import numpy as np
import pandas as pd
from figures import report
from scipy.optimize import minimize
from scipy.special import betaln, gammaln, hyp2f1
from sklearn.model_selection import KFold

warnings.filterwarnings("ignore")


def load(path):
    d = pd.read_parquet(path)
    d = d[d.customer_id.notna()].copy()
    d["c"] = d.customer_id.astype(int)
    d["v"] = d.quantity * d.unit_price
    d["d"] = d.ts.dt.normalize()
    d["back"] = d.quantity < 0
    return d


def features(d, start, origin):
    """Customers who bought in [start, origin), with what is known of them; and their days."""
    h = d[(d.ts >= start) & (d.ts < origin)]
    bought = h[~h.back]
    by = dict(v=("v", "sum"), lines=("stock_code", "size"), skus=("stock_code", "nunique"), q=("quantity", "sum"))
    days = bought.groupby(["c", "d"]).agg(**by).reset_index()
    g = days.groupby("c").agg(
        freq=("d", "size"), mon=("v", "sum"), avg=("v", "mean"), std=("v", "std"), mx=("v", "max"),
        first=("d", "min"), last=("d", "max"), lines=("lines", "sum"), lpd=("lines", "mean"),
        skus=("skus", "mean"), qty=("q", "sum"))
    g["rec"] = (origin - g["last"]).dt.days
    g["age"] = (origin - g["first"]).dt.days
    g["ipt"] = (g["last"] - g["first"]).dt.days / (g.freq - 1).clip(lower=1)
    g["lastv"] = days.sort_values("d").groupby("c").v.last()
    for k in (30, 60, 90, 180):
        s = days[days.d >= origin - pd.Timedelta(days=k)].groupby("c").v.agg(["sum", "size"])
        g[f"v{k}"], g[f"n{k}"] = s["sum"], s["size"]
    for k in range(4):
        since, until = (origin - pd.Timedelta(days=91 * n) for n in (k + 1, k))
        g[f"q{k}"] = days[(days.d >= since) & (days.d < until)].groupby("c").v.sum()
    g["retv"] = h[h.back].groupby("c").v.sum()
    g["retn"] = h[h.back].groupby("c").size()
    g["dskus"] = bought.groupby("c").stock_code.nunique()
    g["uk"] = (bought.groupby("c").country.first() == "United Kingdom").astype(int)
    g["upx"] = bought.groupby("c").unit_price.mean()
    times = g[["first", "last"]]
    return g.drop(columns=["first", "last"]).fillna(0), days.join(times, on="c")


def net_spend(d, origin, end, customers):
    h = d[(d.ts >= origin) & (d.ts < end)]
    return h.groupby("c").v.sum().reindex(customers).fillna(0).clip(lower=0)


def best(negative_log_likelihood, starts):
    found = []
    for start in starts:
        o = minimize(negative_log_likelihood, start, method="L-BFGS-B")
        found.append(minimize(negative_log_likelihood, o.x, method="Nelder-Mead",
                              options=dict(maxiter=4000, xatol=1e-6, fatol=1e-6)))
    return np.exp(min(found, key=lambda o: o.fun).x)


def purchases(days, origin, horizon_weeks, customers):
    """BG/NBD times Gamma-Gamma, fitted to the customers' own histories."""
    g = days.groupby("c").agg(first=("d", "min"), last=("d", "max"), n=("d", "size"), total=("v", "sum"))
    x = g.n.values - 1
    tx = (g["last"] - g["first"]).dt.days.values / 7
    t = (origin - g["first"]).dt.days.values / 7
    m = np.where(x > 0, (g.total - days.sort_values("d").groupby("c").v.first()).values / np.maximum(x, 1), 0)

    def unlikely(theta):
        r, alpha, a, b = np.exp(theta)
        one = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b)
        here = -(r + x) * np.log(alpha + t)
        left = np.where(x > 0, np.log(a) - np.log(b + np.maximum(x, 1) - 1) - (r + x) * np.log(alpha + tx), -np.inf)
        return -(one + np.logaddexp(here, left)).sum()

    r, alpha, a, b = best(unlikely, ([0, 0, 0, 0], [-1, 1, -0.5, 0.5]))
    h = hyp2f1(r + x, b + x, a + b + x - 1, horizon_weeks / (alpha + t + horizon_weeks))
    top = (a + b + x - 1) / (a - 1) * (1 - ((alpha + t) / (alpha + t + horizon_weeks)) ** (r + x) * h)
    gone = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + t) / (alpha + tx)) ** (r + x), 0)
    keep = (x > 0) & (m > 0)
    kx, km = x[keep].astype(float), m[keep]

    def odd(theta):
        p, q, v = np.exp(theta)
        return -(gammaln(p * kx + q) - gammaln(p * kx) - gammaln(q) + q * np.log(v) + (p * kx - 1) * np.log(km)
                 + p * kx * np.log(kx) - (p * kx + q) * np.log(kx * km + v)).sum()

    p, q, v = np.exp(minimize(odd, [1.0, 1.0, 2.0], method="Nelder-Mead", options=dict(maxiter=4000)).x)
    mean = np.where(x > 0, p * (v + x * m) / (p * x + q - 1), p * v / (q - 1))
    return pd.Series(top / (1 + gone) * mean, index=g.index).reindex(customers).values


def boosters():
    import lightgbm as lgb
    import xgboost as xgb

    base = dict(n_estimators=300, learning_rate=0.03, num_leaves=15, min_child_samples=20, subsample=0.8,
                subsample_freq=1, colsample_bytree=0.7, verbose=-1, n_jobs=1)
    shape = dict(n_estimators=300, max_depth=4, subsample=0.8, colsample_bytree=0.7, n_jobs=1)
    return {
        "XGBoost L2": lambda seed: xgb.XGBRegressor(learning_rate=0.03, random_state=seed, **shape),
        "LightGBM Tweedie": lambda seed: lgb.LGBMRegressor(
            **base, random_state=seed, objective="tweedie", tweedie_variance_power=1.5),
    }


def told(y, models):
    shuffled = np.random.default_rng(0).permutation(len(y))
    return dict(customers=[f"c{c}" for c in y.index], actual=y.tolist(), shuffled=shuffled.tolist(),
                models={name: [np.asarray(p).tolist() for p in of] for name, of in models.items()})


def half_year(d, train, test, seeds):
    day = pd.Timestamp
    x1, _ = features(d, day(train[0]), day(train[1]))
    x2, days = features(d, day(test[0]), day(test[1]))
    y1, y2 = (net_spend(d, day(p[1]), day(p[2]), x.index) for p, x in ((train, x1), (test, x2)))
    models = {name: [np.clip(make(s).fit(x1, y1).predict(x2), 0, None) for s in range(seeds)]
              for name, make in boosters().items()}
    models["BG/NBD"] = [purchases(days, day(test[1]), 183 / 7, x2.index)]
    return told(y2, models)


def year(d, seeds):
    start, origin, end = (pd.Timestamp(f"{y}-12-01") for y in (2009, 2010, 2011))
    x, days = features(d, start, origin)
    y = net_spend(d, origin, end, x.index)

    def folded(make, seed):
        p = np.zeros(len(y))
        for a, b in KFold(5, shuffle=True, random_state=0).split(x):
            p[b] = np.clip(make(seed).fit(x.iloc[a], y.iloc[a]).predict(x.iloc[b]), 0, None)
        return p

    models = {name: [folded(make, s) for s in range(seeds)] for name, make in boosters().items()}
    models["BG/NBD"] = [purchases(days, origin, 365 / 7, x.index)]
    return told(y, models)


def main():
    retail, out, seeds = sys.argv[1], sys.argv[2], int(sys.argv[3])
    d = load(retail)
    plans = {
        "matched": half_year(d, ("2009-12-01", "2010-06-01", "2010-12-01"), ("2010-12-01", "2011-06-01", "2011-12-01"), seeds),
        "unmatched": half_year(d, ("2009-12-01", "2010-12-01", "2011-06-01"), ("2010-06-01", "2011-06-01", "2011-12-01"), seeds),
        "year": year(d, seeds),
    }
    with open(out, "w") as file:
        json.dump(plans, file)
    report({name: len(plan["customers"]) for name, plan in plans.items()})


if __name__ == "__main__":
    main()
