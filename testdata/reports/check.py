"""Computes the numbers of `tacho report` again, from exported events, and compares them.

    check.py EVENTS.ndjson FOLDER [FROM TO]

EVENTS.ndjson is `tacho export --format ndjson` of the whole log; FOLDER holds the reports as
`NAME.json`. With FROM and TO (RFC 3339, UTC) the reports are of that period. Nothing here is taken
from the program: only the standard library, and docs/reports.md. Says what differs, and ends with 1.
"""

import json
import math
import pathlib
import sys
from collections import Counter, defaultdict
from decimal import Decimal

ERRORS = {"error", "timeout"}


def when(row):
    return row.get("timestamp") or row["recorded_at"]


def nanoseconds(text):
    """A sortable form of RFC 3339 in UTC: seconds as text, and nanoseconds."""
    text = text.removesuffix("Z")
    whole, _, fraction = text.partition(".")
    return whole, fraction.ljust(9, "0")


def status(row):
    content = row.get("content") or {}
    error = content.get("error")
    has_error = "error" in content and not (error in (None, "", False) or error == {})
    is_error = row["event_type"] == "agent.error" or "error_type" in row or has_error
    outcome = row.get("outcome")
    if outcome in ("timeout", "denied", "escalated", "cancelled"):
        return outcome
    if outcome == "failure":
        return "error"
    if is_error:
        return "timeout" if row.get("error_type") in ("TimeoutError", "Timeout") else "error"
    return "unknown" if outcome == "unknown" else "success"


def agent(row):
    return row.get("agent_name") or row.get("agent_id")


def tool(row):
    if "tool" in row:
        return row["tool"]
    if row["event_type"] in ("agent.tool_call", "agent.tool_result"):
        _, colon, name = row.get("action", "").partition(":")
        return name if colon and name else None
    return None


def message(row):
    error = (row.get("content") or {}).get("error")
    if isinstance(error, dict):
        error = error.get("message")
    return error[:100] if isinstance(error, str) and error else None


def model(row):
    told = row.get("model")
    if isinstance(told, dict):
        return told.get("responded") or told.get("requested") or None
    return told


def quantile(numbers, share):
    numbers = sorted(numbers)
    place = share * (len(numbers) - 1)
    low = math.floor(place)
    high = min(low + 1, len(numbers) - 1)
    return numbers[low] + (numbers[high] - numbers[low]) * (place - low)


def percent(part, whole):
    return f"{part / whole * 100:.1f}%" if whole else "0%"


def share(part, whole):
    return part / whole if whole else 0


def summary(rows):
    types = Counter(row["event_type"] for row in rows)
    errors = sum(status(row) in ERRORS for row in rows)
    agents = Counter(agent(row) for row in rows)
    escalations = sum(
        status(row) == "escalated"
        or (row["event_type"] == "agent.human_intervention" and "escalat" in row.get("action", ""))
        for row in rows
    )
    times = [nanoseconds(when(row)) for row in rows]
    hours = Counter(when(row)[:13] for row in rows)
    return {
        "total_events": len(rows),
        "total_errors": errors,
        "error_rate": share(errors, len(rows)),
        "error_rate_text": percent(errors, len(rows)),
        "total_invocations": types["agent.invocation"],
        "total_handoffs": types["agent.handoff"],
        "total_human_interventions": types["agent.human_intervention"],
        "total_escalations": escalations,
        "agents_active": len([name for name in agents if name is not None]),
        "event_types": dict(types),
        "outcomes": dict(Counter(status(row) for row in rows)),
        "first": min(times) if times else None,
        "last": max(times) if times else None,
        "hours": dict(hours),
        "agents": {
            name: (
                count,
                sum(agent(r) == name and r["event_type"] == "agent.invocation" for r in rows),
                sum(agent(r) == name and status(r) in ERRORS for r in rows),
                mean([max(r["duration_ms"], 0) for r in rows if agent(r) == name and "duration_ms" in r]),
            )
            for name, count in agents.items()
        },
    }


def mean(numbers):
    return sum(numbers) / len(numbers) if numbers else None


def said_summary(report):
    said = {key: report[key] for key in summary([]) if key in report}
    said["first"] = report["period"]["start"] and nanoseconds(report["period"]["start"])
    said["last"] = report["period"]["end"] and nanoseconds(report["period"]["end"])
    said["hours"] = {hour["hour"][:13]: hour["events"] for hour in report["activity"]}
    said["agents"] = {
        it["agent"]: (it["events"], it["invocations"], it["errors"], it["avg_duration_ms"])
        for it in report["top_agents"]
    }
    return said


