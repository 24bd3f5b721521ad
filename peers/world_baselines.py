"""How hard the payments world is: simple detectors, a strong one, and the oracle's ceiling.

Reads what `acumen simulate` wrote: events (NDJSON) and truth (CSV), and prints, for the last
fifth of the payments, recall at 95 % precision of

* logistic regression on the raw event (amount, category, channel, hour, method, currency),
* the best single rule (a threshold on an amount, a velocity, a speed, or a new device),
* XGBoost with streaming features, trained on what was known by the start of the test part,
* the oracle that knows the world.

The cut at 95 % precision is read off the test curve for all four alike, so it is optimistic by
the same measure; a deployed system fixes it on an earlier period. The last line is one JSON object.

    python peers/world_baselines.py EVENTS.ndjson TRUTH.csv
"""

import json
import math
import sys
from array import array
from collections import defaultdict, deque
from datetime import datetime

import numpy as np
import pandas as pd
import xgboost
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.compose import make_column_transformer

TRAIN_FROM, TEST_FROM = 0.15, 0.80
PRECISION = 0.95
WINDOWS = {"5m": 300.0, "1h": 3600.0, "24h": 86400.0}
DEVICE_PARTS = ("browser", "os", "screen_resolution", "timezone")


def seconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def kilometres(a, b):
    lat_a, lat_b = math.radians(a["lat"]), math.radians(b["lat"])
    half_lat = (lat_b - lat_a) / 2
    half_lon = math.radians(b["lon"] - a["lon"]) / 2
    h = math.sin(half_lat) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin(half_lon) ** 2
    return 2 * 6371.0 * math.asin(math.sqrt(min(h, 1.0)))


class Velocity:
    """Counts and sums of one entity over the windows, the current payment included."""

    def __init__(self):
        self.seen = deque()

    def observe(self, at, amount):
        self.seen.append((at, amount))
        while self.seen and self.seen[0][0] <= at - 86400.0:
            self.seen.popleft()
        row = []
        for window in WINDOWS.values():
            inside = [a for t, a in self.seen if t > at - window]
            row += [len(inside), sum(inside), max(inside)]
        return row


class Customer:
    """What is remembered of a customer."""

    def __init__(self):
        self.velocity = Velocity()
        self.devices = {}
        self.merchants = defaultdict(int)
        self.categories = defaultdict(lambda: [0, 0.0, 0.0])
        self.amounts = deque()
        self.typing = [0, 0.0, 0.0]
        self.place = None
        self.home = [0, 0.0, 0.0]
        self.last_at = None
        self.opened = float("nan")
        self.level = "none"


def z_score(state, value, floor):
    count, total, squares = state
    if count < 3:
        return float("nan")
    mean = total / count
    deviation = math.sqrt(max(squares / count - mean * mean, 0.0)) + floor
    return (value - mean) / deviation


def add(state, value):
    state[0] += 1
    state[1] += value
    state[2] += value * value


