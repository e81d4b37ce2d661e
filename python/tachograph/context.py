"""What holds for everything that is recorded inside a ``with``: a trace, a session, for whom.

Each is a context manager over a ``contextvars`` variable, so it follows ``await`` and tasks, and
one task never sees another's. What an event says itself counts more.

    with context.session("s-1"), context.trace() as trace_id:
        log.log_reasoning("Router", "the order is late")
"""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tachograph._native import span_event_id

_FIELDS: "ContextVar[dict[str, Any] | None]" = ContextVar("tachograph_fields", default=None)
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")


def current() -> dict[str, Any]:
    """A copy of the fields that hold here."""
    return dict(_FIELDS.get() or {})


@contextmanager
def fields(**new: Any) -> Iterator[None]:
    """Fields of every event inside, by their names in an event."""
    token = _FIELDS.set({**(_FIELDS.get() or {}), **new})
    try:
        yield
    finally:
        _FIELDS.reset(token)


@contextmanager
def trace(trace_id: "str | None" = None, *, traceparent: "str | None" = None) -> Iterator[str]:
    """A trace, new when neither is given; ``traceparent`` is W3C's header of a caller.

    Of a ``traceparent`` the trace's id is taken, and the caller's span becomes the parent of what
    is recorded, by the id that the span has when it reaches a log through OpenTelemetry.
    """
    new: dict[str, Any] = (caller(traceparent) if traceparent is not None else None) or {}
    if trace_id is not None:
        new["trace_id"] = trace_id
    new.setdefault("trace_id", secrets.token_hex(16))
    with fields(**new):
        yield new["trace_id"]


def caller(traceparent: str) -> "dict[str, Any] | None":
    """The fields that W3C's header of a caller stands for; ``None`` when it is none."""
    match = _TRACEPARENT.fullmatch(traceparent.strip())
    if match is None:
        return None
    return {"trace_id": match[1], "parent_event_id": span_event_id(match[1], match[2])}


def traceparent() -> "str | None":
    """W3C's header for whoever is called from here, with a new span; ``None`` outside a trace, and
    in one whose id is not W3C's."""
    trace_id = str((_FIELDS.get() or {}).get("trace_id", ""))
    if not re.fullmatch(r"[0-9a-f]{32}", trace_id):
        return None
    return f"00-{trace_id}-{secrets.token_hex(8)}-01"


@contextmanager
def session(session_id: str) -> Iterator[str]:
    """A session: a conversation, a channel."""
    with fields(session_id=session_id):
        yield session_id


@contextmanager
def task(task_id: str) -> Iterator[str]:
    """A task."""
    with fields(task_id=task_id):
        yield task_id


@contextmanager
def agent(agent_name: str, agent_version: "str | None" = None) -> Iterator[None]:
    """Who acts."""
    with fields(agent_name=agent_name, agent_version=agent_version):
        yield


@contextmanager
def parent(event: Any) -> Iterator[None]:
    """The event that what follows belongs under: a receipt, an intent, or an id."""
    with fields(parent_event_id=getattr(event, "event_id", event)):
        yield


@contextmanager
def on_behalf_of(subject: str) -> Iterator[str]:
    """For whom."""
    with fields(on_behalf_of=subject):
        yield subject


@contextmanager
def principal(subject: str, *, issuer: "str | None" = None) -> Iterator[None]:
    """Who is logged in, as this process believes.

    Only a receiver that authenticated somebody may say who the principal is, and a log inside the
    agent's own process authenticated nobody: it stands among the attributes, as a claim.
    """
    claim = {"subject": subject} if issuer is None else {"issuer": issuer, "subject": subject}
    with fields(principal=claim):
        yield
