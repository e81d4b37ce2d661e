"""One short agent run, told through the real OpenTelemetry SDK in each naming convention. Deterministic.

`story.py` holds the run; one function a convention names it. The files are OTLP JSON requests,
`otlp/generations/<convention>.json`.

Constants of the semantic-convention packages stand where they exist; a name in quotes is one that has no
constant in the pinned versions (removed since, never released, or a framework's own).
"""

import json

from openinference.semconv.trace import (
    MessageAttributes,
    OpenInferenceSpanKindValues,
    SpanAttributes,
    ToolCallAttributes,
)
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as gen_ai
from opentelemetry.semconv._incubating.attributes import mcp_attributes as mcp
from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.semconv_ai import SpanAttributes as Traceloop
from opentelemetry.semconv_ai import TraceloopSpanKindValues
from opentelemetry.trace import SpanKind, StatusCode

from story import (
    AGENT,
    ANSWER,
    CONVERSATION,
    FIRST,
    MODEL,
    MODEL_ANSWERING,
    QUESTION,
    SYSTEM,
    TOOLS,
    USER,
    Recorder,
    openai_message,
    parts_message,
    play,
    reply,
)


def old_chat_attributes(turn: dict) -> dict:
    """What the chat spans up to 1.36 have in common."""
    return {
        gen_ai.GEN_AI_OPERATION_NAME: "chat",
        gen_ai.GEN_AI_SYSTEM: "openai",
        gen_ai.GEN_AI_REQUEST_MODEL: MODEL,
        gen_ai.GEN_AI_RESPONSE_MODEL: MODEL_ANSWERING,
        gen_ai.GEN_AI_RESPONSE_ID: turn["id"],
        gen_ai.GEN_AI_RESPONSE_FINISH_REASONS: [turn["finish"]],
    }


def gen_ai_1_27(rec: Recorder) -> None:
    """`gen_ai.system`, prompt and completion tokens, content in span events; no agent spans yet."""

    def chat(turn: dict, history: list[dict]) -> None:
        attributes = {
            **old_chat_attributes(turn),
            gen_ai.GEN_AI_REQUEST_MAX_TOKENS: 512,
            gen_ai.GEN_AI_USAGE_PROMPT_TOKENS: turn["input"],
            gen_ai.GEN_AI_USAGE_COMPLETION_TOKENS: turn["output"],
        }
        del attributes[gen_ai.GEN_AI_OPERATION_NAME]  # early instrumentations did not send it
        with rec.span(
            f"chat {MODEL}", attributes, kind=SpanKind.CLIENT, takes_ms=turn["duration_ms"]
        ) as span:
            prompt = json.dumps([openai_message(m) for m in history])
            rec.event(span, "gen_ai.content.prompt", {gen_ai.GEN_AI_PROMPT: prompt})
            completion = json.dumps([openai_message(reply(turn))])
            rec.event(span, "gen_ai.content.completion", {gen_ai.GEN_AI_COMPLETION: completion})

    def tool(step: dict) -> None:
        name = f"{step['name']} tool"
        with rec.span(name, {}, takes_ms=step["duration_ms"], error=step.get("error")):
            pass

    with rec.span("order_desk run", {"session.id": CONVERSATION}):
        play(rec, chat, tool)


