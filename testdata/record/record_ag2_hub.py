"""Records an AG2 hub at work: its audit log, its spans and the log of every channel.

A support desk in six scenes. Alice asks, Bob looks an order up with a tool, Tess hands a refund to Bob
through a workflow, Carl's provider fails (with a planted secret in its message), Mute never answers, an
invitation runs out of time, a task fails. The agents are scripted (`ag2.testing.TestConfig`): nothing
leaves the process. The hub writes everything itself to a `DiskKnowledgeStore`; this script only copies
the files.

Ids and times are those of the run. The hub's clock is moved forward in scenes 4 and 5 and back again,
so the file's order is not the order of its `at` values: that is how a hub with its own clock behaves.
"""

import asyncio
import json
import logging
import tempfile
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

from ag2 import Agent
from ag2.events import (
    ModelMessage,
    ModelReasoning,
    ModelResponse,
    ToolCallEvent,
    ToolCallsEvent,
    Usage,
)
from ag2.knowledge import DiskKnowledgeStore
from ag2.network import (
    WORKFLOW_TYPE,
    AgentTarget,
    FromSpeaker,
    Handoff,
    Hub,
    NetworkError,
    Passport,
    Resume,
    Rule,
    TerminateTarget,
    Transition,
    TransitionGraph,
)
from ag2.network.hub.telemetry import HubTelemetryListener
from ag2.task import TaskMetadata, TaskSpec, TaskState
from ag2.testing import TestConfig
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider

from recording import TESTDATA, save_text, scrub

KINDS = {
    "agent_registered",
    "agent_unregistered",
    "resume_set",
    "rule_set",
    "skill_set",
    "expectation_violated",
    "channel_created",
    "channel_closed",
    "channel_expired",
    "task_terminated",
    "turn_failed",
    "refund_approved",  # a tenant's own kind
}


class Clock:
    """The hub's clock: the real one, plus what the story skips."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> str:
        return (datetime.now(timezone.utc) + self.ahead).isoformat()


class Witness:
    """Follows the audit log live, so that a scene can wait for what it caused."""

    def __init__(self, hub: Hub) -> None:
        self.records: list[dict] = []
        hub.audit_log.subscribe(self._take)

    async def _take(self, record: dict) -> None:
        self.records.append(record)

    async def saw(self, kind: str, **fields) -> None:
        """Returns once a record of that kind with those fields is in the log."""
        for _ in range(200):
            for record in self.records:
                if record["kind"] == kind and fields.items() <= record.items():
                    return
            await asyncio.sleep(0.02)
        raise SystemExit(f"the hub never logged {kind} {fields}")


def says(text: str | None = None, *calls: ToolCallEvent) -> ModelResponse:
    """One scripted answer of the model, with its bill."""
    return ModelResponse(
        ModelMessage(text) if text else None,
        tool_calls=ToolCallsEvent(list(calls)),
        usage=Usage(prompt_tokens=64, completion_tokens=12, total_tokens=76),
        model="scripted-1",
        provider="test",
        finish_reason="tool_calls" if calls else "stop",
    )


def cast() -> dict[str, Agent]:
    """The agents of the story, by name."""
    bob = Agent(
        "bob",
        config=TestConfig(
            ModelReasoning("The customer wants the state of an order: look it up."),
            says(None, ToolCallEvent("get_order", id="call_1", arguments='{"order_id": 1042}')),
            says("Order 1042 is paid and was delivered on 30 October."),
        ),
    )

    @bob.tool
    def get_order(order_id: int) -> dict:
        """Looks an order up."""
        return {"order_id": order_id, "status": "delivered", "paid": True}

    tess = Agent(
        "tess",
        config=TestConfig(
            says(None, ToolCallEvent("route", id="call_2", arguments='{"topic": "refund"}')),
            says("Bob takes it from here."),
        ),
    )

    @tess.tool
    def route(topic: str) -> Handoff:
        """Chooses who answers."""
        return Handoff(target="bob", reason=f"{topic} is Bob's")

    return {
        "alice": Agent("alice", config=TestConfig("Thank you.")),
        "bob": bob,
        "tess": tess,
        "carl": Agent("carl", config=TestConfig(RuntimeError("provider 503 key=sk-secret"))),
        "mute": Agent("mute", config=TestConfig("never said")),
    }


class Desk:
    """The hub with everyone at their place."""

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self.hub = hub
        self.clock = clock
        self.audit = Witness(hub)
        self.people: dict = {}

    async def open_for_business(self) -> None:
        """Scene 1: everyone registers; resume, skill and rule are changed."""
        claims = {"alice": ["ask"], "bob": ["lookup", "refund"], "tess": ["triage"]}
        for name, agent in cast().items():
            resume = Resume(claimed_capabilities=claims.get(name, []))
            self.people[name] = await self.hub.register(agent, Passport(name=name), resume)
        await self.people["alice"].set_resume(Resume(claimed_capabilities=["ask", "escalate"]))
        await self.people["bob"].set_skill("# bob\nLooks orders up and refunds them.\n")
        await self.people["bob"].set_rule(Rule())

    async def order_is_found(self) -> None:
        """Scene 2: a consultation with a tool call; then a workflow with a handoff."""
        channel = await self.people["alice"].open(type="consulting", target="bob")
        await channel.send("Where is my order 1042?")
        await self.audit.saw("channel_closed", channel_id=channel.channel_id)

        ids = {name: self.people[name].agent_id for name in ("alice", "tess", "bob")}
        graph = TransitionGraph(
            initial_speaker=ids["alice"],
            transitions=[
                Transition(when=FromSpeaker(ids["alice"]), then=AgentTarget(ids["tess"])),
                Transition(when=FromSpeaker(ids["bob"]), then=TerminateTarget()),
            ],
            default_target=TerminateTarget(),
            max_turns=6,
        )
        channel = await self.people["alice"].open(
            type=WORKFLOW_TYPE, target=["tess", "bob"], knobs={"graph": graph.to_dict()}
        )
        await channel.send("Please refund order 1042.")
        await self.audit.saw("channel_closed", channel_id=channel.channel_id)
        await self.hub.audit_log.append(
            {
                "at": self.clock(),
                "kind": "refund_approved",
                "order_id": 1042,
                "approver": "dana@example.com",
                "channel_id": channel.channel_id,
            }
        )

    async def provider_fails(self) -> None:
        """Scene 3: Carl's model is down; the channel is closed by hand and refuses what comes later."""
        channel = await self.people["alice"].open(type="conversation", target="carl")
        await channel.send("Carl, can you help with 1042?")
        await self.audit.saw("turn_failed", channel_id=channel.channel_id)
        await channel.close("carl is down")
        try:
            await channel.send("Too late.")
        except NetworkError as refusal:
            print(f"refused, as it should be: {type(refusal).__name__}")

    async def nobody_answers(self) -> None:
        """Scenes 4 and 5: an expectation is violated; a channel outlives its time."""
        mute = self.people["mute"]
        asked = await self.people["alice"].open(type="consulting", target="mute")
        short = await self.people["alice"].open(type="conversation", target="carl", ttl=5)

        async def swallow(envelope) -> None:
            return None

        mute.on_envelope(swallow)
        await asked.send("Hello?")
        self.clock.ahead = timedelta(minutes=20)
        await self.hub._expectation_tick()  # the sweepers are off: the scene calls them
        await self.audit.saw("expectation_violated", channel_id=asked.channel_id)
        await self.hub.expire_due()
        await self.audit.saw("channel_expired", channel_id=short.channel_id)
        self.clock.ahead = timedelta()

    async def task_fails_and_carl_leaves(self) -> None:
        """Scene 6: one task observed as done, one failed; Carl is unregistered."""
        bob = self.people["bob"].agent_id
        await self.hub.record_observation(
            owner_id=bob,
            capability="lookup",
            outcome=TaskState.COMPLETED,
            latency_ms=12,
            task_id="task-1",
        )
        await self.hub.observe_task(
            TaskMetadata(
                task_id="task-2",
                owner_id=bob,
                spec=TaskSpec(title="Refund order 1042", capability="refund"),
                state=TaskState.RUNNING,
                created_at=self.clock(),
                started_at=self.clock(),
            )
        )
        await self.hub.update_task("task-2", state=TaskState.FAILED, error="refund service down")
        await self.people["bob"].set_skill(None)
        await self.people["carl"].unregister()