def summaries(report, rows):
    """Both; of the agents only those that the report tells, which must be the most active."""
    said, expected = said_summary(report), summary(rows)
    counts = sorted((it[0] for it in expected["agents"].values()), reverse=True)
    said["top"], expected["top"] = [it["events"] for it in report["top_agents"]], counts[:5]
    told = said["agents"]
    expected["agents"] = {name: it for name, it in expected["agents"].items() if name in told}
    return said, expected


def tool_usage(rows):
    kinds = defaultdict(lambda: ([], []))
    for row in rows:
        if row["event_type"] in ("agent.tool_call", "agent.tool_result"):
            kinds[tool(row)][row["event_type"] == "agent.tool_result"].append(row)
    tools = {}
    for name, both in kinds.items():
        def most(test):
            return max(sum(test(row) for row in one) for one in both)

        durations = max(
            ([max(row["duration_ms"], 0) for row in one if "duration_ms" in row] for one in both), key=len
        )
        calls, errors = most(lambda _: True), most(lambda row: status(row) in ERRORS)
        ended = max(
            sum(
                (row.get("outcome") is not None and status(row) != "unknown") or status(row) in ERRORS
                for row in both[0]
            ),
            len(both[1]),
        )
        tools[name] = {
            "calls": calls,
            "errors": errors,
            "error_rate": share(errors, calls),
            "error_rate_text": percent(errors, calls),
            "timeouts": most(lambda row: status(row) == "timeout"),
            "denied": most(lambda row: status(row) == "denied"),
            "approved": most(lambda row: "approver" in row),
            "without_end": calls - ended,
            "avg_latency_ms": mean(durations),
            "p50_ms": quantile(durations, 0.5) if durations else None,
            "p95_ms": quantile(durations, 0.95) if durations else None,
            "p99_ms": quantile(durations, 0.99) if durations else None,
        }
    calls = sum(it["calls"] for it in tools.values())
    errors = sum(it["errors"] for it in tools.values())
    return {
        "total_tool_calls": calls,
        "total_tool_errors": errors,
        "error_rate": share(errors, calls),
        "error_rate_text": percent(errors, calls),
        "tool_breakdown": tools,
        "order": sorted((-it["calls"], name or "") for name, it in tools.items()),
    }


def said_tool_usage(report):
    said = {key: report[key] for key in tool_usage([]) if key in report}
    lines = report["tool_breakdown"]
    said["order"] = [(-it["calls"], it["tool"] or "") for it in lines]
    said["tool_breakdown"] = {it["tool"]: {k: v for k, v in it.items() if k != "tool"} for it in lines}
    return said


def error_analysis(rows):
    failed = [row for row in rows if status(row) in ERRORS]
    name = lambda text: "(not named)" if text is None else text
    messages = Counter(text for text in map(message, failed) if text)
    return {
        "total_errors": len(failed),
        "total_events": len(rows),
        "error_rate": share(len(failed), len(rows)),
        "error_types": dict(Counter(name(row.get("error_type")) for row in failed)),
        "errors_by_agent": dict(Counter(name(agent(row)) for row in failed)),
        "errors_by_tool": dict(Counter(tool(row) for row in failed if tool(row))),
        # Which of those that are equally common are told is for the program to choose.
        "counts": sorted(messages.values(), reverse=True)[:10],
        "messages": messages,
        "breakdown": dict(Counter((row.get("error_type"), agent(row), tool(row)) for row in failed)),
        "first": {
            key: min(row["index"] for row in failed if (row.get("error_type"), agent(row), tool(row)) == key)
            for key in {(row.get("error_type"), agent(row), tool(row)) for row in failed}
        },
    }


def said_error_analysis(report, expected):
    said = {key: report[key] for key in expected if key in report}
    said["counts"] = list(report["most_common_errors"].values())
    said["messages"] = Counter(expected["messages"]) | Counter(report["most_common_errors"])
    key = lambda it: (it["error_type"], it["agent"], it["tool"])
    # The breakdown has 50 lines, those with most errors.
    counts = sorted(expected["breakdown"].values(), reverse=True)[:50]
    said["most"], expected["most"] = [it["errors"] for it in report["breakdown"]], counts
    told = {key(it) for it in report["breakdown"]}
    for name in ("breakdown", "first"):
        expected[name] = {one: it for one, it in expected[name].items() if one in told}
    said["breakdown"] = {key(it): it["errors"] for it in report["breakdown"]}
    said["first"] = {key(it): it["first_index"] for it in report["breakdown"]}
    return said


KINDS = {"agent.token_usage": 1, "agent.invocation": 2}
TOKENS = ("input", "output", "cache_read", "cache_write", "reasoning", "total")


def tokens(row):
    told = row.get("tokens") or {}
    counts = {name: told.get(name) or 0 for name in TOKENS}
    if told.get("total") is None:
        counts["total"] = counts["input"] + counts["output"]
    return counts