def gen_ai_1_36(rec: Recorder) -> None:
    """Agent and tool spans; content as events, here both as span events and as log records."""

    def chat(turn: dict, history: list[dict]) -> None:
        attributes = {
            **old_chat_attributes(turn),
            gen_ai.GEN_AI_CONVERSATION_ID: CONVERSATION,
            gen_ai.GEN_AI_USAGE_INPUT_TOKENS: turn["input"],
            gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS: turn["output"],
        }
        common = {gen_ai.GEN_AI_SYSTEM: "openai"}
        with rec.span(
            f"chat {MODEL}", attributes, kind=SpanKind.CLIENT, takes_ms=turn["duration_ms"]
        ) as span:
            for message in history:
                name = f"gen_ai.{message['role']}.message"
                body = openai_message(message)
                rec.log(name, body, common)
                rec.event(span, name, {**common, "gen_ai.event.content": json.dumps(body)})
            choice = {
                "index": 0,
                "finish_reason": turn["finish"],
                "message": openai_message(reply(turn)),
            }
            rec.log("gen_ai.choice", choice, common)
            content = json.dumps(choice)
            rec.event(span, "gen_ai.choice", {**common, "gen_ai.event.content": content})

    def tool(step: dict) -> None:
        attributes = {
            gen_ai.GEN_AI_OPERATION_NAME: "execute_tool",
            gen_ai.GEN_AI_TOOL_NAME: step["name"],
            gen_ai.GEN_AI_TOOL_CALL_ID: step["id"],
            gen_ai.GEN_AI_TOOL_TYPE: "function",
            **error_type(step),
        }
        name = f"execute_tool {step['name']}"
        with rec.span(name, attributes, takes_ms=step["duration_ms"], error=step.get("error")):
            pass

    agent = {
        gen_ai.GEN_AI_OPERATION_NAME: "invoke_agent",
        gen_ai.GEN_AI_SYSTEM: "openai",
        gen_ai.GEN_AI_AGENT_ID: AGENT["id"],
        gen_ai.GEN_AI_AGENT_NAME: AGENT["name"],
        gen_ai.GEN_AI_AGENT_DESCRIPTION: AGENT["description"],
        gen_ai.GEN_AI_CONVERSATION_ID: CONVERSATION,
        gen_ai.GEN_AI_REQUEST_MODEL: MODEL,
    }
    with rec.span(f"invoke_agent {AGENT['name']}", agent):
        play(rec, chat, tool)


def error_type(step: dict) -> dict:
    """`error.type` of a failed step, or nothing."""
    return {ERROR_TYPE: type(step["error"]).__name__} if "error" in step else {}


def gen_ai_1_37(rec: Recorder) -> None:
    """`gen_ai.provider.name`, messages as parts in span attributes, cache and reasoning tokens."""

    def chat(turn: dict, history: list[dict]) -> None:
        answer = {**parts_message(reply(turn)), "finish_reason": turn["finish"]}
        thought = {"type": "reasoning", "content": "See whether it is already on its way."}
        if turn is FIRST:
            answer["parts"] = [thought, *answer["parts"]]
        said = [parts_message(m) for m in history if m["role"] != "system"]
        attributes = {
            gen_ai.GEN_AI_OPERATION_NAME: "chat",
            gen_ai.GEN_AI_PROVIDER_NAME: "openai",
            gen_ai.GEN_AI_CONVERSATION_ID: CONVERSATION,
            gen_ai.GEN_AI_REQUEST_MODEL: MODEL,
            gen_ai.GEN_AI_REQUEST_TEMPERATURE: 0.2,
            gen_ai.GEN_AI_RESPONSE_MODEL: MODEL_ANSWERING,
            gen_ai.GEN_AI_RESPONSE_ID: turn["id"],
            gen_ai.GEN_AI_RESPONSE_FINISH_REASONS: [turn["finish"]],
            gen_ai.GEN_AI_USAGE_INPUT_TOKENS: turn["input"],
            gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS: turn["output"],
            "gen_ai.usage.cache_read.input_tokens": turn["cached"],
            "gen_ai.usage.cache_creation.input_tokens": turn["written"],
            "gen_ai.usage.reasoning.output_tokens": turn["reasoning"],
            gen_ai.GEN_AI_SYSTEM_INSTRUCTIONS: json.dumps([{"type": "text", "content": SYSTEM}]),
            gen_ai.GEN_AI_INPUT_MESSAGES: json.dumps(said),
            gen_ai.GEN_AI_OUTPUT_MESSAGES: json.dumps([answer]),
            "server.address": "api.openai.example",
            "server.port": 443,
        }
        with rec.span(f"chat {MODEL}", attributes, kind=SpanKind.CLIENT, takes_ms=turn["duration_ms"]):
            pass

    def tool(step: dict) -> None:
        attributes = {
            gen_ai.GEN_AI_OPERATION_NAME: "execute_tool",
            gen_ai.GEN_AI_TOOL_NAME: step["name"],
            gen_ai.GEN_AI_TOOL_CALL_ID: step["id"],
            gen_ai.GEN_AI_TOOL_TYPE: "function",
            "gen_ai.tool.call.arguments": json.dumps(step["arguments"]),
            **({"gen_ai.tool.call.result": json.dumps(step["result"])} if "result" in step else {}),
            **error_type(step),
        }
        name = f"execute_tool {step['name']}"
        with rec.span(name, attributes, takes_ms=step["duration_ms"], error=step.get("error")):
            pass

    agent = {
        gen_ai.GEN_AI_OPERATION_NAME: "invoke_agent",
        gen_ai.GEN_AI_PROVIDER_NAME: "openai",
        gen_ai.GEN_AI_AGENT_ID: AGENT["id"],
        gen_ai.GEN_AI_AGENT_NAME: AGENT["name"],
        gen_ai.GEN_AI_AGENT_DESCRIPTION: AGENT["description"],
        "gen_ai.agent.version": "2.1.0",
        gen_ai.GEN_AI_CONVERSATION_ID: CONVERSATION,
        "user.id": USER,
    }
    with rec.span(f"invoke_agent {AGENT['name']}", agent) as span:
        play(rec, chat, tool)
        rec.event(
            span,
            "gen_ai.evaluation.result",
            {
                "gen_ai.evaluation.name": "Helpfulness",
                "gen_ai.evaluation.score.value": 0.84,
                "gen_ai.evaluation.score.label": "helpful",
            },
        )


