"""AG2's hub from PyPI: everything that happens at it is recorded, refusals too."""

import asyncio
import contextlib

import pytest
from conftest import mine

ag2 = pytest.importorskip("ag2")

from ag2 import Agent, tool  # noqa: E402
from ag2.events import (  # noqa: E402
    BuiltinToolCallEvent,
    BuiltinToolResultEvent,
    HaltEvent,
    ModelReasoning,
    ObserverAlert,
    TaskFailed,
    ToolCallEvent,
    ToolResult,
    Usage,
    UsageEvent,
)
from ag2.knowledge import MemoryKnowledgeStore  # noqa: E402
from ag2.middleware import BaseMiddleware, Middleware  # noqa: E402
from ag2.network import (  # noqa: E402
    AccessDeniedError,
    BaseHubListener,
    Hub,
    Passport,
    Resume,
    Rule,
)
from ag2.network.rule import AccessBlock  # noqa: E402
from ag2.testing import TestConfig  # noqa: E402
from ag2.tools import WebSearchTool  # noqa: E402

from tachograph import errors  # noqa: E402
from tachograph.ag2 import recorder  # noqa: E402
from tachograph.ag2_hub import KnowledgeStore, watch  # noqa: E402
from tachograph.ag2_stream import observer  # noqa: E402


class Counter(BaseHubListener):
    """What the hub itself tells: of each method, the kinds."""

    def __init__(self):
        self.told = []

    def __getattribute__(self, name):
        if not name.startswith("on_"):
            return super().__getattribute__(name)

        async def count(*said, **more):
            kind = more.get("kind") or next((one for one in said[1:] if isinstance(one, str)), "")
            self.told.append((name, kind if name.endswith("_event") else ""))

        return count


@contextlib.asynccontextmanager
async def desk(store=None):
    """A hub that tells a counter as well."""
    hub = await Hub.open(
        store or MemoryKnowledgeStore(), ttl_sweep_interval=0, expectation_sweep_interval=0
    )
    counter = Counter()
    hub.register_listener(counter)
    try:
        yield hub, counter.told
    finally:
        await hub.close()


async def consult(hub, *, rule=None):
    """Router asks Billing; Billing's rule may refuse it."""
    router = await hub.register(
        Agent("Router", config=TestConfig("?")), Passport("Router"), Resume()
    )
    billing = Agent("Billing", config=TestConfig("Refund it."))
    await hub.register(billing, Passport("Billing"), Resume(), rule=rule)
    channel = await router.open(type="consulting", target="Billing")
    await channel.send("Was order 1042 charged twice?")
    return channel


def hub_events(log, **question):
    question = {"limit": None, "newest_first": False, **question}
    return [e for e in log.events(**question) if not e["event_type"].startswith("log.")]


@pytest.mark.parametrize("has_store", [False, True])
def test_everything_that_a_hub_tells_is_recorded(log, has_store):
    """Counted against the framework's own events."""

    async def play():
        store = KnowledgeStore(MemoryKnowledgeStore(), log) if has_store else None
        async with desk(store) as (hub, told):
            watch(hub, log)
            channel = await consult(hub)
            # Invited, accepted, opened, asked, answered, and then closed by itself.
            for _ in range(1_000):
                wal = await hub.read_wal(channel.channel_id)
                if len(wal) == 6 and len(told) >= 9:
                    break
                await asyncio.sleep(0.01)
            return told, wal

    told, wal = asyncio.run(play())
    events = hub_events(log)
    messages = {e["event_id"]: e for e in events if e.get("action", "").startswith("ag2.")}
    posted = told.count(("on_envelope_posted", ""))
    # Of what it sends itself a hub tells its listeners not all: its store has it.
    assert len(wal) == 6 and len(messages) == (6 if has_store else posted) >= 4
    assert set(messages) <= {envelope.envelope_id for envelope in wal}
    texts = [e for e in messages.values() if e["action"] == "ag2.msg.text"]
    assert [e["content"]["input"] for e in texts] == [
        "Was order 1042 charged twice?",
        "Refund it.",
    ]
    assert all(e["phase"] == ("intent" if has_store else "observation") for e in texts)
    types = [e["event_type"] for e in events]
    for kind in ("created", "opened", "closed"):
        told_of = told.count(("on_channel_event", kind))
        named = types.count(f"hub.channel_{kind}") - sum(
            1 for e in messages.values() if e["event_type"] == f"hub.channel_{kind}"
        )
        assert named == told_of == 1, kind
    assert types.count("hub.agent_registered") == told.count(("on_agent_event", "registered")) == 2
    assert types.count("hub.send_allowed") >= posted
    assert types.count("hub.channel_open_allowed") == 1
    assert log.verify()


