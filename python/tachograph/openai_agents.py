"""The OpenAI Agents SDK: hooks of a run that record before and after, and a trace processor for
what no hook is told.

    await Runner.run(agent, question, hooks=tachograph.openai_agents.recorder(log))

What is seen, and what is not, stands in docs/python.md.
"""

import asyncio
import sys
import weakref
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from agents.lifecycle import RunHooks
from agents.tracing import (
    TracingProcessor,
    add_trace_processor,
    get_current_span,
    get_current_trace,
)

from tachograph import context as _context
from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._outcomes import failure, outcome_of
from tachograph._teller import Begun, Teller, arguments, counts
from tachograph.types import EventType, Mode

_TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "total": "total_tokens",
    "cache_read": "input_tokens_details.cached_tokens",
    "reasoning": "output_tokens_details.reasoning_tokens",
}
#: Of calls that wait for a person this many are remembered.
_MOST_WAITING = 10_000


def recorder(
    log: "Log | AsyncLog", *, whole_prompts: bool = False, mode: "Mode | None" = None
) -> "Recorder":
    """The hooks for a run; they also see, from now on, what the SDK traces in this process. There
    is one for each log: asked again it is the same, as it was made first.

    With ``mode="required"`` no agent begins, no model is asked and no tool is called when that
    cannot be recorded before. ``whole_prompts`` records all that a model is asked, instead of the
    last of it.
    """
    inner = log.log if isinstance(log, AsyncLog) else log
    known = _RECORDERS.get(inner)
    if known is None:
        known = Recorder(inner, whole_prompts=whole_prompts, mode=mode)
        _RECORDERS[inner] = known
        add_trace_processor(known)
    return known


@dataclass
class _Trace:
    """What is known of a trace of the SDK's that has not ended."""

    session: "str | None"
    #: For each span the one that it is in.
    parents: dict[str, "str | None"] = field(default_factory=dict)
    #: Spans that hooks told of, and the event that what happens inside belongs under.
    events: dict[str, "str | None"] = field(default_factory=dict)
    begun: dict[str, Begun] = field(default_factory=dict)
    #: Agents that a task was handed to and that have not begun: the event of the handoff.
    handed: dict[str, "str | None"] = field(default_factory=dict)
    #: Ids of the calls that models asked for, by tool and arguments.
    asked: dict[tuple[str, str], str] = field(default_factory=dict)

    def above(self, span_id: "str | None") -> "str | None":
        """The event of the nearest span around this one that has one."""
        while span_id is not None:
            span_id = self.parents.get(span_id)
            if span_id in self.events:
                return self.events[span_id]
        return None


