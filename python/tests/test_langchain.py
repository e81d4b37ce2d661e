"""LangChain and LangGraph from PyPI, with their fake models: what a run does is recorded."""

import asyncio
import contextlib
import operator
from typing import Annotated, Any, TypedDict

import pytest
from conftest import mine

pytest.importorskip("langgraph")

from langchain_core.callbacks import BaseCallbackHandler  # noqa: E402
from langchain_core.documents import Document  # noqa: E402
from langchain_core.language_models.fake import FakeListLLM  # noqa: E402
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel  # noqa: E402
from langchain_core.messages import AIMessage, HumanMessage  # noqa: E402
from langchain_core.retrievers import BaseRetriever  # noqa: E402
from langchain_core.runnables import RunnableLambda  # noqa: E402
from langchain_core.tools import tool  # noqa: E402
from langgraph.checkpoint.memory import InMemorySaver  # noqa: E402
from langgraph.graph import END, START, StateGraph  # noqa: E402
from langgraph.prebuilt import ToolNode  # noqa: E402
from langgraph.types import Command, interrupt  # noqa: E402

from tachograph import context, errors  # noqa: E402
from tachograph.langchain import Recorder  # noqa: E402

USAGE = {
    "input_tokens": 11,
    "output_tokens": 4,
    "total_tokens": 15,
    "input_token_details": {"cache_read": 3},
}
DONE = AIMessage("Refund it.", usage_metadata=USAGE, response_metadata={"model_name": "m-1"})


def call(name, **arguments):
    calls = [{"id": "call-1", "name": name, "args": arguments, "type": "tool_call"}]
    return AIMessage("", tool_calls=calls)


class State(TypedDict):
    messages: Annotated[list[Any], operator.add]


def desk(*turns, name="Router", before_turn=lambda: None, checkpointer=None):
    """A graph with a model and tools, as an agent is built; and what its tool did."""
    ran = []

    @tool
    def get_order(order: int) -> str:
        """Looks an order up."""
        ran.append(order)
        if order == 0:
            raise ValueError("no such order")
        return f"order {order}: paid twice"

    @tool
    def ask_billing(question: str) -> Any:
        """Hands over to Billing."""
        return Command(goto="Billing", graph=Command.PARENT)

    @tool
    def ask_person(question: str) -> str:
        """Asks a person."""
        return interrupt(question)

    def script():
        for turn in turns:
            before_turn()
            yield turn

    model = GenericFakeChatModel(messages=script())
    graph = StateGraph(State)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([get_order, ask_billing, ask_person]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else END
    )
    graph.add_edge("tools", "model")
    return graph.compile(name=name, checkpointer=checkpointer), ran


def ask(text="I was charged twice"):
    return {"messages": [HumanMessage(text)]}


def told(log, **question):
    return [
        (event["event_type"].removeprefix("agent."), event["phase"], event.get("outcome"))
        for event in mine(log, **question)
        if event["event_type"] != "agent.step"
    ]


RUN = [
    ("invocation", "intent", None),
    ("llm_request", "intent", None),
    ("llm_response", "result", "success"),
    ("tool_call", "intent", None),
    ("tool_result", "result", "success"),
    ("llm_request", "intent", None),
    ("llm_response", "result", "success"),
    ("invocation", "result", "success"),
]


@pytest.mark.parametrize("mode", ["buffered", "durable", "required"])
@pytest.mark.parametrize("is_async", [False, True])
def test_a_graph_is_recorded_with_one_handler(log, mode, is_async):
    graph, ran = desk(call("get_order", order=1042), DONE)
    config = {"callbacks": [Recorder(log, mode=mode)], "configurable": {"thread_id": "s-7"}}
    answer = asyncio.run(graph.ainvoke(ask(), config)) if is_async else graph.invoke(ask(), config)
    assert answer["messages"][-1].content == "Refund it." and ran == [1042]
    assert told(log) == RUN
    events = mine(log)
    assert {event["agent_name"] for event in events} == {"Router"}
    assert {event["session_id"] for event in events} == {"s-7"}
    (trace_id,) = {event["trace_id"] for event in events}
    trace = log.trace(trace_id)
    assert trace["totals"]["tokens"]["total"] == 15
    assert trace["findings"]["gaps"] == [] and trace["findings"].get("orphans") == []
    result = next(event for event in events if event["event_type"] == "agent.tool_result")
    assert result["content"]["result"] == "order 1042: paid twice"
    last = [event for event in events if event["event_type"] == "agent.llm_response"][-1]
    assert last["model"]["responded"] == "m-1" and last["tokens"]["cache_read"] == 3
    assert log.verify()


