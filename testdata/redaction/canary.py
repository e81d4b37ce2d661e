"""Planted secrets through every way in; then none may be anywhere.

    python canary.py TACHO SECRETS HOME TESTDATA

SECRETS has a line of JSON for each value (`simulate redaction --canaries`), all of them of kinds that a rule promises to
find; the last line names the kinds left out. Each goes in by the command line (append, import of every format, refused
lines), by HTTP (JSON, NDJSON, gzip, refused bodies), by OTLP (HTTP in JSON and protobuf, gRPC), and by MCP (arguments
of tools that are not there, or not such). Processes are killed with SIGKILL in between. Then every value is looked for
in every file below HOME, in all that was printed, logged or answered, in the metrics, and in what an export writes.
`cargo xtask redact-eval --canaries` runs it; nothing here imports anything of Tachograph's.
"""

import asyncio
import atexit
import collections
import gzip
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.parse

import grpc
from google.protobuf.json_format import MessageToJson
from mcp import Client
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

tacho, secrets_file, home, testdata = (pathlib.Path(word) for word in sys.argv[1:5])
data, configuration = home / "data", home / "config"
ENVIRONMENT = {**os.environ, "TACHO_DATA": str(data), "XDG_CONFIG_HOME": str(configuration), "HOME": str(home)}
# A request's body is at most 32 MiB; these are far below.
BATCH = 100
START_MAX_S = 30

# Where anything came out: what it was, and what it said.
said = []


def heard(what, text):
    said.append((what, text if isinstance(text, bytes) else text.encode()))
    return text


def read_secrets():
    with open(secrets_file, encoding="utf-8") as file:
        *lines, last = [json.loads(line) for line in file]
    return lines, last["left_out"]


def run(*words, feed=b"", fine=(0,)):
    """A command; whatever it prints is kept."""
    ran = subprocess.run([tacho, *map(str, words)], input=feed, capture_output=True, env=ENVIRONMENT, check=False)
    name = " ".join(map(str, words[:4]))
    heard(f"{name}: stdout", ran.stdout)
    heard(f"{name}: stderr", ran.stderr)
    assert ran.returncode in fine, (name, ran.returncode, ran.stderr[-600:])
    return ran.stdout


# Parts and metadata of an event that take any text.
PLACES = (
    "result", "reasoning", "error", "context", "input", "output", "params.note", "params.name", "params.list", "inside",
    "attribute", "tags", "action", "tool", "source", "error_type", "agent_name", "session_id",
)


def event(way, number, secret):
    """One event that holds a secret, in a place by its number."""
    text = secret["text"]
    made = {"event_id": f"{way}-{number}", "event_type": "agent.tool_call", "session_id": f"{way}-{number % 20}"}
    if secret["json"]:
        # Also as the name of a member, which is text that is JSON.
        return {**made, "params": {text: "x"} if number % 4 == 3 else json.loads(text)}
    place = PLACES[number % len(PLACES)]
    if place == "params.name":
        made["params"] = {text: {"deep": 1}}
    elif place == "params.note":
        made["params"] = {"note": text}
    elif place == "params.list":
        made["params"] = {"deep": [{"er": [text, 1]}]}
    elif place == "inside":
        made["result"] = json.dumps({"note": text})
    elif place == "attribute":
        made["x.custom"] = {"said": text}
    elif place == "tags":
        made["tags"] = [text[:1000]]
    else:
        made[place] = text
    return made


def refused(way, number, secret):
    """A line that is refused, with the secret at fault or beside it."""
    text, good = secret["text"], event(way, number, secret)
    return [
        lambda: json.dumps({**good, "timestamp": text}),
        lambda: json.dumps({**good, "event_type": ""}),
        lambda: json.dumps({**good, "event_type": text}),
        lambda: json.dumps({**good, "confidence": text}),
        lambda: json.dumps({**good, "parent_event_id": [text]}),
        lambda: json.dumps({**good, "outcome": text}),
        lambda: json.dumps({**good, "tier": text, "schema_version": text}),
        lambda: json.dumps({**good, "cost": {"amount": text, "currency": text}}),
        lambda: json.dumps({"text": text}),
        lambda: json.dumps(text),
        lambda: json.dumps({**good, "result": text})[:-3],
        lambda: text.replace("\n", " ") + " is no JSON",
        lambda: '{"event_type":"agent.tool_call","result":' + "[" * 80 + json.dumps(text) + "]" * 80 + "}",
        lambda: '{"event_type":"agent.tool_call",' + json.dumps(text) + ":1," + json.dumps(text) + ":2}",
        lambda: json.dumps({**good, "event_id": text + "x" * 200}),
        lambda: json.dumps({**good, text: "x", "duration_ms": text}),
    ][number % 16]()


