"""Microsoft AutoGen 0.7 from PyPI, with its replay model: what a team does is recorded."""

import asyncio
from dataclasses import dataclass

import pytest
from conftest import mine

pytest.importorskip("autogen_agentchat")

from autogen_agentchat.agents import AssistantAgent  # noqa: E402
from autogen_agentchat.conditions import TextMentionTermination  # noqa: E402
from autogen_agentchat.teams import Swarm  # noqa: E402
from autogen_core import (  # noqa: E402
    AgentId,
    FunctionCall,
    MessageContext,
    RoutedAgent,
    SingleThreadedAgentRuntime,
    TopicId,
    message_handler,
)
from autogen_core.models import CreateResult, RequestUsage  # noqa: E402
from autogen_core.tools import FunctionTool, StaticWorkbench  # noqa: E402
from autogen_ext.models.replay import ReplayChatCompletionClient  # noqa: E402

from tachograph import errors  # noqa: E402
from tachograph.autogen import Interventions, Model, Tools, Workbench, run  # noqa: E402

@dataclass
class Letter:
    text: str


INFO = {
    "vision": False,
    "function_calling": True,
    "json_output": False,
    "family": "unknown",
    "structured_output": False,
}


def answer(content, finish="stop"):
    usage = RequestUsage(prompt_tokens=11, completion_tokens=4)
    return CreateResult(finish_reason=finish, content=content, usage=usage, cached=False)


def call(name, arguments="{}"):
    return answer([FunctionCall(id="call-1", name=name, arguments=arguments)], "function_calls")


def replay(*turns):
    return ReplayChatCompletionClient(list(turns), model_info=INFO)


class Closing(ReplayChatCompletionClient):
    """Closes the log while it thinks."""

    log = None

    async def create(self, *args, **more):
        self.log.close()
        return await super().create(*args, **more)


def desk(log, *turns, mode=None, client=None):
    """Router hands over to Billing, which has a tool; and what the tool did."""
    ran = []

    def get_order(order: int) -> str:
        """Looks an order up."""
        ran.append(order)
        if order == 0:
            raise ValueError("no such order")
        return f"order {order}: paid twice"

    turns = turns or (call("get_order", '{"order": 1042}'), answer("Refund it. DONE"))
    client = client or replay(*turns)
    billing = AssistantAgent(
        "Billing",
        model_client=Model(client, log, "Billing", mode=mode),
        workbench=Tools([get_order], log, "Billing", mode=mode),
        reflect_on_tool_use=True,
    )
    hand = replay(call("transfer_to_billing"))
    router = AssistantAgent(
        "Router", model_client=Model(hand, log, "Router", mode=mode), handoffs=["Billing"]
    )
    team = Swarm([router, billing], termination_condition=TextMentionTermination("DONE"))
    return team, billing, ran


@pytest.mark.parametrize("mode", ["buffered", "required"])
def test_a_team_is_recorded(log, mode):
    team, _, ran = desk(log, mode=mode)
    seen = []
    result = asyncio.run(
        run(team, "I was charged twice", log, mode=mode, on_message=seen.append)
    )
    assert ran == [1042] and result.messages[-1].content == "Refund it. DONE"
    assert seen[-1] is result
    told = [
        (e["agent_name"], e["event_type"].removeprefix("agent."), e["phase"], e.get("outcome"))
        for e in mine(log)
    ]
    assert told == [
        ("Swarm", "invocation", "intent", None),
        ("Router", "llm_request", "intent", None),
        ("Router", "llm_response", "result", "success"),
        ("Router", "handoff", "observation", None),
        ("Billing", "llm_request", "intent", None),
        ("Billing", "llm_response", "result", "success"),
        ("Billing", "tool_call", "intent", None),
        ("Billing", "tool_result", "result", "success"),
        ("Billing", "llm_request", "intent", None),
        ("Billing", "llm_response", "result", "success"),
        ("Swarm", "invocation", "result", "success"),
    ]
    (trace_id,) = {e["trace_id"] for e in mine(log)}
    trace = log.trace(trace_id)
    assert trace["totals"]["tokens"]["total"] == 45
    assert trace["findings"]["gaps"] == [] and trace["findings"].get("orphans") == []
    result = mine(log, type="agent.tool_result")[0]
    assert result["content"]["result"] == "order 1042: paid twice" and log.verify()


