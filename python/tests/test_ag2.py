"""AG2 from PyPI: its hub with our audit log, and agents that are recorded. No model is called."""

import asyncio
import json

import pytest
from conftest import mine

ag2 = pytest.importorskip("ag2")

from ag2 import Agent  # noqa: E402
from ag2.events import ModelMessage, ModelResponse, ToolCallEvent, Usage  # noqa: E402
from ag2.knowledge import MemoryKnowledgeStore  # noqa: E402
from ag2.network import Hub, Passport, Resume, Rule  # noqa: E402
from ag2.network.hub.audit import AuditLog as Theirs  # noqa: E402
from ag2.testing import TestConfig  # noqa: E402

import tachograph  # noqa: E402
from tachograph import errors  # noqa: E402
from tachograph.ag2 import AuditLog, recorder  # noqa: E402

RECORDS = [
    {"at": "2026-11-20T16:06:56Z", "kind": "agent_registered", "agent_id": "7", "name": "alice"},
    {"at": "2026-11-20T16:06:57Z", "kind": "refund_approved", "order": 1042, "nested": {"a": [1]}},
    {"at": "2026-11-20T16:06:57Z", "kind": "refund_approved", "order": 1042, "nested": {"a": [1]}},
    {"at": "2026-11-20T16:06:58Z", "kind": "odd", "ratio": float("inf")},
]


def test_what_is_appended_is_read_back_as_ag2_does(log):
    async def play(audit):
        for record in RECORDS:
            await audit.append(record)
        return await audit.read_all(), audit.bytes_written

    ours, our_bytes = asyncio.run(play(AuditLog(log)))
    theirs, their_bytes = asyncio.run(play(Theirs(MemoryKnowledgeStore())))
    assert ours[:3] == theirs[:3] and our_bytes == their_bytes
    assert ours[3]["ratio"] == "Infinity"
    types = [event["event_type"] for event in log.events(type="hub.*", newest_first=False)]
    assert types == [
        "hub.agent_registered",
        "hub.refund_approved",
        "hub.refund_approved",
        "hub.odd",
    ]


def test_subscribers_are_told_and_none_harms_the_log(log):
    audit, seen = AuditLog(log), []

    async def good(record):
        seen.append(record["kind"])

    async def bad(record):
        raise RuntimeError("a bug of the dashboard")

    async def play():
        audit.subscribe(bad)
        audit.subscribe(good)
        await audit.append(RECORDS[0])
        audit.unsubscribe(good)
        audit.unsubscribe(good)
        await audit.append(RECORDS[1])
        return await audit.read_all()

    assert len(asyncio.run(play())) == 2
    assert seen == ["agent_registered"]


async def desk(hub):
    """The life of a hub: agents come, change and go."""
    ids = {}
    for name in ("alice", "bob"):
        passport = Passport(name=name)
        registered = await hub.register(passport, Resume(), Rule())
        ids[name] = getattr(registered, "agent_id", registered)
    return ids


def test_a_hub_records_the_same_with_our_log_and_with_its_own(log):
    """Every method of the listener, called as the hub calls it; beside AG2's own."""

    class Thing:
        def __init__(self, **fields):
            self.__dict__.update(fields)

    violation = Thing(
        expectation=Thing(name="reply_within", on_violation="auto_close", params={"seconds": 600}),
        violator_ids=["7"],
        detail={"threshold_seconds": 600.0},
    )
    metadata = Thing(
        manifest=Thing(type="consulting", version=1),
        creator_id="7",
        participants=[Thing(agent_id="7"), Thing(agent_id="8")],
    )

    async def play(audit):
        await audit.on_agent_event("7", "registered", {"passport": Thing(name="alice")})
        for kind in ("resume_set", "skill_set", "rule_set", "unregistered", "unheard_of"):
            await audit.on_agent_event("7", kind, {"version": 2, "name": "alice"})
        observed = {"version": 3, "capability": "lookup", "outcome": "completed"}
        await audit.on_agent_event("7", "observation_recorded", observed)
        await audit.on_channel_event("c", "created", {"metadata": metadata})
        for kind in ("opened", "closed", "expired"):
            await audit.on_channel_event("c", kind, {"reason": "done"})
        await audit.on_expectation_fired("c", violation.expectation, violation)
        for kind in ("started", "completed", "failed", "mirror_failed"):
            await audit.on_task_event("t", kind, {"owner_id": "7", "reason": "boom"})
        await audit.on_turn_failed("c", "7", "e", RuntimeError("provider 503"))
        await audit.on_envelope_posted(Thing(), Thing())
        await audit.on_envelope_rejected(Thing(), RuntimeError())
        await audit.on_dispatch_failed(Thing(), "8", RuntimeError())
        await audit.on_inbox_pressure("7", 9, 10)
        return await audit.read_all()

    def clock():
        return "2026-11-29T12:00:00Z"

    ours = asyncio.run(play(AuditLog(log, clock=clock)))
    theirs = asyncio.run(play(Theirs(MemoryKnowledgeStore(), clock=clock)))
    assert ours == theirs and len(ours) == 13