def lines(texts):
    return ("\n".join(texts) + "\n").encode()


def planted(value, text, counter):
    """A copy in which every text that is long or has a blank holds the secret; names and ids stay."""
    if isinstance(value, dict):
        return {key: planted(member, text, counter) for key, member in value.items()}
    if isinstance(value, list):
        return [planted(member, text, counter) for member in value]
    if isinstance(value, str) and (" " in value or len(value) > 36):
        counter[0] += 1
        return text
    return value


def records(path):
    """What is in a recording that has a record on each line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def renamed(record, suffix):
    """The same record with ids of its own, so that it is no redelivery."""
    text = json.dumps(record)
    # The last digits of every long hexadecimal id.
    return json.loads(re.sub(r'"([0-9a-f]{10,32})"', lambda it: f'"{it[1][:-6]}{suffix:06x}"', text))


def import_all(secrets):
    folder = home / "foreign"
    folder.mkdir()
    sources = {
        "ag2-audit": testdata / "ag2/hub/audit.jsonl",
        "ag2-wal": testdata / "ag2/hub/wal-2.jsonl",
        "ag2-spans": testdata / "ag2/hub/spans.jsonl",
    }
    for name, source in sources.items():
        templates, made, counter = records(source), [], [0]
        templates = [it for it in templates if planted(it, "", [0]) != it] or templates
        for number, secret in enumerate(secrets):
            template = templates[number % len(templates)]
            made.append(json.dumps(planted(renamed(template, number), secret["text"], counter)))
        # The broken ones: cut off, and with the secret in front.
        made += [line[:-2] for line in made[::7]] + [json.dumps(it["text"]) for it in secrets[::7]]
        foreign = folder / f"{name}.jsonl"
        foreign.write_bytes(lines(made))
        assert counter[0] >= len(secrets) // 2, (name, counter)
        run("import", "--from", name, foreign, fine=(0, 1, 3))
        foreign.unlink()
    forensic = [
        f"2026-11-20 19:24:{n % 60:02},{n % 1000:03} - forensics.Coder - "
        + json.dumps({"timestamp": f"2026-11-20T19:24:34.{n:06}Z", "agent": "Coder", "event": "chat_init", "data": {"message": it["text"]}})
        for n, it in enumerate(secrets)
    ]
    forensic += ["2026-11-20 19:24:34,265 - forensics.Coder - " + it["text"].replace("\n", " ") for it in secrets[::5]]
    forensic += [it["text"].replace("\n", " ") for it in secrets[::5]]
    foreign = folder / "forensic.log"
    foreign.write_bytes(lines(forensic))
    run("import", "--from", "forensic-log", foreign, fine=(0, 1, 3))
    foreign.unlink()
    native = [json.dumps(event("native", n, it)) for n, it in enumerate(secrets)]
    native += [refused("native", n, it) for n, it in enumerate(secrets)]
    foreign = folder / "native.ndjson"
    foreign.write_bytes(lines(native))
    run("import", "--from", "ndjson", foreign, fine=(0, 1, 3))
    foreign.unlink()
    for name, request in {"traces": traces(secrets, 1), "logs": logs(secrets, 1)}.items():
        for kind, body in {f"otlp-{name}-protobuf": request.SerializeToString(), "otlp-json": MessageToJson(request).encode()}.items():
            foreign = folder / kind
            foreign.write_bytes(body if kind != "otlp-json" else lines([json.dumps(json.loads(body))]))
            run("import", "--from", kind, foreign, fine=(0, 1, 3))
            # What is no request at all.
            foreign.write_bytes(body[:-5] + secrets[0]["text"].encode())
            run("import", "--from", kind, foreign, fine=(0, 1, 3))
            foreign.unlink()
    folder.rmdir()


def traces(secrets, way):
    """An OTLP request: a span for each secret, which stands in one of its texts."""
    request = trace_service_pb2.ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number, secret in enumerate(secrets):
        text = secret["text"]
        span = scope.spans.add()
        span.trace_id = way.to_bytes(8, "big") + (number // 20 + 1).to_bytes(8, "big")
        span.span_id = (way << 32 | number + 1).to_bytes(8, "big")
        span.start_time_unix_nano = 1_767_225_600_000_000_000 + number
        span.end_time_unix_nano = span.start_time_unix_nano + 1000
        span.name = text if number % 6 == 0 else "execute_tool lookup"
        for key, value in (("gen_ai.operation.name", "execute_tool"), ("gen_ai.tool.name", "lookup")):
            attribute = span.attributes.add()
            attribute.key, attribute.value.string_value = key, value
        names = ["gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.input.messages", "custom.note", "error.type"]
        attribute = span.attributes.add()
        attribute.key, attribute.value.string_value = names[number % len(names)], text
        if number % 6 == 1:
            span.status.code, span.status.message = 2, text
        if number % 6 == 2:
            happened = span.events.add()
            happened.name = "exception"
            message = happened.attributes.add()
            message.key, message.value.string_value = "exception.message", text
        if number % 6 == 3:
            listed = span.attributes.add()
            listed.key = "custom.list"
            listed.value.array_value.values.add().string_value = text
        if number % 50 == 4:
            span.trace_id = text.encode()[:5]
    return request


def logs(secrets, way):
    request = logs_service_pb2.ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for number, secret in enumerate(secrets):
        text = secret["text"]
        record = scope.log_records.add()
        record.time_unix_nano = 1_767_225_600_000_000_000 + (way << 32) + number
        record.severity_text = "ERROR"
        if number % 3 == 0:
            record.body.string_value = text
        elif number % 3 == 1:
            member = record.body.kvlist_value.values.add()
            member.key, member.value.string_value = "message", text
        else:
            record.event_name = "gen_ai.client.inference.operation.details"
            attribute = record.attributes.add()
            attribute.key, attribute.value.string_value = "gen_ai.output.messages", text
    return request


class Server:
    """A running `tacho serve`; all that it logs is kept."""

    def __init__(self, name):
        self.log = home / f"{name}.log"
        self.file = self.log.open("wb")
        words = [tacho, "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(words, stdout=self.file, stderr=self.file, stdin=subprocess.DEVNULL, env=ENVIRONMENT)
        # None outlives a check that fails.
        atexit.register(self.process.kill)
        self.address = self.wait()
        self.token = (configuration / "tachograph/admin-token").read_text().strip()

    def wait(self):
        begun = time.monotonic()
        while time.monotonic() - begun < START_MAX_S:
            found = re.search(r"^Listening on http://(\S+)$", self.log.read_text(errors="replace"), re.M)
            if found:
                return found[1]
            time.sleep(0.05)
        sys.exit(f"the server did not begin to listen: {self.log.read_text(errors='replace')}")

    def ask(self, method, path, body=None, kind="application/json", coding=None, token=None):
        """One request; status, headers and body of the answer are kept."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"authorization": f"Bearer {token or self.token}", "content-type": kind}
        if coding:
            headers["content-encoding"] = coding
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        heard(f"{method} {path[:40]}: {answer.status}", str(answer.getheaders()).encode() + text)
        connection.close()
        return answer.status, text

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.file.close()

    def stop(self):
        self.process.terminate()
        status = self.process.wait()
        self.file.close()
        assert status == 0, f"the server ended with {status}"


