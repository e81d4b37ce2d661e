"""A side effect between two events."""

import logging
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tachograph._outcomes import failure, outcome_of
from tachograph.errors import NotRecorded
from tachograph.types import EventType, Mode

if TYPE_CHECKING:
    from tachograph._log import Log

logger = logging.getLogger("tachograph")


class Intent:
    """A side effect between two events: what is about to be done, and how it ended.

    A process that dies in between leaves the first one alone: whoever reads the trace sees a call
    whose outcome is unknown, and never one that did not happen.
    """

    def __init__(
        self, log: "Log", tool: str, params: Any, mode: "Mode | None", fields: dict[str, Any]
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
