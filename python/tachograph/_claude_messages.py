"""Messages of the Claude Agent SDK, as the program reads them: what models answered, what it took,
how it ended, and what no hook is told."""

import contextlib
import logging
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import claude_agent_sdk as sdk

from tachograph._claude_acts import Acts, Subagent, tool_end
from tachograph._claude_usage import Usage
from tachograph._outcomes import failure, outcome_of
from tachograph._teller import Begun, short
from tachograph.types import EventType

logger = logging.getLogger("tachograph")

#: What of a session's beginning says what its agent may do.
_SESSION = (
    "model", "tools", "mcp_servers", "agents", "skills", "plugins", "permissionMode",
    "output_style", "apiKeySource", "claude_code_version", "cwd",
)  # fmt: skip
_ENDS = {"completed": "success", "failed": "failure", "stopped": "cancelled", "killed": "cancelled"}
_SPOKEN_BY = ("human", None)

_Said = dict[str, Any]
_Stream = AsyncGenerator[Any, None]


@dataclass
class _Answer:
    """An answer of a model: the SDK tells each block of it in a message of its own."""

    key: "str | None"
    session_id: "str | None"
    model: str
    blocks: list[Any] = field(default_factory=list)
    usage: "Mapping[str, Any] | None" = None
    error: "str | None" = None
    stop_reason: "str | None" = None


