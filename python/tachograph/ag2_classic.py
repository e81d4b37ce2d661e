"""AG2 up to 0.14 and AutoGen 0.2: a conversable agent that is recorded.

    record(billing, log, mode="required")
    user.initiate_chat(billing, message="I was charged twice")

Its hooks for safeguards are not called in asynchronous chats, so the methods through which every
call goes are wrapped instead. What is seen, and what is not, stands in docs/python.md.
"""

import time
from collections.abc import Callable
from typing import Any

from tachograph import context as _context
from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._outcomes import failure, outcome_of
from tachograph._teller import Teller, arguments, milliseconds_since
from tachograph.types import EventType, Mode


def record(agent: Any, log: "Log | AsyncLog", *, mode: "Mode | None" = None) -> None:
    """Records what this agent does from now on: messages that it sends, calls of models and tools,
    code that it runs, people whom it asks. Once for each agent.

    With ``mode="required"`` nothing of it is done when that cannot be recorded before: the chat
    raises.
    """
    _Recorder(agent, Teller(log, mode)).install()


class _Recorder:
    def __init__(self, agent: Any, teller: Teller) -> None:
        self._agent = agent
        self._teller = teller
        #: What held when a reply was begun: some of it is made in a thread that does not know.
        self._outside: dict[str, Any] = {}

    def install(self) -> None:
        agent = self._agent
        agent.register_hook("process_message_before_send", self._sends)
        agent.register_hook("process_all_messages_before_reply", self._replies)
        wrapped: dict[str, tuple[Any, Any]] = {
            "execute_function": (_call, _call_ended),
            "a_execute_function": (_call, _call_ended),
            "_generate_oai_reply_from_client": (_request, _answered),
            "execute_code_blocks": (_code, _code_ended),
            "get_human_input": (_question, _human),
            "a_get_human_input": (_question, _human),
        }
        for name, (begin, end) in wrapped.items():
            method = getattr(agent, name, None)
            if method is not None:
                around = self._awaited if name.startswith("a_") else self._around
                setattr(agent, name, around(method, begin, end))
        for name in ("initiate_chat", "a_initiate_chat"):
            method = getattr(agent, name, None)
            if method is not None:
                in_trace = _awaited_in_trace if name.startswith("a_") else _in_trace
                setattr(agent, name, in_trace(method))
        executor = getattr(agent, "_code_executor", None)
        if executor is not None:
            agent._code_executor = _Executor(executor, self)

    def _sends(self, sender: Any, message: Any, recipient: Any, silent: bool) -> Any:
        event = {
            "event_type": "agent.message",
            "agent_name": self._agent.name,
            "action": f"send:{recipient.name}",
            "phase": "intent",
            "params": {"to": recipient.name},
            "input": message,
        }
        self._teller.tell(event, is_intent=True)
        return message

    def _replies(self, messages: Any) -> Any:
        self._outside = _context.current()
        return messages

    def _around(self, method: Any, begin: Any, end: Any) -> Callable[..., Any]:
        def act(*args: Any, **more: Any) -> Any:
            finish = self.begin(begin(args, more))
            try:
                result = method(*args, **more)
            except BaseException as error:
                finish(_failed(error))
                raise
            finish(end(result))
            return result

        return act

    def _awaited(self, method: Any, begin: Any, end: Any) -> Callable[..., Any]:
        async def act(*args: Any, **more: Any) -> Any:
            finish = self.begin(begin(args, more))
            try:
                result = await method(*args, **more)
            except BaseException as error:
                finish(_failed(error))
                raise
            finish(end(result))
            return result

        return act

    def begin(self, event: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
        """Records that an act begins; what comes back records how it ended. The chats of this
        framework are threads of their own, or small: the event loop waits for the disk."""
        event_type, action, tool = event.pop("end")
        outside = {} if "trace_id" in _context.current() else self._outside
        base = {**outside, "agent_name": self._agent.name}
        event_id = self._teller.tell({**base, "phase": "intent", **event}, is_intent=True)
        begun = time.perf_counter()

        def finish(said: dict[str, Any]) -> None:
            end = {"event_type": event_type, "action": action, "tool": tool, "phase": "result"}
            took = {"duration_ms": milliseconds_since(begun), "parent_event_id": event_id}
            self._teller.tell({**base, **end, **took, **said})

        return finish


class _Executor:
    """Around a code executor."""

    def __init__(self, inner: Any, recorder: _Recorder) -> None:
        self._inner = inner
        self._recorder = recorder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def execute_code_blocks(self, code_blocks: Any) -> Any:
        code = [{"language": one.language, "code": one.code} for one in code_blocks]
        kind = EventType.CODE_EXECUTION.value
        finish = self._recorder.begin(
            {
                "event_type": kind,
                "action": "code_execution",
                "params": {"code": code},
                "end": (kind, "code_execution", None),
            }
        )
        try:
            result = self._inner.execute_code_blocks(code_blocks)
        except BaseException as error:
            finish(_failed(error))
            raise
        outcome = "success" if result.exit_code == 0 else "failure"
        said = {"outcome": outcome, "result": result.output}
        finish({**said, "attributes": {"exit_code": result.exit_code}})
        return result


def _call(args: tuple[Any, ...], more: dict[str, Any]) -> dict[str, Any]:
    call = more.get("func_call") or args[0]
    call_id = more.get("call_id") or (args[1] if len(args) > 1 else None)
    name = str(call.get("name") or "")
    return {
        "event_type": EventType.TOOL_CALL.value,
        "action": f"tool_call:{name}",
        "tool": name,
        "params": arguments(call.get("arguments")),
        "attributes": {} if call_id is None else {"autogen.call_id": call_id},
        "end": (EventType.TOOL_RESULT.value, f"tool_result:{name}", name),
    }


def _call_ended(result: Any) -> dict[str, Any]:
    is_good, said = result
    content = said.get("content")
    if is_good:
        return {"outcome": "success", "result": content}
    return {"outcome": "failure", "error": {"message": str(content)}}


def _request(args: tuple[Any, ...], more: dict[str, Any]) -> dict[str, Any]:
    messages = more.get("messages") or (args[1] if len(args) > 1 else [])
    return {
        "event_type": "agent.llm_request",
        "action": "llm_request",
        "params": {"messages": len(messages)},
        "input": messages[-1].get("content") if messages else None,
        "end": (EventType.LLM_RESPONSE.value, "llm_response", None),
    }


def _answered(result: Any) -> dict[str, Any]:
    known = result if isinstance(result, dict) else {"content": result}
    said = {key: known[key] for key in ("content", "tool_calls", "function_call") if known.get(key)}
    return {"outcome": "success", "output": said}


def _code(args: tuple[Any, ...], more: dict[str, Any]) -> dict[str, Any]:
    """Code without an executor, as AutoGen 0.2 runs it."""
    blocks = more.get("code_blocks") or (args[0] if args else [])
    kind = EventType.CODE_EXECUTION.value
    return {
        "event_type": kind,
        "action": "code_execution",
        "params": {"code": [{"language": one[0], "code": one[1]} for one in blocks]},
        "end": (kind, "code_execution", None),
    }


def _code_ended(result: Any) -> dict[str, Any]:
    code, output = result[0], result[1]
    outcome = "success" if code == 0 else "failure"
    return {"outcome": outcome, "result": output, "attributes": {"exit_code": code}}


def _question(args: tuple[Any, ...], more: dict[str, Any]) -> dict[str, Any]:
    kind = EventType.HUMAN_INTERVENTION.value
    return {
        "event_type": kind,
        "action": "human_intervention:question",
        "input": more.get("prompt") or (args[0] if args else None),
        "end": (kind, "human_intervention:answer", None),
    }


def _human(result: Any) -> dict[str, Any]:
    return {"outcome": "success", "output": result, "source": "user"}


def _failed(error: BaseException) -> dict[str, Any]:
    return {"outcome": outcome_of(error), **failure(error)}


def _in_trace(method: Any) -> Callable[..., Any]:
    def act(*args: Any, **more: Any) -> Any:
        with _context.trace(_known()):
            return method(*args, **more)

    return act


def _awaited_in_trace(method: Any) -> Callable[..., Any]:
    async def act(*args: Any, **more: Any) -> Any:
        with _context.trace(_known()):
            return await method(*args, **more)

    return act


def _known() -> "str | None":
    """The trace that there is."""
    trace = _context.current().get("trace_id")
    return None if trace is None else str(trace)
