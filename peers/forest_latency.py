"""One row through a forest of 300 trees of depth 6 over 30 columns, in the libraries people serve with.

Trains the forest with XGBoost on made-up rows (seed 0) and writes it as XGBoost JSON with the
rows, so that our side scores the very same model and rows. Treelite's compiled form is timed by a
loop in C, so that nobody is charged for a call from Python alone; LightGBM trains a forest of the
same size of its own.
"""
import argparse
import pathlib
import subprocess

import numpy as np

from figures import median_us, report

LOOP = r"""
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "header.h"
/* Reads rows of 30 floats, times each prediction, prints the median in nanoseconds. */
static int ascending(const void* a, const void* b) {
  long x = *(const long*)a, y = *(const long*)b;
  return (x > y) - (x < y);
}
int main(int argc, char** argv) {
  enum { ROWS = 2000, COLUMNS = 30, ROUNDS = 10 };
  static float values[ROWS][COLUMNS];
  static union Entry row[COLUMNS];
  static long times[ROWS * ROUNDS];
  FILE* file = fopen(argv[1], "rb");
  if (!file || fread(values, sizeof values, 1, file) != 1) return 1;
  double sum = 0;
  int n = 0;
  for (int round = 0; round < ROUNDS; ++round) {
    for (int i = 0; i < ROWS; ++i) {
      struct timespec from, to;
      clock_gettime(CLOCK_MONOTONIC, &from);
      for (int c = 0; c < COLUMNS; ++c) row[c].fvalue = values[i][c];
      float result = 0;
      predict(row, 0, &result);
      clock_gettime(CLOCK_MONOTONIC, &to);
      sum += result;
      times[n++] = (to.tv_sec - from.tv_sec) * 1000000000L + (to.tv_nsec - from.tv_nsec);
    }
  }
  qsort(times, n, sizeof *times, ascending);
  printf("%ld %f\n", times[n / 2], sum);
  return argc < 2;
}
"""


def compiled_us(model, folder, rows_file):
    """Treelite's C code for the model, compiled with -O3 and called from C."""
    import tl2cgen

    source = folder / "treelite"
    tl2cgen.generate_c_code(model, dirpath=str(source), params={"parallel_comp": 8})
    (source / "loop.c").write_text(LOOP)
    objects = sorted(str(p) for p in source.glob("*.c"))
    subprocess.run(["cc", "-O3", "-march=native", "-o", str(source / "loop"), *objects, "-lm"], check=True)
    printed = subprocess.run([str(source / "loop"), str(rows_file)], check=True, capture_output=True, text=True)
    return int(printed.stdout.split()[0]) / 1e3


def onnx_us(classifier, rows):
    import onnxmltools
    import onnxruntime
    from onnxmltools.convert.common.data_types import FloatTensorType

    onnx = onnxmltools.convert_xgboost(classifier, initial_types=[("rows", FloatTensorType([None, 30]))])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(onnx.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return median_us(lambda i: session.run(None, {"rows": rows[i]}), 1000)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=pathlib.Path, help="where to write model.json, rows.f32 and margins.f32")
    options = arguments.parse_args()

    import lightgbm
    import treelite
    import xgboost

    rng = np.random.default_rng(0)
    x = rng.normal(size=(12_000, 30)).astype(np.float32)
    noise = rng.normal(size=12_000)
    y = (x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.4 * x[:, 3:8].sum(axis=1) + noise > 1.8).astype(int)
    settings = dict(max_depth=6, learning_rate=0.05, min_child_weight=0.1, n_jobs=1)
    classifier = xgboost.XGBClassifier(n_estimators=300, **settings).fit(x, y)
    booster = classifier.get_booster()
    booster.save_model(options.folder / "model.json")
    x[:2000].tofile(options.folder / "rows.f32")
    booster.predict(xgboost.DMatrix(x[:2000]), output_margin=True).tofile(options.folder / "margins.f32")
    light = lightgbm.train(
        dict(objective="binary", max_depth=6, num_leaves=64, learning_rate=0.05, verbose=-1, num_threads=1),
        lightgbm.Dataset(x, y), 300)

    rows = [x[i : i + 1].copy() for i in range(2000)]
    booster.set_param({"nthread": 1})
    peers = {
        "xgboost": median_us(lambda i: booster.inplace_predict(rows[i]), 1000),
        "lightgbm": median_us(lambda i: light.predict(rows[i], num_threads=1), 1000),
        "onnxruntime": onnx_us(classifier, rows),
        "treelite_compiled": compiled_us(treelite.frontend.from_xgboost(booster), options.folder, options.folder / "rows.f32"),
    }
    shap = median_us(lambda i: booster.predict(xgboost.DMatrix(rows[i], nthread=1), pred_contribs=True), 100, 10)
    report({"peers_us": peers, "xgboost_shap_us": shap})


if __name__ == "__main__":
    main()
