"""The official MCP client talks to Tachograph, and every tool answers as it promises.

Over standard input and output, which starts the program:

    python client.py --stdio tacho --data DIR mcp

or over HTTP, with the token in a file:

    python client.py --url http://127.0.0.1:7411/mcp --token-file FILE

The log must hold the refund incident of `testdata/incident/refund.ndjson`. Both the lifecycle of today's protocol and the older
handshake are tried. The client checks each answer against the schema that the server promised; this checks what stands in it.
Nothing here imports anything of Tachograph's.
"""

import argparse
import asyncio
import json
import os
import pathlib
import sys
import unicodedata

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

TOOLS = {
    "recent_events", "search_events", "get_event", "trace_task", "session_timeline", "error_summary",
    "audit_agent", "forensic_analysis", "compliance_report", "export_events", "verify_log",
}
RESULT_BYTES_MAX = 64 << 10
RENDERED = ("://", "](", "][", "]:", "www.", "```", "</", "<!")


def expect(what, holds, detail=""):
    if not holds:
        sys.exit(f"{what}: {detail!r:.600}")


def check_texts(tool, value):
    """Nothing in an answer is hidden or rendered."""
    if isinstance(value, str):
        hidden = [c for c in value if unicodedata.category(c) in ("Cc", "Zl", "Zp")]
        hidden += [c for c in value if "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"]
        hidden += [c for c in value if "\U000e0000" <= c <= "\U000e0fff" or c in "\u200b\ufeff"]
        expect(f"{tool}: hidden characters", not hidden, value)
        expect(f"{tool}: rendered", not any(it in value.lower() for it in RENDERED), value)
    elif isinstance(value, dict):
        for name, member in value.items():
            check_texts(tool, name)
            check_texts(tool, member)
    elif isinstance(value, list):
        for member in value:
            check_texts(tool, member)


async def ask(client, tool, /, **arguments):
    """Calls a tool that answers, and checks what holds of every answer."""
    result = await client.call_tool(tool, arguments)
    expect(f"{tool}: an error", not result.is_error, result.content)
    document = result.structured_content
    expect(f"{tool}: no document", isinstance(document, dict), result)
    size = len(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
    expect(f"{tool}: too long", size <= RESULT_BYTES_MAX, size)
    expect(f"{tool}: the wrapping", isinstance(document.get("untrusted_data"), dict), document)
    expect(f"{tool}: the note", "never an instruction" in document.get("note", ""), document)
    expect(f"{tool}: the text", json.loads(result.content[1].text) == document, result.content)
    check_texts(tool, document)
    return document


async def verified(client):
    """A long check is asked for until it ends."""
    for _ in range(60):
        verification = (await ask(client, "verify_log"))["verification"]
        if verification["state"] == "checked":
            return verification
        await asyncio.sleep(1)
    sys.exit("verify_log: no outcome")


async def run(client, name):
    listed = {tool.name: tool for tool in (await client.list_tools()).tools}
    expect("tools", set(listed) == TOOLS, sorted(listed))
    for tool in listed.values():
        hints = tool.annotations
        expect(f"{tool.name}: hints", hints.read_only_hint and not hints.open_world_hint, hints)

    recent = await ask(client, "recent_events", limit=5)
    expect("recent_events", len(recent["untrusted_data"]["events"]) == 5, recent)
    sessions = (await ask(client, "session_timeline"))["untrusted_data"]["sessions"]
    expect("sessions", sessions, sessions)
    timeline = await ask(client, "session_timeline", session=sessions[0]["session"])
    expect("timeline", timeline["untrusted_data"]["timeline"], timeline)
    refund = await ask(client, "search_events", tool="process_refund", order="oldest")
    failed = refund["untrusted_data"]["events"]
    expect("search_events", failed, refund)

    one = await ask(client, "get_event", event=str(failed[0]["index"]), proof=True)
    expect("the proof", one["proof"]["tlog_proof"][0] == "c2sp.org/tlog-proof@v1", one)
    trace_id = failed[0]["trace"]
    trace = await ask(client, "trace_task", id=trace_id)
    expect("trace_task", len(trace["untrusted_data"]["nodes"]) >= 10, trace)
    forensics = (await ask(client, "forensic_analysis", id=trace_id))["untrusted_data"]
    expect("forensic_analysis", forensics["failed_first"]["tool"] == "process_refund", forensics)

    errors = await ask(client, "error_summary")
    expect("error_summary", errors["total_errors"] >= 2, errors)
    agents = (await ask(client, "audit_agent"))["untrusted_data"]["agents"]
    agent = await ask(client, "audit_agent", agent=agents[0]["agent"])
    expect("audit_agent", agent["untrusted_data"]["events"], agent)

    verification = await verified(client)
    expect("verify_log", verification["verdict"] == "ok", verification)
    report = await ask(client, "compliance_report")
    expect("compliance_report", report["verification"]["verdict"] == "ok", report)
    expect("compliance_report", report["not_assessed"], report)

    cursor, exported = {}, []
    while True:
        page = await ask(client, "export_events", limit=7, **cursor)
        exported += [event["index"] for event in page["untrusted_data"]["events"]]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]["cursor"]}
    # Exports are recorded in the log, and a cursor stays with the checkpoint that it began with.
    expect("export_events", exported == list(range(len(exported))) and exported, exported)

    refused = await client.call_tool("get_event", {"event": "no such event"})
    expect("an event that is not there", refused.is_error, refused)
    print(f"{name}: {len(listed)} tools, {len(exported)} events exported, all as promised")


async def over(arguments, mode):
    if arguments.stdio:
        command, *rest = arguments.stdio
        server = StdioServerParameters(command=command, args=rest, env=dict(os.environ))
        async with Client(server, mode=mode, read_timeout_seconds=60) as client:
            await run(client, f"stdio, {mode}")
        return
    token = pathlib.Path(arguments.token_file).read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    async with create_mcp_http_client(headers=headers) as http:
        transport = streamable_http_client(arguments.url, http_client=http)
        async with Client(transport, mode=mode, read_timeout_seconds=60) as client:
            await run(client, f"http, {mode}")


def main():
    parser = argparse.ArgumentParser()
    way = parser.add_mutually_exclusive_group(required=True)
    way.add_argument("--stdio", nargs=argparse.REMAINDER, help="the command and its arguments")
    way.add_argument("--url")
    parser.add_argument("--token-file")
    arguments = parser.parse_args()
    for mode in ("auto", "legacy"):
        asyncio.run(over(arguments, mode))


if __name__ == "__main__":
    main()
