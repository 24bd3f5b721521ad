"""The 15 features of the Fraud Detection Handbook (chapter 3), in numpy and in pandas.

Reads the card payments (columns transaction_id, tx_datetime, tx_time_seconds, customer_id,
terminal_id, tx_amount, tx_fraud), times both ways of computing the features, and writes the
values (of pandas where it ran, else of numpy) as a raw column-major f64 matrix for comparison.

A window is (t - w, t]; the current payment counts for its customer; what happened at the
terminal is read with a delay of 7 days, because a label is not known earlier.
"""
import argparse

import numpy as np
import pandas as pd

from figures import Stopwatch, report

DAY = 86_400
WINDOWS = (1, 7, 30)
DELAY = 7


def trailing(keys, seconds, values, spans):
    """For each span: (count, sum) of a key's rows in (t - span, t], the row itself included.

    Sorting by key and time turns every window into a slice, and a slice into a difference of
    prefix sums.
    """
    order = np.lexsort((np.arange(len(keys)), seconds, keys))
    # One number that orders by key, then by time.
    place = keys[order].astype(np.int64) * (1 << 34) + seconds[order].astype(np.int64)
    start_of_key = keys[order].astype(np.int64) * (1 << 34)
    sums = np.concatenate(([0.0], np.cumsum(values[order], dtype=np.float64)))
    last = np.arange(1, len(keys) + 1)
    result = []
    for span in spans:
        edge = np.maximum(place - span, start_of_key - 1)
        first = np.searchsorted(place, edge, side="right")
        count, total = np.empty(len(keys)), np.empty(len(keys))
        count[order] = last - first
        total[order] = sums[last] - sums[first]
        result.append((count, total))
    return result


def numpy_features(frame):
    seconds = frame["tx_time_seconds"].to_numpy()
    when = frame["tx_datetime"].dt
    amount = frame["tx_amount"].to_numpy()
    columns = [amount, (when.weekday >= 5).to_numpy(float), (when.hour <= 6).to_numpy(float)]
    spans = [w * DAY for w in WINDOWS]
    for count, total in trailing(frame["customer_id"].to_numpy(), seconds, amount, spans):
        columns += [count, total / count]
    delayed = [DELAY * DAY] + [(DELAY + w) * DAY for w in WINDOWS]
    fraud = frame["tx_fraud"].to_numpy()
    (recent, recent_fraud), *wider = trailing(frame["terminal_id"].to_numpy(), seconds, fraud, delayed)
    for count, total in wider:
        n = count - recent
        columns += [n, np.where(n > 0, np.rint(total - recent_fraud) / np.maximum(n, 1), 0.0)]
    return columns


def pandas_customer(rows):
    rows = rows.sort_values("tx_datetime").set_index("tx_datetime")
    for w in WINDOWS:
        window = rows["tx_amount"].rolling(f"{w}D")
        count = window.count()
        rows[f"customer_count_{w}"] = count
        rows[f"customer_mean_{w}"] = window.sum() / count
    return rows.reset_index()


def pandas_terminal(rows):
    rows = rows.sort_values("tx_datetime").set_index("tx_datetime")
    recent = rows["tx_fraud"].rolling(f"{DELAY}D")
    recent_count, recent_fraud = recent.count(), recent.sum()
    for w in WINDOWS:
        wide = rows["tx_fraud"].rolling(f"{DELAY + w}D")
        count = wide.count() - recent_count
        rows[f"terminal_count_{w}"] = count
        rows[f"terminal_share_{w}"] = ((wide.sum() - recent_fraud) / count).fillna(0)
    return rows.reset_index()


def pandas_features(frame):
    """As the handbook does it: apply for the calendar, a rolling window a customer and terminal."""
    frame = frame.copy()
    frame["weekend"] = frame["tx_datetime"].apply(lambda at: int(at.weekday() >= 5))
    frame["night"] = frame["tx_datetime"].apply(lambda at: int(at.hour <= 6))
    for key, windows in (("customer_id", pandas_customer), ("terminal_id", pandas_terminal)):
        frame = pd.concat([windows(rows) for _, rows in frame.groupby(key)])
    return frame.sort_values("transaction_id").reset_index(drop=True)


PANDAS_COLUMNS = (
    ["tx_amount", "weekend", "night"]
    + [f"customer_{kind}_{w}" for w in WINDOWS for kind in ("count", "mean")]
    + [f"terminal_{kind}_{w}" for w in WINDOWS for kind in ("count", "share")]
)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("file", help="the card payments (Parquet)")
    arguments.add_argument("--out", help="where to write the features (raw f64, column by column)")
    arguments.add_argument("--pandas", action="store_true", help="time the pandas way too (minutes)")
    options = arguments.parse_args()

    figures = {}
    # Reading counts: our own side reads the same file.
    with Stopwatch() as watch:
        frame = pd.read_parquet(options.file)
        columns = numpy_features(frame)
    figures["numpy_seconds"] = watch.seconds
    figures["rows"] = len(frame)
    if options.pandas:
        with Stopwatch() as watch:
            computed = pandas_features(pd.read_parquet(options.file))
        figures["pandas_seconds"] = watch.seconds
        columns = [computed[name].to_numpy() for name in PANDAS_COLUMNS]
    if options.out:
        np.stack([np.asarray(c, dtype=np.float64) for c in columns]).tofile(options.out)
    report(figures)


if __name__ == "__main__":
    main()
