"""``Log``: a log in a folder or at a server; what can be recorded there, and what can be asked."""

import atexit
import json
import logging
import os
import weakref
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from tachograph import _keys, _native, context
from tachograph._intent import Intent
from tachograph._methods import Fields, Methods
from tachograph._native import Receipt
from tachograph._receipts import kept, settled
from tachograph.answers import Events, Verification
from tachograph.errors import BadQuestion
from tachograph.types import Mode

logger = logging.getLogger("tachograph")

Names = str | Iterable[str] | None
AgentKey = str | os.PathLike[str] | bytes
AgentKeys = AgentKey | Mapping[str, AgentKey] | None

#: Logs that are open in this process, to be closed at its end.
_OPEN: "weakref.WeakSet[Log]" = weakref.WeakSet()


class Log(Methods[Receipt], _native.Log):
    """A log open in this process, which no other process may write meanwhile (``Log.open``), or
    one at a server (``tachograph.connect``). Threads may share it."""

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
        agent_key: AgentKeys = None,
    ) -> "Log":
        """Opens the log called ``log`` in the data folder ``data``; makes it when it is not there.

        ``mode`` is that of every event that names none: ``buffered``, ``durable`` or ``required``.
        The key-encryption key is looked for where ``tacho`` looks for it: ``kek_file``, the
        environment (``TACHO_KEK_FILE``, ``TACHO_KEK_COMMAND``, ``TACHO_KEK``,
        ``TACHO_KEK_PASSPHRASE``), the user's configuration folder. For a new log a file that is not
        there is made: back it up, without it nobody can read the log.

        With ``agent_key`` events are signed in this process, after redaction: the file of a key
        (``tachograph.create_agent_key``), its bytes, or a mapping of agents' names to these, of
        which each agent's events are signed with its own. ``tacho agent-key register`` tells the
        log whose it is.

        Raises ``OpenFailed``: ``LogLocked``, ``LogNotFound``, ``LogUnusable``, ``KeyUnavailable``.
        """
        place = {
            "data": data,
            "name": log,
            "key": _keys.place(kek_file),
            "create": create,
            "agent_keys": _keys.of_agents(agent_key),
        }
        opened = cls(place=place, mode=mode, context=context._FIELDS)
        if opened.is_new and opened.log_id is not None:
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
        """Checks every byte of the log; at a server, all that it shows to everybody. ``key`` is
        what its operator published; the signer of a log that this user made is known without.
        ``since`` are receipts, or a checkpoint, kept from earlier: the log must continue them."""
        origin: str | None = None
        keys = _list(key)
        if key is None and self.log_id is not None:
            origin, keys = _keys.known(self.log_id)
        elif key is None:
            keys = _keys.known_by_origin(self.origin)
        return Verification(json.loads(self._verify(keys, origin, kept(since))))

    def proof(self, index: int) -> str:
        """The C2SP tlog-proof of the record at ``index``, under the newest checkpoint."""
        return self._proof(index)

    def close(self, timeout: "float | None" = None) -> int:
        """Seals what waits, says in the log that it stops, and lets others write. At a server:
        delivers what waits, for ``timeout`` seconds at most (``patience`` when none is said), and
        returns how many events wait in the spool until somebody connects again."""
        _OPEN.discard(self)
        left = super().close(timeout)
        if left:
            logger.warning(
                "%d events wait in the spool: %s takes none; who connects with it next sends them",
                left,
                self.url,
            )
        return left

    def __enter__(self) -> "Log":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def connect(
    url: str,
    *,
    token: "str | None" = None,
    log: str = "main",
    mode: Mode = "durable",
    spool: "str | os.PathLike[str] | None" = "tachograph-spool",
    spool_bytes: int = 256 << 20,
    patience: float = 30.0,
    required: "Literal['log', 'spool']" = "log",
    kek_file: "str | os.PathLike[str] | None" = None,
    ca_file: "str | os.PathLike[str] | None" = None,
    client_cert: "tuple[str | os.PathLike[str], str | os.PathLike[str]] | None" = None,
    redaction: "str | os.PathLike[str] | None" = None,
    insecure: bool = False,
    agent_key: AgentKeys = None,
) -> Log:
    """The log called ``log`` at the server at ``url``, with the methods of ``Log.open``.

    What is recorded is redacted here, stored encrypted in the folder ``spool``, and sent in order
    until the server has acknowledged it, whatever is restarted meanwhile. The server need not be
    there yet. ``durable`` is in the spool, ``required`` is in the log, or raises after ``patience``
    seconds; ``required="spool"`` lets the spool do. ``spool=None`` keeps what waits in memory.

    The token is looked for where ``tacho`` looks for it: ``token``, ``TACHO_TOKEN``,
    ``TACHO_TOKEN_FILE``, ``token`` in the user's configuration folder, and for this machine
    ``admin-token``. The spool's key is found as that of ``Log.open``. ``ca_file`` are authorities
    beside the system's, ``client_cert`` a certificate and its key, ``redaction`` a file with a
    policy (docs/redaction.md). ``agent_key`` is that of ``Log.open``.

    Raises ``OpenFailed``, or ``BadQuestion`` for an address that is none.
    """
    if required not in ("log", "spool"):
        raise BadQuestion(f"{required!r} is nothing to wait for; choose 'log' or 'spool'")
    place = {
        "url": url,
        "log": log,
        "token": _keys.token(url, token, has_certificate=client_cert is not None),
        "ca_file": ca_file or os.environ.get("TACHO_CA_FILE") or None,
        "own": client_cert,
        "agent_keys": _keys.of_agents(agent_key),
        "is_exposed_fine": insecure,
        "spool": spool,
        "spool_bytes": spool_bytes,
        "key": None if spool is None else _keys.place(kek_file),
        "policy": None if redaction is None else _keys.text(redaction, "the redaction policy"),
        "patience": patience,
        "is_spool_enough": required == "spool",
    }
    opened = Log(place=place, mode=mode, context=context._FIELDS)
    _OPEN.add(opened)
    return opened


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
    origin: str | None = None
    keys = _list(key)
    if key is None:
        origin, keys = _keys.known(_native.log_id(os.fspath(data), log))
    place = _keys.place(kek_file)
    return Verification(
        json.loads(_native.verify(os.fspath(data), log, place, keys, origin, kept(since)))
    )


def create_agent_key(path: "str | os.PathLike[str]") -> str:
    """Makes a key for an agent in the file ``path``, which must not exist and which its owner
    alone can read; returns the public key, for ``tacho agent-key register``."""
    return _native.create_agent_key(os.fspath(path))


def public_agent_key(key: AgentKey) -> str:
    """The public key of an agent's key: of its file, or of its bytes."""
    return _native.agent_key(*_keys.of_agent(key))


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
            logger.exception("a log could not be closed: %s", log.path or log.url)
