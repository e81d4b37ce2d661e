"""AG2 1.x, the hub: what its audit log leaves out, refusals among it, and its files.

    hub = await Hub.open(KnowledgeStore(store, log, mode="required"))
    watch(hub, log, mode="required")

What is seen, and what is not, stands in docs/python.md.
"""

import json
import re
from typing import Any

from ag2.network import BaseHubListener, Deny

from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._outcomes import failure
from tachograph._receipts import settled
from tachograph._teller import Teller
from tachograph.ag2 import AuditLog, strict
from tachograph.errors import NotRecorded
from tachograph.types import EventType, Mode

_WAL = re.compile(r"/channels/[^/]+/wal\.jsonl")
_AUDIT = "/audit/audit.jsonl"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")

#: What the audit log records itself.
_AUDITED = {
    "agent": (
        "registered",
        "unregistered",
        "resume_set",
        "skill_set",
        "rule_set",
        "observation_recorded",
    ),
    "channel": ("created", "closed", "expired"),
    "task": ("completed", "failed", "expired", "cancelled"),
}


def watch(hub: Any, log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> None:
    """Records what happens at a hub, from now on: its audit log, what that leaves out, and each
    decision of its arbiter, the refusals among them.

    With ``mode="required"`` no agent registers, no channel is opened and nothing is sent when that
    cannot be recorded before.
    """
    has_store = isinstance(getattr(hub, "_store", None), KnowledgeStore)
    hub.replace_audit_log(AuditLog(log, mode=mode))
    hub.register_listener(Listener(log, messages=not has_store, mode=mode))
    hub.register_arbiter(Arbiter(hub.arbiter, log, mode=mode))
    hub.register_identity = _registering(hub.register_identity, Teller(log, mode))


def _registering(register: Any, teller: Teller) -> Any:
    """Around a hub's own registration, through which all go: nobody else is told of a refused
    one, and the arbiter is not asked."""

    async def register_identity(passport: Any, *args: Any, **more: Any) -> Any:
        said = {
            "event_type": "hub.registration",
            "action": "register",
            "agent_name": passport.name,
            "params": _who(passport),
        }
        begun = await teller.atell({**said, "phase": "intent"}, is_intent=True)
        end = {**said, "phase": "result", "parent_event_id": begun}
        try:
            stamped = await register(passport, *args, **more)
        except Exception as error:
            await teller.atell({**end, "outcome": "denied", **failure(error)})
            raise
        await teller.atell({**end, "agent_id": stamped.agent_id, "outcome": "success"})
        return stamped

    return register_identity


def _who(passport: Any) -> dict[str, Any]:
    """A passport without its claim, which is a credential."""
    names = ("name", "owner", "provider", "model", "region", "kind", "hub_id")
    said = {name: getattr(passport, name, None) for name in names}
    said["auth"] = getattr(getattr(passport, "auth", None), "scheme", None)
    return {name: value for name, value in said.items() if value}


class Listener(BaseHubListener):  # type: ignore[misc, unused-ignore]
    """A listener for what AG2's audit log does not record: messages, refused and undelivered ones,
    full inboxes, and the kinds of events that it leaves out. Nothing is blocked here: a hub
    swallows what listeners raise."""

    def __init__(
        self, log: "Log | AsyncLog", *, messages: bool = True, mode: "Mode | None" = None
    ) -> None:
        self._teller = Teller(log, mode)
        self._messages = messages

    async def on_envelope_posted(self, envelope: Any, metadata: Any) -> None:
        if self._messages:
            await self._teller.atell({**message(_dict(envelope)), "phase": "observation"})

    async def on_envelope_rejected(self, envelope: Any, reason: Any) -> None:
        said = {"input": envelope.event_data, "outcome": "denied", **failure(reason)}
        await self._teller.atell(_about(envelope, "envelope_rejected", said))

    async def on_dispatch_failed(self, envelope: Any, recipient_id: str, reason: Any) -> None:
        said = {"params": {"recipient_id": recipient_id}, "outcome": "failure", **failure(reason)}
        said["parent_event_id"] = envelope.envelope_id or None
        await self._teller.atell(_about(envelope, "dispatch_failed", said))

    async def on_channel_event(self, channel_id: str, kind: str, payload: Any) -> None:
        if kind not in _AUDITED["channel"]:
            await self._teller.atell(_left_out("channel", kind, payload, session_id=channel_id))

    async def on_agent_event(self, agent_id: str, kind: str, payload: Any) -> None:
        if kind not in _AUDITED["agent"]:
            await self._teller.atell(_left_out("agent", kind, payload, agent_id=agent_id))

    async def on_task_event(self, task_id: str, kind: str, payload: Any) -> None:
        if kind not in _AUDITED["task"]:
            await self._teller.atell(_left_out("task", kind, payload, task_id=task_id))

    async def on_inbox_pressure(self, agent_id: str, pending: int, cap: int) -> None:
        full = {"pending": pending, "cap": cap}
        await self._teller.atell(_left_out("inbox", "pressure", full, agent_id=agent_id))


class Arbiter:
    """Around the arbiter of a hub: it decides, and each decision is recorded before the hub acts on
    it; of inboxes and deliveries only the refusals, for there is one decision for each recipient.

    With ``mode="required"`` what was allowed is refused when that cannot be recorded.
    """

    def __init__(self, inner: Any, log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> None:
        self._inner = inner
        self._teller = Teller(log, mode)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def authorize_send(
        self, envelope: Any, sender: Any, sender_rule: Any, recipients: Any
    ) -> Any:
        decision = await self._inner.authorize_send(envelope, sender, sender_rule, recipients)
        about = {"audience": envelope.audience, "event_type": envelope.event_type}
        return await self._decided("send", decision, sender, about, envelope.channel_id)

    async def authorize_inbox(
        self, envelope: Any, recipient: Any, recipient_rule: Any, current_pending: int
    ) -> Any:
        decision = await self._inner.authorize_inbox(
            envelope, recipient, recipient_rule, current_pending
        )
        if isinstance(decision, Deny):
            about = {"sender_id": envelope.sender_id, "pending": current_pending}
            await self._decided("inbox", decision, recipient, about, envelope.channel_id)
        return decision

    async def authorize_dispatch(
        self, envelope: Any, sender: Any, recipient: Any, recipient_rule: Any
    ) -> Any:
        decision = await self._inner.authorize_dispatch(envelope, sender, recipient, recipient_rule)
        if isinstance(decision, Deny):
            about = {"recipient": recipient.name, "envelope_id": envelope.envelope_id}
            await self._decided("dispatch", decision, sender, about, envelope.channel_id)
        return decision

    async def authorize_channel_open(
        self,
        manifest: Any,
        creator: Any,
        creator_rule: Any,
        invitees: Any,
        invitee_rules: Any,
        active_creator_channels: int,
    ) -> Any:
        decision = await self._inner.authorize_channel_open(
            manifest, creator, creator_rule, invitees, invitee_rules, active_creator_channels
        )
        about = {"manifest": manifest.type, "invitees": [one.name for one in invitees]}
        return await self._decided("channel_open", decision, creator, about, None)

    async def authorize_register(self, passport: Any, resume: Any, rule: Any) -> Any:
        decision = await self._inner.authorize_register(passport, resume, rule)
        about = {"passport": _who(passport), "rule": rule}
        return await self._decided("register", decision, passport, about, None)

    async def resolve_unknown_audience(self, envelope: Any, unknown_ids: Any) -> Any:
        found = await self._inner.resolve_unknown_audience(envelope, unknown_ids)
        said = {"params": {"unknown_ids": unknown_ids, "sent_to": found}}
        await self._teller.atell(_about(envelope, "unknown_audience", said))
        return found

    async def _decided(
        self, act: str, decision: Any, who: Any, about: dict[str, Any], channel: "str | None"
    ) -> Any:
        is_denied = isinstance(decision, Deny)
        event: dict[str, Any] = {
            "event_type": f"hub.{act}_{'denied' if is_denied else 'allowed'}",
            "action": f"authorize:{act}",
            "agent_id": who.agent_id or None,
            "agent_name": who.name,
            "session_id": channel,
            "phase": "observation" if is_denied else "intent",
            "params": about,
        }
        if is_denied:
            why = {"outcome": "denied", "error_type": decision.error.__name__}
            event |= {**why, "reasoning": decision.reason}
        try:
            await self._teller.atell(event, is_intent=not is_denied)
        except NotRecorded as error:
            return Deny(f"{act} cannot be recorded: {error}")
        return decision


class KnowledgeStore:
    """Around a store of a hub or an agent: what is written is recorded before, with what it says.
    Who changes or deletes what may only grow is recorded as ``agent.security``.

    With ``mode="required"`` nothing is written that cannot be recorded: a message is then not sent,
    and its sender gets the error.
    """

    def __init__(self, inner: Any, log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> None:
        self._inner = inner
        self._teller = Teller(log, mode)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def read(self, path: str) -> "str | None":
        return await self._inner.read(path)  # type: ignore[no-any-return]

    async def list(self, path: str = "/") -> list[str]:
        return await self._inner.list(path)  # type: ignore[no-any-return]

    async def exists(self, path: str) -> bool:
        return await self._inner.exists(path)  # type: ignore[no-any-return]

    async def read_range(self, path: str, start: int, end: "int | None" = None) -> str:
        return await self._inner.read_range(path, start, end)  # type: ignore[no-any-return]

    async def on_change(self, path: str, callback: Any) -> Any:
        return await self._inner.on_change(path, callback)

    async def append(self, path: str, content: str) -> int:
        for line in content.splitlines():
            if path == _AUDIT:
                await self._audit(line)
            elif _WAL.fullmatch(path) and (envelope := _object(line)) is not None:
                await self._teller.atell({**message(envelope), "phase": "intent"}, is_intent=True)
            else:
                await self._change("append", path, {"input": line})
        return await self._inner.append(path, content)  # type: ignore[no-any-return]

    async def write(self, path: str, content: str) -> None:
        await self._change("write", path, {"input": content})
        await self._inner.write(path, content)

    async def delete(self, path: str) -> None:
        await self._change("delete", path, {})
        await self._inner.delete(path)

    async def _change(self, act: str, path: str, said: dict[str, Any]) -> None:
        is_tampering = act != "append" and path.endswith(".jsonl")
        kind = EventType.SECURITY.value if is_tampering else f"store.{act}"
        event = {"event_type": kind, "action": f"store:{act}", "phase": "intent"}
        await self._teller.atell({**event, "params": {"path": path}, **said}, is_intent=True)

    async def _audit(self, line: str) -> None:
        log = self._teller.log
        try:
            await settled(log.submit_ag2(strict(line), mode=self._teller.mode))
        except NotRecorded as error:
            self._teller.refused({"action": "audit record"}, error, is_intent=True)


def message(envelope: dict[str, Any]) -> dict[str, Any]:
    """An envelope as an event, as ``tacho import --from ag2-wal`` reads it."""
    name, data = str(envelope.get("event_type")), envelope.get("event_data") or {}
    said: dict[str, Any] = {
        "event_id": envelope.get("envelope_id") or None,
        "event_type": f"hub.{name.removeprefix('ag2.').replace('.', '_')}",
        "action": name,
        "agent_id": envelope.get("sender_id"),
        "session_id": envelope.get("channel_id"),
        "task_id": envelope.get("task_id"),
        "parent_event_id": envelope.get("causation_id"),
        "params": data or None,
    }
    if match := _TRACEPARENT.fullmatch(str(envelope.get("trace_id"))):
        said["trace_id"] = match[1]
    if name == "ag2.msg.text":
        said |= {"event_type": EventType.INVOCATION.value, "input": data.get("text")}
        said["params"] = {key: value for key, value in data.items() if key != "text"} or None
    elif name == "ag2.packet":
        said |= _packet(data)
    outcomes = {"task.cancelled": "cancelled", "expectation.violated": "failure"}
    said["outcome"] = outcomes.get(name.removeprefix("ag2."))
    names = ("audience", "priority", "depth", "idempotency_key", "ttl_seconds", "created_at")
    about = {key: envelope[key] for key in names if envelope.get(key) is not None}
    return {**said, "attributes": about}


def _packet(data: dict[str, Any]) -> dict[str, Any]:
    """A packet carries who acts next: a handoff, the end, or plain text."""
    routing = data.get("routing") or {}
    kind, target = str(routing.get("kind") or ""), routing.get("target")
    types = {"handoff": EventType.HANDOFF, "finish": EventType.DECISION}
    return {
        "event_type": types.get(kind, EventType.INVOCATION).value,
        "action": f"{kind}:{target}" if target else f"packet:{kind}",
        "tool": routing.get("tool"),
    }


def _about(envelope: Any, kind: str, said: dict[str, Any]) -> dict[str, Any]:
    about = {"ag2.envelope_id": envelope.envelope_id, "ag2.event_type": envelope.event_type}
    return {
        "event_type": f"hub.{kind}",
        "action": kind,
        "agent_id": envelope.sender_id,
        "session_id": envelope.channel_id,
        "task_id": envelope.task_id,
        "phase": "observation",
        "attributes": about,
        **said,
    }


def _left_out(what: str, kind: str, payload: Any, **ids: str) -> dict[str, Any]:
    name = f"{what}_{kind}"
    return {"event_type": f"hub.{name}", "action": name, "params": payload, **ids}


def _dict(envelope: Any) -> dict[str, Any]:
    return _object(envelope.to_json()) or {}


def _object(line: str) -> "dict[str, Any] | None":
    try:
        value = json.loads(strict(line))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
