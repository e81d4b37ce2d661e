"""What can be recorded: one method for each kind of act."""

import uuid
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from tachograph import context
from tachograph._outcomes import failure
from tachograph.types import EventType, Mode

Recorded = TypeVar("Recorded")
Fields = Mapping[str, Any]


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
