"""A recording proxy for servers of the Model Context Protocol over stdio: whatever calls its tools
goes through it, whoever wrote the client.

    python -m tachograph.mcp --data tachograph-data --log mcp-orders -- python orders.py

What is seen, and what is not, stands in docs/python.md.
"""

import argparse
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any

from tachograph import context as _context
from tachograph._log import Log
from tachograph._teller import Teller, milliseconds_since, short
from tachograph.errors import NotRecorded, TachographError
from tachograph.types import EventType

logger = logging.getLogger("tachograph")

#: Neither acts nor answers; there may be thousands.
_UNTOLD = ("ping", "notifications/progress", "notifications/message")
#: JSON-RPC's number for an error of an implementation's own, and for a request that is none.
_REFUSED, _INVALID = -32000, -32600


@dataclass
class _Asked:
    """A request that has no answer yet."""

    end: dict[str, Any]
    event_id: "str | None"
    trace_id: "str | None"
    at: float = field(default_factory=time.perf_counter)


class Recorder:
    """What a message between a client and a server says, as events. For threads."""

    def __init__(self, teller: Teller, agent_name: "str | None" = None) -> None:
        self._teller = teller
        self._agent = agent_name
        self._session = secrets.token_hex(16)
        outside = _context.current()
        self._trace = str(outside.get("trace_id") or self._session)
        self._parent = outside.get("parent_event_id")
        #: By who asked, and the id that was asked under.
        self._asked: dict[tuple[bool, str], _Asked] = {}

    def message(self, message: Any, *, is_client: bool) -> None:
        """Records a message. Raises ``NotRecorded`` when it must not be passed on."""
        for one in message if isinstance(message, list) else [message]:
            if isinstance(one, dict):
                self._one(one, is_client)

    def ended(self) -> None:
        """The connection is over: how what was asked ended nobody will say."""
        for asked in list(self._asked.values()):
            self._answered(asked, {"outcome": "unknown"})
        self._asked.clear()

    def _one(self, message: dict[str, Any], is_client: bool) -> None:
        method, id_ = message.get("method"), message.get("id")
        if not isinstance(method, str):
            asked = self._asked.pop((not is_client, _key(id_)), None)
            if asked is not None:
                self._answered(asked, _answer(message))
            return
        if method in _UNTOLD:
            return
        known = message.get("params")
        params: dict[str, Any] = known if isinstance(known, dict) else {}
        if is_client and self._agent is None:
            self._agent = _client(params)
        if method == "notifications/cancelled":
            asked = self._asked.pop((is_client, _key(params.get("requestId"))), None)
            if asked is not None:  # what was done by then is done
                self._answered(asked, {"outcome": "unknown", "reasoning": params.get("reason")})
            return
        begin, end = _act(method, params, is_client)
        base = self._base(params)
        phase = "observation" if id_ is None else "intent"
        event = {"parent_event_id": self._parent, **base, "phase": phase, **begin}
        event_id = self._teller.tell(event, is_intent=True)
        if id_ is not None:
            trace_id = base["trace_id"]
            self._asked[is_client, _key(id_)] = _Asked(end, event_id, trace_id)

    def _base(self, params: dict[str, Any]) -> dict[str, Any]:
        meta = params.get("_meta")
        base: dict[str, Any] = {"agent_name": self._agent or "mcp-client"}
        base |= {"session_id": self._session, "trace_id": self._trace}
        header = meta.get("traceparent") if isinstance(meta, dict) else None
        if isinstance(header, str) and (caller := _context.caller(header)) is not None:
            base |= caller
        return base

    def _answered(self, asked: _Asked, said: dict[str, Any]) -> None:
        base = {**self._base({}), "trace_id": asked.trace_id, "phase": "result"}
        took = {"duration_ms": milliseconds_since(asked.at), "parent_event_id": asked.event_id}
        if asked.end["event_type"] == EventType.RETRIEVAL.value and "result" in said:
            said = {**said, "context": said["result"]}
            del said["result"]
        self._teller.tell({**base, **asked.end, **took, **said})