def test_refusals_are_recorded_those_too_that_no_listener_is_told_of(log):
    async def play():
        async with desk() as (hub, told):
            watch(hub, log)
            closed = Rule(access=AccessBlock(inbound_from=["nobody"]))
            with pytest.raises(AccessDeniedError):
                await consult(hub, rule=closed)
            with pytest.raises(Exception, match="already registered"):
                await hub.register_identity(Passport("Router"), Resume())
            mute = Rule(access=AccessBlock(outbound_to=["nobody"]))
            who = await hub.register(
                Agent("Mute", config=TestConfig("?")), Passport("Mute"), Resume(), rule=mute
            )
            await hub.register_identity(Passport("Other"), Resume())
            with pytest.raises(AccessDeniedError):
                channel = await who.open(type="consulting", target="Other")
                await channel.send("hello")
            return told

    told = asyncio.run(play())
    events = hub_events(log, outcome="denied")
    types = [e["event_type"] for e in events]
    assert types.count("hub.channel_open_denied") == 1
    assert types.count("hub.registration") == 1
    assert types.count("hub.send_denied") >= 1
    rejected = told.count(("on_envelope_rejected", ""))
    assert types.count("hub.envelope_rejected") == rejected >= 1
    (refused,) = [e for e in events if e["event_type"] == "hub.channel_open_denied"]
    assert refused["agent_name"] == "Router" and refused["error_type"] == "AccessDeniedError"
    assert "Billing" in str(refused["content"])


@pytest.mark.parametrize("act", ["register", "open", "send"])
def test_without_a_log_a_required_hub_refuses(log, act):
    async def play():
        async with desk() as (hub, _):
            watch(hub, log, mode="required")
            one = await hub.register(
                Agent("Router", config=TestConfig("?")), Passport("Router"), Resume()
            )
            two = Agent("Billing", config=TestConfig("!"))
            await hub.register(two, Passport("Billing"), Resume())
            channel = await one.open(type="consulting", target="Billing")
            before = len(await hub.read_wal(channel.channel_id))
            log.close()
            if act == "register":
                with pytest.raises(errors.LogClosed):
                    await hub.register_identity(Passport("Third"), Resume())
                assert hub.find_agent_id("Third") is None
            elif act == "open":
                with pytest.raises(AccessDeniedError):
                    await one.open(type="consulting", target="Billing")
                assert len(await hub.list_channels()) == 1
            else:
                with pytest.raises(AccessDeniedError):
                    await channel.send("hello")
                assert len(await hub.read_wal(channel.channel_id)) == before

    asyncio.run(play())


