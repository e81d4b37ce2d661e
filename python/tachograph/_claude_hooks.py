"""Hooks of the Claude Agent SDK: what the program that runs the agent tells, and asks, before it
acts and after."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from tachograph._claude_acts import Acts, Call, Subagent, tool_end
from tachograph._log import Log
from tachograph._outcomes import failure
from tachograph._teller import Begun, short
from tachograph.errors import NotRecorded
from tachograph.types import EventType

logger = logging.getLogger("tachograph")

_INVOCATION = {"event_type": EventType.INVOCATION.value, "action": "invocation"}
_COMPACTION = {"event_type": "agent.compaction", "action": "compaction"}
#: What of a hook's input stands in the attributes of its event.
_WHERE = ("tool_use_id", "prompt_id", "permission_mode", "cwd")

_Told = dict[str, Any]


class Hooks:
    """Callbacks of one connection. None of them has an opinion, but that what must be recorded
    before it is done, and cannot be, is not done."""

    def __init__(self, acts: Acts, before_call: Callable[[str], None]) -> None:
        self._acts = acts
        self._teller = acts.teller
        self._before_call = before_call
        self._heard: dict[str, Callable[[_Told], Awaitable[None]]] = {
            "UserPromptSubmit": self._prompt,
            "PreToolUse": self._call,
            "PostToolUse": self._called,
            "PostToolUseFailure": self._call_failed,
            "PermissionRequest": self._asked,
            "SubagentStart": self._agent_began,
            "SubagentStop": self._agent_ended,
            "PreCompact": self._compact,
            "Notification": self._notified,
            "Stop": self._stop,
        }

    @property
    def events(self) -> list[str]:
        """Every event that the SDK has hooks for."""
        return list(self._heard)

    @property
    def log(self) -> Log:
        return self._teller.log

    async def on_event(self, told: Any, tool_use_id: "str | None", context: Any) -> _Told:
        """What the SDK calls."""
        kind = str(told.get("hook_event_name"))
        try:
            await self._heard[kind](told)
        except NotRecorded as error:
            return _refusal(kind, str(error))
        except Exception as error:  # what the program says may change
            logger.warning("%s is not recorded: %s", kind, type(error).__name__)
            if self._teller.mode == "required":
                return _refusal(kind, f"it was not understood ({type(error).__name__})")
        return {}

    # Prompts.

    async def _prompt(self, told: _Told) -> None:
        session_id = told["session_id"]
        asked = {"input": short(told["prompt"]), "source": "user"}
        asked["attributes"] = _where(told, *_WHERE, "transcript_path")
        running = self._acts.turns.get(session_id)
        if running is not None and not self._acts.is_read:  # it may have failed unheard
            await self._teller.atell(running.ended({"outcome": "unknown"}))
        elif running is not None:  # taken in by the turn that runs
            event = {"event_type": "agent.message", "action": "message", **asked}
            await self._tell(told, event, is_intent=True)
            return
        begun = Begun(self._base(told), _INVOCATION, None)
        event = {**_INVOCATION, **asked, "phase": "intent"}
        begun.event_id = await self._tell(told, event, is_intent=True)
        self._acts.begin_turn(session_id, begun)

    async def _stop(self, told: _Told) -> None:
        session_id = told["session_id"]
        if not self._acts.is_read:
            await self._unanswered(session_id, None)
        await self._end(told, self._acts.stop_turn(session_id))

    # Tools.

    async def _call(self, told: _Told) -> None:
        call_id, name, params = told["tool_use_id"], told["tool_name"], told["tool_input"]
        call = Call(self._base(told), tool_end(name), None, name=name, params=params)
        call.session_id, call.agent_id = told["session_id"], told.get("agent_id")
        call.end = {**call.end, "attributes": _where(told, "tool_use_id")}
        # Before anything is awaited: a message may answer it meanwhile.
        self._acts.begin_call(call_id, call)
        self._before_call(call_id)
        event = {
            "event_type": EventType.TOOL_CALL.value,
            "action": f"tool_call:{name}",
            "tool": name,
            "phase": "intent",
            "params": short(params),
        }
        try:
            event_id = await self._tell(told, event, is_intent=True)
        except NotRecorded as error:
            call.end |= {"params": short(params), "reasoning": f"not recorded before: {error}"}
            raise
        self._acts.called(call_id, event_id)

    async def _called(self, told: _Told) -> None:
        await self._answered(
            told, {"outcome": "success", "result": short(told.get("tool_response"))}
        )

    async def _call_failed(self, told: _Told) -> None:
        outcome = "cancelled" if told.get("is_interrupt") else "failure"
        await self._answered(told, {"outcome": outcome, "error": {"message": told["error"]}})

    async def _answered(self, told: _Told, said: _Told) -> None:
        call = self._acts.take_call(told["tool_use_id"])
        if call is None:  # its beginning was seen by nobody
            end = {**tool_end(told["tool_name"]), "attributes": _where(told, "tool_use_id")}
            call = Call(self._base(told), end, None)
            said["params"] = short(told.get("tool_input"))
        elif told.get("tool_input") != call.params:  # somebody changed them on the way
            said["params"] = short(told.get("tool_input"))
        if told.get("duration_ms") is not None:
            said["duration_ms"] = told["duration_ms"]
        await self._teller.atell(call.ended(said))

    async def _unanswered(self, session_id: str, agent_id: "str | None") -> None:
        """Calls of an agent that has ended: refused perhaps, which only messages tell."""
        for call_id in self._acts.is_unanswered(session_id, agent_id):
            call = self._acts.take_call(call_id)
            if call is not None:
                await self._teller.atell(call.ended({"outcome": "unknown"}))

    # Leave to call a tool.

    async def _asked(self, told: _Told) -> None:
        name, params = told["tool_name"], told["tool_input"]
        question = {"call": short(params), "suggested": told.get("permission_suggestions")}
        event = {
            "event_type": EventType.HUMAN_INTERVENTION.value,
            "action": "human_intervention:question",
            "tool": name,
            "params": question,
        }
        parent = self._acts.call_like(name, params, told.get("agent_id"))
        await self._tell(told, {**event, **({"parent_event_id": parent} if parent else {})})

    async def decided(self, name: str, context: Any, said: _Told) -> None:
        call_id = str(context.tool_use_id)
        call = self._acts.calls.get(call_id)
        base = self._acts.base(None) if call is None else call.base
        event = {
            "event_type": EventType.DECISION.value,
            "action": "permission:allow" if said["outcome"] == "success" else "permission:deny",
            "tool": name,
            "phase": "observation",
            "parent_event_id": None if call is None else call.event_id,
            "attributes": {"claude.tool_use_id": call_id},
        }
        is_end = call is not None and said["outcome"] == "denied"
        if call is not None:
            call.is_refused = is_end  # the question, asked at the same time, may look for it yet
        await self._teller.atell({**base, **event, **said})
        if call is not None and is_end:
            why = {"outcome": "denied", "reasoning": said.get("reasoning")}
            await self._teller.atell(call.ended(why))

    # Subagents.

    async def _agent_began(self, told: _Told) -> None:
        session_id, agent_id, name = told["session_id"], told["agent_id"], told["agent_type"]
        acts = self._acts
        call_id = acts.call_of(agent_id, name)
        call = acts.calls.get(call_id) if call_id is not None else None
        agent = Subagent(name, None, agent_id)
        if call_id is not None:
            acts.spawned[call_id] = agent
        handoff = {
            **(call.base if call is not None else acts.base(session_id)),
            "event_type": EventType.HANDOFF.value,
            "action": f"handoff:{name}",
            "phase": "observation",
            "params": {"target": name},
            "parent_event_id": call.event_id if call is not None else acts.around(session_id),
            "attributes": _where(told),
        }
        begun = Begun(self._base(told), _INVOCATION, None)
        acts.agents[agent_id] = begun
        parent = await self._teller.atell(handoff)
        params = call.params if call is not None and isinstance(call.params, dict) else {}
        event = {**_INVOCATION, "phase": "intent", "input": short(params.get("prompt"))}
        event["parent_event_id"] = parent
        begun.event_id = agent.event_id = await self._tell(told, event)

    async def _agent_ended(self, told: _Told) -> None:
        if not self._acts.is_read:
            await self._unanswered(told["session_id"], told["agent_id"])
        await self._end(told, self._acts.agents.pop(told["agent_id"], None))

    async def _end(self, told: _Told, begun: "Begun | None") -> None:
        """An agent has no more to say, for now: another hook may make it go on."""
        left = ("background_tasks", "session_crons", "stop_hook_active")
        said = {"output": short(told.get("last_assistant_message"))}
        params = {name: told[name] for name in left if told.get(name)}
        if params:
            said["params"] = short(params)
        if begun is None:
            stop = {"event_type": "agent.step", "action": "stop", **said}
            await self._tell(told, stop)
        else:
            said["attributes"] = _where(told)
            await self._teller.atell(begun.ended({"outcome": "success", **said}))

    # The rest.

    async def _compact(self, told: _Told) -> None:
        asked = {"trigger": told["trigger"], "instructions": told.get("custom_instructions")}
        event = {**_COMPACTION, "params": asked}
        if not self._acts.is_read:  # nobody will say that it ended
            await self._tell(told, event)
            return
        begun = Begun(self._base(told), _COMPACTION, None)
        self._acts.compactions[told["session_id"]] = begun
        begun.event_id = await self._tell(told, {**event, "phase": "intent"})

    async def _notified(self, told: _Told) -> None:
        said = {name: told.get(name) for name in ("notification_type", "title", "message")}
        event = {"event_type": "agent.notification", "action": "notification", "params": said}
        await self._tell(told, event)

    def _base(self, told: _Told) -> _Told:
        agent = {"agent_type": told.get("agent_type"), "agent_id": told.get("agent_id")}
        return self._acts.base(told["session_id"], **agent)

    async def _tell(self, told: _Told, event: _Told, *, is_intent: bool = False) -> "str | None":
        where = {
            "phase": "observation",
            "parent_event_id": self._acts.around(told["session_id"], told.get("agent_id")),
            "attributes": _where(told),
        }
        whole = {**self._base(told), **where, **event}
        return await self._teller.atell(whole, is_intent=is_intent)


class Asking:
    """A program's own ``can_use_tool``, and what it decides."""

    def __init__(self, hooks: Hooks, ask: Callable[..., Awaitable[Any]]) -> None:
        self.log = hooks.log
        self.ask = ask
        self._hooks = hooks

    async def __call__(self, name: str, params: Any, context: Any) -> Any:
        try:
            decision = await self.ask(name, params, context)
        except Exception as error:
            await self._hooks.decided(name, context, {"outcome": "failure", **failure(error)})
            raise
        await self._hooks.decided(name, context, _decision(decision))
        return decision


def _where(told: _Told, *names: str) -> _Told:
    return {f"claude.{name}": told[name] for name in names or _WHERE if told.get(name) is not None}


def _refusal(kind: str, why: str) -> _Told:
    """What keeps an act from being done. Other events cannot be refused."""
    reason = f"it cannot be recorded before: {why}"
    if kind == "PreToolUse":
        decision = {"permissionDecision": "deny", "permissionDecisionReason": reason}
        return {"hookSpecificOutput": {"hookEventName": kind, **decision}}
    return {"decision": "block", "reason": reason} if kind == "UserPromptSubmit" else {}


def _decision(decision: Any) -> _Told:
    is_allowed = getattr(decision, "behavior", None) == "allow"
    changes = {
        name: getattr(decision, name, None)
        for name in ("updated_input", "updated_permissions", "interrupt")
    }
    changes = {name: value for name, value in changes.items() if value}
    return {
        "outcome": "success" if is_allowed else "denied",
        "reasoning": getattr(decision, "message", None) or None,
        "params": changes or None,
    }