def cost(rows):
    spending = [row for row in rows if any(n in (row.get("tokens") or {}) for n in TOKENS) or "cost" in row]
    scopes = defaultdict(list)
    for row in spending:
        scope = (
            ("trace", row["trace_id"])
            if "trace_id" in row
            else ("session", row["session_id"])
            if "session_id" in row
            else ("task", row["task_id"])
            if "task_id" in row
            else ("event", row["index"])
        )
        scopes[scope].append(row)
    sums = {by: defaultdict(lambda: [Counter(), defaultdict(Decimal)]) for by in ("agent", "model", "task")}
    for it in scopes.values():
        kind = lambda row: KINDS.get(row["event_type"], 0)
        currency = lambda row: row["cost"].get("currency") or "?"
        told = [sum(tokens(row)["total"] for row in it if kind(row) == k) for k in range(3)]
        of_tokens = told.index(max(told))
        of_money = {}
        for name in {currency(row) for row in it if "cost" in row}:
            paid = [
                [row["cost"]["amount"] for row in it if "cost" in row and kind(row) == k and currency(row) == name]
                for k in range(3)
            ]
            there = [k for k in range(3) if paid[k]]
            of_money[name] = max(there, key=lambda k: (sum(paid[k]), -k))
        for row in it:
            names = {"agent": agent(row), "model": model(row), "task": row.get("task_id")}
            if kind(row) == of_tokens:
                for by, name in names.items():
                    sums[by][name][0].update(tokens(row))
            if "cost" in row and kind(row) == of_money[currency(row)]:
                for by, name in names.items():
                    sums[by][name][1][currency(row)] += row["cost"]["amount"]
    plain = lambda both: (
        {name: both[0][name] for name in TOKENS},
        {name: f"{amount.normalize():f}" for name, amount in both[1].items()},
    )
    whole = [Counter(), defaultdict(Decimal)]
    for counts, money in sums["agent"].values():
        whole[0].update(counts)
        for name, amount in money.items():
            whole[1][name] += amount
    return {"total": plain(whole)} | {
        f"by_{by}": {name: plain(both) for name, both in lines.items()} for by, lines in sums.items()
    }


def said_cost(report):
    def plain(counts, money):
        return (
            {name: counts[name] for name in TOKENS},
            {it["currency"]: it["amount"] for it in money},
        )

    said = {"total": plain(report["total_tokens"], report["total_cost"])}
    for by in ("by_agent", "by_model", "by_task"):
        said[by] = {it["name"]: plain(it["tokens"], it["cost"]) for it in report[by]}
    return said


def differences(path, said, expected):
    if isinstance(expected, dict) and isinstance(said, dict):
        for key in {**expected, **said}:
            if key not in said or key not in expected:
                yield f"{path}.{key}: only {'computed' if key in expected else 'reported'}"
            else:
                yield from differences(f"{path}.{key}", said[key], expected[key])
    elif isinstance(expected, (list, tuple)) and isinstance(said, (list, tuple)):
        if len(expected) != len(said):
            yield f"{path}: reported {said}, computed {expected}"
        for at, (one, other) in enumerate(zip(said, expected)):
            yield from differences(f"{path}[{at}]", one, other)
    elif isinstance(expected, (int, float, Decimal)) and isinstance(said, (int, float, Decimal)):
        if not math.isclose(float(said), float(expected), rel_tol=1e-9, abs_tol=1e-12):
            yield f"{path}: reported {said}, computed {expected}"
    elif said != expected:
        yield f"{path}: reported {said!r}, computed {expected!r}"


def main():
    events, folder, *period = sys.argv[1:]
    lines = pathlib.Path(events).read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line, parse_float=Decimal) for line in lines if line]
    size = len(rows)
    rows = [row for row in rows if row["kind"] == "event"]
    if period:
        begin, end = map(nanoseconds, period)
        rows = [row for row in rows if begin <= nanoseconds(when(row)) < end]
    for row in rows:
        if "duration_ms" in row:
            row["duration_ms"] = float(row["duration_ms"])
    folder = pathlib.Path(folder)
    read = lambda name: json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    errors = error_analysis(rows)
    found = []
    for name, said, expected in (
        ("summary", *summaries(read("summary"), rows)),
        ("tool-usage", said_tool_usage(read("tool-usage")), tool_usage(rows)),
        ("error-analysis", said_error_analysis(read("error-analysis"), errors), errors),
        ("cost", said_cost(read("cost")), cost(rows)),
    ):
        found.extend(differences(name, said, expected))
        in_log = read(name)["checkpoint"]["size"]
        # The export is a record of the log itself.
        if in_log < size:
            found.append(f"{name}: is of {in_log} records, the export of {size}")
    for line in found:
        print(line)
    print(f"{len(rows)} events, {len(found)} differences")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
