"""The run that `conventions.py` tells in every naming convention, and the clock and ids it runs on.

A customer asks for order 1042 to be cancelled. The agent asks the model, calls `get_order` (works) and
`cancel_order` (raises), asks the model again and answers. Ids come from a seeded generator, times from a
clock that only the story moves.
"""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import IdGenerator, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from otlp_json import to_otlp_json
from recording import save_json

START_NS = 1_793_629_381_000_000_000  # 2026-11-02T14:23:01Z

SYSTEM = "You are the order desk."
QUESTION = "Please cancel order 1042."
ANSWER = "Order 1042 is already delivered; I could not cancel it."
AGENT = {"id": "agent-order-desk-1", "name": "order_desk", "description": "Answers about orders."}
CONVERSATION = "conversation-1042"
USER = "c-2187"
MODEL, MODEL_ANSWERING = "gpt-4o", "gpt-4o-2024-08-06"
TOOLS = [
    {
        "id": "call_1",
        "name": "get_order",
        "arguments": {"order_id": 1042},
        "result": {"order_id": 1042, "status": "delivered"},
        "duration_ms": 40,
    },
    {
        "id": "call_2",
        "name": "cancel_order",
        "arguments": {"order_id": 1042},
        "error": ValueError("order 1042 is already delivered"),
        "duration_ms": 25,
    },
]
FIRST = {
    "id": "chatcmpl-1",
    "finish": "tool_calls",
    "input": 420,
    "output": 58,
    "cached": 256,
    "written": 64,
    "reasoning": 24,
    "duration_ms": 900,
}
LAST = {
    "id": "chatcmpl-2",
    "finish": "stop",
    "input": 512,
    "output": 31,
    "cached": 420,
    "written": 0,
    "reasoning": 8,
    "duration_ms": 700,
}


class SeededIds(IdGenerator):
    """Ids that are the same in every run."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)

    def generate_trace_id(self) -> int:
        return self.random.getrandbits(128) or 1

    def generate_span_id(self) -> int:
        return self.random.getrandbits(64) or 1


class Recorder:
    """A tracer and a logger on a clock that stands still until a step takes time."""

    def __init__(self, convention: str, scope: str, version: str, schema_url: str = "") -> None:
        self.now_ns = START_NS
        resource = Resource(
            {
                "service.name": "order-desk",
                "service.instance.id": "00000000-0000-4000-8000-000000001042",
                "telemetry.sdk.language": "python",
                "telemetry.sdk.name": "opentelemetry",
            }
        )
        self.spans = InMemorySpanExporter()
        traces = TracerProvider(resource=resource, id_generator=SeededIds(convention))
        traces.add_span_processor(SimpleSpanProcessor(self.spans))
        self.tracer = traces.get_tracer(scope, version, schema_url=schema_url)
        self.logs = InMemoryLogRecordExporter()
        logs = LoggerProvider(resource=resource)
        logs.add_log_record_processor(SimpleLogRecordProcessor(self.logs))
        self.logger = logs.get_logger(scope, version, schema_url=schema_url)

    @contextmanager
    def span(self, name, attributes, *, kind=SpanKind.INTERNAL, takes_ms=0, error=None) -> Iterator:
        """An open span below the current one; `takes_ms` passes before it ends; `error` fails it."""
        span = self.tracer.start_span(name, kind=kind, start_time=self.now_ns, attributes=attributes)
        token = otel_context.attach(trace.set_span_in_context(span))
        try:
            yield span
        finally:
            self.now_ns += takes_ms * 1_000_000
            if error is not None:
                span.record_exception(error, timestamp=self.now_ns)
                span.set_status(StatusCode.ERROR, str(error))
            otel_context.detach(token)
            span.end(self.now_ns)
            self.now_ns += 1_000_000

    def event(self, span, name: str, attributes: dict) -> None:
        """A span event at the present moment."""
        span.add_event(name, attributes, timestamp=self.now_ns)

    def log(self, name: str, body: dict, attributes: dict) -> None:
        """A log record of the open span, named the old way: by the attribute `event.name`."""
        self.logger.emit(
            timestamp=self.now_ns,
            observed_timestamp=self.now_ns,
            severity_number=SeverityNumber.INFO,
            body=body,
            attributes={"event.name": name, **attributes},
        )

    def save(self, convention: str) -> None:
        """Writes the spans, and the log records when there are any."""
        request = encode_spans(self.spans.get_finished_spans())
        save_json(f"otlp/generations/{convention}.json", to_otlp_json(request))
        if records := self.logs.get_finished_logs():
            request = encode_logs(records)
            save_json(f"otlp/generations/{convention}.logs.json", to_otlp_json(request))


def play(
    rec: Recorder,
    chat: Callable[[dict, list[dict]], None],
    tool: Callable[[dict], None],
) -> None:
    """The inside of the run: ask the model, call both tools, ask again."""
    history = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": QUESTION}]
    chat(FIRST, history)
    for step in TOOLS:
        tool(step)
    calls = {"role": "assistant", "content": "", "calls": TOOLS}
    results = [{"role": "tool", "id": t["id"], "content": result_text(t)} for t in TOOLS]
    chat(LAST, [*history, calls, *results])


def result_text(step: dict) -> str:
    """What the model is told about a tool call."""
    return json.dumps(step["result"]) if "result" in step else f"error: {step['error']}"


def openai_message(message: dict) -> dict:
    """A message as OpenAI's API has it: the shape inside the events up to 1.36."""
    shaped = {"role": message["role"], "content": message["content"]}
    if "id" in message:
        shaped["id"] = message["id"]
    if "calls" in message:
        shaped["tool_calls"] = [
            {
                "id": c["id"],
                "type": "function",
                "function": {"name": c["name"], "arguments": json.dumps(c["arguments"])},
            }
            for c in message["calls"]
        ]
    return shaped


def parts_message(message: dict) -> dict:
    """A message as a list of parts: the shape of `gen_ai.input.messages` since 1.37."""
    if message["role"] == "tool":
        part = {"type": "tool_call_response", "id": message["id"], "response": message["content"]}
        return {"role": "tool", "parts": [part]}
    parts: list[dict] = []
    if message["content"]:
        parts.append({"type": "text", "content": message["content"]})
    parts += [
        {"type": "tool_call", "id": c["id"], "name": c["name"], "arguments": c["arguments"]}
        for c in message.get("calls", [])
    ]
    return {"role": message["role"], "parts": parts}


def reply(turn: dict) -> dict:
    """The model's answer in a turn."""
    if turn is FIRST:
        return {"role": "assistant", "content": "", "calls": TOOLS}
    return {"role": "assistant", "content": ANSWER}
