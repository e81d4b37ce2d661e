"""Records an OpenTelemetry-instrumented AG2 agent through the real OTLP/HTTP protobuf exporters.

One run: Bob is asked for a refund. His model calls a tool that works, one that raises, one that asks a
human, and one that asks a second agent, Fay, who has a tool of her own; then he answers.
`TelemetryMiddleware` makes the spans. A middleware of this script emits the GenAI events as log records
inside those spans, the way an instrumented model client does, and Python's `logging` sends the tool's
exception.

A server in this process receives what the exporters send. The bodies are kept as they came, but for one
pass: the folders of this machine are cut off the source paths in stack traces and `code.file.path`
(`otlp_json.scrub_request`), and the body is serialised again. Written: `traces.pb`, `logs.pb`, the same
as OTLP JSON (`traces.json`, `logs.json`), and what `span.to_json()` prints (`spans-console.jsonl`).
"""

import asyncio
import json
import logging
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

from ag2 import Agent, Context
from ag2.events import (
    HumanInputRequest,
    HumanMessage,
    ModelMessage,
    ModelReasoning,
    ModelRequest,
    ModelResponse,
    ToolCallEvent,
    ToolCallsEvent,
    ToolResultsEvent,
    Usage,
)
from ag2.middleware import BaseMiddleware, Middleware, TelemetryMiddleware
from ag2.testing import TestConfig
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otlp_json import scrub_request, to_otlp_json
from recording import save_bytes, save_json, save_text, scrub

QUESTION = "Refund order 1042, please."
PROVIDER, MODEL = "openai", "gpt-4o"


class Receiver:
    """An OTLP/HTTP endpoint on a free loopback port that keeps what it is sent, by path."""

    def __init__(self) -> None:
        bodies: dict[str, list[bytes]] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                bodies.setdefault(self.path, []).append(body)
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        self.bodies = bodies
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def only(self, path: str) -> bytes:
        """The one body sent to `path`."""
        (body,) = self.bodies[path]
        return body


class Telemetry:
    """The SDK's providers with the exporters that point at the receiver."""

    def __init__(self, receiver: Receiver) -> None:
        resource = Resource.create(
            {
                "service.name": "support-desk",
                "service.version": "1.4.0",
                "deployment.environment.name": "test",
            }
        )
        self.console = InMemorySpanExporter()
        self.traces = TracerProvider(resource=resource)
        self.traces.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{receiver.url}/v1/traces"))
        )
        self.traces.add_span_processor(SimpleSpanProcessor(self.console))
        self.logs = LoggerProvider(resource=resource)
        self.logs.add_log_record_processor(
            BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{receiver.url}/v1/logs"))
        )
        self.events = self.logs.get_logger("gen_ai.events", "0.1.0")
        self.desk_log = logging.getLogger("support_desk.tools")
        self.desk_log.propagate = False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK's handler is deprecated, and still what runs
            self.desk_log.addHandler(LoggingHandler(logger_provider=self.logs))

    def close(self) -> None:
        """Sends what is left: one request each."""
        self.traces.shutdown()
        self.logs.shutdown()

    def for_agent(self, name: str) -> list:
        """The middleware of one agent: spans outside, events inside them."""
        spans = TelemetryMiddleware(
            tracer_provider=self.traces,
            agent_name=name,
            provider_name=PROVIDER,
            model_name=MODEL,
            span_attributes={"gen_ai.conversation.id": "conversation-1042", "user.id": "c-2187"},
        )
        return [spans, Middleware(GenAiEvents, telemetry=self)]


class GenAiEvents(BaseMiddleware):
    """Emits the GenAI events of a model call as log records of the span that is open."""

    def __init__(self, event, context, *, telemetry: Telemetry) -> None:
        super().__init__(event, context)
        self.telemetry = telemetry

    async def on_llm_call(self, call_next, events, context):
        messages = new_messages(events)
        for message in messages:
            self._emit(f"gen_ai.{message['role']}.message", body=message)
        response = await call_next(events, context)
        calls = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in response.tool_calls.calls
        ]
        message = {"role": "assistant", "content": response.content or "", "tool_calls": calls}
        self._emit(
            "gen_ai.choice",
            body={"index": 0, "finish_reason": response.finish_reason, "message": message},
        )
        self._emit(
            "gen_ai.client.inference.operation.details",
            severity=SeverityNumber.DEBUG,
            attributes=details(response, messages, calls),
        )
        return response

    def _emit(self, name, *, body=None, attributes=None, severity=SeverityNumber.INFO) -> None:
        self.telemetry.events.emit(
            event_name=name,
            severity_number=severity,
            body=body,
            attributes={"gen_ai.provider.name": PROVIDER, **(attributes or {})},
        )


def new_messages(events) -> list[dict]:
    """What the model has not answered yet: the user's text, or the results of the tools it called."""
    messages: list[dict] = []
    for event in events:
        if isinstance(event, ModelResponse):
            messages = []
        elif isinstance(event, ModelRequest):
            text = "".join(part.content for part in event.parts)
            messages.append({"role": "user", "content": text})
        elif isinstance(event, ToolResultsEvent):
            for result in event.results:
                text = "".join(as_text(part) for part in result.result.parts)
                messages.append({"role": "tool", "id": result.parent_id, "content": text})
    return messages


def as_text(part) -> str:
    """A part of a tool's result as text: its own text, or its data as JSON."""
    return part.content if hasattr(part, "content") else json.dumps(part.data)


def input_message(message: dict) -> dict:
    """The same message in the shape of `gen_ai.input.messages`."""
    if message["role"] == "tool":
        part = {"type": "tool_call_response", "id": message["id"], "response": message["content"]}
    else:
        part = {"type": "text", "content": message["content"]}
    return {"role": message["role"], "parts": [part]}


