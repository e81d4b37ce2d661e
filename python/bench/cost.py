"""What recording costs the thread that acts, per event, beside what people use otherwise.

    python python/bench/cost.py [EVENTS]

All in one run, on the disk where the temporary folder is, one after the other, the same event each
time. Times are those of the caller: what other threads do afterwards is in none of them, but their
use of the processor is.
"""

import asyncio
import hashlib
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import tachograph

EVENT = {
    "agent_name": "Billing",
    "action": "tool_call:get_order",
    "tool": "get_order",
    "params": {"order": 1042, "customer": "c-77", "fields": ["state", "total", "charges"]},
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "session_id": "support-7",
}


def measure(name: str, count: int, act) -> None:
    times = []
    for i in range(count):
        begun = time.perf_counter_ns()
        act(i)
        times.append(time.perf_counter_ns() - begun)
    times.sort()
    p50, p99 = statistics.median(times) / 1000, times[int(len(times) * 0.99)] / 1000
    print(f"{name:44} {count:8} {p50:10.1f} {p99:10.1f}", flush=True)


def handler(path: Path, *, chain: bool = False, sync: bool = False):
    """The recipe's handler: json, and a logger with a file."""
    file = logging.FileHandler(path)
    file.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(message)s"))
    logger = logging.getLogger(f"forensics.{path.name}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(file)
    last = ["0" * 64]

    def act(i: int) -> None:
        entry = {"timestamp": time.time(), "agent": "Billing", "event": "tool_call", "data": EVENT}
        if chain:
            entry["previous"] = last[0]
            last[0] = hashlib.sha256(json.dumps(entry, sort_keys=True).encode()).hexdigest()
        logger.info(json.dumps(entry))
        if sync:
            os.fsync(file.stream.fileno())

    return act


def main(count: int) -> None:
    print(f"{'':44} {'events':>8} {'p50 us':>10} {'p99 us':>10}")
    few = max(count // 100, 50)
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        os.environ["XDG_CONFIG_HOME"] = str(root / "config")
        measure("the recipe's handler (json, FileHandler)", count, handler(root / "plain"))
        measure("the same with a hash chain", count, handler(root / "chain", chain=True))
        measure("the same with fsync", few, handler(root / "sync", sync=True))
        with (root / "bare").open("wb", buffering=0) as file:
            line = json.dumps(EVENT).encode()

            def bare(i: int) -> None:
                file.write(line)
                os.fdatasync(file.fileno())

            measure("bare write and fdatasync", few, bare)
        with tachograph.Log.open(root / "data") as log:
            measure(
                "tachograph, buffered",
                count,
                lambda i: log.record(event_type="agent.tool_call", mode="buffered", **EVENT),
            )
            log.flush()
            measure(
                "tachograph, buffered, log_tool_call",
                count,
                lambda i: log.log_tool_call(
                    "Billing", "get_order", EVENT["params"], "t-1", mode="buffered"
                ),
            )
            log.flush()
            measure(
                "tachograph, durable",
                few,
                lambda i: log.record(event_type="agent.tool_call", **EVENT),
            )
            assert log.verify()
        try:
            from ag2.knowledge import DiskKnowledgeStore
            from ag2.network.hub.audit import AuditLog
        except ImportError:
            return
        audit, loop = AuditLog(DiskKnowledgeStore(str(root / "ag2"))), asyncio.new_event_loop()
        record = {"at": "2026-11-29T12:00:00Z", "kind": "tool", **EVENT}
        measure(
            "AG2's AuditLog on its DiskKnowledgeStore",
            count // 10,
            lambda i: loop.run_until_complete(audit.append(record)),
        )
        loop.close()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
