"""Microsoft AutoGen 0.7 (autogen-agentchat): a model and tools that are recorded, and a run.

    billing = AssistantAgent(
        "Billing",
        model_client=Model(client, log, "Billing"),
        workbench=Tools([get_order], log, "Billing"),
    )
    result = await run(team, "I was charged twice", log)

What is seen, and what is not, stands in docs/python.md.
"""

import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from autogen_core import DefaultInterventionHandler
from autogen_core.models import ChatCompletionClient
from autogen_core.tools import StaticStreamWorkbench, TextResultContent, ToolResult
from autogen_core.tools import Workbench as _TheirWorkbench

from tachograph import context as _context
from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._outcomes import failure, outcome_of
from tachograph._teller import Teller, counts, milliseconds_since
from tachograph.errors import NotRecorded
from tachograph.types import EventType, Mode

_TOKENS = {"input": "prompt_tokens", "output": "completion_tokens"}


class _Calls:
    """Calls of tools, before and after."""

    def __init__(self, log: "Log | AsyncLog", agent_name: str, mode: "Mode | None") -> None:
        self._teller = Teller(log, mode)
        self._agent = agent_name

    async def stream(
        self, name: str, arguments: Any, call_id: "str | None", act: AsyncGenerator[Any, None]
    ) -> AsyncGenerator[Any, None]:
        """What ``act`` yields, the result last. What must not be called is answered with an error:
        an agent whose tools raise waits for ever."""
        call = {
            "event_type": EventType.TOOL_CALL.value,
            "agent_name": self._agent,
            "action": f"tool_call:{name}",
            "tool": name,
            "phase": "intent",
            "params": arguments,
            "attributes": {"autogen.call_id": call_id},
        }
        try:
            event_id = await self._teller.atell(call, is_intent=True)
        except NotRecorded as error:
            await act.aclose()
            text = TextResultContent(content=f"{name} is not called: it cannot be recorded: {error}")
            yield ToolResult(name=name, result=[text], is_error=True)
            return
        begun = time.perf_counter()
        end: dict[str, Any] = {
            "event_type": EventType.TOOL_RESULT.value,
            "agent_name": self._agent,
            "action": f"tool_result:{name}",
            "tool": name,
            "phase": "result",
            "parent_event_id": event_id,
            "outcome": "unknown",
        }
        try:
            with _context.parent(event_id):
                async for one in act:
                    if isinstance(one, ToolResult):
                        end["outcome"] = "failure" if one.is_error else "success"
                        end["error" if one.is_error else "result"] = _text(one)
                    yield one
        except BaseException as error:
            # A tool in a thread is not stopped by that.
            is_stopped = outcome_of(error) == "cancelled"
            end |= {"outcome": "unknown"} if is_stopped else _failed(error)
            raise
        finally:
            end["duration_ms"] = milliseconds_since(begun)
            if end["outcome"] == "unknown":
                self._teller.submit(end)
            else:
                await self._teller.atell(end)


class Tools(StaticStreamWorkbench):
    """Tools for an agent's ``workbench=``, in place of ``tools=``.

    With ``mode="required"`` a tool is not called when that cannot be recorded before: the model is
    told so as the tool's error, and the run goes on.
    """

    def __init__(
        self,
        tools: Sequence[Any],
        log: "Log | AsyncLog",
        agent_name: str,
        *,
        mode: "Mode | None" = None,
    ) -> None:
        super().__init__([_tool(one) for one in tools])
        self._calls = _Calls(log, agent_name, mode)

    async def call_tool(
        self,
        name: str,
        arguments: "Mapping[str, Any] | None" = None,
        cancellation_token: Any = None,
        call_id: "str | None" = None,
    ) -> Any:
        act = _alone(super().call_tool, name, arguments, cancellation_token, call_id)
        return await _last(self._calls.stream(name, arguments, call_id, act))

    async def call_tool_stream(
        self,
        name: str,
        arguments: "Mapping[str, Any] | None" = None,
        cancellation_token: Any = None,
        call_id: "str | None" = None,
    ) -> AsyncGenerator[Any, None]:
        act = super().call_tool_stream(name, arguments, cancellation_token, call_id)
        async for one in self._calls.stream(name, arguments, call_id, act):
            yield one


class Workbench(_TheirWorkbench):
    """Around a workbench of another kind, such as one for MCP servers; as ``Tools``."""

    def __init__(
        self, inner: Any, log: "Log | AsyncLog", agent_name: str, *, mode: "Mode | None" = None
    ) -> None:
        self._inner = inner
        self._calls = _Calls(log, agent_name, mode)

    async def list_tools(self) -> Any:
        return await self._inner.list_tools()

    async def call_tool(
        self,
        name: str,
        arguments: "Mapping[str, Any] | None" = None,
        cancellation_token: Any = None,
        call_id: "str | None" = None,
    ) -> Any:
        act = _alone(self._inner.call_tool, name, arguments, cancellation_token, call_id)
        return await _last(self._calls.stream(name, arguments, call_id, act))

    async def start(self) -> None:
        await self._inner.start()

    async def stop(self) -> None:
        await self._inner.stop()

    async def reset(self) -> None:
        await self._inner.reset()

    async def save_state(self) -> Any:
        return await self._inner.save_state()

    async def load_state(self, state: Any) -> None:
        await self._inner.load_state(state)


