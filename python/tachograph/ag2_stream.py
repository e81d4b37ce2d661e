"""AG2 1.x, an agent's stream: what no middleware is told.

    agent = Agent("Billing", middleware=[recorder(log)], observers=[observer(log)])

What is seen, and what is not, stands in docs/python.md.
"""

import re
from typing import Any

from ag2 import observer as _observer
from ag2.events import BaseEvent

from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._outcomes import failure
from tachograph._teller import Teller, arguments, counts
from tachograph.ag2 import TOKENS
from tachograph.types import EventType, Mode

#: What the recorder is told of, and what is a part of something else.
_ELSEWHERE = frozenset(
    {
        "ModelRequest", "DrainedModelRequest", "ModelMessage", "ModelMessageChunk",
        "ModelResponse", "ToolCallsEvent", "ToolCallEvent", "ToolResultEvent", "ToolErrorEvent",
        "ToolResultsEvent", "ClientToolCallEvent", "HumanInputRequest", "ToolApprovalRequest",
        "HumanMessage", "ObserverStarted", "ObserverCompleted", "TextInput", "DataInput",
    }
)  # fmt: skip

_ENDS = {
    "TaskCompleted": "success",
    "TaskFailed": "failure",
    "TaskExpired": "timeout",
    "TaskCancelled": "cancelled",
    "CompactionCompleted": "success",
    "CompactionFailed": "failure",
    "AggregationCompleted": "success",
    "AggregationFailed": "failure",
    "EventLogFailed": "failure",
}


def observer(log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> Any:
    """An observer for an agent whose middleware is ``tachograph.ag2.recorder``: tools that are not
    there, tools that the provider hosts, reasoning, tasks, alerts, halts, and whatever event comes
    to AG2 that the recorder does not know.

    It sees events before anybody else does, in their true order. With ``mode="required"`` an event
    that cannot be recorded goes no further: its sender gets the error.
    """
    teller = Teller(log, mode)

    async def see(event: BaseEvent) -> BaseEvent:
        if type(event).__name__ not in _ELSEWHERE and not _is_in_between(event):
            await teller.atell(_told(event), is_intent=True)
        return event

    return _observer(None, see, interrupt=True)


def _is_in_between(event: Any) -> bool:
    """A chunk of something that is told whole; the tokens that a model's answer has."""
    name = type(event).__name__
    is_counted = name == "UsageEvent" and event.kind == "model_call"
    return name.endswith("ChunkEvent") or is_counted


def _told(event: Any) -> dict[str, Any]:
    kinds = [kind.__name__ for kind in type(event).__mro__]
    if "ToolNotFoundEvent" in kinds:
        return _tool(event, "result", {"outcome": "failure", **failure(event.error)})
    if "BuiltinToolCallEvent" in kinds:
        return _tool(event, "call", {"params": arguments(event.arguments)})
    if "BuiltinToolResultEvent" in kinds:
        return _tool(event, "result", {"outcome": "success", "result": event.result})
    if "ModelReasoning" in kinds:
        said = {"event_type": EventType.REASONING.value, "action": "reasoning"}
        return {**said, "reasoning": event.content}
    if "UsageEvent" in kinds:
        return _usage(event)
    if "HaltEvent" in kinds:
        said = {"event_type": EventType.DECISION.value, "action": "decision:halt"}
        return {**said, "reasoning": event.reason, "params": event}
    name = re.sub(r"(?<!^)(?=[A-Z])", "_", kinds[0]).lower().removesuffix("_event")
    outcome = {"outcome": _ENDS[kinds[0]]} if kinds[0] in _ENDS else {}
    return {"event_type": f"agent.{name}", "action": name, "params": event, **outcome}


def _tool(event: Any, act: str, said: dict[str, Any]) -> dict[str, Any]:
    kind = EventType.TOOL_CALL if act == "call" else EventType.TOOL_RESULT
    name = event.name or "tool"
    call_id = event.id if act == "call" else event.parent_id
    return {
        "event_type": kind.value,
        "action": f"tool_{act}:{name}",
        "tool": name,
        "phase": "observation",
        "attributes": {"ag2.tool_call_id": call_id, "ag2.event": type(event).__name__},
        **said,
    }


def _usage(event: Any) -> dict[str, Any]:
    """Tokens of work that no answer of a model stands for; a sum over a task's calls is only told,
    for the calls are counted."""
    said = {"event_type": EventType.TOKEN_USAGE.value, "action": f"token_usage:{event.kind}"}
    if event.kind == "subtask":
        return {**said, "params": event}
    model = {"provider": event.provider, "responded": event.model}
    known = {key: str(value) for key, value in model.items() if value}
    return {**said, "tokens": counts(event.usage, TOKENS) or None, "model": known or None}