class Recorder(RunHooks[Any], TracingProcessor):
    """Hooks and trace processor in one: what a hook told of, the processor does not tell again."""

    def __init__(
        self, log: "Log | AsyncLog", *, whole_prompts: bool = False, mode: "Mode | None" = None
    ) -> None:
        self._teller = Teller(log, mode)
        self._whole_prompts = whole_prompts
        self._traces: dict[str, _Trace] = {}
        # Of runs that are not traced: only what belongs together for certain.
        self._untraced = _Trace(None)
        # Calls that wait for a person, by their id: whether one is refused shows in what the model
        # is asked next, in another trace.
        self._waiting: dict[str, dict[str, Any]] = {}

    # Hooks: what is recorded before, and can be refused.

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        trace, span = self._here()
        key = _key_of_agent(span, context)
        base = self._base(span, agent.name)
        parent = trace.handed.pop(agent.name, None) or trace.above(key)
        begun = {
            "input": list(getattr(context, "turn_input", None) or ()) or None,
            "source": "user" if parent is None else None,
            "parent_event_id": parent,
        }
        event = _act(EventType.INVOCATION, "invocation", "intent", base, begun)
        event_id = await self._teller.atell(event, is_intent=True)
        end = {"event_type": EventType.INVOCATION.value, "action": "invocation"}
        trace.events[key] = event_id
        trace.begun[key] = Begun(base, end, event_id)

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        trace, span = self._here()
        begun = trace.begun.pop(_key_of_agent(span, context), None)
        await self._end(begun, span, agent, {"outcome": "success", "output": output})

    async def on_llm_start(
        self, context: Any, agent: Any, system_prompt: "str | None", input_items: list[Any]
    ) -> None:
        trace, span = self._here()
        key = _key(span, f"model-{id(context)}")
        base = self._base(span, agent.name)
        await self._refusals(base, input_items)
        whole = {"system": system_prompt, "items": list(input_items)}
        model = _model(agent)
        asked = {
            "params": {"messages": len(input_items)},
            "input": whole if self._whole_prompts else _last(input_items),
            "model": model,
            "parent_event_id": trace.events.get(key) or trace.above(key),
        }
        event = _act("agent.llm_request", "llm_request", "intent", base, asked)
        event_id = await self._teller.atell(event, is_intent=True)
        end = {"event_type": EventType.LLM_RESPONSE.value, "action": "llm_response", "model": model}
        trace.begun[key] = Begun(base, end, event_id)

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        trace, span = self._here()
        begun = trace.begun.pop(_key(span, f"model-{id(context)}"), None)
        said = {"outcome": "success", **_answer(response.output)}
        said["tokens"] = counts(response.usage, _TOKENS) or None
        said["attributes"] = {"openai.response_id": response.response_id}
        await self._end(begun, span, agent, said)
        for item in response.output:
            if getattr(item, "type", None) == "function_call":
                trace.asked[item.name, item.arguments] = item.call_id
        for hosted in _hosted(response.output):
            await self._teller.atell({**self._base(span, agent.name), **hosted})

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        trace, span = self._here()
        call_id = getattr(context, "tool_call_id", None)
        key = _key(span, f"tool-{call_id or id(context)}", kind="function")
        base = self._base(span, agent.name)
        self._waiting.pop(str(call_id), None)
        called = {
            "tool": tool.name,
            "params": arguments(getattr(context, "tool_arguments", None)),
            "parent_event_id": trace.above(key),
            "attributes": {} if call_id is None else {"openai.tool_call_id": call_id},
        }
        event = _act(EventType.TOOL_CALL, f"tool_call:{tool.name}", "intent", base, called)
        event_id = await self._teller.atell(event, is_intent=True)
        end = {
            "event_type": EventType.TOOL_RESULT.value,
            "action": f"tool_result:{tool.name}",
            "tool": tool.name,
        }
        trace.events[key] = event_id
        trace.begun[key] = Begun(base, end, event_id)

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        trace, span = self._here()
        call_id = getattr(context, "tool_call_id", None)
        key = _key(span, f"tool-{call_id or id(context)}", kind="function")
        said: dict[str, Any] = {"result": result}
        if span is None:
            # An error that became an answer for the model looks like any other answer.
            said["outcome"] = "unknown"
        else:
            is_bad = span.span_data.type == "function" and span.error is not None
            said |= _span_error(span) if is_bad else {"outcome": "success"}
        await self._end(trace.begun.pop(key, None), span, agent, said)

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
        trace, span = self._here()
        above = None if span is None else trace.above(span.span_id)
        event = _handoff(from_agent.name, to_agent.name)
        base = self._base(span, from_agent.name)
        event_id = await self._teller.atell({**base, **event, "parent_event_id": above})
        if span is not None:
            trace.events[span.span_id] = event_id
            trace.handed[to_agent.name] = event_id

    async def _refusals(self, base: dict[str, Any], items: list[Any]) -> None:
        """Answers to calls that waited for a person, and were not made."""
        for item in items if self._waiting else ():
            known = item if isinstance(item, dict) else {}
            call_id = known.get("call_id")
            if known.get("type") == "function_call_output" and call_id in self._waiting:
                call = self._waiting.pop(call_id)
                call |= {"outcome": "denied", "result": known.get("output")}
                await self._teller.atell({**base, "phase": "observation", **call})

    # The trace processor: what no hook is told. Nothing may wait here.

    def on_trace_start(self, trace: Any) -> None:
        self._traces[trace.trace_id] = _Trace(getattr(trace, "group_id", None))

    def on_trace_end(self, trace: Any) -> None:
        known = self._traces.pop(trace.trace_id, None)
        for begun in known.begun.values() if known is not None else ():
            self._teller.submit(begun.ended({"outcome": "unknown"}))

    def on_span_start(self, span: Any) -> None:
        trace = self._trace(span.trace_id)
        trace.parents[span.span_id] = span.parent_id

    def on_span_end(self, span: Any) -> None:
        trace, data = self._trace(span.trace_id), span.span_data
        if data.type in ("function", "agent") and span.span_id in trace.events:
            begun = trace.begun.pop(span.span_id, None)
            if begun is not None:
                self._teller.submit(begun.ended(_ended(span)))
        elif data.type in ("generation", "response") and span.parent_id in trace.begun:
            if span.error is not None or sys.exc_info()[1] is not None:
                # It may be asked again: what was begun stays so.
                said = trace.begun[span.parent_id].ended(_ended(span))
                self._teller.submit(said)
        elif span.span_id not in trace.events or data.type == "turn":
            self._observe(trace, span)

    def shutdown(self) -> None:
        """The log is closed by whoever opened it."""

    def force_flush(self) -> None:
        self._teller.log.flush()

    def _observe(self, trace: _Trace, span: Any) -> None:
        """A span that no hook told of."""
        data, kind = span.span_data, span.span_data.type
        said: dict[str, Any]
        if kind == "function":
            said = _observed_call(span, is_hooked=span.parent_id in trace.events)
            if said["outcome"] == "escalated":
                self._wait(trace, said, data)
        elif kind == "turn":
            said = _observed_turn(span)
        elif kind == "agent":
            said = {"event_type": EventType.INVOCATION.value, "action": "invocation"}
            said |= {"agent_name": data.name, **_ended(span, handed_on="success")}
        elif kind in ("generation", "response"):
            said = _observed_answer(span)
        elif kind == "handoff":
            said = _handoff(data.from_agent, data.to_agent)
        elif kind == "guardrail":
            said = _guardrail(data)
        elif kind == "task":
            return
        else:
            said = {"event_type": f"agent.{kind}", "action": getattr(data, "name", None) or kind}
            said["params"] = data.export()
        if not said:
            return
        base = self._base(span, self._agent_around(trace, span))
        base["parent_event_id"] = trace.above(span.span_id)
        trace.events[span.span_id] = self._teller.submit({**base, "phase": "observation", **said})

    def _wait(self, trace: _Trace, said: dict[str, Any], data: Any) -> None:
        call_id = trace.asked.get((data.name, data.input))
        if call_id is not None:
            while len(self._waiting) >= _MOST_WAITING:
                self._waiting.pop(next(iter(self._waiting)), None)
            self._waiting[call_id] = dict(said)

    # Both.

    def _trace(self, trace_id: str) -> _Trace:
        return self._traces.setdefault(trace_id, _Trace(None))

    def _here(self) -> "tuple[_Trace, Any]":
        """The trace, and the span, that a hook is called in; none when nothing is traced."""
        span = get_current_span()
        if span is None or span.span_id == "no-op":
            return self._untraced, None
        trace = self._trace(span.trace_id)
        if span.span_id not in trace.parents:  # no processor saw it begin
            trace.parents[span.span_id] = span.parent_id
            now = get_current_trace()
            trace.session = trace.session or getattr(now, "group_id", None)
        if span.span_data.type == "turn" and span.span_id not in trace.events:
            # What happens in a turn belongs under its agent.
            if span.parent_id in trace.events:
                trace.events[span.span_id] = trace.events[span.parent_id]
        return trace, span

    def _base(self, span: Any, agent: "str | None") -> dict[str, Any]:
        outside = _context.current()
        base: dict[str, Any] = {"agent_name": agent or outside.get("agent_name") or "agent"}
        if span is None:
            return base
        if "trace_id" not in outside:
            base["trace_id"] = span.trace_id
        session = self._trace(span.trace_id).session
        if session is not None and "session_id" not in outside:
            base["session_id"] = session
        return base

    def _agent_around(self, trace: _Trace, span: Any) -> "str | None":
        data = span.span_data
        name = getattr(data, "agent_name", None) or getattr(data, "from_agent", None)
        if isinstance(name, str):
            return name
        step: "str | None" = span.span_id
        while step is not None:
            if step in trace.begun:
                return str(trace.begun[step].base["agent_name"])
            step = trace.parents.get(step)
        return None

    async def _end(
        self, begun: "Begun | None", span: Any, agent: Any, said: dict[str, Any]
    ) -> None:
        if begun is None:
            # Its beginning was seen by nobody; how it ended is told all the same.
            begun = Begun(self._base(span, agent.name), _unbegun(said), None)
        await self._teller.atell(begun.ended(said))


