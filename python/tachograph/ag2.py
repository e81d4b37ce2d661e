"""AG2 1.x: a drop-in for its hub's audit log, and a recorder of what agents do.

    hub.replace_audit_log(tachograph.ag2.AuditLog(log))
    agent = Agent("Billing", config=config, middleware=[tachograph.ag2.recorder(log)])

What is seen, and what is not, stands in docs/python.md.
"""

import asyncio
import json
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

try:
    from ag2.network.hub import audit as _audit
except ImportError:  # ag2 up to 0.14 has the same module under this name
    from autogen.beta.network.hub import audit as _audit  # type: ignore[no-redef, import-not-found]

from tachograph import context as _context
from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._outcomes import failure, outcome_of
from tachograph._receipts import settled
from tachograph._teller import Teller, arguments, counts, milliseconds_since
from tachograph.answers import Events
from tachograph.types import EventType, Mode

logger = logging.getLogger("tachograph")

#: A record of AG2 as it was appended, redacted, among the attributes of its event.
_RECORD = "ag2.record"

TOKENS = {
    "input": "prompt_tokens",
    "output": "completion_tokens",
    "total": "total_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
    "reasoning": "thinking_tokens",
}

Subscriber = Callable[[dict[str, Any]], Awaitable[None]]


class AuditLog(_audit.AuditLog):
    """AG2's ``AuditLog``, whose records go into a log in place of ``/audit/audit.jsonl``.

    Which record each event of the hub becomes is AG2's own code, whatever its version. A hub
    swallows what its listeners raise, so nothing is blocked here, whatever the mode.
    """

    def __init__(
        self,
        log: "Log | AsyncLog",
        *,
        clock: "Callable[[], str] | None" = None,
        mode: "Mode | None" = None,
    ) -> None:
        # No store: everything that used one is here.
        super().__init__(None, clock=clock)  # type: ignore[arg-type]
        self._log = log.log if isinstance(log, AsyncLog) else log
        self._mode = mode
        self._readers: list[Subscriber] = []
        self._bytes = 0

    @property
    def bytes_written(self) -> int:
        """Bytes of the records that this object appended, as AG2 would have written them."""
        return self._bytes

    async def append(self, record: dict[str, Any]) -> None:
        """Appends one record, and tells the subscribers when it is in the log."""
        line = json.dumps(record, default=str, sort_keys=True)
        await settled(self._log.submit_ag2(strict(line), mode=self._mode))
        self._bytes += len(line.encode("utf-8")) + 1
        for reader in list(self._readers):
            try:
                await reader(record)
            except Exception:
                logger.exception(
                    "a subscriber of the audit log raised: kind=%s", record.get("kind")
                )

    async def read_all(self) -> list[dict[str, Any]]:
        """All records of hubs in the log, oldest first, redacted. A record that was erased is not
        among them."""

        def ask() -> Events:
            return self._log.events(type="hub.*", limit=None, newest_first=False)

        found = await asyncio.to_thread(ask)
        said = (event.get("content", {}).get("attributes", {}).get(_RECORD) for event in found)
        return [record for record in said if isinstance(record, dict)]

    def subscribe(self, callback: Subscriber) -> None:
        """Calls ``callback`` with every record that is appended from now on."""
        self._readers.append(callback)

    def unsubscribe(self, callback: Subscriber) -> None:
        """No longer."""
        if callback in self._readers:
            self._readers.remove(callback)


def strict(line: str) -> str:
    """A line without ``NaN`` and ``Infinity``, which AG2 writes and JSON does not have."""
    if "NaN" in line or "Infinity" in line:
        return json.dumps(json.loads(line, parse_constant=str))
    return line


