"""A tamper-evident audit log of AI agents, inside the agent's own process or at a server.

    import tachograph

    with tachograph.Log.open("tachograph-data") as log:
        log.log_tool_call("Billing", "process_refund", {"order": 1042}, trace_id="t-1")

What is recorded is redacted, sealed and on disk when the call returns; ``tacho verify`` and
``log.verify()`` check it, and ``tacho trace t-1`` shows it. ``tachograph.connect(url)`` is a log at
a server. See docs/python.md.
"""

from tachograph import context
from tachograph._async import AsyncLog
from tachograph._intent import Intent
from tachograph._log import Log, connect, create_agent_key, public_agent_key, verify
from tachograph._native import Receipt
from tachograph.answers import Events, Verification
from tachograph.errors import TachographError
from tachograph.types import EventType

__version__ = "0.1.0"

__all__ = [
    "AsyncLog",
    "EventType",
    "Events",
    "Intent",
    "Log",
    "Receipt",
    "TachographError",
    "Verification",
    "connect",
    "context",
    "create_agent_key",
    "public_agent_key",
    "verify",
]