def test_every_callback_of_langchain_has_its_event(log):
    """Counted beside a handler of LangChain's own kind, in the same run."""

    class Counter(BaseCallbackHandler):
        def __init__(self):
            self.counts = {}

        def __getattribute__(self, name):
            if not name.startswith("on_"):
                return super().__getattribute__(name)

            def count(*_, **more):
                if "langsmith:hidden" in (more.get("tags") or ()):
                    return
                counts = object.__getattribute__(self, "counts")
                counts[name] = counts.get(name, 0) + 1

            return count

    counter = Counter()
    graph, _ = desk(call("get_order", order=1042), call("get_order", order=7), DONE)
    graph.invoke(ask(), {"callbacks": [Recorder(log), counter]})
    events = [(event["event_type"], event["phase"]) for event in mine(log)]
    begun = {
        "on_chain_start": ("agent.step", "agent.invocation"),
        "on_chat_model_start": ("agent.llm_request",),
        "on_tool_start": ("agent.tool_call",),
    }
    for name, kinds in begun.items():
        count = sum(events.count((kind, "intent")) for kind in kinds)
        assert count == counter.counts[name] > 0, name
    results = [event for event in events if event[1] == "result"]
    ended = ("on_chain_end", "on_llm_end", "on_tool_end")
    assert events.count(("agent.tool_result", "result")) == counter.counts["on_tool_end"] == 2
    assert events.count(("agent.llm_response", "result")) == counter.counts["on_llm_end"] == 3
    assert len(results) <= sum(counter.counts[name] for name in ended)


def test_a_tool_that_fails_and_the_run_that_fails_with_it(log):
    graph, _ = desk(call("get_order", order=0), DONE)
    with pytest.raises(ValueError):
        graph.invoke(ask(), {"callbacks": [Recorder(log)]})
    (result,) = mine(log, type="agent.tool_result")
    assert (result["outcome"], result["error_type"]) == ("failure", "ValueError")
    assert told(log)[-1] == ("invocation", "result", "failure")


def test_a_model_that_fails(log):
    def broken(_):
        raise RuntimeError("503")

    model = GenericFakeChatModel(messages=map(broken, [1]))
    with pytest.raises(RuntimeError):
        model.invoke("hello", {"callbacks": [Recorder(log)]})
    (result,) = mine(log, type="agent.llm_response")
    assert result["outcome"] == "failure" and result["content"]["error"]["message"] == "503"


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_tool_is_not_called(log, mode, does_run, is_async):
    """The log closes while the model thinks: the call that it asks for is refused."""
    graph, ran = desk(call("get_order", order=1042), DONE, before_turn=log.close)
    config = {"callbacks": [Recorder(log, mode=mode)]}
    with contextlib.nullcontext() if does_run else pytest.raises(errors.LogClosed):
        if is_async:
            asyncio.run(graph.ainvoke(ask(), config))
        else:
            graph.invoke(ask(), config)
    assert ran == ([1042] if does_run else [])


def test_without_a_log_no_required_run_begins(log):
    graph, ran = desk(call("get_order", order=1042), DONE)
    recorder = Recorder(log, mode="required")
    log.close()
    with pytest.raises(errors.LogClosed):
        graph.invoke(ask(), {"callbacks": [recorder]})
    assert ran == []


def test_a_person_who_is_asked_and_answers(log):
    graph, _ = desk(call("ask_person", question="Refund?"), DONE, checkpointer=InMemorySaver())
    config = {"callbacks": [Recorder(log)], "configurable": {"thread_id": "s-7"}}
    graph.invoke(ask(), config)
    (asked,) = mine(log, type="agent.human_intervention")
    assert asked["action"] == "human_intervention:question"
    assert asked["content"]["input"] == ["Refund?"] and asked["agent_name"] == "Router"
    (paused,) = mine(log, type="agent.tool_result")
    assert paused["outcome"] == "escalated" and "error_type" not in paused
    graph.invoke(Command(resume="yes"), config)
    answered = mine(log, type="agent.human_intervention")[-1]
    assert (answered["action"], answered["source"]) == ("human_intervention:answer", "user")
    assert mine(log, type="agent.tool_result")[-1]["content"]["result"] == "yes"
    begun = [e for e in mine(log, type="agent.invocation") if e["phase"] == "intent"]
    assert "yes" in str(begun[-1]["content"]["input"])


