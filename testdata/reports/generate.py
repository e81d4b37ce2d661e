"""Writes random events of agents as NDJSON: the same seed gives the same events.

    generate.py SEED COUNT > events.ndjson

Made to be awkward: names missing, told in `action`, or odd; costs in two currencies; usage told two
or three times; errors that only content tells; times missing or out of order.
"""

import json
import random
import sys

AGENTS = ["Router", "Support", "Billing", "Größe, \"quoted\"", "a|b", None]
TOOLS = ["get_order", "server:search", "process_refund", "=SUM(A1)", "shell"]
MODELS = ["gpt-4o-2024-08-06", "claude-x", {"requested": "m-1", "responded": "m-1.2"}, {"provider": "p"}, None]
CLASSES = ["TimeoutError", "RateLimitError", "ValidationError", "ConnectionError", "Odd`Error"]
OUTCOMES = ["success", "success", "failure", "timeout", "denied", "escalated", "cancelled", "unknown", None]
TYPES = [
    "agent.invocation", "agent.reasoning", "agent.tool_call", "agent.tool_call", "agent.tool_call",
    "agent.tool_result", "agent.decision", "agent.llm_response", "agent.error", "agent.handoff",
    "agent.human_intervention", "agent.token_usage", "agent.retrieval", "custom.thing",
]


def event(rng, number):
    one = {"event_id": f"e-{number}", "event_type": rng.choice(TYPES)}
    if rng.random() < 0.9:
        second = rng.randrange(3 * 86_400)
        day, rest = divmod(second, 86_400)
        time = f"2026-03-0{day + 1}T{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        one["timestamp"] = time + rng.choice(["Z", ".5Z", ".123456789Z"])
    put = lambda key, value: value is not None and one.__setitem__(key, value)
    put("agent_name", rng.choice(AGENTS))
    put("agent_id", rng.choice(["a-1", None]))
    put("trace_id", rng.choice([f"t-{rng.randrange(20)}", None]))
    put("session_id", rng.choice([f"s-{rng.randrange(9)}", None]))
    put("task_id", rng.choice([f"k-{rng.randrange(12)}", None]))
    put("outcome", rng.choice(OUTCOMES))
    put("model", rng.choice(MODELS))
    put("on_behalf_of", rng.choice(["customer:1", None]))
    if one["event_type"].startswith("agent.tool"):
        name = rng.choice(TOOLS)
        if rng.random() < 0.6:
            one["tool"] = name
        one["action"] = rng.choice([f"tool_call:{name}", "tool_call", "tool_call:"])
        put("approver", rng.choice(["user:kim", None, None]))
    elif one["event_type"] == "agent.human_intervention":
        one["action"] = rng.choice(["human_intervention:escalation", "human_intervention:override"])
    if rng.random() < 0.5:
        one["duration_ms"] = rng.choice([rng.randrange(5_000), rng.random() * 10_000, 0])
    if rng.random() < 0.12:
        one["error_type"] = rng.choice(CLASSES)
    if rng.random() < 0.12:
        one["error"] = rng.choice(
            ["it broke", {"message": "x" * 150, "stack": "s"}, {"code": 7}, "", {}, False, f"no {number % 7}"]
        )
    if rng.random() < 0.3:
        read, written = rng.randrange(5_000), rng.randrange(900)
        one["tokens"] = {"input": read, "output": written}
        if rng.random() < 0.5:
            one["tokens"]["total"] = read + written
        if rng.random() < 0.5:
            one["tokens"]["cache_read"] = rng.randrange(read + 1)
    if rng.random() < 0.25:
        one["cost"] = {"amount": rng.randrange(1, 10**6) / 10**6, "currency": rng.choice(["USD", "EUR"])}
    return one


def main():
    rng = random.Random(int(sys.argv[1]))
    for number in range(int(sys.argv[2])):
        print(json.dumps(event(rng, number)))


if __name__ == "__main__":
    main()