def openinference(rec: Recorder) -> None:
    """Span kinds, flattened messages, token counts with details."""
    oi, kinds = SpanAttributes, OpenInferenceSpanKindValues
    every = {
        oi.SESSION_ID: CONVERSATION,
        oi.USER_ID: USER,
        oi.METADATA: json.dumps({"ticket": "T-9"}),
        oi.TAG_TAGS: ["orders", "test"],
    }

    def flat(prefix: str, messages: list[dict]) -> dict:
        attributes = {}
        for i, message in enumerate(messages):
            at = f"{prefix}.{i}."
            attributes[at + MessageAttributes.MESSAGE_ROLE] = message["role"]
            if message["content"]:
                attributes[at + MessageAttributes.MESSAGE_CONTENT] = message["content"]
            if "id" in message:
                attributes[at + MessageAttributes.MESSAGE_TOOL_CALL_ID] = message["id"]
            for j, call in enumerate(message.get("calls", [])):
                sub = f"{at}{MessageAttributes.MESSAGE_TOOL_CALLS}.{j}."
                arguments = json.dumps(call["arguments"])
                attributes[sub + ToolCallAttributes.TOOL_CALL_ID] = call["id"]
                attributes[sub + ToolCallAttributes.TOOL_CALL_FUNCTION_NAME] = call["name"]
                attributes[sub + ToolCallAttributes.TOOL_CALL_FUNCTION_ARGUMENTS_JSON] = arguments
        return attributes

    def chat(turn: dict, history: list[dict]) -> None:
        attributes = {
            **every,
            oi.OPENINFERENCE_SPAN_KIND: kinds.LLM.value,
            oi.LLM_SYSTEM: "openai",
            oi.LLM_PROVIDER: "openai",
            oi.LLM_MODEL_NAME: MODEL_ANSWERING,
            oi.LLM_INVOCATION_PARAMETERS: json.dumps({"model": MODEL, "temperature": 0.2}),
            oi.INPUT_VALUE: json.dumps([openai_message(m) for m in history]),
            oi.INPUT_MIME_TYPE: "application/json",
            oi.OUTPUT_VALUE: json.dumps(openai_message(reply(turn))),
            oi.OUTPUT_MIME_TYPE: "application/json",
            **flat(oi.LLM_INPUT_MESSAGES, history),
            **flat(oi.LLM_OUTPUT_MESSAGES, [reply(turn)]),
            oi.LLM_TOKEN_COUNT_PROMPT: turn["input"],
            oi.LLM_TOKEN_COUNT_COMPLETION: turn["output"],
            oi.LLM_TOKEN_COUNT_TOTAL: turn["input"] + turn["output"],
            oi.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_READ: turn["cached"],
            oi.LLM_TOKEN_COUNT_PROMPT_DETAILS_CACHE_WRITE: turn["written"],
            oi.LLM_TOKEN_COUNT_COMPLETION_DETAILS_REASONING: turn["reasoning"],
            oi.LLM_COST_TOTAL: 0.0021,
        }
        with rec.span("ChatCompletion", attributes, takes_ms=turn["duration_ms"]):
            pass

    def tool(step: dict) -> None:
        attributes = {
            **every,
            oi.OPENINFERENCE_SPAN_KIND: kinds.TOOL.value,
            oi.TOOL_NAME: step["name"],
            oi.TOOL_ID: step["id"],
            oi.TOOL_PARAMETERS: json.dumps(step["arguments"]),
            oi.INPUT_VALUE: json.dumps(step["arguments"]),
            oi.INPUT_MIME_TYPE: "application/json",
            **({oi.OUTPUT_VALUE: json.dumps(step["result"])} if "result" in step else {}),
        }
        with rec.span(step["name"], attributes, takes_ms=step["duration_ms"], error=step.get("error")):
            pass

    agent = {
        **every,
        oi.OPENINFERENCE_SPAN_KIND: kinds.AGENT.value,
        oi.AGENT_NAME: AGENT["name"],
        oi.GRAPH_NODE_ID: AGENT["name"],
        oi.INPUT_VALUE: QUESTION,
        oi.OUTPUT_VALUE: ANSWER,
    }
    with rec.span(AGENT["name"], agent):
        documents = {
            **every,
            oi.OPENINFERENCE_SPAN_KIND: kinds.RETRIEVER.value,
            oi.INPUT_VALUE: QUESTION,
            f"{oi.RETRIEVAL_DOCUMENTS}.0.document.id": "policy-C-2",
            f"{oi.RETRIEVAL_DOCUMENTS}.0.document.content": "Delivered orders are not cancelled.",
            f"{oi.RETRIEVAL_DOCUMENTS}.0.document.score": 0.91,
        }
        with rec.span("retrieve", documents, takes_ms=15):
            pass
        play(rec, chat, tool)
        guard = {
            **every,
            oi.OPENINFERENCE_SPAN_KIND: kinds.GUARDRAIL.value,
            oi.INPUT_VALUE: ANSWER,
            oi.OUTPUT_VALUE: "pass",
        }
        with rec.span("tone_guard", guard, takes_ms=5):
            pass