def recorder(log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> Any:
    """A middleware for an agent: its turns, calls of models and tools, questions to people,
    handoffs.

    Put it first. With ``mode="required"`` no tool is run, and no model asked, when that cannot be
    recorded before.
    """
    from ag2.middleware import Middleware

    log = log.log if isinstance(log, AsyncLog) else log
    return Middleware(_recorder_class(), log=log, mode=mode or log.mode)


def _recorder_class() -> type:
    """Made when it is asked for: an ``ag2`` with the hub alone is enough for ``AuditLog``."""
    global _RECORDER
    if _RECORDER is None:
        from ag2.middleware import BaseMiddleware

        _RECORDER = type("Recorder", (_Recorder, BaseMiddleware), {})
    return _RECORDER


_RECORDER: "type | None" = None


class _Recorder:
    """The hooks of ``ag2.middleware.BaseMiddleware``; one instance for each turn."""

    def __init__(self, event: Any, context: Any, log: Log, mode: Mode) -> None:
        super().__init__(event, context)  # type: ignore[call-arg]
        self._teller = Teller(log, mode)

    async def on_turn(self, call_next: Any, event: Any, context: Any) -> Any:
        outside = _context.current()
        name = _agent_name(context)
        with _context.fields(**{} if "trace_id" in outside else _new_trace()):
            caller = outside.get("agent_name")
            if caller is not None and caller != name:
                await self._teller.atell(_handoff(caller, name))
            begun = await self._teller.atell(
                {
                    "event_type": EventType.INVOCATION.value,
                    "agent_name": name,
                    "action": "invocation",
                    "phase": "intent",
                    "source": caller or "user",
                    "input": _said(event),
                },
                is_intent=True,
            )
            with _context.agent(name), _context.parent(begun):
                return await self._around(
                    call_next(event, context),
                    {"event_type": EventType.INVOCATION.value, "action": "invocation"},
                    lambda response: {"output": _said(response)},
                )

    async def on_llm_call(self, call_next: Any, events: Sequence[Any], context: Any) -> Any:
        asked = await self._teller.atell(
            {
                "event_type": "agent.llm_request",
                "action": "llm_request",
                "phase": "intent",
                "params": {"messages": len(events)},
                "input": _said(events[-1]) if events else None,
            },
            is_intent=True,
        )
        with _context.parent(asked):
            return await self._around(
                call_next(events, context),
                {"event_type": EventType.LLM_RESPONSE.value, "action": "llm_response"},
                _response,
            )

    async def on_tool_execution(self, call_next: Any, event: Any, context: Any) -> Any:
        called = await self._teller.atell(
            {
                "event_type": EventType.TOOL_CALL.value,
                "action": f"tool_call:{event.name}",
                "tool": event.name,
                "phase": "intent",
                "params": arguments(event.arguments),
                "attributes": {"ag2.tool_call_id": event.id, "ag2.source": event.source},
            },
            is_intent=True,
        )
        with _context.parent(called):
            return await self._around(
                call_next(event, context),
                {
                    "event_type": EventType.TOOL_RESULT.value,
                    "action": f"tool_result:{event.name}",
                    "tool": event.name,
                },
                _tool_result,
            )

    async def on_human_input(self, call_next: Any, event: Any, context: Any) -> Any:
        asked = await self._teller.atell(
            {
                "event_type": EventType.HUMAN_INTERVENTION.value,
                "action": "human_intervention:question",
                "phase": "intent",
                "input": event.content,
            }
        )
        with _context.parent(asked):
            return await self._around(
                call_next(event, context),
                {
                    "event_type": EventType.HUMAN_INTERVENTION.value,
                    "action": "human_intervention:answer",
                    "source": "user",
                },
                lambda answer: {"output": answer.content},
            )

    async def _around(
        self, act: Awaitable[Any], event: dict[str, Any], said: Callable[[Any], dict[str, Any]]
    ) -> Any:
        """Records how an act ended, whatever way it did."""
        begun = time.perf_counter()
        end = {**event, "phase": "result"}
        try:
            result = await act
        except BaseException as error:
            end |= {"outcome": outcome_of(error), **failure(error)}
            end["duration_ms"] = milliseconds_since(begun)
            if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
                # Nothing may be awaited here: the task is to end.
                self._teller.submit(end)
            else:
                await self._teller.atell(end)
            raise
        end |= {"outcome": "success", "duration_ms": milliseconds_since(begun)}
        await self._teller.atell({**end, **said(result)})
        return result


def _agent_name(context: Any) -> str:
    from ag2.utils import AGENT_CONTEXT_DEPENDENCY_KEY

    agent = context.dependencies.get(AGENT_CONTEXT_DEPENDENCY_KEY)
    return str(getattr(agent, "name", None) or "agent")


def _new_trace() -> dict[str, str]:
    return {"trace_id": secrets.token_hex(16)}


def _handoff(caller: str, target: str) -> dict[str, Any]:
    return {
        "event_type": EventType.HANDOFF.value,
        "agent_name": caller,
        "action": f"handoff:{target}",
        "params": {"target": target},
    }


def _said(event: Any) -> Any:
    """The text of an event where it is one, otherwise all of it."""
    content = getattr(event, "content", None)
    if isinstance(content, str):
        return content
    parts = [getattr(part, "content", None) for part in getattr(event, "parts", None) or ()]
    texts = [part for part in parts if isinstance(part, str)]
    if texts and len(texts) == len(parts):
        return "\n".join(texts)
    return event


def _response(response: Any) -> dict[str, Any]:
    model = {"provider": response.provider, "responded": response.model}
    said: dict[str, Any] = {
        "output": {
            "content": response.content,
            "tool_calls": [
                {"id": call.id, "name": call.name, "arguments": call.arguments}
                for call in response.tool_calls.calls
            ],
            "finish_reason": response.finish_reason,
        },
        "model": {key: str(value) for key, value in model.items() if value},
        "tokens": counts(response.usage, TOKENS),
    }
    return {key: value for key, value in said.items() if value}


def _tool_result(result: Any) -> dict[str, Any]:
    error = getattr(result, "error", None)
    if isinstance(error, BaseException):
        return {"outcome": outcome_of(error), **failure(error)}
    answer = getattr(result, "result", None)
    if answer is None:
        # The tool is the client's: it runs elsewhere, and how it ends is not seen here.
        return {"outcome": "unknown"}
    return {"result": _said(answer)}