class Messages:
    """Records the messages of one connection."""

    def __init__(self, acts: Acts) -> None:
        self._acts = acts
        self._teller = acts.teller
        self._usage = Usage()
        #: By the call that began the subagent, ``None`` for the main agent.
        self._answers: "dict[str | None, _Answer]" = {}
        #: Calls that a model asked for, until they are answered.
        self._asked: dict[str, tuple[str, Any]] = {}
        self._session: "_Said | None" = None
        self._session_id: "str | None" = None
        self._ended_tasks: dict[str, None] = {}
        #: Whether the last result was an error: the SDK then raises it, too.
        self._is_told = False

    async def whole(self, stream: _Stream) -> _Stream:
        """The messages of a connection that is over when they are."""
        try:
            async with contextlib.aclosing(self.read(stream)) as messages:
                async for message in messages:
                    yield message
        except BaseException as error:
            self.failed(error)
            raise
        finally:
            self.ended()

    async def read(self, stream: _Stream) -> _Stream:
        """Messages, each recorded before it is passed on."""
        async with contextlib.aclosing(stream) as messages:
            async for message in messages:
                try:
                    await self._see(message)
                except Exception as error:  # what the program says may change
                    kind, why = type(message).__name__, type(error).__name__
                    logger.warning("a %s is not recorded: %s", kind, why)
                yield message

    def before_call(self, call_id: str) -> None:
        """A tool is about to be called: what the model said until then is told first."""
        for key, answer in list(self._answers.items()):
            if any(getattr(block, "id", None) == call_id for block in answer.blocks):
                self._submit(key)

    def failed(self, error: BaseException) -> None:
        """Reading ended with an error. Nothing may wait here."""
        if self._is_told and isinstance(error, sdk.ResultError):
            return
        said = {"outcome": outcome_of(error), **failure(error)}
        turns, self._acts.turns = self._acts.turns, {}
        for begun in turns.values():
            self._teller.submit(begun.ended(said))
        if not turns and said["outcome"] == "failure":
            base = self._acts.base(self._session_id)
            event = {"event_type": EventType.ERROR.value, "action": "error", **said}
            self._teller.submit({**base, "phase": "observation", **event})

    def began(self) -> None:
        """A new connection, whose sums begin at nothing."""
        self._usage.forget()
        self._is_told = False

    def ended(self) -> None:
        """The connection is over. Nothing may wait here."""
        for key in list(self._answers):
            self._submit(key)
        for row in self._usage.left():
            self._teller.submit(self._row(self._session_id, row))
        for event in self._acts.end():
            self._teller.submit(event)
        self._asked.clear()

    async def _see(self, message: Any) -> None:
        self._session_id = getattr(message, "session_id", None) or self._session_id
        if isinstance(message, sdk.AssistantMessage):
            await self._answered(message)
        elif isinstance(message, sdk.StreamEvent):
            self._counted(message)
        elif isinstance(message, sdk.UserMessage):
            await self._user(message)
        elif isinstance(message, sdk.ResultMessage):
            await self._result(message)
        elif isinstance(message, sdk.SystemMessage):
            await self._system(message)
        elif isinstance(message, sdk.RateLimitEvent):
            event = {"event_type": "agent.rate_limit", "action": "rate_limit"}
            await self._tell({**event, "params": message.rate_limit_info.raw})
        elif isinstance(message, sdk.ConversationResetMessage):
            self._usage.forget()
            await self._tell({"event_type": "agent.session", "action": "conversation_reset"})

    # What models answer.

    async def _answered(self, message: Any) -> None:
        whose, key = message.parent_tool_use_id, message.message_id or message.uuid
        answer = self._answers.get(whose)
        if answer is not None and answer.key != key:
            await self._flush(whose)
            answer = None
        if answer is None:
            answer = _Answer(key, message.session_id or self._session_id, message.model)
            self._answers[whose] = answer
        answer.blocks += message.content
        answer.usage = message.usage or answer.usage
        answer.error = message.error or answer.error
        answer.stop_reason = message.stop_reason or answer.stop_reason
        for block in message.content:
            if isinstance(block, sdk.ToolUseBlock):
                self._asked[block.id] = (block.name, block.input)
        if answer.error is not None or answer.stop_reason is not None:
            await self._flush(whose)

    def _counted(self, message: Any) -> None:
        """Of streamed pieces only the counts that come with the end of an answer."""
        answer = self._answers.get(message.parent_tool_use_id)
        usage = message.event.get("usage")
        if answer is not None and message.event.get("type") == "message_delta" and usage:
            answer.usage = {**(answer.usage or {}), **usage}

    async def _flush(self, whose: "str | None") -> None:
        for event in self._flushed(whose):
            await self._teller.atell(event)

    def _submit(self, whose: "str | None") -> None:
        for event in self._flushed(whose):
            self._teller.submit(event)

    def _flushed(self, whose: "str | None") -> Iterator[_Said]:
        """An answer as far as it is known. What comes of it later is told as another part."""
        answer = self._answers.pop(whose, None)
        if answer is None:
            return
        self._usage.answered(answer.key, answer.model, answer.usage)
        texts = [block.text for block in answer.blocks if isinstance(block, sdk.TextBlock)]
        said = [it.thinking for it in answer.blocks if isinstance(it, sdk.ThinkingBlock)]
        calls = (sdk.ToolUseBlock, sdk.ServerToolUseBlock)
        # Their arguments stand in the calls.
        asked = [{"id": it.id, "name": it.name} for it in answer.blocks if isinstance(it, calls)]
        output = {"content": "\n".join(texts) or None, "tool_calls": asked or None}
        about = {"message_id": answer.key, "stop_reason": answer.stop_reason, "usage": answer.usage}
        base, parent = self._whose(whose, answer.session_id)
        around = {**base, "phase": "observation", "parent_event_id": parent}
        yield {
            **around,
            "event_type": EventType.LLM_RESPONSE.value,
            "action": "llm_response",
            "model": {"responded": answer.model},
            "output": short({name: value for name, value in output.items() if value}),
            "reasoning": short("\n".join(said)) if said else None,
            "outcome": "failure" if answer.error is not None else "success",
            "error_type": answer.error,
            "attributes": {f"claude.{name}": it for name, it in about.items() if it is not None},
        }
        for hosted in _hosted(answer.blocks):
            yield {**around, **hosted}

    # What comes back.

    async def _user(self, message: Any) -> None:
        whose = message.parent_tool_use_id
        await self._flush(whose)
        blocks = message.content if isinstance(message.content, list) else []
        results = [block for block in blocks if isinstance(block, sdk.ToolResultBlock)]
        for block in results:
            await self._came_back(whose, block)
        by = (message.origin or {}).get("kind")
        if not results and by not in _SPOKEN_BY:
            texts = [block.text for block in blocks if isinstance(block, sdk.TextBlock)]
            text = message.content if isinstance(message.content, str) else "\n".join(texts)
            event = {"event_type": "agent.message", "action": "message", "source": by}
            await self._tell({**event, "input": short(text), "params": message.origin})

    async def _came_back(self, whose: "str | None", block: Any) -> None:
        """The answer to a call, as the model gets it."""
        call_id, result = block.tool_use_id, short(block.content)
        name, params = self._asked.pop(call_id, ("tool", None))
        call = self._acts.take_call(call_id)
        is_hooked = self._acts.hooked.pop(call_id, self) is None
        if call is not None:
            # It neither succeeded nor failed, or a hook would have told: it was not made.
            outcome = "denied" if block.is_error else "success"
            await self._teller.atell(call.ended({"outcome": outcome, "result": result}))
        elif not is_hooked:
            # There is no such tool, or no hook before it.
            outcome = "failure" if block.is_error else "success"
            call_event = {
                **tool_end(name),
                "event_type": EventType.TOOL_CALL.value,
                "action": f"tool_call:{name}",
                "params": short(params),
                "outcome": outcome,
                ("error" if block.is_error else "result"): result,
                "attributes": {"claude.tool_use_id": call_id},
            }
            await self._tell(call_event, whose)

    async def _result(self, message: Any) -> None:
        """A turn is over: what it took, and how it ended when no hook told."""
        session_id = message.session_id
        for whose in list(self._answers):
            await self._flush(whose)
        await self._not_made(message)
        turn, parent = self._acts.end_turn(session_id)
        ended = _how_it_ended(message)
        rows = self._usage.since(message)
        if turn is not None:
            await self._teller.atell(turn.ended({"output": short(message.result), **ended}))
        elif message.is_error:
            error = {"event_type": EventType.ERROR.value, "action": "error", **ended}
            await self._tell({**error, "parent_event_id": parent})
        about: dict[str, Any] = _about(message)
        for row in rows:
            event = {**self._row(session_id, row), "parent_event_id": parent, "attributes": about}
            await self._teller.atell(event)
            about = {}
        self._is_told = message.is_error

    async def _not_made(self, message: Any) -> None:
        """Calls that a result names, and that nobody answered before."""
        named = {it.get("tool_use_id"): "denied" for it in message.permission_denials or ()}
        if message.deferred_tool_use is not None:
            named[message.deferred_tool_use.id] = "escalated"
        for call_id, outcome in named.items():
            call = self._acts.take_call(call_id)
            if call is not None:
                await self._teller.atell(call.ended({"outcome": outcome}))

    def _row(self, session_id: "str | None", row: _Said) -> _Said:
        event = {"event_type": EventType.TOKEN_USAGE.value, "action": "token_usage"}
        about = {"phase": "observation", "parent_event_id": self._acts.around(session_id)}
        return {**self._acts.base(session_id), **event, **about, **row}

    # What happens beside.

    async def _system(self, message: Any) -> None:
        data = message.data
        if isinstance(message, sdk.TaskStartedMessage):
            self._task_began(message)
        elif isinstance(message, (sdk.TaskNotificationMessage, sdk.TaskUpdatedMessage)):
            await self._task_ended(message)
        elif isinstance(message, sdk.MirrorErrorMessage):
            error = {"error": {"message": message.error}, "error_type": "mirror_error"}
            await self._tell({"event_type": EventType.ERROR.value, "action": "error", **error})
        elif message.subtype == "init":
            known = {name: data[name] for name in _SESSION if name in data}
            if known != self._session:
                self._session = known
                event = {"event_type": "agent.session", "action": "session"}
                await self._tell({**event, "params": short(known)}, session_id=data["session_id"])
        elif message.subtype == "compact_boundary":
            kind = {"event_type": "agent.compaction", "action": "compaction"}
            session_id = data.get("session_id") or self._session_id
            begun = self._acts.compactions.pop(session_id or "", None)
            begun = begun or Begun(self._acts.base(session_id), kind, None)
            said = {"outcome": "success", "params": data.get("compact_metadata")}
            await self._teller.atell(begun.ended(said))
        elif message.subtype == "api_retry":
            said = {name: data.get(name) for name in data if name not in ("type", "uuid")}
            await self._tell({"event_type": "agent.retry", "action": "retry", "params": said})

    def _task_began(self, message: Any) -> None:
        """A subagent may have begun before its call was known."""
        call_id, task_id = message.tool_use_id, message.task_id
        if call_id is None:
            return
        self._acts.tasks[task_id] = call_id
        begun, known = self._acts.agents.get(task_id), self._acts.spawned.get(call_id)
        if begun is not None and known is not None and known.agent_id is None:
            name = str(begun.base["agent_name"])
            self._acts.spawned[call_id] = Subagent(name, begun.event_id, task_id)

    async def _task_ended(self, message: Any) -> None:
        """Both messages may tell it, or either."""
        task_id, outcome = message.task_id, _ENDS.get(message.status or "")
        if outcome is None or task_id in self._ended_tasks:
            return
        self._ended_tasks[task_id] = None
        begun = self._acts.agents.pop(task_id, None)
        said: _Said = {"outcome": outcome}
        if begun is not None:  # a subagent that did not end by itself
            await self._teller.atell(begun.ended(said))
            return
        call_id = getattr(message, "tool_use_id", None) or self._acts.tasks.get(task_id)
        if call_id in self._acts.spawned:
            return
        rest = {name: message.data.get(name) for name in ("summary", "usage", "patch")}
        said["params"] = {"task_id": task_id, **{k: v for k, v in rest.items() if v}}
        if call_id is not None:
            said["attributes"] = {"claude.tool_use_id": call_id}
        await self._tell({"event_type": "agent.task", "action": "task", **said})

    # All of these.

    def _whose(self, whose: "str | None", session_id: "str | None") -> tuple[_Said, "str | None"]:
        """Who said it, and the event that it belongs under."""
        agent = self._acts.spawned.get(whose or "")
        if agent is None:
            return self._acts.base(session_id), self._acts.around(session_id)
        agent_id = agent.agent_id or whose
        base = self._acts.base(session_id, agent_type=agent.name, agent_id=agent_id)
        return {**base, "agent_id": agent.agent_id}, agent.event_id

    async def _tell(
        self, event: _Said, whose: "str | None" = None, *, session_id: "str | None" = None
    ) -> None:
        base, parent = self._whose(whose, session_id or self._session_id)
        whole = {**base, "phase": "observation", "parent_event_id": parent, **event}
        await self._teller.atell(whole)


