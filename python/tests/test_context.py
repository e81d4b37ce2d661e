"""Traces, sessions and for whom, without saying so every time."""

import asyncio

from conftest import mine

from tachograph import AsyncLog, context


def test_what_holds_outside_is_in_every_event_inside(log):
    with context.session("s-1"), context.trace() as trace_id, context.on_behalf_of("ann"):
        log.log_reasoning("Router", "one")
        with context.task("task-1"), context.agent("Billing", "2.1"):
            log.record(event_type="agent.x")
            log.record(event_type="agent.x", agent_name="Other", session_id=None)
    with context.session("outer"), context.session("inner"):
        log.record(event_type="agent.y")
    log.log_reasoning("Router", "outside")
    assert log.events(type="agent.y")[0]["session_id"] == "inner"
    one, two, three, _, outside = mine(log)
    assert (one["session_id"], one["trace_id"], one["on_behalf_of"]) == ("s-1", trace_id, "ann")
    assert (two["task_id"], two["agent_name"], two["agent_version"]) == ("task-1", "Billing", "2.1")
    assert (three["agent_name"], three["session_id"]) == ("Other", "s-1")
    assert "trace_id" not in outside and len(trace_id) == 32


def test_a_principal_is_a_claim_here(log):
    with context.principal("ann", issuer="https://id.example.org"):
        log.log_reasoning("Router", "one")
    (event,) = mine(log)
    assert "principal" not in event
    claim = event["content"]["attributes"]["principal"]
    assert claim == {"issuer": "https://id.example.org", "subject": "ann"}


def test_w3c_trace_context_comes_in_and_goes_out(log):
    came = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with context.trace(traceparent=came) as trace_id:
        log.log_reasoning("Router", "one")
        goes = context.traceparent()
    assert trace_id == came.split("-")[1]
    assert goes.split("-")[1] == trace_id and goes.split("-")[2] != came.split("-")[2]
    (event,) = mine(log)
    assert event["trace_id"] == trace_id and event["parent_event_id"]
    assert context.traceparent() is None
    with context.trace(traceparent="nonsense") as new:
        assert len(new) == 32


def test_a_task_never_sees_the_trace_of_another(log):
    alog = AsyncLog(log)

    async def one(name):
        with context.trace(name):
            await asyncio.sleep(0.001)
            await alog.log_reasoning(name, "mine")

    async def all_of_them():
        await asyncio.gather(*(one(f"t-{i}") for i in range(20)))

    asyncio.run(all_of_them())
    events = mine(log)
    assert len(events) == 20
    assert all(event["trace_id"] == event["agent_name"] for event in events)