def test_tools_that_fail_or_are_not_there(log):
    turns = (call("get_order", '{"order": 0}'), answer("Sorry. DONE"))
    asyncio.run(run(desk(log, *turns)[0], "order 0", log))
    (result,) = mine(log, type="agent.tool_result")
    assert result["outcome"] == "failure" and "no such order" in result["content"]["error"]
    turns = (call("nope"), answer("Sorry. DONE"))
    asyncio.run(run(desk(log, *turns)[0], "nope", log))
    assert mine(log, tool="nope")[-1]["outcome"] == "failure"


def test_a_model_that_fails(log):
    with pytest.raises(Exception, match="No more mock responses"):
        asyncio.run(run(desk(log, call("get_order", '{"order": 7}'))[1], "x", log))
    failed = [e["event_type"] for e in mine(log) if e.get("outcome") == "failure"]
    assert failed == ["agent.llm_response", "agent.invocation"]


@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_tool_is_not_called(log, mode, does_run):
    """The log closes while the model thinks: the call that it asks for is refused, and the model is
    told; an agent whose tool raises would wait for ever."""
    client = Closing([call("get_order", '{"order": 1042}')], model_info=INFO)
    client.log = log
    _, billing, ran = desk(log, mode=mode, client=client)
    with pytest.raises(Exception) as raised:
        asyncio.run(billing.run(task="refund"))
    assert ran == ([1042] if does_run else [])
    assert isinstance(raised.value, errors.LogClosed) is not does_run


def test_without_a_log_no_required_model_is_asked(log):
    client = replay(answer("never"))
    _, billing, _ = desk(log, mode="required", client=client)
    log.close()
    with pytest.raises(errors.LogClosed):
        asyncio.run(billing.run(task="refund"))
    assert client.provided_message_count == 1 and client._current_index == 0


@pytest.mark.parametrize("mode", ["required", "durable"])
def test_any_workbench_is_recorded(log, mode):
    ran = []

    def refund(order: int) -> str:
        ran.append(order)
        return "paid"

    async def play(close):
        inner = StaticWorkbench([FunctionTool(refund, description="Pays.")])
        bench = Workbench(inner, log, "Billing", mode=mode)
        async with bench:
            assert [tool["name"] for tool in await bench.list_tools()] == ["refund"]
            if close:
                log.close()
            return await bench.call_tool("refund", {"order": 7}, call_id="c")

    assert not asyncio.run(play(False)).is_error
    assert [e.get("outcome") for e in mine(log, tool="refund")] == [None, "success"]
    refused = asyncio.run(play(True))
    assert refused.is_error is (mode == "required")
    assert ran == ([7] if mode == "required" else [7, 7])


@pytest.mark.parametrize(("mode", "is_delivered"), [("required", False), ("durable", True)])
def test_messages_of_the_core(log, mode, is_delivered):
    got = []

    class Clerk(RoutedAgent):
        @message_handler
        async def on_text(self, message: Letter, ctx: MessageContext) -> Letter:
            got.append(message)
            return Letter("done")

    async def play(close):
        runtime = SingleThreadedAgentRuntime(intervention_handlers=[Interventions(log, mode=mode)])
        await Clerk.register(runtime, "clerk", lambda: Clerk("A clerk"))
        runtime.start()
        if close:
            log.close()
        said = await runtime.send_message(Letter("refund 1042"), AgentId("clerk", "x"))
        await runtime.publish_message(Letter("closing time"), TopicId("all", "x"))
        await runtime.stop_when_idle()
        return said

    assert asyncio.run(play(False)) == Letter("done")
    actions = [e["action"] for e in mine(log, type="agent.message")]
    assert actions == ["send:Letter", "respond:Letter", "publish:Letter"]
    if is_delivered:
        assert asyncio.run(play(True)) == Letter("done")
    else:
        with pytest.raises(errors.LogClosed):
            asyncio.run(play(True))
    assert len(got) == 1 + is_delivered