def openllmetry(rec: Recorder) -> None:
    """Traceloop entities with input and output, indexed prompts and completions."""
    tl, kinds = Traceloop, TraceloopSpanKindValues
    every = {
        tl.TRACELOOP_WORKFLOW_NAME: "order_desk_workflow",
        f"{tl.TRACELOOP_ASSOCIATION_PROPERTIES}.session_id": CONVERSATION,
        f"{tl.TRACELOOP_ASSOCIATION_PROPERTIES}.user_id": USER,
    }

    def entity(kind: TraceloopSpanKindValues, name: str, said, answered) -> dict:
        attributes = {
            **every,
            tl.TRACELOOP_SPAN_KIND: kind.value,
            tl.TRACELOOP_ENTITY_NAME: name,
            tl.TRACELOOP_ENTITY_PATH: "" if kind is kinds.WORKFLOW else AGENT["name"],
            tl.TRACELOOP_ENTITY_INPUT: json.dumps({"args": [], "kwargs": said}),
        }
        if answered is not None:
            attributes[tl.TRACELOOP_ENTITY_OUTPUT] = json.dumps(answered)
        return attributes

    def chat(turn: dict, history: list[dict]) -> None:
        attributes = {
            **every,
            tl.LLM_SYSTEM: "openai",
            tl.LLM_REQUEST_TYPE: "chat",
            tl.LLM_REQUEST_MODEL: MODEL,
            tl.LLM_RESPONSE_MODEL: MODEL_ANSWERING,
            tl.LLM_USAGE_PROMPT_TOKENS: turn["input"],
            tl.LLM_USAGE_COMPLETION_TOKENS: turn["output"],
            tl.LLM_USAGE_TOTAL_TOKENS: turn["input"] + turn["output"],
            tl.LLM_USAGE_CACHE_READ_INPUT_TOKENS: turn["cached"],
            tl.GEN_AI_USAGE_REASONING_TOKENS: turn["reasoning"],
        }
        for i, message in enumerate(history):
            attributes[f"{tl.LLM_PROMPTS}.{i}.role"] = message["role"]
            attributes[f"{tl.LLM_PROMPTS}.{i}.content"] = message["content"]
        answer = openai_message(reply(turn))
        attributes[f"{tl.LLM_COMPLETIONS}.0.role"] = "assistant"
        attributes[f"{tl.LLM_COMPLETIONS}.0.content"] = answer["content"]
        attributes[f"{tl.LLM_COMPLETIONS}.0.finish_reason"] = turn["finish"]
        for j, call in enumerate(reply(turn).get("calls", [])):
            at = f"{tl.LLM_COMPLETIONS}.0.tool_calls.{j}"
            attributes[f"{at}.id"] = call["id"]
            attributes[f"{at}.name"] = call["name"]
            attributes[f"{at}.arguments"] = json.dumps(call["arguments"])
        with rec.span("openai.chat", attributes, kind=SpanKind.CLIENT, takes_ms=turn["duration_ms"]):
            pass

    def tool(step: dict) -> None:
        attributes = entity(kinds.TOOL, step["name"], step["arguments"], step.get("result"))
        name = f"{step['name']}.tool"
        with rec.span(name, attributes, takes_ms=step["duration_ms"], error=step.get("error")):
            pass

    said = {"question": QUESTION}
    with rec.span(
        "order_desk_workflow.workflow", entity(kinds.WORKFLOW, "order_desk_workflow", said, ANSWER)
    ):
        with rec.span(f"{AGENT['name']}.agent", entity(kinds.AGENT, AGENT["name"], said, ANSWER)):
            play(rec, chat, tool)


