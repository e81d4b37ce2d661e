"""CrewAI: a listener on its event bus, and a hook before its tools.

    with tachograph.crewai.recording(log):
        crew.kickoff()

What is seen, and what is not, stands in docs/python.md.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import crewai.events  # noqa: F401  # every event class is defined by it
from crewai.events.base_events import BaseEvent
from crewai.events.event_bus import crewai_event_bus
from crewai.hooks import register_before_tool_call_hook, unregister_before_tool_call_hook
from crewai.hooks.dispatch import HookAborted

from tachograph import context as _context
from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._teller import Teller, counts
from tachograph.types import EventType, Mode

#: Pieces of what is told whole, and what is printed on a terminal.
_UNTOLD = re.compile(r".*_chunk|default_env|agent_logs_.*")
_ENDED = re.compile(r"(.*?)_(started|completed|finished|failed|error)")
_OUTCOMES = {"completed": "success", "finished": "success", "failed": "failure", "error": "failure"}
_TOKENS = {
    "input": "prompt_tokens",
    "output": "completion_tokens",
    "total": "total_tokens",
    "cache_read": "cached_prompt_tokens",
    "reasoning": "reasoning_tokens",
}
#: What of an event stands elsewhere, or is an object of CrewAI's with everything in it.
_ELSEWHERE = {
    "timestamp", "type", "event_id", "parent_event_id", "previous_event_id", "crew", "agent",
    "started_event_id", "emission_sequence", "task_id", "task_name", "agent_id", "agent_role",
    "source_fingerprint", "source_type", "fingerprint_metadata", "triggered_by_event_id", "task",
    "from_task", "from_agent", "tools", "callbacks", "available_functions", "call_id",
}  # fmt: skip


@contextmanager
def recording(log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> Iterator[None]:
    """Records what CrewAI's event bus tells, of every crew and flow of the process, and inside it
    as one trace unless there is one. At its end it waits for what the bus has yet to tell.

    With ``mode="required"`` no tool is called when that cannot be recorded before: CrewAI tells the
    model that the tool was blocked, and the run goes on.
    """
    recorder = Recorder(log, mode=mode)
    kinds = list(dict.fromkeys(_kinds(BaseEvent)))
    for kind in kinds:
        crewai_event_bus.register_handler(kind, recorder.on_event)
    register_before_tool_call_hook(recorder.before_tool)
    trace = _context.current().get("trace_id")
    try:
        with _context.trace(None if trace is None else str(trace)):
            yield
    finally:
        crewai_event_bus.flush()
        unregister_before_tool_call_hook(recorder.before_tool)
        for kind in kinds:
            crewai_event_bus.off(kind, recorder.on_event)


class Recorder:
    """A handler of events, and a hook before tools; ``recording`` registers both."""

    def __init__(self, log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> None:
        self._teller = Teller(log, mode)
        # The bus compares handlers by identity, and a bound method is a new object each time.
        self.on_event = self._on_event
        self.before_tool = self._before_tool

    def _on_event(self, source: Any, event: Any) -> None:
        """The bus calls this in threads of its own, in about the order of the events."""
        if _UNTOLD.fullmatch(event.type) or _is_uneventful(event):
            return
        base = _base(source, event)
        self._teller.tell({**base, **_told(event)})
        target = _delegated_to(event)
        if target is not None:
            del base["event_id"]
            said = {"event_type": EventType.HANDOFF.value, "action": f"handoff:{target}"}
            said["parent_event_id"] = event.event_id
            self._teller.tell({**base, **said, "params": {"target": target}})

    def _before_tool(self, call: Any) -> None:
        """CrewAI ignores what a hook raises, unless it is this."""
        event = {
            "event_type": "agent.tool_request",
            "agent_name": str(getattr(call.agent, "role", None) or "agent"),
            "action": f"tool_request:{call.tool_name}",
            "tool": call.tool_name,
            "phase": "observation",
            "params": dict(call.tool_input or {}),
        }
        try:
            self._teller.tell(event, is_intent=True)
        except BaseException as error:
            raise HookAborted(f"not recorded: {error}", "tachograph") from error


def _kinds(kind: Any) -> Iterator[Any]:
    inner: Any
    for inner in kind.__subclasses__():
        yield inner
        yield from _kinds(inner)


def _delegated_to(event: Any) -> "str | None":
    """The agent that another one's tool asks."""
    name = str(getattr(event, "tool_name", "")).lower().replace("_", " ")
    if event.type != "tool_usage_started" or not name.endswith(" coworker"):
        return None
    said = event.tool_args
    try:
        known = json.loads(said) if isinstance(said, str) else said
    except ValueError:
        return None
    target = known.get("coworker") if isinstance(known, dict) else None
    return target if isinstance(target, str) else None