class Model(ChatCompletionClient):
    """Around a client of a model. With ``mode="required"`` no model is asked when that cannot be
    recorded before: the agent's run raises. ``whole_prompts`` records all that it is asked, instead
    of the last message."""

    def __init__(
        self,
        inner: Any,
        log: "Log | AsyncLog",
        agent_name: str,
        *,
        whole_prompts: bool = False,
        mode: "Mode | None" = None,
    ) -> None:
        self._inner = inner
        self._teller = Teller(log, mode)
        self._agent = agent_name
        self._whole_prompts = whole_prompts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def create(self, messages: Sequence[Any], **more: Any) -> Any:
        async def ask() -> AsyncGenerator[Any, None]:
            yield await self._inner.create(messages, **more)

        return await _last(self._asked(messages, ask()))

    async def create_stream(
        self, messages: Sequence[Any], **more: Any
    ) -> AsyncGenerator[Any, None]:
        async for one in self._asked(messages, self._inner.create_stream(messages, **more)):
            yield one

    async def _asked(
        self, messages: Sequence[Any], act: AsyncGenerator[Any, None]
    ) -> AsyncGenerator[Any, None]:
        last = getattr(messages[-1], "content", None) if messages else None
        request = {
            "event_type": "agent.llm_request",
            "agent_name": self._agent,
            "action": "llm_request",
            "phase": "intent",
            "params": {"messages": len(messages)},
            "input": list(messages) if self._whole_prompts else last,
        }
        event_id = await self._teller.atell(request, is_intent=True)
        begun = time.perf_counter()
        end: dict[str, Any] = {
            "event_type": EventType.LLM_RESPONSE.value,
            "agent_name": self._agent,
            "action": "llm_response",
            "phase": "result",
            "parent_event_id": event_id,
            "outcome": "cancelled",
        }
        try:
            async for one in act:
                if not isinstance(one, str):  # a piece of the answer
                    end |= {"outcome": "success", **_answer(one)}
                yield one
        except BaseException as error:
            end |= _failed(error)
            raise
        finally:
            end["duration_ms"] = milliseconds_since(begun)
            if end["outcome"] == "cancelled":
                self._teller.submit(end)
            else:
                await self._teller.atell(end)

    async def close(self) -> None:
        await self._inner.close()

    def actual_usage(self) -> Any:
        return self._inner.actual_usage()

    def total_usage(self) -> Any:
        return self._inner.total_usage()

    def count_tokens(self, messages: Sequence[Any], **more: Any) -> int:
        return int(self._inner.count_tokens(messages, **more))

    def remaining_tokens(self, messages: Sequence[Any], **more: Any) -> int:
        return int(self._inner.remaining_tokens(messages, **more))

    @property
    def capabilities(self) -> Any:
        return self._inner.capabilities

    @property
    def model_info(self) -> Any:
        return self._inner.model_info