@asynccontextmanager
async def desk(root: Path):
    """A hub on `root` with telemetry; closed at the end, so that every span is written."""
    resource = Resource.create({"service.name": "support-desk"})
    tracer_provider = TracerProvider(resource=resource)
    store = DiskKnowledgeStore(str(root))
    clock = Clock()
    hub = await Hub.open(
        store,
        clock=clock,
        ttl_sweep_interval=0,
        expectation_sweep_interval=0,
        tracer_provider=tracer_provider,
    )
    hub.register_listener(HubTelemetryListener(store, tracer_provider=tracer_provider))
    try:
        yield Desk(hub, clock)
    finally:
        await hub.close()


def keep(root: Path) -> None:
    """Copies what the hub wrote; channels are numbered in the order of their creation."""
    audit = (root / "audit/audit.jsonl").read_text(encoding="utf-8")
    records = [json.loads(line) for line in audit.splitlines()]
    if missing := KINDS - {record["kind"] for record in records}:
        raise SystemExit(f"kinds that the hub did not write: {sorted(missing)}")
    if "sk-secret" not in audit:
        raise SystemExit("the planted secret is not in the audit log")
    for old in (TESTDATA / "ag2/hub").glob("*.jsonl"):
        old.unlink()
    save_text("ag2/hub/audit.jsonl", audit)
    save_text("ag2/hub/spans.jsonl", scrub((root / "telemetry/spans.jsonl").read_text("utf-8")))
    channels = [r["channel_id"] for r in records if r["kind"] == "channel_created"]
    for number, channel_id in enumerate(channels, start=1):
        wal = root / "channels" / channel_id / "wal.jsonl"
        save_text(f"ag2/hub/wal-{number}.jsonl", wal.read_text("utf-8"))


async def main() -> None:
    """Plays the six scenes and keeps the files."""
    logging.disable(logging.CRITICAL)  # the failures of the story are meant
    with tempfile.TemporaryDirectory() as folder:
        async with desk(Path(folder)) as scene:
            await scene.open_for_business()
            await scene.order_is_found()
            await scene.provider_fails()
            await scene.nobody_answers()
            await scene.task_fails_and_carl_leaves()
        keep(Path(folder))


if __name__ == "__main__":
    asyncio.run(main())
