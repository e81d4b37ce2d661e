"""``Log`` and ``AsyncLog``: what can be recorded, and what can be asked."""

import asyncio
import atexit
import json
import logging
import os
import time
import traceback
import uuid
import weakref
from collections.abc import Awaitable, Iterable, Mapping
from types import TracebackType
from typing import Any, Generic, TypeVar

from tachograph import _keys, _native, context
from tachograph._native import Receipt
from tachograph.answers import Events, Verification
from tachograph.errors import NotRecorded
from tachograph.types import EventType, Mode

logger = logging.getLogger("tachograph")

Recorded = TypeVar("Recorded")
Fields = Mapping[str, Any]
Names = str | Iterable[str] | None

#: Logs that are open in this process, to be closed at its end.
_OPEN: "weakref.WeakSet[Log]" = weakref.WeakSet()


class Methods(Generic[Recorded]):
    """One method for each kind of act. Further keyword arguments are fields of the event
    (docs/python.md, "Fields"); ``mode`` is that of this one event."""

    def record(
        self,
        event: "Fields | object | None" = None,
        /,
        *,
        mode: "Mode | None" = None,
        **fields: Any,
    ) -> Recorded:
        raise NotImplementedError

    def _act(self, type_: EventType, said: dict[str, Any], more: dict[str, Any]) -> Recorded:
        mode = more.pop("mode", None)
        return self.record({"event_type": type_.value, **said}, mode=mode, **more)

    def log_invocation(
        self,
        agent_name: str,
        task: Any,
        session_id: "str | None" = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """An agent is given a task. Without a trace, here and around it, a new one begins."""
        if trace_id is None and "trace_id" not in context.current():
            trace_id = str(uuid.uuid4())
        said = {
            "agent_name": agent_name,
            "action": "invocation",
            "params": {"task": task},
            "session_id": session_id,
            "trace_id": trace_id,
            "source": "user",
        }
        return self._act(EventType.INVOCATION, said, more)

    def log_reasoning(
        self, agent_name: str, reasoning: Any, trace_id: "str | None" = None, **more: Any
    ) -> Recorded:
        """Why, in the agent's own words."""
        said = {
            "agent_name": agent_name,
            "action": "reasoning",
            "reasoning": reasoning,
            "trace_id": trace_id,
        }
        return self._act(EventType.REASONING, said, more)

    def log_tool_call(
        self,
        agent_name: str,
        tool_name: str,
        params: Any = None,
        trace_id: "str | None" = None,
        parent_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """A tool is called. ``intent`` records this before, and the result after."""
        said = {
            "agent_name": agent_name,
            "action": f"tool_call:{tool_name}",
            "tool": tool_name,
            "params": params,
            "trace_id": trace_id,
            "parent_event_id": parent_id,
        }
        return self._act(EventType.TOOL_CALL, said, more)

    def log_tool_result(
        self,
        agent_name: str,
        tool_name: str,
        result: Any = None,
        trace_id: "str | None" = None,
        parent_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """A tool answered; ``parent_id`` is the event of its call."""
        said = {
            "agent_name": agent_name,
            "action": f"tool_result:{tool_name}",
            "tool": tool_name,
            "phase": "result",
            "outcome": "failure" if more.get("error") else "success",
            "result": result,
            "trace_id": trace_id,
            "parent_event_id": parent_id,
        }
        return self._act(EventType.TOOL_RESULT, said, more)

    def log_decision(
        self,
        agent_name: str,
        decision: str,
        reasoning: Any = None,
        confidence: "float | None" = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """A branch was taken: which, why, and how sure the agent was (0 to 1)."""
        said = {
            "agent_name": agent_name,
            "action": f"decision:{decision}",
            "reasoning": reasoning,
            "confidence": confidence,
            "trace_id": trace_id,
        }
        return self._act(EventType.DECISION, said, more)

    def log_llm_response(
        self,
        agent_name: str,
        response: Any,
        model: Any = None,
        tokens: "Mapping[str, int] | None" = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """A model answered. ``tokens`` has ``input``, ``output``, ``cache_read``, ``cache_write``,
        ``reasoning``, ``total``."""
        said = {
            "agent_name": agent_name,
            "action": "llm_response",
            "output": response,
            "model": model,
            "tokens": tokens,
            "trace_id": trace_id,
        }
        return self._act(EventType.LLM_RESPONSE, said, more)

    def log_error(
        self,
        agent_name: str,
        error: "BaseException | str",
        context: Any = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """Something went wrong: an exception with its stack, or a sentence."""
        said = {
            "agent_name": agent_name,
            "action": "error",
            "outcome": "failure",
            "params": context,
            "trace_id": trace_id,
            **failure(error),
        }
        return self._act(EventType.ERROR, said, more)

    def log_handoff(
        self,
        agent_name: str,
        target: str,
        summary: Any = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """An agent hands the task to another one."""
        params = {"target": target} if summary is None else {"target": target, "summary": summary}
        said = {
            "agent_name": agent_name,
            "action": f"handoff:{target}",
            "params": params,
            "trace_id": trace_id,
        }
        return self._act(EventType.HANDOFF, said, more)

    def log_human_intervention(
        self,
        agent_name: str,
        kind: str,
        approver: "str | None" = None,
        reason: Any = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """A person stepped in: ``kind`` is ``override``, ``confirmation``, ``escalation``, ..."""
        said = {
            "agent_name": agent_name,
            "action": f"human_intervention:{kind}",
            "approver": approver,
            "reasoning": reason,
            "trace_id": trace_id,
        }
        return self._act(EventType.HUMAN_INTERVENTION, said, more)

    def log_token_usage(
        self,
        agent_name: str,
        input_tokens: int,
        output_tokens: int,
        model: Any = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """Tokens that were used, where no answer of a model says so."""
        said = {
            "agent_name": agent_name,
            "action": "token_usage",
            "tokens": {
                "input": input_tokens,
                "output": output_tokens,
                "total": input_tokens + output_tokens,
            },
            "model": model,
            "trace_id": trace_id,
        }
        return self._act(EventType.TOKEN_USAGE, said, more)

    def log_code_execution(
        self,
        agent_name: str,
        code: str,
        result: Any = None,
        exit_code: "int | None" = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """Code was run. Without an exit code nobody knows how it ended."""
        outcome = None if exit_code is None else ("success" if exit_code == 0 else "failure")
        said = {
            "agent_name": agent_name,
            "action": "code_execution",
            "params": {"code": code}
            if exit_code is None
            else {"code": code, "exit_code": exit_code},
            "result": result,
            "outcome": outcome,
            "trace_id": trace_id,
        }
        return self._act(EventType.CODE_EXECUTION, said, more)

    def log_retrieval(
        self,
        agent_name: str,
        query: Any,
        documents: Any = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """Documents were fetched into the agent's context."""
        said = {
            "agent_name": agent_name,
            "action": "retrieval",
            "params": {"query": query},
            "context": documents,
            "trace_id": trace_id,
        }
        return self._act(EventType.RETRIEVAL, said, more)

    def log_user_feedback(
        self,
        agent_name: str,
        rating: Any = None,
        correction: Any = None,
        follow_up: Any = None,
        trace_id: "str | None" = None,
        **more: Any,
    ) -> Recorded:
        """What a user said of it."""
        params = {"rating": rating, "correction": correction, "follow_up": follow_up}
        said = {
            "agent_name": agent_name,
            "action": "user_feedback",
            "params": {key: value for key, value in params.items() if value is not None},
            "trace_id": trace_id,
            "source": "user",
        }
        return self._act(EventType.USER_FEEDBACK, said, more)


class Log(Methods[Receipt], _native.Log):
    """A log open in this process, which no other process may write meanwhile. Threads may share
    it."""

    record = _native.Log.record

    @classmethod
    def open(
        cls,
        data: "str | os.PathLike[str]" = "tachograph-data",
        *,
        log: str = "main",
        mode: Mode = "durable",
        kek_file: "str | os.PathLike[str] | None" = None,
        create: bool = True,
    ) -> "Log":
        """Opens the log called ``log`` in the data folder ``data``; makes it when it is not there.

        ``mode`` is that of every event that names none: ``buffered``, ``durable`` or ``required``.
        The key-encryption key is looked for where ``tacho`` looks for it: ``kek_file``, the
        environment (``TACHO_KEK_FILE``, ``TACHO_KEK_COMMAND``, ``TACHO_KEK``,
        ``TACHO_KEK_PASSPHRASE``), the user's configuration folder. For a new log a file that is not
        there is made: back it up, without it nobody can read the log.

        Raises ``OpenFailed``: ``LogLocked``, ``LogNotFound``, ``LogUnusable``, ``KeyUnavailable``.
        """
        opened = cls(
            data=os.fspath(data),
            name=log,
            key=_keys.place(kek_file),
            create=create,
            mode=mode,
            context=context._FIELDS,
        )
        if opened.is_new:
            _keys.remember(opened.log_id, opened.origin, opened.vkeys)
        _OPEN.add(opened)
        return opened

    async def arecord(
        self,
        event: "Fields | object | None" = None,
        /,
        *,
        mode: "Mode | None" = None,
        **fields: Any,
    ) -> Receipt:
        """``record``, without holding the event loop while the disk writes."""
        return await settled(self.submit(event, mode=mode, **fields))

    def intent(
        self, tool: str, params: Any = None, *, mode: "Mode | None" = None, **fields: Any
    ) -> "Intent":
        """Around a side effect: recorded before as what is about to be done, and after with how it
        ended. With ``mode="required"`` it is not done when it cannot be recorded."""
        return Intent(self, tool, params, mode, fields)

    def events(
        self,
        *,
        agent: Names = None,
        type: Names = None,
        session: Names = None,
        trace: Names = None,
        task: Names = None,
        tool: Names = None,
        principal: Names = None,
        outcome: Names = None,
        error_type: Names = None,
        tier: Names = None,
        event: Names = None,
        since: "str | None" = None,
        until: "str | None" = None,
        text: "str | None" = None,
        limit: "int | None" = 50,
        newest_first: bool = True,
        cursor: "str | None" = None,
    ) -> Events:
        """Events that match: of several names all must, of one with several values any. Everything
        recorded before is in the answer. The arguments are those of ``tacho events``."""
        wanted = {
            "agent": agent, "type": type, "session": session, "trace": trace, "task": task,
            "tool": tool, "principal": principal, "outcome": outcome, "error_type": error_type,
            "tier": tier, "event": event,
        }  # fmt: skip
        question: dict[str, Any] = {name: _list(value) for name, value in wanted.items()}
        question |= {"since": since, "until": until, "text": text, "limit": limit}
        question |= {"newest_first": newest_first, "cursor": cursor}
        return Events(*self._events(json.dumps(question)))

    def trace(self, id: str) -> "dict[str, Any] | None":
        """A trace, task or session: ``events`` in causal order, ``nodes`` and ``edges``,
        ``totals``, ``findings``; ``None`` when no event belongs to it."""
        answer = self._trace(id)
        return None if answer is None else json.loads(answer)

    def verify(
        self, *, key: Names = None, since: "str | Iterable[Receipt] | None" = None
    ) -> Verification:
        """Checks every byte of the log. ``key`` is what its operator published; the signer of a log
        that this user made is known without. ``since`` are receipts, or a checkpoint, kept from
        earlier: the log must continue them."""
        origin, keys = _signer(self.log_id, key)
        return Verification(json.loads(self._verify(keys, origin, _kept(since))))

    def proof(self, index: int) -> str:
        """The C2SP tlog-proof of the record at ``index``, under the newest checkpoint."""
        return self._proof(index)

    def close(self) -> None:
        """Seals what waits, says in the log that it stops, and lets others write."""
        _OPEN.discard(self)
        super().close()

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncLog(Methods[Awaitable[Receipt]]):
    """The same for ``async`` code: ``await log.log_tool_call(...)``. Events are numbered in the
    order of the calls, whatever is awaited first."""

    def __init__(self, log: Log) -> None:
        #: The log itself.
        self.log = log

    @classmethod
    async def open(
        cls, data: "str | os.PathLike[str]" = "tachograph-data", **options: Any
    ) -> "AsyncLog":
        """As ``Log.open``."""
        return cls(await asyncio.to_thread(Log.open, data, **options))

    def record(
        self,
        event: "Fields | object | None" = None,
        /,
        *,
        mode: "Mode | None" = None,
        **fields: Any,
    ) -> Awaitable[Receipt]:
        """Records an event; await it to know that it is on disk."""
        return settled(self.log.submit(event, mode=mode, **fields))

    def intent(
        self, tool: str, params: Any = None, *, mode: "Mode | None" = None, **fields: Any
    ) -> "Intent":
        """As ``Log.intent``; use ``async with``."""
        return self.log.intent(tool, params, mode=mode, **fields)

    async def events(self, **question: Any) -> Events:
        """As ``Log.events``."""
        return await asyncio.to_thread(self.log.events, **question)

    async def trace(self, id: str) -> "dict[str, Any] | None":
        """As ``Log.trace``."""
        return await asyncio.to_thread(self.log.trace, id)

    async def verify(self, **options: Any) -> Verification:
        """As ``Log.verify``."""
        return await asyncio.to_thread(lambda: self.log.verify(**options))

    async def flush(self) -> None:
        """As ``Log.flush``."""
        await asyncio.to_thread(self.log.flush)

    async def close(self) -> None:
        """As ``Log.close``."""
        await asyncio.to_thread(self.log.close)

    async def __aenter__(self) -> "AsyncLog":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Intent:
    """A side effect between two events: what is about to be done, and how it ended.

    A process that dies in between leaves the first one alone: whoever reads the trace sees a call
    whose outcome is unknown, and never one that did not happen.
    """

    def __init__(
        self, log: Log, tool: str, params: Any, mode: "Mode | None", fields: dict[str, Any]
    ) -> None:
        self._log = log
        self._tool = tool
        self._params = params
        self._mode = mode or log.mode
        self._fields = fields
        self._result: Any = None
        self._is_told = False
        self._begun = 0.0
        #: The id of the first event, when it was recorded.
        self.event_id: str | None = None

    def _before(self) -> dict[str, Any]:
        return {
            "event_type": EventType.TOOL_CALL.value,
            "action": f"tool_call:{self._tool}",
            "tool": self._tool,
            "phase": "intent",
            "params": self._params,
            **self._fields,
        }

    def _after(self, outcome: str, error: "BaseException | str | None") -> dict[str, Any]:
        kept = ("agent_name", "agent_id", "trace_id", "session_id", "task_id", "on_behalf_of")
        return {
            "event_type": EventType.TOOL_RESULT.value,
            "action": f"tool_result:{self._tool}",
            "tool": self._tool,
            "phase": "result",
            "outcome": outcome,
            "result": self._result,
            "parent_event_id": self.event_id,
            "duration_ms": round((time.perf_counter() - self._begun) * 1000, 3),
            **{name: self._fields[name] for name in kept if name in self._fields},
            **(failure(error) if error is not None else {}),
        }

    def _not_begun(self, error: NotRecorded) -> None:
        if self._mode == "required":
            raise error
        logger.warning("%s goes on unrecorded: %s", self._tool, error)

    def _not_ended(self, error: NotRecorded, during: "BaseException | None") -> None:
        if self._mode == "required" and during is None:
            raise error
        logger.warning("how %s ended is not recorded: %s", self._tool, error)

    def begin(self) -> "Intent":
        """Records that it is about to be done; ``with`` calls this."""
        try:
            self.event_id = self._log.record(self._before(), mode=self._mode).event_id
        except NotRecorded as error:
            self._not_begun(error)
        self._begun = time.perf_counter()
        return self

    def result(self, value: Any) -> None:
        """What came back; recorded at the end."""
        self._result = value

    def outcome(
        self, outcome: str, result: Any = None, error: "BaseException | str | None" = None
    ) -> None:
        """Records how it ended: ``success``, ``failure``, ``timeout``, ``denied``, ``escalated``,
        ``cancelled`` or ``unknown``. The end of a ``with`` calls this when nobody did."""
        during = error if isinstance(error, BaseException) else None
        self._is_told = True
        if result is not None:
            self._result = result
        try:
            self._log.record(self._after(outcome, error), mode=self._mode)
        except NotRecorded as refused:
            self._not_ended(refused, during)

    def __enter__(self) -> "Intent":
        return self.begin()

    def __exit__(
        self,
        _: "type[BaseException] | None",
        error: "BaseException | None",
        __: "TracebackType | None",
    ) -> None:
        if not self._is_told:
            self.outcome(outcome_of(error), error=error)

    async def __aenter__(self) -> "Intent":
        try:
            receipt = await self._log.arecord(self._before(), mode=self._mode)
            self.event_id = receipt.event_id
        except NotRecorded as error:
            self._not_begun(error)
        self._begun = time.perf_counter()
        return self

    async def __aexit__(
        self,
        _: "type[BaseException] | None",
        error: "BaseException | None",
        __: "TracebackType | None",
    ) -> None:
        if self._is_told:
            return
        self._is_told = True
        try:
            await self._log.arecord(self._after(outcome_of(error), error), mode=self._mode)
        except NotRecorded as refused:
            self._not_ended(refused, error)


def outcome_of(error: "BaseException | None") -> str:
    """How an act ended that raised this, or nothing."""
    if error is None:
        return "success"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit)):
        return "cancelled"
    return "failure"


def failure(error: "BaseException | str") -> dict[str, Any]:
    """An error as fields of an event."""
    if isinstance(error, str):
        return {"error": {"message": error}}
    said: dict[str, Any] = {"message": str(error)}
    if error.__traceback__ is not None:
        said["stack"] = "".join(traceback.format_exception(error))
    return {"error": said, "error_type": type(error).__name__}


def verify(
    data: "str | os.PathLike[str]" = "tachograph-data",
    *,
    log: str = "main",
    kek_file: "str | os.PathLike[str] | None" = None,
    key: Names = None,
    since: "str | Iterable[Receipt] | None" = None,
) -> Verification:
    """``Log.verify`` of a log that this process has not open: another one may be writing to it, or
    it may be too damaged for that."""
    origin, keys = _signer(_native.log_id(os.fspath(data), log), key)
    place = _keys.place(kek_file)
    return Verification(
        json.loads(_native.verify(os.fspath(data), log, place, keys, origin, _kept(since)))
    )


def _signer(log_id: str, key: Names) -> "tuple[str | None, list[str]]":
    return _keys.known(log_id) if key is None else (None, _list(key))


def _kept(since: "str | Iterable[Receipt] | None") -> "str | None":
    if since is None or isinstance(since, str):
        return since
    return "\n".join(json.dumps(receipt.as_dict()) for receipt in since)


async def settled(receipt: Receipt) -> Receipt:
    """Waits for a receipt without holding the event loop."""
    if receipt.is_awaited:
        await asyncio.get_running_loop().run_in_executor(None, receipt.wait)
    return receipt


def _list(names: "str | Iterable[str] | None") -> list[str]:
    if names is None:
        return []
    return [str(names)] if isinstance(names, str) else [str(name) for name in names]


@atexit.register
def _close_all() -> None:
    for log in list(_OPEN):
        try:
            log.close()
        except Exception:  # the last chance: whatever it is, the others must be closed too
            logger.exception("a log could not be closed: %s", log.path)