@pytest.mark.parametrize(("mode", "is_written"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_store_writes_nothing(log, mode, is_written):
    async def play():
        inner = MemoryKnowledgeStore()
        store = KnowledgeStore(inner, log, mode=mode)
        log.close()
        wal = "/channels/7/wal.jsonl"
        envelope = '{"event_type": "ag2.msg.text", "envelope_id": "e-1"}\n'
        await inner.write("/old.json", "{}")
        for write in (
            store.append(wal, envelope),
            store.append("/audit/audit.jsonl", '{"kind": "x"}\n'),
            store.write("/agents/7/rule.json", "{}"),
            store.delete("/old.json"),
        ):
            block = contextlib.nullcontext() if is_written else pytest.raises(errors.LogClosed)
            with block:
                await write
        paths = (wal, "/audit/audit.jsonl", "/agents/7/rule.json")
        assert [await inner.exists(path) for path in paths] == [is_written] * 3
        assert await inner.exists("/old.json") is not is_written

    asyncio.run(play())


def test_who_rewrites_what_may_only_grow_is_told_of(log):
    async def play():
        store = KnowledgeStore(MemoryKnowledgeStore(), log)
        await store.append("/audit/audit.jsonl", '{"kind": "refund_approved"}\n')
        await store.write("/audit/audit.jsonl", "")
        await store.delete("/channels/7/wal.jsonl")
        await store.write("/agents/7/rule.json", "{}")

    asyncio.run(play())
    types = [e["event_type"] for e in hub_events(log)]
    assert types == ["hub.refund_approved", "agent.security", "agent.security", "store.write"]


def test_a_store_answers_as_the_one_inside_it(log):
    async def play():
        store = KnowledgeStore(MemoryKnowledgeStore(), log)
        await store.write("/a/b.txt", "ä")
        offset = await store.append("/a/c.jsonl", "1\n2\n")
        subscription = await store.on_change("/a", lambda path: None)
        await subscription.close()
        read = await store.read("/a/b.txt"), await store.read_range("/a/c.jsonl", 2)
        await store.delete("/a/b.txt")
        return offset, read, await store.list("/a"), await store.exists("/a/b.txt")

    assert asyncio.run(play()) == (0, ("ä", "2\n"), ["c.jsonl"], False)


def test_what_no_middleware_is_told_of(log):
    """Tools that are not there or run elsewhere, reasoning, alerts: by the stream."""
    ran = []

    @tool
    def get_order(order: int) -> str:
        """Looks an order up."""
        ran.append(order)
        return "paid twice"

    extra = [
        ModelReasoning("It was charged twice."),
        BuiltinToolCallEvent("web_search", id="b-1", arguments='{"query": "refund"}'),
        BuiltinToolResultEvent(parent_id="b-1", name="web_search", result=ToolResult("found")),
        UsageEvent(Usage(prompt_tokens=7.0, total_tokens=7.0), kind="compaction"),
        ObserverAlert(source="loops", severity="warning", message="again"),
        TaskFailed(task_id="t", agent_name="x", objective="y", error=ValueError("boom")),
        HaltEvent(reason="enough", source="loops"),
    ]

    class Sender(BaseMiddleware):
        async def on_llm_call(self, call_next, events, context):
            while extra:
                await context.send(extra.pop(0))
            return await call_next(events, context)

    calls = [ToolCallEvent("nope"), ToolCallEvent("get_order", arguments='{"order": 1042}')]
    agent = Agent(
        "Billing",
        config=TestConfig(*calls, "Done.", raise_tool_errors=False),
        tools=[get_order, WebSearchTool()],
        middleware=[recorder(log), Middleware(Sender)],
        observers=[observer(log)],
    )
    asyncio.run(agent.ask("refund?"))
    assert ran == [1042]
    seen = [
        (e["event_type"], e.get("tool"), e.get("outcome"))
        for e in mine(log)
        if e["event_type"] not in ("agent.invocation", "agent.llm_request", "agent.llm_response")
    ]
    assert seen == [
        ("agent.reasoning", None, None),
        ("agent.tool_call", "web_search", None),
        ("agent.tool_result", "web_search", "success"),
        ("agent.token_usage", None, None),
        ("agent.observer_alert", None, None),
        ("agent.task_failed", None, "failure"),
        ("agent.decision", None, None),
        ("agent.tool_result", "nope", "failure"),
        ("agent.tool_call", "get_order", None),
        ("agent.tool_result", "get_order", "success"),
    ]
    assert {e["agent_name"] for e in mine(log)} == {"Billing"}
    assert len({e["trace_id"] for e in mine(log)}) == 1
