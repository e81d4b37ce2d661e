"""The handler of the forensic logging recipe for AutoGen, with a log in place of its file.

The recipe passes handlers as ``callbacks=[...]``, which AutoGen's agents never had: call the
methods where the acts are, or use an adapter of the framework.
"""

from typing import Any

from tachograph._log import Log
from tachograph._native import Receipt
from tachograph.types import Mode


class ForensicCallbackHandler:
    """One for each agent, as in the recipe; all may share a log."""

    def __init__(self, agent_name: str, log: Log, *, mode: "Mode | None" = None) -> None:
        self.agent_name = agent_name
        self.log = log
        self.mode = mode

    def log_event(self, event_type: str, data: "dict[str, Any]") -> Receipt:
        """Any event: ``agent.<event_type>``."""
        return self._record(f"agent.{event_type}", event_type, params=data)

    def on_chat_init(self, message: Any = None, **data: Any) -> Receipt:
        """A conversation begins."""
        return self._record("agent.invocation", "chat_init", input=message, params=data or None)

    def on_chain_start(self, serialized: "dict[str, Any]", inputs: "dict[str, Any]") -> Receipt:
        """Work begins on these inputs."""
        return self._record(
            "agent.invocation",
            "chain_start",
            phase="intent",
            input=inputs,
            params=serialized or None,
        )

    def on_chain_end(self, outputs: "dict[str, Any]") -> Receipt:
        """Work ended with these outputs."""
        return self._record("agent.invocation", "chain_end", phase="result", output=outputs)

    def on_chain_error(self, error: BaseException) -> Receipt:
        """Work ended with an error."""
        return self.log.log_error(self.agent_name, error, mode=self.mode)

    def on_code_execution(self, code: str, result: str) -> Receipt:
        """Code was run; ``result`` as AutoGen's executors write it (``exitcode: 0 ...``) says how
        it ended."""
        return self._record(
            "agent.code_execution",
            "code_execution",
            phase="observation",
            params={"code": code},
            result=result,
            outcome=_outcome(result),
        )

    def _record(self, event_type: str, action: str, **fields: Any) -> Receipt:
        return self.log.record(
            event_type=event_type,
            action=action,
            agent_name=self.agent_name,
            mode=self.mode,
            **fields,
        )


def _outcome(result: Any) -> "str | None":
    if not isinstance(result, str) or not result.startswith("exitcode:"):
        return None
    code = result.removeprefix("exitcode:").split(None, 1)
    if not code or not code[0].lstrip("-").isdigit():
        return None
    return "success" if int(code[0]) == 0 else "failure"
