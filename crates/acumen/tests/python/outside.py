"""What other programs make of our files: DuckDB, pandas, and the rows of Spark beside our own."""

import json
import subprocess
import sys

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq


def make(path, count):
    """Bills in no order of time: ties, guests, missing values, and some that stand there twice."""
    n = np.arange(int(count), dtype=np.int64)
    mixed = (n * 2654435761) % 4294967296
    seconds = (mixed % (120 * 24 * 360)) * 10
    customer = pd.array(mixed // 7 % 701, dtype="Int64")
    customer[mixed % 11 == 0] = pd.NA
    calls = pd.array(mixed // 13 % 20, dtype="Int64")
    calls[mixed % 17 == 0] = pd.NA
    frame = pd.DataFrame(
        {
            "order": n,
            "number": n,
            "customer": customer,
            "region": np.array(["north", "south", "east", "west"])[mixed // 3 % 4],
            "billed": pd.Timestamp("2025-01-01") + pd.to_timedelta(seconds, unit="s"),
            "total": (mixed % 20_000) / 100,
            "calls": calls,
            "plan": np.array(["basic", "family", "plus"])[mixed // 5 % 3],
            "left": (mixed % 23 == 0).astype(np.int64),
        }
    )
    again = frame[n % 97 == 0].assign(order=lambda rows: rows["order"] + len(frame))
    frame = pd.concat([frame, again], ignore_index=True)
    schema = pa.Schema.from_pandas(frame, preserve_index=False)
    billed = schema.get_field_index("billed")
    schema = schema.set(billed, pa.field("billed", pa.timestamp("us")))
    pq.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False), path)


def stream(path, out, *command):
    """Pipes a file through the program, as an engine would."""
    table = pq.read_table(path)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table, max_chunksize=1000)
    ran = subprocess.run(command, input=sink.getvalue().to_pybytes(), stdout=subprocess.PIPE)
    if ran.returncode != 0:
        sys.exit(ran.returncode)
    with pa.ipc.open_stream(ran.stdout) as reader:
        pq.write_table(reader.read_all(), out)


def compare(ours, theirs):
    """Every bit of every row: how many rows, columns and differences."""
    ours, theirs = (pd.read_parquet(path).set_index("event_id").sort_index() for path in (ours, theirs))
    ours = ours.drop(columns=["outcome", "event_time"], errors="ignore")
    theirs = theirs.drop(columns=["event_time"], errors="ignore")
    assert ours.index.is_unique and theirs.index.is_unique
    assert list(ours.index) == list(theirs.index), "the same events"
    assert sorted(ours.columns) == sorted(theirs.columns), "the same columns"
    a, b = (frame[ours.columns].to_numpy(dtype=np.float64) for frame in (ours, theirs))
    differ = (a.view(np.int64) != b.view(np.int64)) & ~(np.isnan(a) & np.isnan(b))
    known = ~np.isnan(a)
    print(json.dumps({"rows": len(ours), "columns": len(ours.columns),
                      "known": int(known.sum()), "differ": int(differ.sum())}))


def read(rows, decisions):
    """The same facts by DuckDB and by pandas."""
    r, d = pd.read_parquet(rows), pd.read_parquet(decisions)
    by_pandas = {
        "rows": len(r),
        "times": str(r["event_time"].dtype),
        "features": str(r["this_bill.amount"].dtype),
        "sum": round(float(r["bills.sum_90d"].sum()), 6),
        "positive": int(r["outcome"].sum()),
        "actions": sorted(d["action"].unique().tolist()),
        "minor": int(d["amount_minor"].sum()),
        "currency": d["currency"].unique().tolist(),
        "first": d["event_time"].min().isoformat(),
    }
    def one(sql):
        return duckdb.sql(sql).fetchall()[0][0]
    duckdb.sql("set timezone = 'UTC'")
    by_duckdb = {
        "rows": one(f"select count(*) from '{rows}'"),
        "sum": round(one(f"select sum(\"bills.sum_90d\") from '{rows}'"), 6),
        "positive": int(one(f"select sum(outcome) from '{rows}'")),
        "actions": one(f"select list(distinct action order by action) from '{decisions}'"),
        "minor": int(one(f"select sum(amount_minor) from '{decisions}'")),
        "currency": one(f"select list(distinct currency) from '{decisions}'"),
        "first": one(f"select min(event_time) from '{decisions}'").isoformat(),
    }
    for key, value in by_duckdb.items():
        assert by_pandas[key] == value, (key, by_pandas[key], value)
    print(json.dumps(by_pandas))


if __name__ == "__main__":
    {"make": make, "stream": stream, "compare": compare, "read": read}[sys.argv[1]](*sys.argv[2:])