_RECORDERS: "weakref.WeakKeyDictionary[Log, Recorder]" = weakref.WeakKeyDictionary()


def _key(span: Any, otherwise: str, *, kind: "str | None" = None) -> str:
    """By what an act is found again."""
    if span is None or (kind is not None and span.span_data.type != kind):
        return otherwise
    return str(span.span_id)


def _key_of_agent(span: Any, context: Any) -> str:
    if span is None:
        return f"agent-{id(getattr(context, 'usage', context))}"
    is_inside = span.span_data.type == "turn" and span.parent_id is not None
    return str(span.parent_id if is_inside else span.span_id)


def _act(
    kind: "EventType | str", action: str, phase: str, base: dict[str, Any], more: dict[str, Any]
) -> dict[str, Any]:
    return {**base, "event_type": str(kind), "action": action, "phase": phase, **more}


def _unbegun(said: dict[str, Any]) -> dict[str, Any]:
    if "result" in said:
        return {"event_type": EventType.TOOL_RESULT.value, "action": "tool_result"}
    if "tokens" in said:
        return {"event_type": EventType.LLM_RESPONSE.value, "action": "llm_response"}
    return {"event_type": EventType.INVOCATION.value, "action": "invocation"}


def _ended(span: Any, *, handed_on: str = "success") -> dict[str, Any]:
    """How an act ended whose span ended before a hook said so."""
    error = sys.exc_info()[1]
    if isinstance(error, asyncio.CancelledError) and span.span_data.type == "function":
        # A tool in a thread is not stopped by that.
        return {"outcome": "unknown", "error_type": "CancelledError"}
    if error is not None:
        return {"outcome": outcome_of(error), **failure(error)}
    return _span_error(span) if span.error is not None else {"outcome": handed_on}


