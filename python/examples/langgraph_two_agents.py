"""A LangGraph of two agents, recorded: Router hands a refund over to Billing.

The models are scripted, so this runs anywhere:
``python python/examples/langgraph_two_agents.py [DATA]``. With a real model only ``model`` is
another.
"""

import operator
import sys
from typing import Annotated, Any, TypedDict

from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Command

import tachograph
from tachograph.langchain import Recorder


class State(TypedDict):
    messages: Annotated[list[Any], operator.add]


@tool
def get_order(order: int) -> str:
    """Looks an order up."""
    return f"order {order}: charged twice, 49.90 EUR"


@tool
def ask_billing(question: str) -> Any:
    """Hands over to Billing, who knows about money."""
    return Command(
        goto="Billing", graph=Command.PARENT, update={"messages": [HumanMessage(question)]}
    )


def agent(name: str, tools: list[Any], *turns: AIMessage) -> Any:
    """A model that may call tools until it has an answer."""
    model = GenericFakeChatModel(messages=iter(turns))
    graph = StateGraph(State)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "model")
    graph.add_conditional_edges(
        "model", lambda state: "tools" if state["messages"][-1].tool_calls else END
    )
    graph.add_edge("tools", "model")
    return graph.compile(name=name)


def call(name: str, **arguments: Any) -> AIMessage:
    calls = [{"id": f"call-{name}", "name": name, "args": arguments, "type": "tool_call"}]
    return AIMessage("", tool_calls=calls)


def desk() -> Any:
    answer = AIMessage(
        "You get 49.90 EUR back.",
        usage_metadata={"input_tokens": 120, "output_tokens": 9, "total_tokens": 129},
        response_metadata={"model_name": "scripted-1"},
    )
    ask = call("ask_billing", question="Was 1042 charged twice?")
    graph = StateGraph(State)
    graph.add_node("Router", agent("Router", [ask_billing], ask), destinations=("Billing",))
    graph.add_node("Billing", agent("Billing", [get_order], call("get_order", order=1042), answer))
    graph.add_edge(START, "Router")
    return graph.compile(name="Desk")


def main(data: str) -> None:
    with tachograph.Log.open(data) as log:
        record = Recorder(log, agents=["Router", "Billing"])  # the one line
        question = {"messages": [HumanMessage("I was charged twice for order 1042")]}
        config = {"callbacks": [record], "configurable": {"thread_id": "support-7"}}
        answer = desk().invoke(question, config)

        print(answer["messages"][-1].content)
        (begun, *_) = log.events(agent="Desk", limit=1)
        for event in log.trace(begun["trace_id"])["events"]:
            tokens = event.get("tokens", {}).get("total", "")
            print(
                f"{event['agent_name']:8} {event['action']:24} {event.get('phase', ''):7} {tokens}"
            )
        report = log.verify()
        print(f"{report.verdict}, {report.level}: {report['size']} records")
        print(f"tacho trace {begun['trace_id']} --data {data}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tachograph-data")