def _act(
    method: str, params: dict[str, Any], is_client: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a request is, and what its answer is."""
    name = _text(params.get("name"))
    rest = {key: value for key, value in params.items() if key != "_meta"}
    if method == "tools/call":
        call = {"tool": name, "params": short(params.get("arguments"))}
        return (
            {"event_type": EventType.TOOL_CALL.value, "action": f"tool_call:{name}", **call},
            {
                "event_type": EventType.TOOL_RESULT.value,
                "action": f"tool_result:{name}",
                "tool": name,
            },
        )
    if method == "resources/read":
        kind = {"event_type": EventType.RETRIEVAL.value, "action": "retrieval"}
        return {**kind, "params": {"query": params.get("uri")}}, kind
    if method == "sampling/createMessage":
        end = {"event_type": EventType.LLM_RESPONSE.value, "action": "llm_response"}
        return {
            "event_type": "agent.llm_request",
            "action": "llm_request",
            "input": short(rest),
            "source": "server",
        }, end
    if method == "elicitation/create":
        kind = {"event_type": EventType.HUMAN_INTERVENTION.value}
        question = {"action": "human_intervention:question", "input": short(rest)}
        return {**kind, **question}, {**kind, "action": "human_intervention:answer"}
    kind = {"event_type": "agent.mcp", "action": method}
    kind["source"] = "client" if is_client else "server"
    return {**kind, "params": short(rest) or None}, kind


def _client(params: dict[str, Any]) -> "str | None":
    """What a client calls itself: when it begins, or since revision 2026-07-28 in each request."""
    meta = params.get("_meta")
    newer = meta.get("io.modelcontextprotocol/clientInfo") if isinstance(meta, dict) else None
    known = params.get("clientInfo") or newer
    return _text(known.get("name")) if isinstance(known, dict) else None


def _answer(message: dict[str, Any]) -> dict[str, Any]:
    error = message.get("error")
    if error is not None:
        known = error if isinstance(error, dict) else {"message": str(error)}
        return {"outcome": "failure", "error": known, "error_type": f"mcp:{known.get('code')}"}
    result = message.get("result")
    known = result if isinstance(result, dict) else {}
    outcome = "failure" if known.get("isError") is True else "success"
    if known.get("resultType") == "input_required":
        outcome = "escalated"
    return {"outcome": outcome, "result": short(result)}


def _key(id_: Any) -> str:
    return json.dumps(id_)


def _text(value: Any) -> "str | None":
    return value if isinstance(value, str) else None


class _Twice(ValueError):
    """An object has a key twice: which of the two counts is up to who reads it."""


def read(line: bytes) -> Any:
    """A message. Raises ``ValueError`` for what two readers could understand differently."""
    return json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice("an object has a key twice")
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def lines(read_some: Callable[[], bytes]) -> Iterator[bytes]:
    """The lines of a stream, each as it came, without waiting for more than it."""
    rest = b""
    while block := read_some():
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield line + b"\n"
    if rest:
        yield rest


class Proxy:
    """Between a client at this process's stdin and stdout, and a server that it starts."""

    def __init__(self, recorder: Recorder, server: "subprocess.Popen[bytes]") -> None:
        self._recorder = recorder
        self._server = server
        self._locks = {True: threading.Lock(), False: threading.Lock()}

    def run(self) -> int:
        """Until the server ends; returns its exit code."""
        threading.Thread(target=self._from_client, daemon=True).start()
        server_out = _stream(self._server.stdout)
        for line in lines(lambda: os.read(server_out.fileno(), 65_536)):
            self._pass(line, is_client=False)
        self._recorder.ended()
        return self._server.wait()

    def _from_client(self) -> None:
        to_server = _stream(self._server.stdin)
        try:
            for line in lines(lambda: os.read(0, 65_536)):
                self._pass(line, is_client=True)
            to_server.close()
        except OSError as error:
            logger.warning("the server takes no more: %s", error)

    def _pass(self, line: bytes, *, is_client: bool) -> None:
        """Passes a line on when it is recorded; otherwise whoever sent it is told."""
        if not line.strip():
            return
        message: Any = None
        try:
            message = read(line)
            self._recorder.message(message, is_client=is_client)
        except NotRecorded as error:
            return self._refuse(message, _REFUSED, f"not recorded: {error}", is_client)
        except (ValueError, RecursionError) as error:
            return self._refuse(None, _INVALID, f"not passed on: {error}", is_client)
        self._send(line, to_client=not is_client)

    def _refuse(self, message: Any, code: int, why: str, is_client: bool) -> None:
        """Answers every request in a message that goes no further."""
        logger.warning("a message is not passed on: %s", why)
        for one in message if isinstance(message, list) else [message]:
            id_ = one.get("id") if isinstance(one, dict) else None
            if isinstance(one, dict) and (id_ is None or "method" not in one):
                continue
            said = {"jsonrpc": "2.0", "id": id_, "error": {"code": code, "message": why}}
            self._send(json.dumps(said).encode() + b"\n", to_client=is_client)

    def _send(self, line: bytes, *, to_client: bool) -> None:
        stream = sys.stdout.buffer if to_client else _stream(self._server.stdin)
        with self._locks[to_client]:
            stream.write(line)
            stream.flush()


def _stream(stream: "IO[bytes] | None") -> IO[bytes]:
    if stream is None:
        raise RuntimeError("the server was started without pipes")
    return stream


def main(words: "list[str] | None" = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tachograph.mcp",
        description="Starts an MCP server and records what a client asks of it, over stdio.",
        epilog="example: python -m tachograph.mcp --log mcp-orders -- python orders.py",
    )
    parser.add_argument("--data", default="tachograph-data", help="the data folder")
    parser.add_argument("--log", default="mcp", help="the log; a process has one to itself")
    parser.add_argument("--mode", default="required", choices=["buffered", "durable", "required"])
    parser.add_argument("--agent", help="who asks; otherwise what the client calls itself")
    parser.add_argument("server", nargs="+", help="the server's command, after --")
    asked = parser.parse_args(words)
    logging.basicConfig(stream=sys.stderr, format="tachograph.mcp: %(message)s")
    try:
        log = Log.open(asked.data, log=asked.log, mode=asked.mode)
    except TachographError as error:
        print(f"tachograph.mcp: no server is started: {error}", file=sys.stderr)
        return 1
    with log, _context.trace(traceparent=os.environ.get("TRACEPARENT")):
        pipes = subprocess.PIPE
        server = subprocess.Popen(asked.server, stdin=pipes, stdout=pipes)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _: server.send_signal(number))
        return Proxy(Recorder(Teller(log, asked.mode), asked.agent), server).run()


if __name__ == "__main__":
    sys.exit(main())