def over_http(server, secrets, way):
    path = "/api/v1/logs/main/events"
    for start in range(0, len(secrets), BATCH):
        part = list(enumerate(secrets))[start : start + BATCH]
        events = [event(way, number, secret) for number, secret in part]
        bad = [refused(way, number, secret) for number, secret in part]
        status, text = server.ask("POST", path, json.dumps(events))
        assert status == 200, (status, text[:300])
        body = lines([json.dumps({**it, "event_id": f"{it['event_id']}-n"}) for it in events] + bad)
        status, text = server.ask("POST", path, gzip.compress(body), "application/x-ndjson", "gzip")
        assert status in (200, 207, 422), (status, text[:300])
        server.ask("POST", f"{path}?atomic=1", body, "application/x-ndjson")
    for number, secret in enumerate(secrets):
        text = secret["text"]
        quoted = urllib.parse.quote(text, safe="")
        if number % 4 == 0:
            server.ask("POST", path, refused(way, number, secret).encode())
        elif number % 4 == 1:
            server.ask("POST", path, text.encode(), text.replace("\n", " ")[:40].encode("ascii", "replace").decode())
        elif number % 4 == 2:
            server.ask("GET", f"{path}/{quoted[:1500]}")
            server.ask("GET", f"/api/v1/logs/{quoted[:1500]}/events")
        else:
            server.ask("GET", f"{path}?from={quoted[:1500]}")
            server.ask("GET", f"{path}?limit=1&text={quoted[:1500]}")
            server.ask("GET", f"{path}?nonsense={quoted[:1500]}")
        if number % 10 == 0:
            server.ask("GET", path, token=re.sub(r"[^!-~]", "", text) or "x")


