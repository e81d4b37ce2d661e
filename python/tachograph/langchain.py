"""LangChain and LangGraph: a callback handler that records what a run does.

    graph.invoke(question, {"callbacks": [tachograph.langchain.Recorder(log)]})

What is seen, and what is not, stands in docs/python.md.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

try:  # a graph tells only handlers of this class that a person is asked
    from langgraph.callbacks import GraphCallbackHandler as _Handler
except ImportError:
    from langchain_core.callbacks import BaseCallbackHandler as _Handler

from tachograph import context as _context
from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._outcomes import failure, outcome_of
from tachograph._teller import Teller, counts, milliseconds_since
from tachograph.types import EventType, Mode

#: The tag of what LangGraph runs for itself.
_HIDDEN = "langsmith:hidden"

_TOKENS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "total": "total_tokens",
    "cache_read": "input_token_details.cache_read",
    "cache_write": "input_token_details.cache_creation",
    "reasoning": "output_token_details.reasoning",
}
#: The same as models say it that leave LangChain's own fields empty.
_TOKENS_OF_OUTPUT = {
    "input": "token_usage.prompt_tokens",
    "output": "token_usage.completion_tokens",
    "total": "token_usage.total_tokens",
}


@dataclass
class _Run:
    """A run of LangChain's that has begun."""

    #: What every event of it says.
    base: dict[str, Any]
    #: What its result says besides.
    end: dict[str, Any]
    #: The topmost run.
    root: UUID
    #: The event that what happens inside belongs under.
    event_id: "str | None"
    #: Nothing is told of how it ends: nothing was told of its beginning.
    is_hidden: bool = False
    begun: float = field(default_factory=time.perf_counter)


