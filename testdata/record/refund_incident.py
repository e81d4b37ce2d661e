"""The refund incident: ten steps of three agents, as native events. Deterministic.

A customer asks for a refund; the refund service is down; after two timeouts the circuit breaker opens,
the agent degrades to a manual queue and a human takes over. Every step is one event with a `step` tag;
what a tool gave back is a further event, with `phase` = `result`, that a timeline folds into its call.

Planted on purpose, for redaction to find: an API key and a bearer token, an e-mail address, a card
number (the published Visa test number). None of them is real.
"""

import uuid
from datetime import datetime, timedelta, timezone

from recording import save_lines

START = datetime(2026, 11, 2, 14, 23, 1, tzinfo=timezone.utc)
NAMESPACE = uuid.UUID("7d2f3c1e-0b57-5d0c-9a53-2c1d6f0a4e11")
TRACE_ID = "5f2c8e1b9a7d4c03b6e1f0a2d3c4b5a6"
SESSION_ID = "session-refund-7731"
TASK_ID = "task-refund-order-1042"

API_KEY = "sk-billing-9f86d081884c7d659a2feaa0c55ad015"
BEARER = "Bearer tok_2b7e151628aed2a6abf7158809cf4f3c"
EMAIL = "maria.keller@example.com"
CARD = "4111 1111 1111 1111"

MODEL = {"provider": "openai", "requested": "gpt-4o", "responded": "gpt-4o-2024-08-06"}
AGENTS = {
    "Router": ("agent-router-1", "3.2.0"),
    "Support": ("agent-support-1", "5.0.1"),
    "Billing": ("agent-billing-2", "2.7.4"),
}
TIMEOUT = (
    "TimeoutError: POST https://billing.internal.example/v2/refunds gave no answer within 10 s; "
    "upstream status 503 Service Unavailable"
)


def event_id(name: str) -> str:
    """The id of the step called `name`: the same in every run."""
    return str(uuid.uuid5(NAMESPACE, name))


def usage(prompt: int, completion: int, cached: int, thought: int, dollars: float) -> dict:
    """Tokens and cost of one model call; cached tokens are inside the input, reasoning in the output."""
    return {
        "tokens": {
            "input": prompt,
            "output": completion,
            "cache_read": cached,
            "cache_write": 0,
            "reasoning": thought,
            "total": prompt + completion,
        },
        "cost": {"amount": dollars, "currency": "USD"},
        "model": MODEL,
    }


class Incident:
    """Collects the events in order and numbers them for their producer."""

    def __init__(self) -> None:
        self.events: list[dict] = []

    def add(self, name, kind, agent, at_s, action, *, parent=None, step=True, **fields) -> None:
        """Appends one event `at_s` seconds after the start; `parent` is the name of an earlier one."""
        at = START + timedelta(seconds=at_s)
        agent_id, version = AGENTS[agent]
        event = {
            "schema": "tachograph.event/1",
            "event_id": event_id(name),
            "event_type": kind,
            "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z",
            "agent_name": agent,
            "agent_id": agent_id,
            "agent_version": version,
            "task_id": TASK_ID,
            "session_id": SESSION_ID,
            "trace_id": TRACE_ID,
            "parent_event_id": event_id(parent) if parent else None,
            "action": action,
            **fields,
            "on_behalf_of": "customer:c-2187",
            "producer": {"id": "support-desk", "seq": len(self.events) + 1, "sdk": "python/0.1.0"},
            "tags": ["incident:refund", "step"] if step else ["incident:refund"],
        }
        self.events.append({key: value for key, value in event.items() if value is not None})