def details(response: ModelResponse, messages: list[dict], calls: list[dict]) -> dict:
    """The attributes of `gen_ai.client.inference.operation.details`, messages as structured values."""
    parts: list[dict] = [{"type": "text", "content": response.content}] if response.content else []
    parts += [
        {
            "type": "tool_call",
            "id": call["id"],
            "name": call["function"]["name"],
            "arguments": json.loads(call["function"]["arguments"]),
        }
        for call in calls
    ]
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": response.model,
        "gen_ai.response.id": response.response_id,
        "gen_ai.response.finish_reasons": [response.finish_reason],
        "gen_ai.usage.input_tokens": int(response.usage.prompt_tokens),
        "gen_ai.usage.output_tokens": int(response.usage.completion_tokens),
        "gen_ai.usage.cache_read.input_tokens": int(response.usage.cache_read_input_tokens),
        "gen_ai.usage.reasoning.output_tokens": int(response.usage.thinking_tokens),
        "gen_ai.input.messages": [input_message(message) for message in messages],
        "gen_ai.output.messages": [
            {"role": "assistant", "parts": parts, "finish_reason": response.finish_reason}
        ],
    }


def says(number: int, text: str | None = None, *calls: ToolCallEvent) -> ModelResponse:
    """One scripted answer with a bill: cached tokens inside the prompt, thinking inside the answer."""
    return ModelResponse(
        ModelMessage(text) if text else None,
        tool_calls=ToolCallsEvent(list(calls)),
        usage=Usage(
            prompt_tokens=400 + 60 * number,
            completion_tokens=40 + number,
            total_tokens=440 + 61 * number,
            cache_read_input_tokens=256,
            cache_creation_input_tokens=64,
            thinking_tokens=16,
        ),
        model="gpt-4o-2024-08-06",
        provider=PROVIDER,
        finish_reason="tool_calls" if calls else "stop",
        response_id=f"chatcmpl-{number:04}",
    )


def call(number: int, tool: str, **arguments) -> ToolCallEvent:
    """A scripted tool call."""
    return ToolCallEvent(tool, id=f"call_{number}", arguments=json.dumps(arguments))


def make_fay(telemetry: Telemetry) -> Agent:
    """The second agent: judges the risk of a refund, with a tool of her own."""
    fay = Agent(
        "fay",
        config=TestConfig(
            says(10, None, call(10, "risk_score", order_id=1042)),
            says(11, "Low risk: 0.07."),
        ),
        middleware=telemetry.for_agent("fay"),
    )

    @fay.tool
    async def risk_score(order_id: int) -> float:
        """Scores a refund between 0 and 1."""
        return 0.07

    return fay


def make_bob(telemetry: Telemetry, fay: Agent) -> Agent:
    """The first agent, with its four tools and its human."""
    bob = Agent(
        "bob",
        config=TestConfig(
            ModelReasoning("First see whether the order exists."),
            says(1, None, call(1, "get_order", order_id=1042)),
            says(2, None, call(2, "process_refund", order_id=1042, amount="49.90")),
            says(3, None, call(3, "ask_human", question="Refund 49.90 EUR by hand?")),
            says(4, None, call(4, "ask_fay", order_id=1042)),
            says(5, "A colleague will refund 49.90 EUR today."),
            raise_tool_errors=False,
        ),
        middleware=telemetry.for_agent("bob"),
    )

    @bob.tool
    async def get_order(order_id: int) -> dict:
        """Looks an order up."""
        return {"order_id": order_id, "status": "delivered", "email": "maria.keller@example.com"}

    @bob.tool
    async def process_refund(order_id: int, amount: str) -> str:
        """Moves money; the service behind it is down."""
        try:
            raise TimeoutError("refund service: 503 Service Unavailable")
        except TimeoutError:
            telemetry.desk_log.exception("refund of order %s failed", order_id)
            raise

    @bob.tool
    async def ask_human(question: str, context: Context) -> str:
        """Asks a person."""
        return await context.input(question)

    @bob.tool
    async def ask_fay(order_id: int) -> str:
        """Asks the risk agent."""
        reply = await fay.ask(f"How risky is a refund of order {order_id}?")
        return reply.response.content or ""

    @bob.hitl_hook
    async def person(event: HumanInputRequest) -> HumanMessage:
        return HumanMessage("yes, dana@example.com")

    return bob


def keep(receiver: Receiver, console: InMemorySpanExporter) -> None:
    """Scrubs and writes both requests in both encodings, and the console lines."""
    for name, request in (
        ("traces", ExportTraceServiceRequest()),
        ("logs", ExportLogsServiceRequest()),
    ):
        request.ParseFromString(receiver.only(f"/v1/{name}"))
        scrub_request(request)
        save_bytes(f"otlp/{name}.pb", request.SerializeToString())
        save_json(f"otlp/{name}.json", to_otlp_json(request))
    lines = [scrub(span.to_json(indent=None)) for span in console.get_finished_spans()]
    save_text("otlp/spans-console.jsonl", "\n".join(lines) + "\n")


async def main() -> None:
    """Runs Bob once and keeps what the exporters sent."""
    receiver = Receiver()
    telemetry = Telemetry(receiver)
    logging.getLogger("ag2").disabled = True  # the failing tool is meant
    bob = make_bob(telemetry, make_fay(telemetry))
    reply = await bob.ask(QUESTION)
    print(reply.response.content)
    telemetry.close()
    receiver.server.shutdown()
    keep(receiver, telemetry.console)


if __name__ == "__main__":
    asyncio.run(main())
