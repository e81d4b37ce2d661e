"""OpenTelemetry's stock exporters against a running server.

Spans and log records leave by OTLP over HTTP and over gRPC, as any application would send them; then
they are asked for. Last the recorded incident goes in as JSON lines, for whoever asks next.
Arguments: the server's address (http://HOST:PORT), a file with a token, the incident.
"""

import json
import logging
import sys
import urllib.error
import urllib.request

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

address, token_file, incident = sys.argv[1:4]
with open(token_file, encoding="utf-8") as file:
    token = file.read().strip()
bearer = {"authorization": f"Bearer {token}"}
log = f"{address}/api/v1/logs/main"


def ask(path, body=None):
    request = urllib.request.Request(f"{log}{path}", data=body, headers=bearer)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def send(door, spans, logs):
    """One agent's run by one door; its trace id."""
    resource = Resource.create({"service.name": f"checkout-{door}"})
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(spans))
    tracer = traces.get_tracer("check")
    with tracer.start_as_current_span("invoke_agent planner") as run:
        run.set_attribute("gen_ai.operation.name", "invoke_agent")
        run.set_attribute("gen_ai.agent.name", f"planner-{door}")
        with tracer.start_as_current_span("execute_tool lookup") as tool:
            tool.set_attribute("gen_ai.operation.name", "execute_tool")
            tool.set_attribute("gen_ai.tool.name", "lookup")
            tool.set_attribute("gen_ai.tool.call.arguments", '{"key": "sk-ant-api03-' + "a1B2" * 23 + 'AA"}')
        trace = format(run.get_span_context().trace_id, "032x")
    records = LoggerProvider(resource=resource)
    records.add_log_record_processor(BatchLogRecordProcessor(logs))
    logger = logging.getLogger(door)
    logger.addHandler(LoggingHandler(logger_provider=records))
    logger.error("refund failed by %s", door)
    assert traces.force_flush() and records.force_flush(), door
    traces.shutdown()
    records.shutdown()
    return trace


host = address.split("://", 1)[1]
found = {
    "http": send(
        "http",
        HttpSpans(f"{address}/v1/traces", headers=bearer, compression=Compression.Gzip),
        HttpLogs(f"{address}/v1/logs", headers=bearer),
    ),
    "grpc": send(
        "grpc",
        GrpcSpans(host, insecure=True, headers=bearer),
        GrpcLogs(host, insecure=True, headers=bearer),
    ),
}
# What was acknowledged is in the next checkpoint that is published; ask for one.
ask("/events?ack=published", b'{"event_type": "check.done"}')
for door, trace in found.items():
    events = ask(f"/traces/{trace}")["events"]
    tools = [event for event in events if event.get("tool") == "lookup" or "lookup" in json.dumps(event)]
    assert len(events) >= 3 and tools, (door, events)
    assert "sk-ant-api03" not in json.dumps(events), "a secret came through"
    assert all(event["principal"]["method"] == "token" for event in events), events
    logged = ask(f"/events?text=%22refund+failed+by+{door}%22")["events"]
    assert len(logged) == 1, (door, logged)
    print(f"{door}: {len(events)} events of the trace, its tool and its log record are there")
try:
    urllib.request.urlopen(f"{log}/events")
    sys.exit("a question without a token was answered")
except urllib.error.HTTPError as error:
    assert error.code == 401, error
print("without a token nothing is told")
with open(incident, "rb") as file:
    sent = ask("/events?ack=published", file.read())
assert sent["accepted"] > 10 and sent["refused"] == 0, sent
print(f"{sent['accepted']} events of the incident are in")
