"""The OpenAI Agents SDK from PyPI, with its scripted model: what a run does is recorded."""

import asyncio
import contextlib

import pytest
from conftest import mine

pytest.importorskip("agents")

from agents import (  # noqa: E402
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
    RunConfig,
    RunHooks,
    Runner,
    function_tool,
    set_trace_processors,
)
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call  # noqa: E402
from agents.usage import Usage  # noqa: E402

from tachograph import context  # noqa: E402
from tachograph.openai_agents import Recorder, recorder  # noqa: E402

USAGE = Usage(requests=1, input_tokens=11, output_tokens=4, total_tokens=15)
DONE = ModelStep(output=[assistant_message("Refund it.")], usage=USAGE)


@pytest.fixture(autouse=True)
def quiet():
    """No processor of another test, and none that would send anything anywhere."""
    set_trace_processors([])
    yield
    set_trace_processors([])


def call(name, **arguments):
    """With an id that follows from what is called: the SDK wants each but once."""
    call_id = f"call-{name}-{arguments}"
    return ModelStep(output=[function_call(name, arguments, call_id=call_id)])


def desk(*turns, before_turn=lambda: None, **more):
    """Router hands over to Billing, which has tools; and what the tools did."""
    ran = []

    @function_tool
    def get_order(order: int) -> str:
        """Looks an order up."""
        ran.append(order)
        if order == 0:
            raise ValueError("no such order")
        return f"order {order}: paid twice"

    @function_tool(failure_error_function=None)
    def strict() -> str:
        """Fails for good."""
        raise ValueError("for good")

    @function_tool(needs_approval=True)
    def refund(order: int) -> str:
        """Pays."""
        ran.append(order)
        return "paid"

    def step(turn):
        def respond(_):
            before_turn()
            return turn

        return ModelStep.respond(respond)

    tools = [get_order, strict, refund]
    script = ScriptedModel([step(turn) for turn in turns], emit_traces=True)
    billing = Agent("Billing", model=script, tools=tools, **more)
    hand = ModelStep(output=[function_call("transfer_to_billing", {}, call_id="call-h")])
    script = ScriptedModel([hand], emit_traces=True)
    return Agent("Router", model=script, handoffs=[billing]), ran


def run(agent, hooks=None, **config):
    config = RunConfig(**config) if config else None
    question = "I was charged twice"
    return asyncio.run(Runner.run(agent, question, hooks=hooks, run_config=config))


def told(log):
    return [
        (event["agent_name"], event["event_type"].removeprefix("agent."), event.get("phase"))
        for event in mine(log)
    ]


RUN = [
    ("Router", "invocation", "intent"),
    ("Router", "llm_request", "intent"),
    ("Router", "llm_response", "result"),
    ("Router", "handoff", None),
    ("Router", "invocation", "result"),
    ("Billing", "invocation", "intent"),
    ("Billing", "llm_request", "intent"),
    ("Billing", "llm_response", "result"),
    ("Billing", "tool_call", "intent"),
    ("Billing", "tool_result", "result"),
    ("Billing", "llm_request", "intent"),
    ("Billing", "llm_response", "result"),
    ("Billing", "invocation", "result"),
]


@pytest.mark.parametrize("mode", ["buffered", "durable", "required"])
def test_two_agents_are_recorded_with_one_line(log, mode):
    agent, ran = desk(call("get_order", order=1042), DONE)
    hooks = recorder(log, mode=mode)
    assert run(agent, hooks, group_id="s-7").final_output == "Refund it."
    assert ran == [1042] and told(log) == RUN
    events = mine(log)
    assert {event.get("outcome") for event in events if event.get("phase") == "result"} == {
        "success"
    }
    assert {event["session_id"] for event in events} == {"s-7"}
    (trace_id,) = {event["trace_id"] for event in events}
    trace = log.trace(trace_id)
    assert trace["totals"]["tokens"]["total"] == 15
    assert trace["findings"]["gaps"] == [] and trace["findings"].get("orphans") == []
    by_id = {event["event_id"]: event for event in events}
    begun = [event for event in events if event["event_type"] == "agent.invocation"]
    above = by_id[begun[2]["parent_event_id"]]
    assert above["action"] == "handoff:Billing"
    (result,) = mine(log, type="agent.tool_result")
    assert result["content"]["result"] == "order 1042: paid twice"
    assert by_id[result["parent_event_id"]]["content"]["params"] == {"order": 1042}
    assert hooks._traces == {} and log.verify()


def test_every_hook_of_the_sdk_has_its_event(log):
    """Counted beside hooks of the SDK's own kind, of an equal run."""
    seen = {}

    class Counter(RunHooks):
        def __getattribute__(self, name):
            if not name.startswith("on_"):
                return super().__getattribute__(name)

            async def count(*_, **__):
                seen[name] = seen.get(name, 0) + 1

            return count

    turns = [call("get_order", order=1042), call("get_order", order=0), DONE]
    run(desk(*turns)[0], Counter())
    run(desk(*turns)[0], recorder(log))
    events = told(log)
    counts = {
        "on_agent_start": ("invocation", "intent"),
        "on_llm_start": ("llm_request", "intent"),
        "on_llm_end": ("llm_response", "result"),
        "on_tool_start": ("tool_call", "intent"),
        "on_tool_end": ("tool_result", "result"),
        "on_handoff": ("handoff", None),
    }
    for name, kind in counts.items():
        assert [event[1:] for event in events].count(kind) == seen[name] > 0, name
    assert seen["on_agent_end"] == 1 and events.count(("Router", "invocation", "result")) == 1