def _span_error(span: Any) -> dict[str, Any]:
    error = span.error or {}
    data = error.get("data") or {}
    detail = data.get("message") or data.get("error")
    message = str(error.get("message") or "error")
    said: dict[str, Any] = {"message": f"{message}: {detail}" if detail else message}
    kind = {"error_type": str(data["name"])} if data.get("name") else {}
    return {"outcome": "failure", "error": said, **kind}


def _observed_call(span: Any, *, is_hooked: bool) -> dict[str, Any]:
    """A call that no hook was told of: nothing hooks this run, or the tool was not run."""
    data = span.span_data
    said: dict[str, Any] = {
        "event_type": EventType.TOOL_CALL.value,
        "action": f"tool_call:{data.name}",
        "tool": data.name,
        "params": arguments(data.input),
        "result": data.output,
    }
    if not is_hooked:
        return {**said, **_ended(span)}
    if span.error is None and data.output is None:
        return {**said, "outcome": "escalated"}  # until a person approves
    why = {"error": _span_error(span)["error"]} if span.error is not None else {}
    return {**said, **why, "outcome": "denied"}


def _observed_turn(span: Any) -> dict[str, Any]:
    """A turn that failed by itself: the model called a tool that is not there."""
    if span.error is None:
        return {}
    tool = (span.error.get("data") or {}).get("tool_name")
    said = {"event_type": EventType.ERROR.value, "action": "error", "tool": tool}
    return {**said, **_span_error(span)}