def _is_uneventful(event: Any) -> bool:
    """Our own hook is told of, too."""
    return bool(event.type == "hook_dispatched" and event.outcome == "proceeded")


def _base(source: Any, event: Any) -> dict[str, Any]:
    agent = getattr(event, "agent", None)
    role = event.agent_role or getattr(agent, "role", None) or getattr(source, "role", None)
    crew = getattr(event, "crew_name", None) or getattr(event, "flow_name", None)
    about = {
        "crewai.type": event.type,
        "crewai.emission_sequence": event.emission_sequence,
        "crewai.task": event.task_name,
    }
    return {
        "event_id": event.event_id,
        "parent_event_id": event.started_event_id or event.parent_event_id,
        "timestamp": event.timestamp.isoformat(),
        "agent_name": str(role or crew or "crew"),
        "agent_id": event.agent_id,
        "task_id": event.task_id,
        "attributes": {key: value for key, value in about.items() if value is not None},
    }


def _told(event: Any) -> dict[str, Any]:
    match = _ENDED.fullmatch(event.type)
    what, how = (match[1], match[2]) if match else (event.type, "")
    phase = {"": "observation", "started": "intent"}.get(how, "result")
    said: dict[str, Any] = {"phase": phase, "outcome": _OUTCOMES.get(how)}
    if how in ("failed", "error"):
        kind = getattr(event, "error_type", None)
        said["error"] = {"message": str(getattr(event, "error", ""))}
        said["error_type"] = getattr(kind, "__name__", None)
    if what == "tool_usage":
        return {**said, **_tool(event, how)}
    if what == "llm_call":
        return {**said, **_model(event, how)}
    if what in ("crew_kickoff", "agent_execution", "lite_agent_execution"):
        asked = getattr(event, "inputs", None) or getattr(event, "task_prompt", None)
        kind = {"event_type": EventType.INVOCATION.value, "action": "invocation"}
        output = getattr(event, "output", None)
        return {**said, **kind, "input": asked, "output": getattr(output, "raw", output)}
    if what.startswith("human_feedback") or what.startswith("flow_input"):
        act = "answer" if event.type.endswith("received") else "question"
        kind = {"event_type": EventType.HUMAN_INTERVENTION.value}
        return {**said, **kind, "action": f"human_intervention:{act}", "params": _rest(event)}
    if what in ("memory_query", "memory_retrieval", "knowledge_query", "knowledge_search_query"):
        kind = {"event_type": EventType.RETRIEVAL.value, "action": f"retrieval:{what}"}
        return {**said, **kind, "params": _rest(event)}
    if what == "hook_dispatched":
        said["outcome"] = "denied" if event.outcome == "aborted" else None
    return {**said, "event_type": f"agent.{what}", "action": event.type, "params": _rest(event)}


def _tool(event: Any, how: str) -> dict[str, Any]:
    named = {"tool": event.tool_name}
    if how == "started":
        kind = {"event_type": EventType.TOOL_CALL.value, "action": f"tool_call:{event.tool_name}"}
        return {**kind, **named, "params": event.tool_args}
    kind = {"event_type": EventType.TOOL_RESULT.value, "action": f"tool_result:{event.tool_name}"}
    said = {**kind, **named}
    if how == "finished":
        took = (event.finished_at - event.started_at).total_seconds() * 1000
        said |= {"result": event.output, "duration_ms": round(max(took, 0.0), 3)}
        if event.failure is not None:
            said |= {"outcome": "failure", "error": {"message": str(event.failure)}}
    return said


def _model(event: Any, how: str) -> dict[str, Any]:
    model = {"requested": str(event.model)} if event.model else None
    if how == "started":
        asked = event.messages
        last = asked[-1].get("content") if isinstance(asked, list) and asked else asked
        number = len(asked) if isinstance(asked, list) else 1
        return {
            "event_type": "agent.llm_request",
            "action": "llm_request",
            "model": model,
            "params": {"messages": number},
            "input": last,
        }
    return {
        "event_type": EventType.LLM_RESPONSE.value,
        "action": "llm_response",
        "model": model,
        "output": getattr(event, "response", None),
        "tokens": counts(getattr(event, "usage", None) or {}, _TOKENS) or None,
    }


def _rest(event: Any) -> "dict[str, Any] | None":
    said = {name: getattr(event, name, None) for name in type(event).model_fields}
    return {
        name: value
        for name, value in said.items()
        if name not in _ELSEWHERE and value is not None
    } or None
