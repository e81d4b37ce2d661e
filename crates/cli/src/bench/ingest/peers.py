"""Tamper-evident logs from PyPI as contenders of `tacho bench ingest`.

Reads one JSON object a line from standard input: the first names a contender and says for how many
seconds and how many events at a time; the others are events, taken round and round. Each of these
contenders has an event on the disk when it returns: by fsync, or by a commit of SQLite, which syncs.
What comes out is one JSON object: events, seconds and the package's version.
"""

import importlib.metadata
import json
import os
import sqlite3
import sys
import tempfile
import time


def arcaeon(folder):
    """A chain of hashes in a file, synced for each event."""
    from arcaeon.prove.audit import AuditLog

    log = AuditLog(os.path.join(folder, "log"), system_id="bench")
    own = ("event_type", "agent_name", "params", "result", "action", "event", "agent", "inputs", "outputs", "decision")

    def append(events):
        for event in events:
            rest = {name: value for name, value in event.items() if name not in own}
            log.record(
                event=event.get("event_type", ""),
                agent=event.get("agent_name", ""),
                inputs=event.get("params"),
                outputs=event.get("result"),
                decision=event.get("action", ""),
                **rest,
            )

    return append


def airlock(folder):
    """A chain of hashes in a file, synced for each decision; keeps metadata only."""
    from agent_airlock.conformance.decision_log import DecisionLog

    log = DecisionLog(os.path.join(folder, "log"), verify_on_load=False)

    def append(events):
        for event in events:
            log.append(
                stage="execute",
                tool_name=event.get("action") or "none",
                decision="allow",
                reason=event.get("reasoning") or "",
                agent_id=event.get("agent_name") or "",
                session_id=event.get("session_id") or "",
            )

    return append


def merkle_audit(folder):
    """A chain of hashes in SQLite, a commit for each event; keeps hashes only."""
    from merkle_audit import AuditChain
    from merkle_audit.persister import SQLitePersister

    chain = AuditChain()
    chain.set_persist_hook(SQLitePersister(os.path.join(folder, "log.db")))

    def append(events):
        for event in events:
            chain.append(event.get("event_type", ""), event, actor=event.get("agent_name", ""))

    return append


def pymerkle(folder):
    """A Merkle tree in SQLite, a commit for each call."""
    from pymerkle import SqliteTree

    tree = SqliteTree(os.path.join(folder, "log.db"))

    def append(events):
        leaves = [json.dumps(event).encode() for event in events]
        if len(leaves) == 1:
            tree.append_entry(leaves[0])
        else:
            tree.append_entries(leaves)

    return append


CONTENDERS = {
    "arcaeon": (arcaeon, "arcaeon-audit"),
    "agent-airlock": (airlock, "agent-airlock"),
    "merkle-audit": (merkle_audit, "merkle-audit"),
    "pymerkle": (pymerkle, "pymerkle"),
}


def main():
    asked = json.loads(sys.stdin.readline())
    events = [json.loads(line) for line in sys.stdin]
    contender, package = CONTENDERS[asked["contender"]]
    with tempfile.TemporaryDirectory(dir=asked["folder"]) as folder:
        append = contender(folder)
        done, begun = 0, time.perf_counter()
        while (took := time.perf_counter() - begun) < asked["seconds"]:
            at = done % len(events)
            batch = events[at : at + asked["batch"]]
            append(batch)
            done += len(batch)
    version = importlib.metadata.version(package)
    print(json.dumps({"events": done, "seconds": took, "version": version, "sqlite": sqlite3.sqlite_version}))


main()