class Recorder(_Handler):
    """One for each log; any number of runs at once may use it.

    ``agents`` are names of chains or graph nodes that are agents of their own; what they do is
    recorded under their name, and what happens in no agent under the name of the whole run.
    ``whole_prompts`` records every message that a model is asked, instead of the last.

    With ``mode="required"`` nothing is run, called or asked when that cannot be recorded before:
    the error reaches who called, through LangChain's ``raise_error``.
    """

    def __init__(
        self,
        log: "Log | AsyncLog",
        *,
        agents: Collection[str] = (),
        whole_prompts: bool = False,
        mode: "Mode | None" = None,
    ) -> None:
        super().__init__()
        self._teller = Teller(log, mode)
        self._agents = frozenset(agents)
        self._whole_prompts = whole_prompts
        self._runs: dict[UUID, _Run] = {}
        self.raise_error = self._teller.mode == "required"
        # What waits for the disk waits in a thread, and not in the event loop.
        self.run_inline = self._teller.mode == "buffered"

    # Chains, graphs and their nodes.

    def on_chain_start(
        self,
        serialized: Any,
        inputs: Any,
        *,
        run_id: UUID,
        parent_run_id: "UUID | None" = None,
        tags: "list[str] | None" = None,
        metadata: "dict[str, Any] | None" = None,
        **kwargs: Any,
    ) -> None:
        name = _name(serialized, kwargs)
        base, root, parent = self._under(run_id, parent_run_id, metadata, name)
        if parent is not None and _HIDDEN in (tags or ()):
            self._runs[run_id] = _Run(base, {}, root, parent.event_id, is_hidden=True)
            return
        agent = self._agent(name, metadata)
        # A node and the graph that it is have one name: that is one turn.
        is_turn = parent is None or agent not in (None, base["agent_name"])
        if agent is not None:
            base = {**base, "agent_name": agent}
        kind = EventType.INVOCATION.value if is_turn else "agent.step"
        act = "invocation" if is_turn else f"step:{name}"
        begun = {"input": inputs, "source": "user"} if parent is None else {}
        self._begin(
            run_id,
            base,
            root,
            parent,
            {"event_type": kind, "action": act, "attributes": _where(metadata, name), **begun},
            {"event_type": kind, "action": act},
        )

    def on_chain_end(self, outputs: Any, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, {"outcome": "success", "output": outputs})

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, _failed(error))

    # Models.

    def on_chat_model_start(
        self,
        serialized: Any,
        messages: list[list[Any]],
        *,
        run_id: UUID,
        parent_run_id: "UUID | None" = None,
        metadata: "dict[str, Any] | None" = None,
        **kwargs: Any,
    ) -> None:
        asked = [message for batch in messages for message in batch]
        said = asked if self._whole_prompts else _content(asked[-1]) if asked else None
        self._asks(serialized, said, len(asked), run_id, parent_run_id, metadata, kwargs)

    def on_llm_start(
        self,
        serialized: Any,
        prompts: list[str],
        *,
        run_id: UUID,
        parent_run_id: "UUID | None" = None,
        metadata: "dict[str, Any] | None" = None,
        **kwargs: Any,
    ) -> None:
        self._asks(serialized, prompts, len(prompts), run_id, parent_run_id, metadata, kwargs)

    def _asks(
        self,
        serialized: Any,
        said: Any,
        number: int,
        run_id: UUID,
        parent_run_id: "UUID | None",
        metadata: "dict[str, Any] | None",
        kwargs: dict[str, Any],
    ) -> None:
        name = _name(serialized, kwargs)
        base, root, parent = self._under(run_id, parent_run_id, metadata, name)
        known = metadata or {}
        model = {"provider": known.get("ls_provider"), "requested": known.get("ls_model_name")}
        told: dict[str, Any] = {key: str(value) for key, value in model.items() if value}
        params = _settings(kwargs.get("invocation_params"))
        self._begin(
            run_id,
            base,
            root,
            parent,
            {
                "event_type": "agent.llm_request",
                "action": "llm_request",
                "params": {"messages": number, **params},
                "input": said,
                "model": told or None,
                "attributes": _where(metadata, name),
            },
            {
                "event_type": EventType.LLM_RESPONSE.value,
                "action": "llm_response",
                "model": told or None,
            },
        )

    def on_llm_end(self, response: Any, *, run_id: UUID, **_: Any) -> None:
        said = _answer(response)
        run = self._runs.get(run_id)
        asked = run.end.get("model") if run is not None else None
        said["model"] = {**(asked or {}), **said["model"]} or None
        self._end(run_id, {"outcome": "success", **said})

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, _failed(error))

    # Tools.

    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        parent_run_id: "UUID | None" = None,
        metadata: "dict[str, Any] | None" = None,
        inputs: "dict[str, Any] | None" = None,
        **kwargs: Any,
    ) -> None:
        name = (serialized or {}).get("name") or _name(serialized, kwargs)
        base, root, parent = self._under(run_id, parent_run_id, metadata, name)
        where = {**_where(metadata, name), "tool_call_id": kwargs.get("tool_call_id")}
        self._begin(
            run_id,
            base,
            root,
            parent,
            {
                "event_type": EventType.TOOL_CALL.value,
                "action": f"tool_call:{name}",
                "tool": name,
                "params": input_str if inputs is None else inputs,
                "attributes": {key: value for key, value in where.items() if value is not None},
            },
            {
                "event_type": EventType.TOOL_RESULT.value,
                "action": f"tool_result:{name}",
                "tool": name,
            },
        )

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        run = self._runs.get(run_id)
        status = getattr(output, "status", None)
        said: dict[str, Any] = {"outcome": "failure" if status == "error" else "success"}
        self._end(run_id, {**said, "result": _content(output)})
        for target in _targets(output):
            told = run.base if run is not None else {}
            self._teller.tell(
                {
                    **told,
                    "event_type": EventType.HANDOFF.value,
                    "action": f"handoff:{target}",
                    "params": {"target": target},
                    "parent_event_id": run.event_id if run is not None else None,
                }
            )

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, _failed(error))

    # Retrievers.

    def on_retriever_start(
        self,
        serialized: Any,
        query: str,
        *,
        run_id: UUID,
        parent_run_id: "UUID | None" = None,
        metadata: "dict[str, Any] | None" = None,
        **kwargs: Any,
    ) -> None:
        name = _name(serialized, kwargs)
        base, root, parent = self._under(run_id, parent_run_id, metadata, name)
        kind = {"event_type": EventType.RETRIEVAL.value, "action": "retrieval"}
        where = _where(metadata, name)
        begin = {**kind, "params": {"query": query}, "attributes": where}
        self._begin(run_id, base, root, parent, begin, kind)

    def on_retriever_end(self, documents: Sequence[Any], *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, {"outcome": "success", "context": list(documents)})

    def on_retriever_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, _failed(error))

    # What happens beside these.

    def on_custom_event(self, name: str, data: Any, *, run_id: UUID, **_: Any) -> None:
        """What a program dispatches itself."""
        self._beside(run_id, {"event_type": "agent.custom", "action": name, "params": data})

    def on_retry(self, retry_state: Any, *, run_id: UUID, **_: Any) -> None:
        attempt = {"attempt": getattr(retry_state, "attempt_number", None)}
        self._beside(run_id, {"event_type": "agent.retry", "action": "retry", "params": attempt})

    def on_interrupt(self, event: Any) -> None:
        """A graph stopped to ask a person."""
        asked = [getattr(interrupt, "value", interrupt) for interrupt in event.interrupts]
        self._of_graph("question", event, {"input": asked})

    def on_resume(self, event: Any) -> None:
        """A graph goes on; the answer is the input of its run."""
        self._of_graph("answer", event, {"source": "user"})

    def _of_graph(self, act: str, event: Any, more: dict[str, Any]) -> None:
        point = {
            "status": event.status,
            "checkpoint_id": event.checkpoint_id,
            "checkpoint_ns": list(event.checkpoint_ns),
        }
        kind = EventType.HUMAN_INTERVENTION.value
        said = {"event_type": kind, "action": f"human_intervention:{act}", "params": point}
        self._beside(event.run_id, {**said, **more})

    def _beside(self, run_id: "UUID | None", event: dict[str, Any]) -> None:
        run = self._runs.get(run_id) if run_id is not None else None
        if run is not None:
            event = {**run.base, "parent_event_id": run.event_id, **event}
        self._teller.tell({"phase": "observation", **event})

    # Runs.

    def _under(
        self,
        run_id: UUID,
        parent_run_id: "UUID | None",
        metadata: "dict[str, Any] | None",
        name: str,
    ) -> "tuple[dict[str, Any], UUID, _Run | None]":
        """What events of a run say, its root, and the run that it is in."""
        parent = self._runs.get(parent_run_id) if parent_run_id is not None else None
        if parent is not None:
            return parent.base, parent.root, parent
        outside, known = _context.current(), metadata or {}
        agent = self._agent(name, metadata)
        base: dict[str, Any] = {"agent_name": agent or outside.get("agent_name") or name}
        if "trace_id" not in outside:
            base["trace_id"] = str(run_id)
        thread = known.get("thread_id") or known.get("session_id")
        if "session_id" not in outside and thread is not None:
            base["session_id"] = str(thread)
        return base, run_id, None

    def _agent(self, name: str, metadata: "dict[str, Any] | None") -> "str | None":
        """The agent that a run of this name is."""
        if name in self._agents:
            return name
        named = (metadata or {}).get("lc_agent_name")
        return named if isinstance(named, str) and named == name else None

    def _begin(
        self,
        run_id: UUID,
        base: dict[str, Any],
        root: UUID,
        parent: "_Run | None",
        event: dict[str, Any],
        end: dict[str, Any],
    ) -> None:
        said = {**base, "phase": "intent", **event}
        if parent is not None:
            said["parent_event_id"] = parent.event_id
        event_id = self._teller.tell(said, is_intent=True)
        self._runs[run_id] = _Run(base, end, root, event_id)

    def _end(self, run_id: UUID, said: dict[str, Any]) -> None:
        run = self._runs.pop(run_id, None)
        if run is None:
            return
        if run.root == run_id:
            # A tool whose task was cancelled tells nobody, and may be at work yet.
            for left in [key for key, one in list(self._runs.items()) if one.root == run_id]:
                self._tell_end(self._runs.pop(left), {"outcome": "unknown"})
        self._tell_end(run, said)

    def _tell_end(self, run: _Run, said: dict[str, Any]) -> None:
        if run.is_hidden:
            return
        took = milliseconds_since(run.begun)
        end = {**run.base, **run.end, "phase": "result", "duration_ms": took, **said}
        if run.event_id is not None:
            end["parent_event_id"] = run.event_id
        self._teller.tell(end)