def over_otlp(server, secrets, way):
    for name, make in {"traces": traces, "logs": logs}.items():
        request = make(secrets, way)
        proto, text = "application/x-protobuf", "application/json"
        assert server.ask("POST", f"/v1/{name}", request.SerializeToString(), proto)[0] == 200
        request = make(secrets, way + 1)
        assert server.ask("POST", f"/v1/{name}", MessageToJson(request).encode(), text)[0] == 200
        server.ask("POST", f"/v1/{name}", MessageToJson(request).encode()[:-9], text)
        server.ask("POST", f"/v1/{name}", request.SerializeToString()[:-9], proto)
    channel = grpc.insecure_channel(server.address)
    bearer = [("authorization", f"Bearer {server.token}")]
    for stub, request in (
        (trace_service_pb2_grpc.TraceServiceStub(channel), traces(secrets, way + 2)),
        (logs_service_pb2_grpc.LogsServiceStub(channel), logs(secrets, way + 2)),
    ):
        heard("gRPC", str(stub.Export(request, metadata=bearer, timeout=60)))
        for number, secret in enumerate(secrets[::10]):
            try:
                odd = [("authorization", f"Bearer {re.sub(r'[^!-~]', '', secret['value']) or 'x'}")]
                heard("gRPC", str(stub.Export(request, metadata=odd, timeout=60)))
            except grpc.RpcError as error:
                heard(f"gRPC error {number}", str(error))
    channel.close()


async def over_mcp(server, secrets):
    """Tools that are not there, arguments that are none, and questions that hold a secret."""
    headers = {"authorization": f"Bearer {server.token}"}
    async with create_mcp_http_client(headers=headers) as http_client:
        transport = streamable_http_client(f"http://{server.address}/mcp", http_client=http_client)
        async with Client(transport) as client:
            for number, secret in enumerate(secrets):
                text = secret["text"]
                tool, arguments = [
                    ("get_event", {"event_id": text}),
                    ("search_events", {"text": text}),
                    ("search_events", {"from": text}),
                    ("recent_events", {"limit": text}),
                    ("trace_task", {"task_id": text, "nonsense": text}),
                    ("audit_agent", {"agent": text}),
                ][number % 6]
                try:
                    heard(f"MCP {tool}", str(await client.call_tool(tool, arguments)))
                except Exception as error:  # An error is an answer, too.
                    heard(f"MCP error of {tool}", repr(error))
                if number % 20 == 0:
                    try:
                        heard("MCP, no such tool", str(await client.call_tool(text[:200], {})))
                    except Exception as error:
                        heard("MCP error, no such tool", repr(error))


def kill_a_command(secrets):
    """`tacho append`, killed while its input has not ended."""
    words = [tacho, "append", "-"]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT)
    body = lines([json.dumps(event("killed", number, secret)) for number, secret in enumerate(secrets)])
    try:
        process.stdin.write(body)
        process.stdin.flush()
        time.sleep(0.3)
    except BrokenPipeError:
        pass
    process.send_signal(signal.SIGKILL)
    out, err = process.communicate()
    heard("a killed append: stdout", out)
    heard("a killed append: stderr", err)


