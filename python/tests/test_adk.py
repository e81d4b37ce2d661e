"""Google ADK from PyPI, with a scripted model: what a runner's agents do is recorded."""

import asyncio
import contextlib

import pytest
from conftest import mine

pytest.importorskip("google.adk")

from google.adk.agents import LlmAgent  # noqa: E402
from google.adk.apps import App  # noqa: E402
from google.adk.models import BaseLlm, LlmResponse  # noqa: E402
from google.adk.plugins.base_plugin import BasePlugin  # noqa: E402
from google.adk.runners import InMemoryRunner  # noqa: E402
from google.genai import types  # noqa: E402

from tachograph.adk import Recorder  # noqa: E402


class Scripted(BaseLlm):
    """A model that says what stands in its script."""

    model: str = "scripted-1"
    turns: list = []
    before_turn: object = None

    async def generate_content_async(self, llm_request, stream=False):
        if self.before_turn is not None:
            self.before_turn()
        turn = self.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        yield turn


def call(name, **arguments):
    part = types.Part(function_call=types.FunctionCall(name=name, args=arguments))
    return LlmResponse(content=types.Content(role="model", parts=[part]))


def done():
    usage = types.GenerateContentResponseUsageMetadata(
        prompt_token_count=11, candidates_token_count=4, total_token_count=15
    )
    content = types.Content(role="model", parts=[types.Part(text="Refund it.")])
    return LlmResponse(content=content, usage_metadata=usage, model_version="m-1")


def desk(*turns, before_turn=None):
    """Router hands over to Billing, which has a tool; and what the tool did."""
    ran = []

    def get_order(order: int) -> str:
        """Looks an order up."""
        ran.append(order)
        if order == 0:
            raise ValueError("no such order")
        return f"order {order}: paid twice"

    script = Scripted(turns=list(turns), before_turn=before_turn)
    billing = LlmAgent(name="Billing", model=script, tools=[get_order])
    hand = Scripted(turns=[call("transfer_to_agent", agent_name="Billing")])
    return LlmAgent(name="Router", model=hand, sub_agents=[billing]), ran


def run(agent, *plugins):
    async def play():
        app = App(name="desk", root_agent=agent, plugins=list(plugins))
        runner = InMemoryRunner(app=app)
        session = await runner.session_service.create_session(app_name="desk", user_id="ann")
        question = types.Content(role="user", parts=[types.Part(text="I was charged twice")])
        said = []
        async for event in runner.run_async(
            user_id="ann", session_id=session.id, new_message=question
        ):
            said.append(event)
        return session.id, said

    return asyncio.run(play())


def told(log):
    return [
        (event["agent_name"], event["event_type"].removeprefix("agent."), event.get("phase"))
        for event in mine(log)
    ]


RUN = [
    ("Router", "invocation", "intent"),
    ("Router", "invocation", "intent"),
    ("Router", "llm_request", "intent"),
    ("Router", "llm_response", "result"),
    ("Router", "tool_call", "intent"),
    ("Router", "tool_result", "result"),
    ("Router", "handoff", "observation"),
    ("Billing", "invocation", "intent"),
    ("Billing", "llm_request", "intent"),
    ("Billing", "llm_response", "result"),
    ("Billing", "tool_call", "intent"),
    ("Billing", "tool_result", "result"),
    ("Billing", "llm_request", "intent"),
    ("Billing", "llm_response", "result"),
    ("Billing", "invocation", "result"),
    ("Router", "invocation", "result"),
    ("Router", "invocation", "result"),
]


@pytest.mark.parametrize("mode", ["buffered", "required"])
def test_a_run_is_recorded_with_one_plugin(log, mode):
    agent, ran = desk(call("get_order", order=1042), done())
    recorder = Recorder(log, mode=mode)
    session, _ = run(agent, recorder)
    assert ran == [1042] and told(log) == RUN and recorder._runs == {}
    events = mine(log)
    assert {e.get("outcome") for e in events if e["phase"] == "result"} == {"success"}
    assert {(e["session_id"], e["on_behalf_of"]) for e in events} == {(session, "ann")}
    (trace_id,) = {e["trace_id"] for e in events}
    trace = log.trace(trace_id)
    assert trace["totals"]["tokens"]["total"] == 15
    assert trace["findings"]["gaps"] == [] and trace["findings"].get("orphans") == []
    begun = mine(log, type="agent.invocation", agent="Billing")[0]
    assert begun["parent_event_id"] == mine(log, type="agent.handoff")[0]["event_id"]
    result = mine(log, type="agent.tool_result", agent="Billing")[0]
    assert result["content"]["result"] == "order 1042: paid twice"
    answer = mine(log, type="agent.llm_response")[-1]
    assert answer["model"] == {"requested": "scripted-1", "responded": "m-1"}
    assert answer["content"]["output"] == "Refund it." and log.verify()


def test_every_callback_of_the_kit_has_its_event(log):
    """Counted beside a plugin of the kit's own kind, in the same run."""
    seen = {}

    class Counter(BasePlugin):
        def __getattribute__(self, name):
            if not name.endswith("_callback"):
                return super().__getattribute__(name)

            async def count(**_):
                seen[name] = seen.get(name, 0) + 1

            return count

    agent, _ = desk(call("get_order", order=1042), call("get_order", order=7), done())
    run(agent, Recorder(log), Counter(name="counter"))
    kinds = [event[1:] for event in told(log)]
    counts = {
        "before_model_callback": ("llm_request", "intent"),
        "after_model_callback": ("llm_response", "result"),
        "before_tool_callback": ("tool_call", "intent"),
        "after_tool_callback": ("tool_result", "result"),
    }
    for name, kind in counts.items():
        assert kinds.count(kind) == seen[name] > 0, name
    begun = seen["before_agent_callback"] + seen["on_user_message_callback"]
    assert kinds.count(("invocation", "intent")) == begun


def test_a_tool_that_fails(log):
    agent, _ = desk(call("get_order", order=0), done())
    with contextlib.suppress(ValueError):
        run(agent, Recorder(log))
    (result,) = [e for e in mine(log, tool="get_order") if e["phase"] == "result"]
    assert (result["outcome"], result["error_type"]) == ("failure", "ValueError")


def test_a_model_that_fails(log):
    recorder = Recorder(log)
    with pytest.raises(RuntimeError):
        run(desk(RuntimeError("503"))[0], recorder)
    failed = [e for e in mine(log) if e.get("outcome") == "failure"]
    assert failed[0]["event_type"] == "agent.llm_response"
    assert failed[0]["content"]["error"]["message"] == "503"
    assert {e["event_type"] for e in failed[1:]} == {"agent.invocation"} and len(failed) >= 3
    assert recorder._runs == {}


@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_tool_is_not_called(log, mode, does_run):
    """The log closes while the model thinks: the call that it asks for is refused."""
    agent, ran = desk(call("get_order", order=1042), done(), before_turn=log.close)
    block = contextlib.nullcontext() if does_run else pytest.raises(Exception, match="closed")
    with block:
        run(agent, Recorder(log, mode=mode))
    assert ran == ([1042] if does_run else [])


def test_without_a_log_no_required_run_begins(log):
    agent, _ = desk(done())
    recorder = Recorder(log, mode="required")
    log.close()
    with pytest.raises(Exception, match="closed"):
        run(agent, recorder)
    assert len(agent.model.turns) == 1
