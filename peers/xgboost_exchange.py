"""Exchanges models with Python's xgboost, and says by how much predictions differ.

In FOLDER our side has put `ours.json` (a model in XGBoost's format), `ours.rows.json` (rows, null
for missing), `ours.margins.json` and `ours.values.json` (probabilities or values). This loads the
model, predicts the rows and compares, values above 1 relatively.
Then it trains a model of its own on made-up rows with missing values and categories (seed 1), and
writes `theirs.json` and `theirs.expected.json` (rows, margins, contributions) for our side to do
the same. The last line is one JSON object with the largest differences.

`--only-theirs` writes the second pair alone: the test data of the crate come from that.
"""
import argparse
import json
import pathlib

import numpy as np
import xgboost

ROWS = 1_500
EXPECTED_ROWS = 60
NAMES = ["amount", "count", "channel"]
TYPES = ["float", "float", "c"]


def matrix(rows, outcome=None):
    return xgboost.DMatrix(
        np.asarray(rows, dtype=np.float32), outcome,
        feature_names=NAMES, feature_types=TYPES, enable_categorical=True)


def plain(values):
    """As JSON holds it: null for missing, and digits that give the same float back."""
    return [None if np.isnan(v) else float(v) for v in values]


def difference(theirs, ours):
    return float((np.abs(theirs - ours) / np.maximum(1, np.abs(ours))).max())


def check_ours(folder):
    rows = json.loads((folder / "ours.rows.json").read_text())
    rows = [[np.nan if v is None else v for v in row] for row in rows]
    margins = np.asarray(json.loads((folder / "ours.margins.json").read_text()), dtype=np.float32)
    booster = xgboost.Booster(model_file=str(folder / "ours.json"))
    theirs = booster.predict(matrix(rows), output_margin=True)
    values = booster.predict(matrix(rows))
    ours = np.asarray(json.loads((folder / "ours.values.json").read_text()))
    # What xgboost itself makes of our file must be loadable again.
    booster.save_model(folder / "ours.resaved.json")
    return {
        "ours_rows": len(rows),
        "ours_margin_difference": difference(theirs, margins),
        "ours_value_difference": difference(values, ours),
    }


def train_theirs(folder):
    rng = np.random.default_rng(1)
    amount = rng.gamma(2, 30, ROWS).astype(np.float32)
    count = rng.poisson(3, ROWS).astype(np.float32)
    channel = rng.integers(0, 12, ROWS).astype(np.float32)
    log_odds = 0.03 * amount - 0.4 * count + 1.5 * np.isin(channel, [1, 4, 7]) - 1
    outcome = (rng.random(ROWS) < 1 / (1 + np.exp(-log_odds))).astype(int)
    amount[rng.random(ROWS) < 0.1] = np.nan
    channel[rng.random(ROWS) < 0.05] = np.nan
    rows = np.c_[amount, count, channel]
    settings = dict(objective="binary:logistic", max_depth=4, eta=0.3, max_cat_to_onehot=3, nthread=1)
    booster = xgboost.train(settings, matrix(rows, outcome), 12)
    booster.save_model(folder / "theirs.json")
    some = rows[:EXPECTED_ROWS].copy()
    some[-1, 2] = 40  # a category that training did not see
    expected = {
        "rows": [plain(row) for row in some],
        "margins": booster.predict(matrix(some), output_margin=True).tolist(),
        "contributions": booster.predict(matrix(some), pred_contribs=True).tolist(),
    }
    (folder / "theirs.expected.json").write_text(json.dumps(expected) + "\n")
    return {"theirs_rows": len(some)}


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path)
    arguments.add_argument("--only-theirs", action="store_true")
    options = arguments.parse_args()
    result = {} if options.only_theirs else check_ours(options.folder)
    result |= train_theirs(options.folder)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