def kill_a_server(secrets, name):
    """A server, killed in the middle of a request."""
    server = Server(name)
    body = lines([json.dumps(event(name, number, secret)) for number, secret in enumerate(secrets)])
    connection = http.client.HTTPConnection(server.address, timeout=60)
    connection.putrequest("POST", "/api/v1/logs/main/events")
    for key, value in (("authorization", f"Bearer {server.token}"), ("content-type", "application/x-ndjson")):
        connection.putheader(key, value)
    connection.putheader("content-length", str(len(body)))
    connection.endheaders()
    connection.send(body)
    server.kill()
    connection.close()


def spellings(value):
    """As it is, as JSON writes it, and as addresses do."""
    plain = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    plain |= {urllib.parse.quote(value, safe=""), urllib.parse.quote_plus(value)}
    return {spelling.encode() for spelling in plain}


def stands_alone(text, at, length):
    """Whether what was found is no part of a longer number or word."""
    around = text[max(at - 1, 0) : at] + text[at + length : at + length + 1]
    return not re.search(rb"[0-9A-Za-z]", around)


def leaks(secrets, where):
    """Every secret in every text, by one automaton of all of them."""
    values = collections.defaultdict(set)
    for secret in secrets:
        for spelling in spellings(secret["value"]):
            values[spelling].add(secret["rule"])
    # The first bytes of all of them; what begins so is compared in full.
    heads = collections.defaultdict(list)
    for value in values:
        heads[value[:8]].append(value)
    pattern = re.compile(b"|".join(re.escape(head) for head in sorted(heads, key=len, reverse=True)))
    found = collections.Counter()
    for name, text in where:
        for match in pattern.finditer(text):
            for value in heads[match[0]]:
                at = match.start()
                if text.startswith(value, at) and (len(value) > 14 or stands_alone(text, at, len(value))):
                    for rule in values[value]:
                        found[name, rule, value[:60]] += 1
    return found


def main():
    secrets, left_out = read_secrets()
    home.mkdir(parents=True)
    run("init")
    good = [json.dumps(event("cli", number, secret)) for number, secret in enumerate(secrets)]
    bad = [refused("cli", number, secret) for number, secret in enumerate(secrets)]
    receipts = run("append", feed=lines(good))
    assert receipts.count(b"\n") >= len(secrets)
    run("append", feed=lines(bad), fine=(0, 1, 3))
    kill_a_command(secrets)
    import_all(secrets)
    kill_a_server(secrets, "first")
    server = Server("second")
    over_http(server, secrets, "http")
    over_otlp(server, secrets, 10)
    server.kill()
    server = Server("third")
    asyncio.run(over_mcp(server, secrets))
    over_http(server, secrets[: len(secrets) // 4], "again")
    status, metrics = server.ask("GET", "/metrics")
    assert status == 200 and b"tacho" in metrics, metrics[:300]
    server.ask("GET", "/readyz")
    server.stop()
    verified = run("verify")
    run("doctor", fine=(0, 1))
    exported = run("export", "--format", "ndjson")
    run("export", "--format", "csv")
    run("events", "--limit", "1000")
    markers = exported.count(b"[redacted:") + exported.count(b"[hash:")
    assert markers >= 8 * len(secrets), f"only {markers} markers: the secrets did not get in"
    files = [(f"file {path.relative_to(home)}", path.read_bytes()) for path in home.rglob("*") if path.is_file()]
    assert any("journal" in name for name, _ in files), [name for name, _ in files]
    found = leaks(secrets, files + said)
    kinds = len({secret["rule"] for secret in secrets})
    print(
        f"canaries: {len(secrets)} secrets of {kinds} kinds, {exported.count(bytes([10]))} records, {markers} markers; "
        f"{len(files)} files, {len(said)} texts that came out, {sum(len(text) for _, text in files + said) >> 20} MiB searched"
    )
    if left_out:
        print(f"left out, because not every value of theirs is found: {', '.join(left_out)}")
    print(verified.decode(errors="replace").strip().splitlines()[-1])
    if found:
        for (name, rule, value), count in found.most_common(40):
            print(f"LEAKED {count} x {rule} {value!r} in {name}")
        sys.exit(f"{len(found)} places hold a secret")
    print("no secret is anywhere")


if __name__ == "__main__":
    main()