def _name(serialized: Any, kwargs: Mapping[str, Any]) -> str:
    known = serialized if isinstance(serialized, Mapping) else {}
    path = known.get("id")
    last = path[-1] if isinstance(path, list) and path else None
    return str(kwargs.get("name") or known.get("name") or last or "run")


def _where(metadata: "dict[str, Any] | None", name: str) -> dict[str, Any]:
    known = metadata or {}
    names = ("langgraph_node", "langgraph_step", "langgraph_checkpoint_ns")
    found = {key: known[key] for key in names if known.get(key) is not None}
    return {"langchain.name": name, **found}


def _settings(params: Any) -> dict[str, Any]:
    """What a model was asked with, without what may be a credential: an open set of keys."""
    known = params if isinstance(params, Mapping) else {}
    names = ("temperature", "max_tokens", "max_completion_tokens", "top_p", "seed", "stop")
    said = {key: known[key] for key in names if known.get(key) is not None}
    if isinstance(tools := known.get("tools"), list):
        said["tools"] = [_tool_name(tool) for tool in tools]
    return said


def _tool_name(tool: Any) -> Any:
    known = tool if isinstance(tool, Mapping) else {}
    inner = known.get("function")
    return inner.get("name") if isinstance(inner, Mapping) else known.get("name")