def crewai(rec: Recorder) -> None:
    """CrewAI's own spans: principal, policy decision, guardrail and human feedback on the span."""
    every = {
        "crewai.execution_uuid": "7f0c52a4-7b1e-4a55-8f7e-3f0f1042aaaa",
        "crewai.execution.origin": "api",
        "crewai.principal.type": "user",
        "crewai.principal.id": USER,
        "enduser.id": USER,
        gen_ai.GEN_AI_CONVERSATION_ID: CONVERSATION,
    }

    def operation(name: str, **more) -> dict:
        return {**every, gen_ai.GEN_AI_OPERATION_NAME: name, **more}

    def chat(turn: dict, history: list[dict]) -> None:
        attributes = {
            **operation("chat"),
            gen_ai.GEN_AI_PROVIDER_NAME: "openai",
            gen_ai.GEN_AI_REQUEST_MODEL: MODEL,
            gen_ai.GEN_AI_RESPONSE_MODEL: MODEL_ANSWERING,
            gen_ai.GEN_AI_RESPONSE_FINISH_REASONS: [turn["finish"]],
            gen_ai.GEN_AI_USAGE_INPUT_TOKENS: turn["input"],
            gen_ai.GEN_AI_USAGE_OUTPUT_TOKENS: turn["output"],
            "gen_ai.usage.reasoning_tokens": turn["reasoning"],
            gen_ai.GEN_AI_INPUT_MESSAGES: json.dumps([parts_message(m) for m in history]),
            gen_ai.GEN_AI_OUTPUT_MESSAGES: json.dumps([parts_message(reply(turn))]),
        }
        with rec.span("call llm", attributes, kind=SpanKind.CLIENT, takes_ms=turn["duration_ms"]):
            pass

    def tool(step: dict) -> None:
        attributes = {
            **operation("execute_tool"),
            gen_ai.GEN_AI_TOOL_NAME: step["name"],
            gen_ai.GEN_AI_TOOL_CALL_ID: step["id"],
            "gen_ai.tool.call.arguments": json.dumps(step["arguments"]),
            "crewai.tool.from_cache": False,
        }
        if "error" in step:
            attributes |= {
                **error_type(step),
                "crewai.tool.failure.code": "tool_error",
                "crewai.tool.failure.reason": str(step["error"]),
                "crewai.policy.id": "pol-7",
                "crewai.policy.name": "cancellations need a person",
                "crewai.policy.point": "pre_tool_call",
                "crewai.policy.mode": "observe",
                "crewai.policy.decision": "deny",
                "crewai.policy.blocking": False,
                "crewai.policy.reason": "no approver",
            }
        else:
            attributes["gen_ai.tool.call.result"] = json.dumps(step["result"])
        with rec.span("call tool", attributes, takes_ms=step["duration_ms"], error=step.get("error")):
            pass

    crew = operation("invoke_workflow", **{"gen_ai.workflow.name": "order_crew"})
    task = operation(
        "execute_task", **{"gen_ai.task.id": "task-1042", "gen_ai.task.name": "cancel_order"}
    )
    agent = {
        **operation("invoke_agent"),
        gen_ai.GEN_AI_AGENT_ID: AGENT["id"],
        gen_ai.GEN_AI_AGENT_NAME: AGENT["name"],
    }
    guardrail = operation(
        "execute_task",
        **{
            "crewai.guardrail.type": "function",
            "crewai.guardrail.success": True,
            "crewai.guardrail.retry_count": 0,
        },
    )
    feedback = operation(
        "execute_method",
        **{
            "crewai.human_feedback.request_id": "hf-1",
            "crewai.human_feedback.message": "Send this answer?",
            "crewai.human_feedback.feedback": "yes",
            "crewai.human_feedback.outcome": "approved",
            "crewai.human_feedback.wait_duration_ms": 3200,
        },
    )
    with rec.span("execute crew", crew):
        with rec.span("execute task", task):
            with rec.span("execute agent", agent):
                play(rec, chat, tool)
            with rec.span("evaluate guardrail", guardrail, takes_ms=5):
                pass
        with rec.span("call method", feedback, takes_ms=3200):
            pass