class Features:
    """One pass over the log, in the order in which it became known."""

    def __init__(self):
        self.customers = defaultdict(Customer)
        self.cards = defaultdict(Velocity)
        self.devices = defaultdict(Velocity)
        self.device_customers = defaultdict(set)
        self.merchants = defaultdict(Velocity)
        self.merchant_outcomes = defaultdict(lambda: [0, 0])
        self.device_outcomes = defaultdict(int)
        self.customer_outcomes = defaultdict(int)
        self.payments = {}
        self.rates = {"GBP": 1.0}
        self.names = None
        self.values = array("f")
        self.raw = []
        self.chargebacks = {}

    def observe(self, event):
        kind = event["type"]
        if kind == "payment":
            self.payment(event)
        elif kind == "chargeback":
            self.chargebacks[event["payment_id"]] = seconds(event["booked_at"])
            merchant, device, customer = self.payments[event["payment_id"]]
            self.merchant_outcomes[merchant][1] += 1
            self.customer_outcomes[customer] += 1
            if device:
                self.device_outcomes[device] += 1
        elif kind == "customer_profile":
            customer = self.customers[event["customer_id"]]
            customer.opened = seconds(event["opened_at"])
            customer.level = event["verification_level"]
        elif kind == "exchange_rate":
            self.rates[event["currency"]] = event["rate"]

    def payment(self, event):
        at = seconds(event["paid_at"])
        number, currency = event["amount"]["amount"], event["amount"]["currency"]
        pounds = float(number) * self.rates[currency]
        amount = math.log(pounds)
        who = self.customers[event["customer_id"]]
        merchant, category = event["merchant_id"], event["merchant_category"]
        device, place = event.get("device_id"), event.get("place")
        hour = (at // 3600) % 24
        self.payments[event["payment_id"]] = (merchant, device, event["customer_id"])
        self.raw.append((event["payment_id"], at, amount, hour, category, event["channel"],
                         event["payment_method"], currency))
        row = {"amount": amount, "hour": hour, "weekday": (at // 86400 + 3) % 7}
        self.by_entity(row, event, at, pounds)
        self.by_habit(row, who, at, amount, category, merchant)
        self.by_device(row, who, event, at)
        self.by_place(row, who, at, place)
        row["account_age"] = at - who.opened
        row["level"] = {"none": -1, "basic": 0, "standard": 1, "enhanced": 2}[who.level]
        seen, bad = self.merchant_outcomes[merchant]
        row["merchant_share"] = bad / (seen + 20)
        self.merchant_outcomes[merchant][0] += 1
        row["device_bad"] = self.device_outcomes[device] if device else float("nan")
        row["customer_bad"] = self.customer_outcomes[event["customer_id"]]
        self.names = self.names or list(row)
        self.values.extend(row.values())

    def by_entity(self, row, event, at, pounds):
        who = self.customers[event["customer_id"]]
        device = event.get("device_id")
        sources = {"customer": who.velocity, "card": self.cards[event["card_id"]],
                   "device": self.devices[device] if device else None,
                   "merchant": self.merchants[event["merchant_id"]]}
        for name, velocity in sources.items():
            values = velocity.observe(at, pounds) if velocity else [float("nan")] * 9
            names = [f"{name}_{what}_{w}" for w in WINDOWS for what in ("count", "sum", "max")]
            row.update(zip(names, values))

    def by_habit(self, row, who, at, amount, category, merchant):
        while who.amounts and who.amounts[0][0] <= at - 30 * 86400:
            who.amounts.popleft()
        past = [a for _, a in who.amounts]
        state = [len(past), sum(past), sum(a * a for a in past)]
        row["amount_z"] = z_score(state, amount, 0.2)
        row["payments_30d"] = len(past)
        row["category_z"] = z_score(who.categories[category], amount, 0.2)
        row["category_seen"] = who.categories[category][0]
        row["merchant_seen"] = who.merchants[merchant]
        row["since_last"] = at - who.last_at if who.last_at else float("nan")
        who.amounts.append((at, amount))
        add(who.categories[category], amount)
        who.merchants[merchant] += 1
        who.last_at = at

    def by_device(self, row, who, event, at):
        device = event.get("device_id")
        row["device_age"] = row["device_seen"] = row["device_customers"] = float("nan")
        if device:
            first, seen = who.devices.get(device, (at, 0))
            row["device_age"], row["device_seen"] = at - first, seen
            who.devices[device] = (first, seen + 1)
            self.device_customers[device].add(event["customer_id"])
            row["device_customers"] = len(self.device_customers[device])
        typing = event.get("typing_speed")
        row["typing_z"] = float("nan") if typing is None else z_score(who.typing, typing, 0.05)
        if typing is not None:
            add(who.typing, typing)

    def by_place(self, row, who, at, place):
        row["speed"] = row["accuracy"] = row["from_home"] = float("nan")
        if not place:
            return
        row["accuracy"] = place["accuracy_km"]
        if who.place:
            before, then = who.place
            sure = kilometres(before, place) - before["accuracy_km"] - place["accuracy_km"]
            row["speed"] = max(sure, 0.0) / max((at - then) / 3600, 1e-3)
        count, lat, lon = who.home
        if count:
            row["from_home"] = kilometres({"lat": lat, "lon": lon}, place)
        # A slow mean: the first fifty places weigh alike, later ones by a fiftieth.
        weight = 1 / min(count + 1, 50)
        who.home = [count + 1, lat + weight * (place["lat"] - lat),
                    lon + weight * (place["lon"] - lon)]
        who.place = (place, at)


def recall_at(truth, score):
    precision, recall, _ = precision_recall_curve(truth, score)
    return float(recall[precision >= PRECISION].max())


def precision_at(truth, score, wanted):
    precision, recall, _ = precision_recall_curve(truth, score)
    return float(precision[recall >= wanted].max())


def single_rules(rows, truth):
    """Recall at 95 % precision of a threshold on each number, from either side."""
    best = {}
    for name in rows.columns:
        values = rows[name].to_numpy(float)
        known = ~np.isnan(values)
        for sign in (1, -1):
            score = np.where(known, sign * values, -np.inf)
            order = np.sort(score)[::-1]
            score = np.where(np.isfinite(score), score, order[np.isfinite(order)][-1] - 1)
            best[name] = max(best.get(name, 0.0), recall_at(truth, score))
    return best


def main(events_path, truth_path):
    truth = pd.read_csv(truth_path)
    features = Features()
    with open(events_path, encoding="utf-8") as events:
        for line in events:
            features.observe(json.loads(line))
    raw = pd.DataFrame(features.raw, columns=["payment_id", "at", "amount", "hour", "category",
                                              "channel", "method", "currency"])
    values = np.frombuffer(features.values, dtype=np.float32).reshape(len(raw), -1)
    rows = pd.DataFrame(values, columns=features.names)
    assert (raw.payment_id.to_numpy() == truth.payment_id.to_numpy()).all()
    fraud = truth.is_fraud.to_numpy()
    span = raw["at"].max() - raw["at"].min()
    progress = ((raw["at"] - raw["at"].min()) / span).to_numpy()
    train = (progress > TRAIN_FROM) & (progress < TEST_FROM)
    test = progress >= TEST_FROM
    split_at = raw["at"].min() + TEST_FROM * span
    booked = raw.payment_id.map(features.chargebacks).to_numpy(float)
    known = (booked <= split_at).astype(int)
    print(f"{len(raw):,} payments, {fraud.mean():.3%} fraud; train {train.sum():,} "
          f"({known[train].sum():,} known frauds), test {test.sum():,} ({fraud[test].sum():,})")

    categories = ["category", "channel", "method", "currency", "hour"]
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), categories),
                                     (StandardScaler(), ["amount"]))
    linear = make_pipeline(encode, LogisticRegression(max_iter=300))
    linear.fit(raw[train], known[train])
    linear_score = linear.predict_proba(raw[test])[:, 1]

    rules = single_rules(rows[test].drop(columns=["hour", "weekday", "level"]), fraud[test])
    rule = max(rules, key=rules.get)

    data = rows.join(raw[["category", "channel", "method", "currency"]].astype("category"))
    boosted = xgboost.XGBClassifier(n_estimators=400, learning_rate=0.06, max_depth=6,
                                    min_child_weight=5, subsample=0.8, colsample_bytree=0.6,
                                    max_bin=512, enable_categorical=True, n_jobs=2, random_state=7)
    # Every known fraud and a quarter of the rest, weighed by four.
    keep = train & ((known == 1) | (np.arange(len(raw)) % 4 == 0))
    weight = np.where(known[keep] == 1, 1.0, 4.0)
    boosted.fit(data[keep], known[keep], sample_weight=weight)
    boosted_score = boosted.predict_proba(data[test])[:, 1]

    oracle = truth.oracle.to_numpy()[test]
    scores = {"logistic regression, raw event": linear_score,
              "XGBoost, streaming features": boosted_score, "oracle": oracle}
    print(f"{'':<32}{'AP':>8}{'recall@P95':>12}{'precision@R90':>15}")
    for name, score in scores.items():
        print(f"{name:<32}{average_precision_score(fraud[test], score):>8.3f}"
              f"{recall_at(fraud[test], score):>12.3f}"
              f"{precision_at(fraud[test], score, 0.9):>15.3f}")
    print(f"best single rule: {rule}, recall@P95 {rules[rule]:.3f}")
    by_scenario(truth[test], boosted_score, oracle)
    print(json.dumps({
        "payments": len(raw), "fraud_share": round(float(fraud.mean()), 5),
        "logistic_raw_recall_p95": round(recall_at(fraud[test], linear_score), 4),
        "best_rule": rule, "best_rule_recall_p95": round(rules[rule], 4),
        "xgboost_ap": round(float(average_precision_score(fraud[test], boosted_score)), 4),
        "xgboost_recall_p95": round(recall_at(fraud[test], boosted_score), 4),
        "xgboost_precision_r90": round(precision_at(fraud[test], boosted_score, 0.9), 4),
        "oracle_ap": round(float(average_precision_score(fraud[test], oracle)), 4),
        "oracle_recall_p95": round(recall_at(fraud[test], oracle), 4),
        "oracle_precision_r90": round(precision_at(fraud[test], oracle, 0.9), 4),
    }))


def by_scenario(truth, boosted, oracle):
    """Which share of each fraud the cut at 95 % precision finds."""
    is_fraud = truth.is_fraud.to_numpy()
    cuts = []
    for score in (boosted, oracle):
        precision, _, thresholds = precision_recall_curve(is_fraud, score)
        cuts.append(thresholds[np.argmax(precision[:-1] >= PRECISION)])
    print(f"{'scenario':<20}{'payments':>10}{'xgboost':>9}{'oracle':>9}")
    for name, index in truth.groupby("scenario").indices.items():
        shares = [np.mean(s[index] >= c) for s, c in zip((boosted, oracle), cuts)]
        print(f"{name:<20}{len(index):>10,}{shares[0]:>9.3f}{shares[1]:>9.3f}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
