"""What the adapters of frameworks share: recording beside somebody else's code, which must not
fail because of it unless it was asked to, and the small questions that come up in each."""

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tachograph._async import AsyncLog
from tachograph._log import Log
from tachograph._receipts import settled
from tachograph.errors import NotRecorded
from tachograph.types import Mode

logger = logging.getLogger("tachograph")

#: What is longer stands in the log as its length and hash: an event has at most 1 MiB.
_MOST = 512 * 1024


@dataclass
class Begun:
    """An act that has begun and not ended."""

    base: dict[str, Any]
    #: What its result says besides.
    end: dict[str, Any]
    event_id: "str | None"
    at: float = field(default_factory=time.perf_counter)

    def ended(self, said: Mapping[str, Any]) -> dict[str, Any]:
        """The event of its end; how long it took is known when its beginning was recorded."""
        event = {**self.base, **self.end, "phase": "result"}
        if self.event_id is not None:
            event["duration_ms"] = milliseconds_since(self.at)
            event["parent_event_id"] = self.event_id
        return {**event, **said}


class Teller:
    """Records for an adapter. What cannot be recorded raises only when it announces an act and is
    ``required``; otherwise the act goes on, and the package's logger is warned."""

    def __init__(self, log: "Log | AsyncLog", mode: "Mode | None" = None) -> None:
        self.log = log.log if isinstance(log, AsyncLog) else log
        self.mode: Mode = mode or self.log.mode

    def tell(self, event: Mapping[str, Any], *, is_intent: bool = False) -> "str | None":
        """Records an event; returns its id, ``None`` when it could not be recorded."""
        try:
            return self.log.record(event, mode=self.mode).event_id
        except NotRecorded as error:
            self.refused(event, error, is_intent)
            return None

    async def atell(self, event: Mapping[str, Any], *, is_intent: bool = False) -> "str | None":
        """``tell`` without holding the event loop."""
        try:
            return (await settled(self.log.submit(event, mode=self.mode))).event_id
        except NotRecorded as error:
            self.refused(event, error, is_intent)
            return None

    def submit(self, event: Mapping[str, Any]) -> "str | None":
        """Records an event where nothing may wait: in a task that is to end, in a callback of an
        event loop. It is on disk some milliseconds later."""
        try:
            return self.log.submit(event, mode="buffered").event_id
        except NotRecorded as error:
            self.refused(event, error, is_intent=False)
            return None

    def refused(self, event: Mapping[str, Any], error: NotRecorded, is_intent: bool) -> None:
        """What follows from that an event was not recorded: the error, or a warning."""
        if is_intent and self.mode == "required":
            raise error
        logger.warning("%s is not recorded: %s", event.get("action"), error)


def milliseconds_since(begun: float) -> float:
    """Since ``begun``, a reading of ``time.perf_counter``."""
    return round((time.perf_counter() - begun) * 1000, 3)


def arguments(text: Any) -> Any:
    """Arguments of a call that a model wrote as JSON; as they are when they are none."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {"arguments": text}


def counts(usage: Any, names: Mapping[str, str]) -> dict[str, int]:
    """Counts of tokens: ``names`` has for each of ours theirs, a dotted path."""
    said = {ours: _at(usage, theirs) for ours, theirs in names.items()}
    return {
        name: int(count)
        for name, count in said.items()
        if isinstance(count, (int, float)) and count >= 0
    }


def short(value: Any) -> Any:
    """A value of JSON, or its length and hash when it is too long for an event."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if len(text) <= _MOST:
        return value
    return {"bytes": len(text), "sha256": hashlib.sha256(text).hexdigest()}


def _at(value: Any, path: str) -> Any:
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else getattr(value, step, None)
    return value