def test_a_handoff_between_agents(log):
    router, _ = desk(call("ask_billing", question="refund?"))
    billing, ran = desk(call("get_order", order=1042), DONE, name="Billing")
    graph = StateGraph(State)
    graph.add_node("Router", router, destinations=("Billing",))
    graph.add_node("Billing", lambda state: billing.invoke(ask("refund?")))
    graph.add_edge(START, "Router")
    recorder = Recorder(log, agents=["Router", "Billing"])
    graph.compile(name="Desk").invoke(ask(), {"callbacks": [recorder]})
    assert ran == [1042]
    (handoff,) = mine(log, type="agent.handoff")
    assert (handoff["agent_name"], handoff["action"]) == ("Router", "handoff:Billing")
    assert [e["agent_name"] for e in mine(log, tool="get_order")] == ["Billing", "Billing"]
    turns = [e["agent_name"] for e in mine(log, type="agent.invocation")]
    assert turns == ["Desk", "Router", "Router", "Billing", "Billing", "Desk"]
    assert {e["outcome"] for e in mine(log, tool="ask_billing") if "outcome" in e} == {"success"}


def test_a_cancelled_tool_is_unknown(log):
    @tool
    async def slow() -> str:
        """Takes long."""
        await asyncio.sleep(60)
        return "never"

    async def play():
        chain = RunnableLambda(lambda _: "x") | slow
        run = asyncio.create_task(chain.ainvoke("x", {"callbacks": [Recorder(log)]}))
        while not mine(log, type="agent.tool_call"):
            await asyncio.sleep(0.01)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

    asyncio.run(play())
    (result,) = mine(log, type="agent.tool_result")
    assert result["outcome"] == "unknown"
    assert mine(log, type="agent.invocation")[-1]["outcome"] == "cancelled"


def test_retrievers_texts_and_events_of_the_program(log):
    class Shelf(BaseRetriever):
        def _get_relevant_documents(self, query, *, run_manager):
            run_manager.on_retry(type("State", (), {"attempt_number": 2})())
            if query == "nothing":
                raise LookupError(query)
            return [Document("refunds take 5 days", metadata={"source": "policy.md"})]

    config = {"callbacks": [Recorder(log)]}
    Shelf().invoke("refunds", config)
    with pytest.raises(LookupError):
        Shelf().invoke("nothing", config)
    _, result, *_ = mine(log, type="agent.retrieval")
    assert "refunds take 5 days" in str(result["content"]["context"])
    outcomes = [e.get("outcome") for e in mine(log, type="agent.retrieval")]
    assert outcomes == [None, "success", None, "failure"]
    assert len(mine(log, type="agent.retry")) == 2
    FakeListLLM(responses=["five days"]).invoke("how long?", config)
    asked, said = mine(log, type=["agent.llm_request", "agent.llm_response"])
    assert asked["content"]["input"] == ["how long?"]
    assert said["content"]["output"]["content"] == "five days"


def test_what_surrounds_a_run_counts_more(log):
    graph, _ = desk(DONE)
    with context.session("s-1"), context.trace("t-1"), context.on_behalf_of("ann"):
        graph.invoke(ask(), {"callbacks": [Recorder(log, whole_prompts=True)]})
    events = mine(log)
    assert {event["trace_id"] for event in events} == {"t-1"}
    assert {(event["session_id"], event["on_behalf_of"]) for event in events} == {("s-1", "ann")}
    (asked,) = mine(log, type="agent.llm_request")
    assert asked["content"]["input"][0]["content"] == "I was charged twice"


def test_a_recorder_forgets_runs_that_ended(log):
    graph, _ = desk(call("get_order", order=1042), DONE)
    recorder = Recorder(log)
    graph.invoke(ask(), {"callbacks": [recorder]})
    assert recorder._runs == {}