def _hosted(blocks: list[Any]) -> Iterator[_Said]:
    """Tools that the provider ran while it answered."""
    answers = (block for block in blocks if isinstance(block, sdk.ServerToolResultBlock))
    results = {block.tool_use_id: block.content for block in answers}
    for block in blocks:
        if not isinstance(block, sdk.ServerToolUseBlock):
            continue
        result, outcome = results.get(block.id), None
        if isinstance(result, dict):
            is_bad = str(result.get("type")).endswith("_error")
            outcome = "failure" if is_bad else "success"
        yield {
            "event_type": EventType.TOOL_CALL.value,
            "action": f"tool_call:{block.name}",
            "tool": block.name,
            "params": short(block.input),
            "result": short(result),
            "outcome": outcome,
            "attributes": {"claude.tool_use_id": block.id, "claude.hosted": True},
        }


def _how_it_ended(message: Any) -> _Said:
    why = message.terminal_reason
    if why is not None and why.startswith("aborted"):
        return {"outcome": "cancelled"}
    if not message.is_error:
        return {"outcome": "success"}
    texts = [str(it) for it in message.errors or ()] or [message.result or message.subtype]
    status = message.api_error_status
    kind = message.subtype if message.subtype != "success" else "api_error"
    said = {"message": "; ".join(texts), **({"status": status} if status is not None else {})}
    return {"outcome": "failure", "error": said, "error_type": kind}


def _about(message: Any) -> _Said:
    names = ("num_turns", "duration_ms", "duration_api_ms", "stop_reason", "terminal_reason")
    said = {f"claude.{name}": getattr(message, name) for name in names}
    return {name: value for name, value in said.items() if value is not None}
