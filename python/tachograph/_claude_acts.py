"""What goes on at one connection of the Claude Agent SDK: hooks and messages tell of the same acts,
and find them here by the ids that they share."""

from dataclasses import dataclass
from typing import Any

from tachograph import context as _context
from tachograph._teller import Begun, Teller
from tachograph.types import EventType

#: The tools that begin a subagent: the later name, and the earlier one.
_SPAWNING = ("Agent", "Task")
#: Of subagents that ended, and of calls that nobody answers, this many are remembered.
_MOST = 10_000


@dataclass
class Call(Begun):
    """A call of a tool that has begun."""

    name: str = ""
    params: Any = None
    session_id: "str | None" = None
    #: The subagent that calls, when it is one.
    agent_id: "str | None" = None
    #: Whether it was refused, and its end is told already.
    is_refused: bool = False


@dataclass
class Subagent:
    """A subagent, from the call that begins it on."""

    name: str
    #: The event that what it does belongs under: of its beginning, before that of the call.
    event_id: "str | None"
    agent_id: "str | None" = None


class Acts:
    """Of one connection: what has begun, and who acts."""

    def __init__(self, teller: Teller, agent_name: "str | None") -> None:
        self.teller = teller
        #: Whether messages are recorded too, and so tell how it ends what no hook tells of.
        self.is_read = False
        #: What the context said when the connection, or the last prompt, began: hooks are called in
        #: a task of the SDK's, which knows the former only.
        self.outside: "dict[str, Any] | None" = None
        self._agent = agent_name
        #: Prompts that are worked on, by session.
        self.turns: dict[str, Begun] = {}
        #: The events of those whose end a hook told, and no result yet.
        self.stopped: "dict[str, list[str | None]]" = {}
        #: The event of the last one.
        self._under: "dict[str, str | None]" = {}
        #: By the id of the call, as all below that say nothing else.
        self.calls: dict[str, Call] = {}
        #: Calls that a hook was told of, until a message answers them.
        self.hooked: dict[str, None] = {}
        self.spawned: dict[str, Subagent] = {}
        #: Subagents at work, by their own id.
        self.agents: dict[str, Begun] = {}
        #: The call that a task of the SDK's was begun by.
        self.tasks: dict[str, str] = {}
        #: Compactions, by session.
        self.compactions: dict[str, Begun] = {}

    def base(
        self,
        session_id: "str | None",
        *,
        agent_type: "str | None" = None,
        agent_id: "str | None" = None,
    ) -> dict[str, Any]:
        """What every event says: who acts, in which session. A type with no id is that of a
        session which is one agent's."""
        outside = dict(_context.current() if self.outside is None else self.outside)
        outside.pop("parent_event_id", None)
        named = self._agent or outside.get("agent_name") or agent_type or "claude"
        name = agent_type or "subagent" if agent_id is not None else named
        base = {**outside, "agent_name": name, "agent_id": agent_id}
        if session_id:
            base.setdefault("session_id", session_id)
            base.setdefault("trace_id", session_id)
        return base

    def around(self, session_id: "str | None", agent_id: "str | None" = None) -> "str | None":
        """The event that what an agent does belongs under."""
        begun = self.agents.get(agent_id or "")
        if begun is not None and begun.event_id is not None:
            return begun.event_id
        under = self._under.get(session_id or "")
        if under is not None:
            return under
        outside = _context.current() if self.outside is None else self.outside
        parent = outside.get("parent_event_id")
        return None if parent is None else str(parent)

    def begin_turn(self, session_id: str, begun: Begun) -> None:
        self.turns[session_id] = begun
        _remember(self._under, session_id, begun.event_id)

    def stop_turn(self, session_id: str) -> "Begun | None":
        """A hook tells that a turn ends; a result will tell it once more."""
        begun = self.turns.pop(session_id, None)
        if begun is not None and self.is_read:
            self.stopped.setdefault(session_id, []).append(begun.event_id)
        return begun

    def end_turn(self, session_id: str) -> "tuple[Begun | None, str | None]":
        """A result tells that a turn has ended: the turn, when no hook told that, and its event."""
        stopped = self.stopped.get(session_id)
        if stopped:
            return None, stopped.pop(0)
        begun = self.turns.pop(session_id, None)
        return begun, self.around(session_id)

    def begin_call(self, call_id: str, call: Call) -> None:
        self.calls[call_id] = call
        if self.is_read:
            _remember(self.hooked, call_id, None)
        if call.name in _SPAWNING:
            kind = call.params.get("subagent_type") if isinstance(call.params, dict) else None
            _remember(self.spawned, call_id, Subagent(str(kind or "general-purpose"), None))

    def called(self, call_id: str, event_id: "str | None") -> None:
        """The beginning of a call was recorded."""
        call, agent = self.calls.get(call_id), self.spawned.get(call_id)
        if call is not None:
            call.event_id = event_id
        if agent is not None and agent.agent_id is None:
            agent.event_id = event_id

    def take_call(self, call_id: "str | None") -> "Call | None":
        """A call whose end is to be told."""
        call = self.calls.pop(call_id or "", None)
        return None if call is None or call.is_refused else call

    def call_of(self, agent_id: str, agent_type: str) -> "str | None":
        """The call that began a subagent, when there is but one that can be."""
        told = self.tasks.get(agent_id)
        if told in self.spawned:
            return told
        able = [
            call_id
            for call_id, agent in self.spawned.items()
            if agent.agent_id is None and agent.name == agent_type and call_id in self.calls
        ]
        return able[0] if len(able) == 1 else None

    def call_like(self, name: str, params: Any, agent_id: "str | None") -> "str | None":
        """A call that waits for leave to be made: who asks for that does not say for which."""
        for call in self.calls.values():
            if (call.name, call.params, call.agent_id) == (name, params, agent_id):
                return call.event_id
        return None

    def is_unanswered(self, session_id: "str | None", agent_id: "str | None") -> list[str]:
        """Calls of an agent that has ended."""
        whose = (session_id, agent_id)
        return [key for key, it in self.calls.items() if (it.session_id, it.agent_id) == whose]

    def end(self) -> list[dict[str, Any]]:
        """The connection is over: how ended what nobody told the end of."""
        unknown = {"outcome": "unknown"}
        calls = [call for call in self.calls.values() if not call.is_refused]
        inner = [*calls, *self.agents.values(), *self.compactions.values()]
        ended = [begun.ended(unknown) for begun in (*inner, *self.turns.values())]
        known: tuple[dict[str, Any], ...] = (
            self.calls, self.agents, self.compactions, self.turns,
            self.hooked, self.spawned, self.tasks, self.stopped,
        )  # fmt: skip
        for one in known:
            one.clear()
        return ended


def _remember(known: dict[str, Any], key: str, value: Any) -> None:
    while len(known) >= _MOST:
        known.pop(next(iter(known)))
    known[key] = value


def tool_end(name: str) -> dict[str, Any]:
    """What the result of a call says besides."""
    return {
        "event_type": EventType.TOOL_RESULT.value,
        "action": f"tool_result:{name}",
        "tool": name,
    }
