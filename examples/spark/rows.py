"""The rows of a use case, computed on Spark by the very program that decides live.

Each pass of the row goes over all records once: spread by the id of an entity, sorted by --order,
handed to `acumen rows --arrow-stream` partition by partition. The passes are joined by event id.

    python rows.py --acumen target/release/acumen --root . --usecase orders \
        --mapping map.yaml --records orders.parquet --order number --out rows.parquet
"""

import argparse
import json
import os
import subprocess
import sys
from functools import reduce

import pyarrow as pa
import pyspark

SETTINGS = {
    # Executors of this machine find each other without a network.
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ["acumen", "root", "usecase", "mapping", "records", "out"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--order", required=True, help="the column that the records are in order of")
    parser.add_argument("--features", default="", help="these only, separated by commas")
    parser.add_argument("--master", default="local[*]")
    parser.add_argument("--partitions", type=int, default=8)
    return parser.parse_args()


def session(master):
    """Workers run this very interpreter."""
    os.environ.setdefault("SPARK_HOME", os.path.dirname(pyspark.__file__))
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    os.environ.setdefault("SPARK_LOCAL_HOSTNAME", "localhost")
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("rows")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def through(command, columns):
    """A function for mapInArrow: a partition's records through the program."""

    def rows(batches):
        process = None
        for batch in batches:
            if process is None:
                process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                records = pa.ipc.new_stream(process.stdin, batch.schema)
            records.write_batch(batch)
        if process is None:
            return
        records.close()
        process.stdin.close()
        # The program has read all records before it writes the first row.
        with pa.ipc.open_stream(process.stdout) as stream:
            for batch in stream:
                yield batch.select(columns)
        if process.wait() != 0:
            raise RuntimeError(f"{command[0]} ended with {process.returncode}")

    return rows


def main():
    asked = arguments()
    spark = session(asked.master)
    from pyspark.sql import functions as F
    from pyspark.sql.types import DoubleType, StringType, StructField, StructType

    command = [asked.acumen, "rows", asked.usecase, "--root", asked.root, "--mapping", asked.mapping]
    if asked.features:
        command += ["--features", asked.features]
    passes = json.loads(subprocess.check_output([*command, "--passes"]))
    records = spark.read.parquet(asked.records)

    def run(one):
        by = [F.col(f"`{column}`") for column in one["by"]]
        known = reduce(lambda a, b: a & b, [column.isNotNull() for column in by])
        spread = records.where(known).repartition(asked.partitions, *by)
        columns = ["event_id", *one["columns"]]
        kinds = [StringType(), *[DoubleType()] * len(one["columns"])]
        schema = StructType([StructField(name, kind) for name, kind in zip(columns, kinds)])
        stream = [*command, "--arrow-stream", "--pass", one["pass"]]
        in_order = spread.sortWithinPartitions(F.col(f"`{asked.order}`"))
        return in_order.mapInArrow(through(stream, columns), schema)

    parts = [run(one) for one in passes]
    whole = reduce(lambda rows, part: rows.join(part, "event_id", "left"), parts)
    whole.write.mode("overwrite").parquet(asked.out)
    count = spark.read.parquet(asked.out).count()
    print(f"{count} rows of {len(whole.columns) - 1} columns in {len(passes)} passes")
    spark.stop()


if __name__ == "__main__":
    main()