def _observed_answer(span: Any) -> dict[str, Any]:
    data = span.span_data
    response = getattr(data, "response", None)
    usage = data.usage if data.usage is not None else getattr(response, "usage", None)
    model = getattr(data, "model", None) or getattr(response, "model", None)
    output = getattr(data, "output", None) if response is None else response.output
    return {
        "event_type": EventType.LLM_RESPONSE.value,
        "action": "llm_response",
        "input": data.input,
        "output": output,
        "model": {"responded": str(model)} if model else None,
        "tokens": counts(usage, _TOKENS) or None,
        **_ended(span),
    }


def _handoff(source: "str | None", target: "str | None") -> dict[str, Any]:
    return {
        "event_type": EventType.HANDOFF.value,
        "agent_name": source or "agent",
        "action": f"handoff:{target}",
        "params": {"target": target},
    }


def _guardrail(data: Any) -> dict[str, Any]:
    kind = EventType.SECURITY if data.triggered else EventType.EVALUATION
    return {
        "event_type": kind.value,
        "action": f"guardrail:{data.name}",
        "outcome": "denied" if data.triggered else "success",
    }


def _model(agent: Any) -> "dict[str, str] | None":
    model = getattr(agent, "model", None)
    name = model if isinstance(model, str) else getattr(model, "model", None)
    return {"requested": str(name)} if name else None


def _last(items: list[Any]) -> Any:
    last = items[-1] if items else None
    content = last.get("content") if isinstance(last, dict) else None
    return last if content is None else content


def _answer(output: Iterable[Any]) -> dict[str, Any]:
    """What a model said, and which tools it wants."""
    texts: list[str] = []
    reasons: list[str] = []
    calls: list[dict[str, Any]] = []
    for item in output:
        kind = getattr(item, "type", None)
        if kind == "message":
            for part in item.content:
                texts.append(str(getattr(part, "text", None) or getattr(part, "refusal", "")))
        elif kind == "function_call":
            calls.append({"id": item.call_id, "name": item.name, "arguments": item.arguments})
        elif kind == "reasoning":
            reasons += [part.text for part in item.summary or ()]
    said = {"content": "\n".join(texts) or None, "tool_calls": calls}
    return {
        "output": {key: value for key, value in said.items() if value},
        "reasoning": "\n".join(reasons) or None,
    }


#: Items of an answer that the SDK acts on itself, and so tells of.
_OURS = ("function_call", "computer_call", "local_shell_call", "shell_call", "apply_patch_call")


def _hosted(output: Iterable[Any]) -> Iterable[dict[str, Any]]:
    """Tools that the provider ran while it answered."""
    for item in output:
        kind = str(getattr(item, "type", ""))
        if kind.endswith("_call") and kind not in _OURS and kind != "custom_tool_call":
            name = str(getattr(item, "name", None) or kind.removesuffix("_call"))
            yield {
                "event_type": EventType.TOOL_CALL.value,
                "action": f"tool_call:{name}",
                "tool": name,
                "phase": "observation",
                "params": item,
                "outcome": "success" if getattr(item, "status", None) == "completed" else None,
                "attributes": {"openai.hosted": True},
            }