def test_tools_that_fail(log):
    """One gives its error to the model, and the SDK hides what it was; the other ends the run."""
    run(desk(call("get_order", order=0), DONE)[0], recorder(log))
    (result,) = mine(log, type="agent.tool_result")
    assert result["outcome"] == "failure" and "An error" in result["content"]["result"]
    with pytest.raises(Exception, match="for good"):
        run(desk(call("strict"), DONE)[0], recorder(log))
    log.flush()
    result = mine(log, tool="strict")[-1]
    assert (result["event_type"], result["outcome"]) == ("agent.tool_result", "failure")
    assert "for good" in result["content"]["error"]["message"]
    last = mine(log)[-1]
    assert (last["event_type"], last["outcome"]) == ("agent.invocation", "failure")


def test_a_model_that_fails(log):
    with pytest.raises(RuntimeError):
        run(desk(RuntimeError("503"))[0], recorder(log))
    log.flush()
    failed = [event for event in mine(log, agent="Billing") if event.get("outcome") == "failure"]
    assert [event["event_type"] for event in failed] == ["agent.llm_response", "agent.invocation"]
    assert failed[0]["content"]["error"]["message"] == "503"


def test_a_tool_that_is_not_there(log):
    with pytest.raises(Exception, match="not found"):
        run(desk(call("nope"))[0], recorder(log))
    log.flush()
    (error,) = mine(log, type="agent.error")
    assert error["tool"] == "nope" and error["agent_name"] == "Billing"


def test_a_tool_that_waits_for_a_person_and_is_refused(log):
    async def play():
        agent, ran = desk(call("refund", order=1042), DONE)
        hooks = recorder(log)
        paused = await Runner.run(agent, "refund", hooks=hooks)
        state = paused.to_state()
        for asked in paused.interruptions:
            state.reject(asked)
        await Runner.run(agent, state, hooks=hooks)
        return ran

    assert asyncio.run(play()) == []
    log.flush()
    outcomes = [event.get("outcome") for event in mine(log, tool="refund")]
    assert outcomes == ["escalated", "denied"]
    assert mine(log, tool="refund")[0]["content"]["params"] == {"order": 1042}


def test_a_guardrail_that_stops_a_run(log):
    def judge(_context, _agent, _input):
        return GuardrailFunctionOutput(output_info="no", tripwire_triggered=True)

    agent, _ = desk(DONE)
    agent.input_guardrails = [InputGuardrail(judge, name="politeness")]
    with pytest.raises(InputGuardrailTripwireTriggered):
        run(agent, recorder(log))
    log.flush()
    (event,) = mine(log, type="agent.security")
    assert (event["action"], event["outcome"]) == ("guardrail:politeness", "denied")


@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_tool_is_not_called(log, mode, does_run):
    """The log closes while the model thinks: the call that it asks for is refused."""
    agent, ran = desk(call("get_order", order=1042), DONE, before_turn=log.close)
    refused = pytest.raises(Exception, match="log is closed|closed")
    with contextlib.nullcontext() if does_run else refused:
        run(agent, recorder(log, mode=mode))
    assert ran == ([1042] if does_run else [])


def test_without_a_log_no_required_run_begins(log):
    agent, _ = desk(DONE)
    hooks = recorder(log, mode="required")
    log.close()
    with pytest.raises(Exception, match="closed"):
        run(agent, hooks)
    assert agent.model.remaining_steps == 1


def test_what_is_traced_is_seen_without_hooks(log):
    recorder(log)
    agent, ran = desk(call("get_order", order=1042), call("get_order", order=0), DONE)
    run(agent)
    log.flush()
    events = [event for event in mine(log) if event.get("phase") in ("observation", None)]
    kinds = sorted(event["event_type"] for event in events)
    assert kinds == sorted(
        ["agent.invocation"] * 2
        + ["agent.llm_response"] * 4
        + ["agent.tool_call"] * 2
        + ["agent.handoff"]
    )
    assert [e["outcome"] for e in mine(log, tool="get_order")] == ["success", "failure"]
    assert ran == [1042, 0]


def test_an_agent_that_is_a_tool_of_another(log):
    model = ScriptedModel([DONE], emit_traces=True)
    expert = Agent("Expert", model=model).as_tool("ask_expert", "Asks Expert.")
    script = [call("ask_expert", input="refund?"), DONE]
    agent = Agent("Router", model=ScriptedModel(script, emit_traces=True), tools=[expert])
    run(agent, recorder(log))
    log.flush()
    (trace_id,) = {event["trace_id"] for event in mine(log)}
    (asked,) = [e for e in mine(log, tool="ask_expert") if e["phase"] == "intent"]
    inner = [e for e in mine(log) if e.get("parent_event_id") == asked["event_id"]]
    assert {e["event_type"] for e in inner} == {
        "agent.invocation",
        "agent.llm_response",
        "agent.tool_result",
    }


def test_without_traces_the_hooks_still_record_and_claim_no_outcome(log):
    agent, ran = desk(call("get_order", order=0), DONE)
    with context.trace("t-1"):
        run(agent, recorder(log), tracing_disabled=True)
    assert sorted(told(log)) == sorted([one for one in RUN if one != RUN[4]])
    (result,) = mine(log, type="agent.tool_result")
    assert result["outcome"] == "unknown" and ran == [0]
    assert {event["trace_id"] for event in mine(log)} == {"t-1"}


def test_there_is_one_recorder_for_a_log(log):
    assert recorder(log) is recorder(log)
    assert isinstance(recorder(log), Recorder)


def test_the_whole_prompt_when_it_is_wanted(log):
    agent, _ = desk(DONE)
    agent.instructions = "Be kind."
    run(agent, recorder(log, whole_prompts=True))
    asked = mine(log, type="agent.llm_request")[0]
    assert asked["content"]["input"]["system"] == "Be kind."
    assert "I was charged twice" in str(asked["content"]["input"]["items"])
