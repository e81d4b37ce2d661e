"""The recording proxy, between a client and a server of the MCP SDK from PyPI."""

import asyncio
import json
import os
import subprocess
import sys
import textwrap

import pytest
from conftest import mine

pytest.importorskip("mcp")

from mcp import Client, StdioServerParameters  # noqa: E402

import tachograph  # noqa: E402
from tachograph.mcp import read  # noqa: E402

SERVER = """
    import os, sys
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("orders")

    @server.tool()
    def get_order(order: int) -> str:
        "Looks an order up."
        with open(os.environ["RAN"], "a") as ran:
            ran.write(f"{order}\\n")
        if order == 0:
            raise ValueError("no such order")
        if order < 0:
            os._exit(3)
        return f"order {order}: paid twice"

    @server.resource("policy://refunds")
    def policy() -> str:
        return "refunds take 5 days"

    server.run("stdio")
"""


@pytest.fixture
def proxy(tmp_path, data, monkeypatch):
    """How a client starts the proxy; what ran is in `ran`."""
    server, ran = tmp_path / "server.py", tmp_path / "ran"
    server.write_text(textwrap.dedent(SERVER))
    ran.write_text("")

    def start(*options, command=()):
        command = command or (sys.executable, str(server))
        words = ["-m", "tachograph.mcp", "--data", str(data), "--log", "mcp", *options, "--"]
        return StdioServerParameters(
            command=sys.executable, args=[*words, *command], env={**os.environ, "RAN": str(ran)}
        )

    start.ran = lambda: ran.read_text().split()
    return start


def told(data, **question):
    with tachograph.Log.open(data, log="mcp") as log:
        assert log.verify()
        return mine(log, **question)


def test_what_a_client_asks_is_recorded(proxy, data):
    async def play():
        async with Client(proxy()) as client:
            names = [one.name for one in (await client.list_tools()).tools]
            answer = await client.call_tool("get_order", {"order": 1042})
            meta = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-01"}
            await client.call_tool("get_order", {"order": 0}, meta=meta)
            await client.read_resource("policy://refunds")
            return names, answer.content[0].text

    assert asyncio.run(play()) == (["get_order"], "order 1042: paid twice")
    assert proxy.ran() == ["1042", "0"]
    events = told(data)
    calls = [e for e in events if e.get("tool") == "get_order"]
    assert [(e["event_type"], e["phase"], e.get("outcome")) for e in calls] == [
        ("agent.tool_call", "intent", None),
        ("agent.tool_result", "result", "success"),
        ("agent.tool_call", "intent", None),
        ("agent.tool_result", "result", "failure"),
    ]
    assert calls[0]["content"]["params"] == {"order": 1042}
    assert calls[1]["parent_event_id"] == calls[0]["event_id"]
    assert "paid twice" in json.dumps(calls[1]["content"]["result"])
    assert calls[2]["trace_id"] == calls[3]["trace_id"] == "a" * 32 != calls[0]["trace_id"]
    (retrieved,) = [e for e in events if e["event_type"] == "agent.retrieval" and "outcome" in e]
    assert "5 days" in json.dumps(retrieved["content"]["context"])
    listed = [e for e in events if e["action"] == "tools/list" and e["phase"] == "result"]
    assert "Looks an order up." in json.dumps(listed[0]["content"]["result"])
    assert len({e["session_id"] for e in events}) == 1
    assert {e["agent_name"] for e in calls} == {"mcp"}


def test_a_server_that_dies_leaves_its_call_unknown(proxy, data):
    async def play():
        async with Client(proxy("--agent", "Billing")) as client:
            await client.call_tool("get_order", {"order": -1}, read_timeout_seconds=20)

    with pytest.raises(BaseException):  # noqa: B017  # whatever the SDK makes of it, in a group
        asyncio.run(play())
    assert proxy.ran() == ["-1"]
    result = told(data, tool="get_order")[-1]
    assert (result["event_type"], result["outcome"]) == ("agent.tool_result", "unknown")
    assert result["agent_name"] == "Billing"