class Interventions(DefaultInterventionHandler):
    """An intervention handler for a runtime of AutoGen's core: every message between agents, before
    it is delivered. With ``mode="required"`` what cannot be recorded is not delivered; who sent it
    directly gets the error, who published it hears nothing."""

    def __init__(self, log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> None:
        self._teller = Teller(log, mode)

    async def on_send(self, message: Any, *, message_context: Any, recipient: Any) -> Any:
        await self._tell("send", message, message_context.sender, recipient)
        return message

    async def on_publish(self, message: Any, *, message_context: Any) -> Any:
        await self._tell("publish", message, message_context.sender, message_context.topic_id)
        return message

    async def on_response(self, message: Any, *, sender: Any, recipient: Any) -> Any:
        await self._tell("respond", message, sender, recipient)
        return message

    async def _tell(self, act: str, message: Any, sender: Any, recipient: Any) -> None:
        event = {
            "event_type": "agent.message",
            "agent_name": str(sender.type) if sender is not None else "user",
            "action": f"{act}:{type(message).__name__}",
            "phase": "intent",
            "params": {"to": str(recipient) if recipient is not None else None},
            "input": message,
        }
        await self._teller.atell(event, is_intent=True)


async def run(
    team: Any,
    task: Any,
    log: "Log | AsyncLog",
    *,
    on_message: "Callable[[Any], None] | None" = None,
    mode: "Mode | None" = None,
) -> Any:
    """``team.run(task=task)``, of a team or an agent, recorded: the run, handoffs, code that was
    run, questions to people, memory, who speaks next. Everything inside is one trace.
    ``on_message`` is called with what the run's stream yields."""
    teller = Teller(log, mode)
    name = str(getattr(team, "name", None) or type(team).__name__)
    kind = {"event_type": EventType.INVOCATION.value, "agent_name": name, "action": "invocation"}
    trace = str(_context.current().get("trace_id") or "") or None
    with _context.trace(trace):
        said = {**kind, "phase": "intent", "input": task, "source": "user"}
        begun_id = await teller.atell(said, is_intent=True)
        begun = time.perf_counter()
        end: dict[str, Any] = {**kind, "phase": "result", "parent_event_id": begun_id}
        result: Any = None
        try:
            with _context.parent(begun_id):
                async for message in team.run_stream(task=task):
                    result = message
                    if on_message is not None:
                        on_message(message)
                    for event in _told(message):
                        await teller.atell(event)
        except BaseException as error:
            teller.submit({**end, **_failed(error), "duration_ms": milliseconds_since(begun)})
            raise
        answer = result.messages[-1] if getattr(result, "messages", None) else None
        end |= {"outcome": "success", "output": getattr(answer, "content", None)}
        end["reasoning"] = getattr(result, "stop_reason", None)
        await teller.atell({**end, "duration_ms": milliseconds_since(begun)})
    return result


def _told(message: Any) -> list[dict[str, Any]]:
    """What a message of a run's stream says that no model and no tool is told of."""
    name, source = type(message).__name__, str(getattr(message, "source", "") or "agent")
    said: dict[str, Any] = {"agent_name": source, "phase": "observation"}
    if name == "HandoffMessage":
        kind = {"event_type": EventType.HANDOFF.value, "action": f"handoff:{message.target}"}
        return [{**said, **kind, "params": {"target": message.target, "summary": message.content}}]
    if name == "CodeExecutionEvent":
        code = message.result.exit_code
        kind = {"event_type": EventType.CODE_EXECUTION.value, "action": "code_execution"}
        outcome = "success" if code == 0 else "failure"
        how = {"params": {"exit_code": code}, "result": message.result.output, "outcome": outcome}
        return [{**said, **kind, **how}]
    if name == "UserInputRequestedEvent":
        kind = {"event_type": EventType.HUMAN_INTERVENTION.value}
        return [{**said, **kind, "action": "human_intervention:question"}]
    if name == "ToolCallExecutionEvent":
        missing = [one for one in message.content if "not found in any workbench" in one.content]
        kind = {"event_type": EventType.TOOL_RESULT.value, "outcome": "failure"}
        return [
            {
                **said,
                **kind,
                "action": f"tool_result:{one.name}",
                "tool": one.name,
                "error": one.content,
            }
            for one in missing
        ]
    if name == "ThoughtEvent":
        kind = {"event_type": EventType.REASONING.value, "action": "reasoning"}
        return [{**said, **kind, "reasoning": message.content}]
    if name in ("CodeGenerationEvent", "MemoryQueryEvent", "SelectSpeakerEvent", "StopMessage"):
        plain = message.model_dump(mode="json", exclude={"id", "created_at", "source"})
        return [{**said, "event_type": "agent.message", "action": name, "params": plain}]
    return []


def _tool(one: Any) -> Any:
    """A function as a tool, as an agent does it."""
    if not callable(one) or hasattr(one, "run_json"):
        return one
    from autogen_core.tools import FunctionTool

    return FunctionTool(one, description=one.__doc__ or "")


async def _alone(
    call: Any, name: str, arguments: Any, cancellation_token: Any, call_id: "str | None"
) -> AsyncGenerator[Any, None]:
    yield await call(name, arguments, cancellation_token, call_id)


async def _last(act: AsyncGenerator[Any, None]) -> Any:
    """The last of what is yielded."""
    found = None
    async for found in act:
        pass
    return found


def _failed(error: BaseException) -> dict[str, Any]:
    return {"outcome": outcome_of(error), **failure(error)}


def _text(result: Any) -> Any:
    text = result.to_text(replace_image="[image]")
    try:
        return json.loads(text) if text[:1] in ("{", "[") else text
    except ValueError:
        return text


def _answer(result: Any) -> dict[str, Any]:
    content = result.content
    is_calls = isinstance(content, list)
    said = {"tool_calls": content} if is_calls else {"content": content}
    tokens = counts(result.usage, _TOKENS)
    if tokens:
        tokens["total"] = sum(tokens.values())
    return {
        "output": {**said, "finish_reason": result.finish_reason},
        "reasoning": result.thought,
        "tokens": tokens or None,
        "attributes": {"autogen.cached": result.cached},
    }
