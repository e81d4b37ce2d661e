"""Google's Agent Development Kit: a plugin that records what a runner's agents do.

    app = App(name="desk", root_agent=agent, plugins=[tachograph.adk.Recorder(log)])

What is seen, and what is not, stands in docs/python.md.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.adk.plugins.base_plugin import BasePlugin

from tachograph import context as _context
from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._outcomes import failure, outcome_of
from tachograph._teller import Begun, Teller, counts, milliseconds_since
from tachograph.types import EventType, Mode

_TOKENS = {
    "input": "prompt_token_count",
    "output": "candidates_token_count",
    "total": "total_token_count",
    "cache_read": "cached_content_token_count",
    "reasoning": "thoughts_token_count",
}


@dataclass
class _Run:
    """What is known of an invocation of a runner."""

    base: dict[str, Any]
    event_id: "str | None" = None
    begun: dict[str, Begun] = field(default_factory=dict)
    #: Agents that a task was handed to: the event of the handoff.
    handed: dict[str, "str | None"] = field(default_factory=dict)


class Recorder(BasePlugin):
    """One for each log; put it first among the plugins, for whoever answers in place of an agent, a
    model or a tool keeps those after it from seeing that.

    With ``mode="required"`` nothing is run, asked or called when that cannot be recorded before:
    the runner raises. ``whole_prompts`` records all that a model is asked, instead of the last.
    """

    def __init__(
        self, log: "Log | AsyncLog", *, whole_prompts: bool = False, mode: "Mode | None" = None
    ) -> None:
        super().__init__(name="tachograph")
        self._teller = Teller(log, mode)
        self._whole_prompts = whole_prompts
        self._runs: dict[str, _Run] = {}

    # A run.

    async def on_user_message_callback(self, *, invocation_context: Any, user_message: Any) -> None:
        run = self._run(invocation_context)
        agent = getattr(invocation_context.agent, "name", None)
        said = {"agent_name": agent or "agent", "input": _said(user_message), "source": "user"}
        kind = {"event_type": EventType.INVOCATION.value, "action": "run"}
        begun = await self._begin(run, "run", {**kind, **said}, kind, agent)
        run.event_id = begun

    async def after_run_callback(self, *, invocation_context: Any) -> None:
        await self._run_ended(invocation_context, {"outcome": "success"})

    async def on_run_error_callback(self, *, invocation_context: Any, error: Exception) -> None:
        await self._run_ended(invocation_context, _failed(error))

    async def _run_ended(self, invocation_context: Any, said: dict[str, Any]) -> None:
        run = self._runs.pop(invocation_context.invocation_id, None)
        if run is None:
            return
        last = run.begun.pop("run", None)
        for key, begun in run.begun.items():
            # Of an agent that handed its task on nobody says that it ended; a tool whose task was
            # cancelled may be at work yet.
            is_over = key.startswith("agent:") and said["outcome"] == "success"
            how = "success" if is_over else "unknown"
            await self._teller.atell(_result(begun, {"outcome": how}))
        if last is not None:
            await self._teller.atell(_result(last, said))

    async def on_event_callback(self, *, invocation_context: Any, event: Any) -> None:
        run, author = self._run(invocation_context), str(event.author)
        if event.partial:
            return
        for said in _beside(event):
            told = {**run.base, "agent_name": author, "parent_event_id": run.event_id, **said}
            event_id = await self._teller.atell({"phase": "observation", **told})
            if said["event_type"] == EventType.HANDOFF.value:
                run.handed[said["params"]["target"]] = event_id

    # Agents.

    async def before_agent_callback(self, *, agent: Any, callback_context: Any) -> None:
        run = self._run(callback_context)
        kind = {"event_type": EventType.INVOCATION.value, "action": "invocation"}
        parent = run.handed.pop(agent.name, None) or run.event_id
        await self._begin(run, f"agent:{agent.name}", kind, kind, agent.name, parent)

    async def after_agent_callback(self, *, agent: Any, callback_context: Any) -> None:
        await self._end(callback_context, f"agent:{agent.name}", {"outcome": "success"})

    async def on_agent_error_callback(
        self, *, agent: Any, callback_context: Any, error: Exception
    ) -> None:
        await self._end(callback_context, f"agent:{agent.name}", _failed(error))

    # Models.

    async def before_model_callback(self, *, callback_context: Any, llm_request: Any) -> None:
        run, agent = self._run(callback_context), callback_context.agent_name
        asked = list(llm_request.contents or ())
        whole = {"config": llm_request.config, "contents": asked}
        model = {"model": {"requested": str(llm_request.model)} if llm_request.model else None}
        said = {
            "event_type": "agent.llm_request",
            "action": "llm_request",
            "params": {"messages": len(asked)},
            "input": whole if self._whole_prompts else _said(asked[-1]) if asked else None,
            **model,
        }
        end = {"event_type": EventType.LLM_RESPONSE.value, "action": "llm_response", **model}
        await self._begin(run, f"model:{agent}", said, end, agent)

    async def after_model_callback(self, *, callback_context: Any, llm_response: Any) -> None:
        if llm_response.partial:
            return
        said: dict[str, Any] = {
            "outcome": "failure" if llm_response.error_code else "success",
            "output": _said(llm_response.content),
            "tokens": counts(llm_response.usage_metadata, _TOKENS) or None,
        }
        if llm_response.error_code:
            said["error_type"] = str(llm_response.error_code)
            said["error"] = {"message": str(llm_response.error_message or "")}
        if llm_response.model_version:
            said["model"] = {"responded": str(llm_response.model_version)}
        await self._end(callback_context, f"model:{callback_context.agent_name}", said)

    async def on_model_error_callback(
        self, *, callback_context: Any, llm_request: Any, error: Exception
    ) -> None:
        key = f"model:{callback_context.agent_name}"
        await self._end(callback_context, key, _failed(error))

    # Tools.

    async def before_tool_callback(
        self, *, tool: Any, tool_args: dict[str, Any], tool_context: Any
    ) -> None:
        run = self._run(tool_context)
        call_id = tool_context.function_call_id
        said = {
            "event_type": EventType.TOOL_CALL.value,
            "action": f"tool_call:{tool.name}",
            "tool": tool.name,
            "params": tool_args,
            "attributes": {"adk.function_call_id": call_id},
        }
        end = {
            "event_type": EventType.TOOL_RESULT.value,
            "action": f"tool_result:{tool.name}",
            "tool": tool.name,
        }
        await self._begin(run, f"tool:{call_id}", said, end, tool_context.agent_name)

    async def after_tool_callback(
        self, *, tool: Any, tool_args: dict[str, Any], tool_context: Any, result: Any
    ) -> None:
        said = {"outcome": "success", "result": result}
        await self._end(tool_context, f"tool:{tool_context.function_call_id}", said)

    async def on_tool_error_callback(
        self, *, tool: Any, tool_args: dict[str, Any], tool_context: Any, error: Exception
    ) -> None:
        key = f"tool:{tool_context.function_call_id}"
        if key not in self._run(tool_context).begun:  # no such tool: nobody was asked before
            named = {"event_type": EventType.TOOL_RESULT.value, "tool": tool.name}
            await self._begin_unseen(tool_context, key, {**named, "action": "tool_result"})
        await self._end(tool_context, key, _failed(error))

    # All of these.

    def _run(self, context: Any) -> _Run:
        run = self._runs.get(context.invocation_id)
        if run is None:
            outside = _context.current()
            base: dict[str, Any] = {}
            if "trace_id" not in outside:
                base["trace_id"] = context.invocation_id
            if "session_id" not in outside and context.session is not None:
                base["session_id"] = context.session.id
            if "on_behalf_of" not in outside and context.user_id:
                base["on_behalf_of"] = str(context.user_id)
            run = self._runs[context.invocation_id] = _Run(base)
        return run

    async def _begin(
        self,
        run: _Run,
        key: str,
        event: dict[str, Any],
        end: dict[str, Any],
        agent: "str | None",
        parent: "str | None" = None,
    ) -> "str | None":
        base = {**run.base, "agent_name": agent or "agent"}
        around = run.begun.get(f"agent:{agent}")
        if parent is None and around is not None:
            parent = around.event_id
        said = {**base, "phase": "intent", "parent_event_id": parent, **event}
        event_id = await self._teller.atell(said, is_intent=True)
        run.begun[key] = Begun(base, end, event_id)
        return event_id

    async def _begin_unseen(self, context: Any, key: str, end: dict[str, Any]) -> None:
        run = self._run(context)
        base = {**run.base, "agent_name": context.agent_name}
        around = run.begun.get(f"agent:{context.agent_name}")
        run.begun[key] = Begun(base, end, around.event_id if around is not None else None)

    async def _end(self, context: Any, key: str, said: dict[str, Any]) -> None:
        begun = self._run(context).begun.pop(key, None)
        if begun is not None:
            await self._teller.atell(_result(begun, said))


def _result(begun: Begun, said: dict[str, Any]) -> dict[str, Any]:
    took = {"duration_ms": milliseconds_since(begun.at), "parent_event_id": begun.event_id}
    model = {**(begun.end.get("model") or {}), **(said.get("model") or {})}
    told = {**begun.base, **begun.end, "phase": "result", **took, **said}
    return {**told, "model": model} if model else told


def _failed(error: BaseException) -> dict[str, Any]:
    return {"outcome": outcome_of(error), **failure(error)}


def _said(content: Any) -> Any:
    """The text of a content that is one, otherwise its parts."""
    parts = list(getattr(content, "parts", None) or ())
    texts = [part.text for part in parts if part.text]
    if parts and len(texts) == len(parts):
        return "\n".join(texts)
    return [part.model_dump(exclude_none=True) for part in parts] or None


def _beside(event: Any) -> Iterator[dict[str, Any]]:
    """What an event of a run says that no callback is told of."""
    actions = event.actions
    if actions.transfer_to_agent:
        target = str(actions.transfer_to_agent)
        kind = {"event_type": EventType.HANDOFF.value, "action": f"handoff:{target}"}
        yield {**kind, "params": {"target": target}}
    for call_id, asked in (actions.requested_tool_confirmations or {}).items():
        kind = {"event_type": EventType.HUMAN_INTERVENTION.value}
        question = {"call_id": call_id, "asked": asked}
        yield {**kind, "action": "human_intervention:question", "params": question}
    if actions.state_delta:
        yield {"event_type": "agent.state", "action": "state", "params": dict(actions.state_delta)}
    for part in getattr(event.content, "parts", None) or ():
        if part.executable_code is not None:
            code = {"code": part.executable_code.code}
            kind = {"event_type": EventType.CODE_EXECUTION.value, "action": "code_execution"}
            yield {**kind, "params": code}
        if part.code_execution_result is not None:
            ended = str(getattr(part.code_execution_result.outcome, "name", ""))
            yield {
                "event_type": EventType.CODE_EXECUTION.value,
                "action": "code_execution",
                "outcome": "success" if ended == "OUTCOME_OK" else "failure",
                "result": part.code_execution_result.output,
            }