def routing_and_support(incident: Incident) -> None:
    """14:23:01 to 14:23:05: the request is taken, understood and handed to Billing."""
    incident.add(
        "received",
        "agent.invocation",
        "Router",
        0,
        "invocation",
        phase="observation",
        outcome="success",
        duration_ms=0,
        source="user",
        params={
            "task": "Refund order 1042, charged twice",
            "channel": "chat",
            "customer": {"id": "c-2187", "email": EMAIL},
        },
        input=f"Hello, I was charged twice for order 1042. Please refund one to my card {CARD}. "
        f"You can reach me at {EMAIL}.",
    )
    incident.add(
        "reasoning",
        "agent.reasoning",
        "Support",
        1,
        "reasoning:refund",
        parent="received",
        phase="observation",
        outcome="success",
        duration_ms=1200,
        source="Router",
        **usage(1840, 212, 1024, 148, 0.0067),
        reasoning="The customer reports a double charge on order 1042. Policy R-4 allows a refund "
        "within 30 days, but only Billing may move money. First check that the order was really "
        "charged twice.",
    )
    incident.add(
        "get_order",
        "agent.tool_call",
        "Support",
        2,
        "tool_call:get_order",
        parent="reasoning",
        tool="get_order",
        phase="observation",
        outcome="success",
        duration_ms=300,
        source="Support",
        params={"order_id": 1042, "include": ["charges"]},
        attributes={"call_id": "call_get_order_1"},
    )
    incident.add(
        "get_order.result",
        "agent.tool_result",
        "Support",
        2.3,
        "tool_result:get_order",
        parent="get_order",
        step=False,
        tool="get_order",
        phase="result",
        outcome="success",
        result={
            "order_id": 1042,
            "status": "delivered",
            "charges": [
                {"id": "ch_1", "amount": "49.90", "currency": "EUR", "card": CARD},
                {"id": "ch_2", "amount": "49.90", "currency": "EUR", "card": CARD},
            ],
        },
        attributes={"call_id": "call_get_order_1"},
    )
    incident.add(
        "escalate",
        "agent.decision",
        "Support",
        3,
        "decision:escalate",
        parent="get_order",
        phase="observation",
        outcome="success",
        confidence=0.93,
        duration_ms=500,
        source="Support",
        **usage(2105, 96, 1840, 40, 0.0042),
        params={"options": ["answer", "refuse", "escalate"], "chosen": "escalate"},
        reasoning="Two charges of 49.90 EUR for one order: the claim is right. A refund above 25 EUR "
        "goes to Billing.",
    )
    incident.add(
        "handoff",
        "agent.handoff",
        "Support",
        4,
        "handoff:Billing",
        parent="escalate",
        phase="observation",
        outcome="success",
        duration_ms=100,
        source="Support",
        params={"target": "Billing", "reason": "refund above the limit of Support"},
        context=[{"kind": "policy", "id": "R-4", "text": "Duplicate charges are refunded in full."}],
    )


def billing(incident: Incident) -> None:
    """14:23:06 to 14:23:35: two timeouts, the breaker, the fallback, the human."""
    refund = {
        "order_id": 1042,
        "charge_id": "ch_2",
        "amount": "49.90",
        "currency": "EUR",
        "card_number": CARD,
        "receipt_email": EMAIL,
        "api_key": API_KEY,
        "headers": {"authorization": BEARER, "idempotency-key": "refund-1042-ch_2"},
    }
    failed = {
        "tool": "process_refund",
        "phase": "observation",
        "outcome": "timeout",
        "error": TIMEOUT,
        "error_type": "TimeoutError",
    }
    incident.add(
        "refund",
        "agent.tool_call",
        "Billing",
        5,
        "tool_call:process_refund",
        parent="handoff",
        duration_ms=12300,
        source="Support",
        params={**refund, "timeout_s": 10},
        **failed,
        attributes={"call_id": "call_refund_1", "attempt": 1, "http.response.status_code": 503},
    )
    incident.add(
        "refund.retry",
        "agent.tool_call",
        "Billing",
        18,
        "tool_call:process_refund",
        parent="handoff",
        caused_by=[event_id("refund")],
        duration_ms=12100,
        source="Billing",
        params={**refund, "timeout_s": 10},
        **failed,
        attributes={
            "call_id": "call_refund_2",
            "attempt": 2,
            "retry_of": "call_refund_1",
            "http.response.status_code": 503,
        },
    )
    incident.add(
        "breaker",
        "agent.decision",
        "Billing",
        32,
        "circuit_breaker:open",
        parent="refund.retry",
        caused_by=[event_id("refund"), event_id("refund.retry")],
        phase="observation",
        outcome="denied",
        duration_ms=0,
        source="system",
        params={
            "breaker": "process_refund",
            "state": "open",
            "failures": 2,
            "threshold": 2,
            "cool_down_s": 60,
        },
        reasoning="Two failures in a row: further calls of process_refund are refused for 60 s.",
    )
    incident.add(
        "fallback",
        "agent.decision",
        "Billing",
        33,
        "decision:fallback",
        parent="breaker",
        phase="observation",
        outcome="success",
        confidence=0.71,
        duration_ms=200,
        source="Billing",
        **usage(1460, 88, 1024, 32, 0.0034),
        params={"mode": "degraded", "fallback": "manual_refund_queue", "ticket": "RF-20261102-17"},
        reasoning="The refund service is down. Put the refund in the manual queue and tell a human.",
    )
    incident.add(
        "human",
        "agent.human_intervention",
        "Billing",
        34,
        "human_intervention:escalation",
        parent="fallback",
        phase="observation",
        outcome="escalated",
        duration_ms=100,
        source="Billing",
        params={"team": "billing-operations", "ticket": "RF-20261102-17", "priority": "high"},
        output=f"Dear customer, a colleague finishes your refund today and writes to {EMAIL}.",
    )


def main() -> None:
    """Writes `incident/refund.ndjson`."""
    incident = Incident()
    routing_and_support(incident)
    billing(incident)
    save_lines("incident/refund.ndjson", incident.events)


if __name__ == "__main__":
    main()