def model_context_protocol(rec: Recorder) -> None:
    """The same tools behind an MCP server: client and server spans, no arguments or results."""

    def request(method: str, number: int, target: str = "", *, takes_ms=5, error=None, **more) -> None:
        attributes = {
            mcp.MCP_METHOD_NAME: method,
            mcp.MCP_PROTOCOL_VERSION: "2025-06-18",
            mcp.MCP_SESSION_ID: "mcp-session-1042",
            "jsonrpc.request.id": str(number),
            **more,
        }
        if error is not None:
            attributes |= {ERROR_TYPE: "tool_error", "rpc.response.status_code": "-32603"}
        name = f"{method} {target}".strip()
        client = {**attributes, "server.address": "orders.mcp.example", "network.transport": "tcp"}
        with rec.span(name, client, kind=SpanKind.CLIENT) as span:
            with rec.span(name, attributes, kind=SpanKind.SERVER, takes_ms=takes_ms, error=error):
                pass
            if error is not None:
                span.set_status(StatusCode.ERROR, str(error))

    with rec.span("order desk", {"session.id": CONVERSATION}):
        request("initialize", 0)
        request("tools/list", 1)
        request("resources/read", 2, **{mcp.MCP_RESOURCE_URI: "orders://policy/C-2"})
        for number, step in enumerate(TOOLS, start=3):
            request(
                "tools/call",
                number,
                step["name"],
                takes_ms=step["duration_ms"],
                error=step.get("error"),
                **{
                    gen_ai.GEN_AI_OPERATION_NAME: "execute_tool",
                    gen_ai.GEN_AI_TOOL_NAME: step["name"],
                },
            )
        request("elicitation/create", 5, takes_ms=3200)


CONVENTIONS = {
    "gen_ai-1.27": (
        gen_ai_1_27,
        "opentelemetry.instrumentation.openai_v2",
        "1.27.0",
        "https://opentelemetry.io/schemas/1.27.0",
    ),
    "gen_ai-1.36": (
        gen_ai_1_36,
        "opentelemetry.instrumentation.openai_v2",
        "2.1b0",
        "https://opentelemetry.io/schemas/1.36.0",
    ),
    "gen_ai-1.37": (
        gen_ai_1_37,
        "opentelemetry.instrumentation.openai_v2",
        "2.2b0",
        "https://opentelemetry.io/schemas/1.37.0",
    ),
    "openinference": (openinference, "openinference.instrumentation.openai", "0.1.42", ""),
    "openllmetry": (openllmetry, "opentelemetry.instrumentation.openai.v1", "0.62.4", ""),
    "crewai": (crewai, "crewai.telemetry", "1.15.30", ""),
    "mcp": (model_context_protocol, "mcp-python-sdk", "2.3.0", ""),
}


def main() -> None:
    """Writes one file a convention."""
    for convention, (tell, scope, version, schema_url) in CONVENTIONS.items():
        rec = Recorder(convention, scope, version, schema_url)
        tell(rec)
        rec.save(convention)


if __name__ == "__main__":
    main()