#: Answers every request with its method.
ECHO = """
import json, sys
for line in sys.stdin:
    open({seen!r}, "a").write(line)
    said = json.loads(line)
    if "id" in said and "method" in said:
        print(json.dumps({{"jsonrpc": "2.0", "id": said["id"], "result": {{}}}}), flush=True)
"""


def speak(proxy, data, tmp_path, *messages, prepare="", options=()):
    """What the proxy answers to lines, and which of them the server saw."""
    seen, server = tmp_path / "seen", tmp_path / "echo.py"
    seen.write_text("")
    server.write_text(ECHO.format(seen=str(seen)))
    start = proxy(*options, command=(sys.executable, str(server)))
    program = [start.command, *start.args]
    if prepare:
        script = f"import runpy, sys\nsys.argv = ['mcp', *sys.argv[1:]]\n{prepare}\n"
        script += "from tachograph import mcp\nsys.exit(mcp.main())"
        program = [start.command, "-c", script, *start.args[2:]]
    lines = "".join(m if isinstance(m, str) else json.dumps(m) + "\n" for m in messages)
    ran = subprocess.run(
        program, input=lines, capture_output=True, text=True, env=start.env, timeout=60
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    return answers, seen.read_text().splitlines()


def call(id_, **arguments):
    params = {"name": "get_order", "arguments": arguments}
    return {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params}


#: The log takes nothing, as when the disk is full.
CLOSED = """
import tachograph
opened = tachograph.Log.open
def closing(*args, **more):
    log = opened(*args, **more)
    log.close()
    return log
tachograph.mcp = __import__("tachograph.mcp", fromlist=["x"])
tachograph.mcp.Log = type("L", (), {"open": staticmethod(closing)})
"""


@pytest.mark.parametrize(("mode", "is_passed"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_call_does_not_reach_the_server(
    proxy, data, tmp_path, mode, is_passed
):
    options = ("--mode", mode)
    answers, seen = speak(
        proxy, data, tmp_path, call(1, order=1042), prepare=CLOSED, options=options
    )
    assert len(seen) == is_passed
    (answer,) = answers
    assert answer["id"] == 1 and ("result" in answer) == is_passed
    if not is_passed:
        assert "not recorded" in answer["error"]["message"]


def test_what_two_readers_could_understand_differently_is_not_passed_on(proxy, data, tmp_path):
    twice = '{"jsonrpc": "2.0", "id": 1, "method": "ping", "method": "tools/call"}\n'
    answers, seen = speak(proxy, data, tmp_path, twice, "no json\n", call(2, order=7))
    assert [answer["id"] for answer in answers] == [None, None, 2]
    assert [json.loads(line)["id"] for line in seen] == [2]
    for bad in (b'{"a": {"b": 1, "b": 2}}', b"[NaN]", b"{", b"\xff"):
        with pytest.raises(ValueError):
            read(bad)


def test_lines_are_passed_on_as_they_came(proxy, data, tmp_path):
    odd = '{ "id":3.0,"jsonrpc":"2.0", "method":"tools/call","params":{"name":"x"},"z":1e2}'
    _, seen = speak(proxy, data, tmp_path, odd + "\n")
    assert seen == [odd]


def test_long_arguments_stand_in_the_log_as_their_hash(proxy, data, tmp_path):
    answers, seen = speak(proxy, data, tmp_path, call(1, text="x" * 2_000_000))
    assert len(seen) == 1 and "result" in answers[0]
    (called,) = [e for e in told(data) if e["phase"] == "intent"]
    assert called["content"]["params"]["bytes"] > 2_000_000


def test_a_cancelled_call_is_unknown(proxy, data, tmp_path):
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 9}}
    server = "import sys; [None for line in sys.stdin]"
    start = proxy(command=(sys.executable, "-c", server))
    lines = "".join(json.dumps(one) + "\n" for one in (call(9, order=1), cancel))
    subprocess.run([start.command, *start.args], input=lines, text=True, env=start.env, timeout=60)
    assert [e.get("outcome") for e in told(data, tool="get_order")] == [None, "unknown"]
