"""Other people's readers open what Tachograph writes, and see the same records.

Given an export as NDJSON, one of the events in it as plain Parquet, and segments as they lie on disk with their keys as
`tacho keys export-segment` writes them:

    python check.py --lines all.ndjson --plain all.parquet --segments FOLDER --keys FOLDER

pyarrow and DuckDB must count the same rows of the plain file, and agree on values; pyarrow those of the encrypted segments
too, and a wrong key must open nothing. DuckDB 2.0 decrypts only the first page of a column, so segments are not for it
(docs/decisions/0019).
`cargo xtask readers` runs it; nothing here imports anything of Tachograph's.
"""

import argparse
import base64
import json
import math
import pathlib
import sys

import duckdb
import pyarrow.parquet as parquet
import pyarrow.parquet.encryption as encryption


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found!r:.400}, wanted {wanted!r:.400}")


def sums(rows):
    """What both readers are asked for: a count, a sum of whole numbers, a sum of doubles, one group."""
    tokens = [row["tokens"]["input"] for row in rows if "tokens" in row]
    durations = [row["duration_ms"] for row in rows if "duration_ms" in row]
    agent = sum(row.get("agent_name") == "Agént 3" for row in rows)
    return len(rows), sum(tokens), round(math.fsum(durations), 3), agent


def by_pyarrow(table):
    columns = ["index", "event_id", "agent_name", "tokens_input", "duration_ms"]
    index, ids, agents, tokens, durations = (table.column(name).to_pylist() for name in columns)
    present = [value for value in durations if value is not None]
    found = (
        table.num_rows,
        sum(value for value in tokens if value is not None),
        round(math.fsum(present), 3),
        agents.count("Agént 3"),
    )
    return found, dict(zip(index, ids))


def by_duckdb(connection, source):
    query = f"""SELECT count(*), coalesce(sum(tokens_input), 0)::BIGINT,
        round(coalesce(sum(duration_ms), 0), 3), count(*) FILTER (agent_name = 'Agént 3') FROM {source}"""
    found = connection.execute(query).fetchone()
    where = f"SELECT count(*) FROM {source} WHERE agent_name = 'Agént 3'"
    filtered = connection.execute(where).fetchone()[0]
    expect(f"DuckDB's WHERE over {source}", filtered, found[3])
    ids = connection.execute(f'SELECT "index", event_id FROM {source}').fetchall()
    return found, dict(ids)


def check_plain(path, rows):
    wanted, ids = sums(rows), {row["index"]: row["event_id"] for row in rows}
    table = parquet.read_table(path)
    expect("pyarrow, plain file", by_pyarrow(table), (wanted, ids))
    for row, meta, content in zip(
        rows, table.column("meta").to_pylist(), table.column("content").to_pylist()
    ):
        expect("metadata of a plain file", json.loads(meta)["event_id"], row["event_id"])
        expect("content of a plain file", content and json.loads(content), row.get("content"))
    expect("DuckDB, plain file", by_duckdb(duckdb.connect(), f"'{path}'"), (wanted, ids))
    return len(rows)


def read_segment(path, key):
    properties = encryption.create_decryption_properties(footer_key=base64.b64decode(key))
    return parquet.read_table(path, decryption_properties=properties)


def must_fail(what, act):
    try:
        act()
    except Exception:  # Each reader has its own.
        return
    sys.exit(f"{what} opened a segment with a wrong key")


def check_segment(path, key, rows):
    # The path says which records: those of a tier and a day within a span of indexes.
    tier = next(part for part in path.parts if part.startswith("tier=")).removeprefix("tier=")
    first, last = (int(number) for number in path.name.split("-")[:2])
    rows = [row for row in rows if row["tier"] == tier and first <= row["index"] <= last]
    wanted, ids = sums(rows), {row["index"]: row["event_id"] for row in rows}
    expect(f"pyarrow, {path.name}", by_pyarrow(read_segment(path, key)), (wanted, ids))
    other = base64.b64encode(bytes(32)).decode()
    must_fail("pyarrow", lambda: read_segment(path, other))
    return len(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ["lines", "plain", "segments", "keys"]:
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    given = parser.parse_args()
    with given.lines.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    # The log goes on between two exports, with records of its own.
    events = [row for row in rows if row["kind"] == "event"]
    print(f"plain file: {check_plain(given.plain, events)} rows, in pyarrow and in DuckDB")
    segments = sorted(given.segments.rglob("*.parquet"))
    expect("whether there are segments", len(segments) > 2, True)
    for path in segments:
        key = (given.keys / f"{path.stem}.key").read_text(encoding="ascii").strip()
        print(f"{path.name}: {check_segment(path, key, rows)} rows, in pyarrow")


if __name__ == "__main__":
    main()