def _content(message: Any) -> Any:
    """The content of a message; anything else as it is."""
    content = getattr(message, "content", None)
    return message if content is None else content


def _answer(response: Any) -> dict[str, Any]:
    first = next((one for batch in response.generations for one in batch), None)
    message = getattr(first, "message", None)
    about = getattr(message, "response_metadata", None) or {}
    output = getattr(response, "llm_output", None) or {}
    told: dict[str, Any] = {
        "content": getattr(first, "text", None) if message is None else message.content,
        "tool_calls": getattr(message, "tool_calls", None),
        "invalid_tool_calls": getattr(message, "invalid_tool_calls", None),
        "finish_reason": about.get("finish_reason") or about.get("stop_reason"),
    }
    said: dict[str, Any] = {"output": {key: value for key, value in told.items() if value}}
    usage = getattr(message, "usage_metadata", None)
    said["tokens"] = counts(usage, _TOKENS) or counts(output, _TOKENS_OF_OUTPUT) or None
    name = about.get("model_name") or about.get("model") or output.get("model_name")
    said["model"] = {"responded": str(name)} if name else {}
    return said


def _failed(error: BaseException) -> dict[str, Any]:
    """How a run ended that raised. A graph raises to ask a person, and to go elsewhere."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "GraphBubbleUp" in names:
        return {"outcome": "escalated" if "GraphInterrupt" in names else "success"}
    return {"outcome": outcome_of(error), **failure(error)}


def _targets(output: Any) -> Iterator[str]:
    """Where a tool's answer sends the graph: another agent."""
    goto = getattr(output, "goto", None)
    if goto is None:
        return
    several = goto if isinstance(goto, (list, tuple)) else [goto]
    for one in several:
        name = getattr(one, "node", one)
        if isinstance(name, str) and name:
            yield name
