"""Good events with one bad line of every kind between them, and the answer each must get. Deterministic.

    python bad_lines.py                 writes bad/one-of-each-small.ndjson and its .expected.json
    python bad_lines.py FILE.ndjson     writes all kinds, the 1 MiB line included, to FILE.ndjson and
                                        its answers to FILE.expected.json (more than 1 MiB: not committed)

An answer is `{"line", "code", "field"}`: the line counted from 1, the stable code, and the field as a
dotted path, empty when the line as a whole is meant. For `too_deep` the field is the member of the event
that is too deep; a reader may report a longer path below it. A line without an answer is good or empty.
"""

import json
import sys
from pathlib import Path

from recording import TESTDATA

EVENT_BYTES_MAX = 1 << 20
NESTING_MAX = 64


def good(number: int, **fields) -> dict:
    """A valid event; `fields` replace or add members."""
    return {
        "event_id": f"good-and-bad-{number:02}",
        "event_type": "agent.tool_call",
        "timestamp": f"2026-11-02T09:00:{number:02}Z",
        "agent_name": "Support",
        "tool": "get_order",
        "params": {"order_id": 1000 + number},
        **fields,
    }


def line(event: object) -> bytes:
    """One event as a line without its end."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()


def without(event: dict, field: str) -> dict:
    """The event with one member taken out."""
    return {key: value for key, value in event.items() if key != field}


def nested(levels: int) -> list:
    """That many lists inside each other."""
    value: list = []
    for _ in range(levels - 1):
        value = [value]
    return value


def bad_lines() -> list[tuple[bytes, str, str]]:
    """Every kind of bad line that is small: bytes, code, field."""
    return [
        (b'{"event_type":"agent.tool_call","timestamp":', "not_json", ""),
        (b"2026-11-02 09:00:03 INFO started", "not_json", ""),
        (b'["agent.tool_call"]', "not_an_object", ""),
        (
            line(good(4))[:-1] + b',"agent_name":"Billing"}',
            "duplicate_key",
            "agent_name",
        ),
        (
            line(good(5)).replace(b'{"order_id":1005}', b'{"customer":{"id":1,"n":0,"id":2}}'),
            "duplicate_key",
            "params.customer.id",
        ),
        # The event's own object is level 1, so this member reaches one level more than is allowed.
        (line(good(6, params=nested(NESTING_MAX))), "too_deep", "params"),
        (line(good(7, confidence="high")), "wrong_type", "confidence"),
        (line(good(8, tags=7)), "wrong_type", "tags"),
        (line(good(9, agent_name={"first": "Sup"})), "wrong_type", "agent_name"),
        (line(good(10, confidence=1.5)), "bad_value", "confidence"),
        (line(good(11, outcome="maybe")), "bad_value", "outcome"),
        (line(good(12)).replace(b"Support", b"Supp\xff\xfert"), "bad_utf8", ""),
        (line(without(good(13), "event_type")), "missing_field", "event_type"),
        (line(good(14, timestamp="yesterday, about noon")), "bad_timestamp", "timestamp"),
        (line(good(15, timestamp="2026-13-45T25:61:61Z")), "bad_timestamp", "timestamp"),
        (line(good(16, event_id="x" * 129)), "too_long", "event_id"),
        (line(good(17, event_type="log.checkpoint")), "reserved_type", "event_type"),
    ]


def too_large() -> tuple[bytes, str, str]:
    """An event one byte larger than is allowed."""
    empty = len(line(good(18, result="")))
    return line(good(18, result="x" * (EVENT_BYTES_MAX + 1 - empty))), "too_large", ""


def write(path: Path, bad: list[tuple[bytes, str, str]]) -> None:
    """Writes the lines, a good one before each bad one, and the answers beside them."""
    lines: list[bytes] = []
    expected: list[dict] = []
    for number, (content, code, field) in enumerate(bad):
        lines.append(line(good(20 + number)))
        if number == 3:
            lines.append(b"")  # ignored, and counted
        lines.append(content)
        expected.append({"line": len(lines), "code": code, "field": field})
    # The deepest and the largest that are still good, and a line end of another system.
    lines.append(line(good(50, params=nested(NESTING_MAX - 1))))
    lines.append(line(good(51)) + b"\r")
    path.write_bytes(b"\n".join(lines) + b"\n")
    answers = ",\n".join(" " + json.dumps(answer) for answer in expected)
    path.with_suffix(".expected.json").write_text(f"[\n{answers}\n]\n", encoding="utf-8")
    print(f"{path.name}: {len(lines)} lines, {len(expected)} bad")


def main() -> None:
    """Writes the small file, or all kinds to the path given."""
    if len(sys.argv) > 1:
        write(Path(sys.argv[1]), [*bad_lines(), too_large()])
    else:
        write(TESTDATA / "bad/one-of-each-small.ndjson", bad_lines())


if __name__ == "__main__":
    main()