def test_a_real_hub_takes_it_in_place_of_its_own(log):
    async def play():
        hub = await Hub.open(
            MemoryKnowledgeStore(), ttl_sweep_interval=0, expectation_sweep_interval=0
        )
        try:
            audit = AuditLog(log)
            hub.replace_audit_log(audit)
            await hub.audit_log.append(RECORDS[0])
            health = hub.health()
            health = await health if asyncio.iscoroutine(health) else health
            said = health["audit_log_bytes"] if isinstance(health, dict) else health.audit_log_bytes
            return await hub.audit_log.read_all(), said, audit.bytes_written
        finally:
            await hub.close()

    records, said, written = asyncio.run(play())
    assert records == [RECORDS[0]] and said == written > 0


def test_a_secret_in_the_message_of_an_error_does_not_come_back(log):
    secret = "sk-live-" + "51f0a8c2d4e6b1f3a5c7e9d1"

    async def play():
        audit = AuditLog(log)
        await audit.on_turn_failed("c", "7", "e", RuntimeError(f"503 key={secret}"))
        return await audit.read_all()

    (record,) = asyncio.run(play())
    assert record["kind"] == "turn_failed" and secret not in json.dumps(record)


def agents(log, *, mode=None, billing_turns=None):
    """Two agents: Router asks Billing, which uses a tool."""
    ran = []

    def get_order(order: int) -> str:
        """Looks an order up."""
        ran.append(order)
        if order == 0:
            raise ValueError("no such order")
        return f"order {order}: paid twice"

    usage = Usage(prompt_tokens=11.0, completion_tokens=4.0, total_tokens=15.0)
    last = ModelResponse(ModelMessage("Refund it."), usage=usage, model="m-1", provider="scripted")
    turns = billing_turns or [ToolCallEvent("get_order", arguments='{"order": 1042}'), last]
    record = [recorder(log, mode=mode)]
    script = TestConfig(*turns, raise_tool_errors=False)
    billing = Agent("Billing", config=script, tools=[get_order], middleware=record)

    async def ask_billing(question: str) -> str:
        """Asks Billing."""
        reply = await billing.ask(question)
        return reply.response.content or ""

    call = ToolCallEvent("ask_billing", arguments='{"question": "refund order 1042?"}')
    script = TestConfig(call, "Done: refunded.", raise_tool_errors=False)
    router = Agent("Router", config=script, tools=[ask_billing], middleware=record)
    return router, ran


def test_two_agents_are_recorded_with_one_line_each(log):
    router, ran = agents(log)
    asyncio.run(router.ask("I was charged twice for order 1042"))
    assert ran == [1042]
    (trace_id,) = {event["trace_id"] for event in mine(log)}
    trace = log.trace(trace_id)
    told = [
        (event["agent_name"], event["event_type"], event.get("phase")) for event in trace["events"]
    ]
    assert told.count(("Router", "agent.handoff", None)) == 1
    for agent in ("Router", "Billing"):
        assert told.count((agent, "agent.invocation", "intent")) == 1
        assert told.count((agent, "agent.invocation", "result")) == 1
        assert told.count((agent, "agent.llm_response", "result")) == 2
        assert told.count((agent, "agent.tool_call", "intent")) == 1
        assert told.count((agent, "agent.tool_result", "result")) == 1
    assert trace["totals"]["tokens"]["total"] == 15
    assert trace["findings"]["gaps"] == [] and trace["findings"].get("orphans") == []
    (result,) = [e for e in mine(log, tool="get_order") if e["event_type"] == "agent.tool_result"]
    assert result["content"]["result"] == "order 1042: paid twice"
    assert log.verify()


def test_a_tool_that_fails_is_recorded_as_that(log):
    turns = [ToolCallEvent("get_order", arguments='{"order": 0}'), "Sorry."]
    router, _ = agents(log, billing_turns=turns)
    asyncio.run(router.ask("order 0"))
    (result,) = [e for e in mine(log, tool="get_order") if e["event_type"] == "agent.tool_result"]
    assert (result["outcome"], result["error_type"]) == ("failure", "ValueError")


def test_a_provider_that_fails_is_recorded_and_the_error_goes_on(log):
    router, _ = agents(log)
    broken = Agent("Broken", config=TestConfig(RuntimeError("503")), middleware=[recorder(log)])
    with pytest.raises(RuntimeError):
        asyncio.run(broken.ask("hello"))
    failed = [e for e in mine(log, agent="Broken") if e.get("outcome") == "failure"]
    assert [e["event_type"] for e in failed] == ["agent.llm_response", "agent.invocation"]
    assert failed[0]["content"]["error"]["message"] == "503"


def test_a_required_turn_does_not_begin_without_a_log(log):
    router, ran = agents(log, mode="required")
    log.close()
    with pytest.raises(errors.NotRecorded):
        asyncio.run(router.ask("refund"))
    assert ran == []
    router, ran = agents(log, mode="durable")
    asyncio.run(router.ask("refund"))
    assert ran == [1042]


assert tachograph.__version__
