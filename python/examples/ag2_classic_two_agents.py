"""Two agents of AG2 0.14, recorded: a user, who runs the tools, and Billing.

The model is scripted, so this runs anywhere:
``python python/examples/ag2_classic_two_agents.py [DATA]``. With a real model only ``CONFIG`` is
another.
"""

import sys
from types import SimpleNamespace
from typing import Any

from autogen import ConversableAgent, UserProxyAgent

import tachograph
from tachograph.ag2_classic import record

LOOK = {"name": "get_order", "arguments": '{"order": 1042}'}
TURNS: list[Any] = [
    {"id": "call-1", "type": "function", "function": LOOK},
    "You get 49.90 EUR back.",
]
CONFIG = {"config_list": [{"model": "scripted-1", "model_client_cls": "Scripted"}]}


class Message(dict[str, Any]):
    """What a model says, as the framework takes it: by attributes, and as a dictionary."""

    __getattr__ = dict.get

    def model_dump(self) -> dict[str, Any]:
        return dict(self)


class Scripted:
    """A model that says what stands in its script."""

    def __init__(self, config: Any, **_: Any) -> None:
        pass

    def create(self, params: Any) -> Any:
        turn = TURNS.pop(0)
        said = {"content": turn} if isinstance(turn, str) else {"tool_calls": [turn]}
        choice = SimpleNamespace(message=Message(role="assistant", **said))
        return SimpleNamespace(choices=[choice], model="scripted-1", cost=0)

    def message_retrieval(self, response: Any) -> list[Any]:
        message = response.choices[0].message
        return [message if message.tool_calls else message.content]

    def cost(self, response: Any) -> float:
        return 0

    @staticmethod
    def get_usage(response: Any) -> dict[str, Any]:
        return {}


def get_order(order: int) -> str:
    """Looks an order up."""
    return f"order {order}: charged twice, 49.90 EUR"


def main(data: str) -> None:
    billing = ConversableAgent("Billing", llm_config=CONFIG, human_input_mode="NEVER")
    billing.register_model_client(model_client_cls=Scripted)
    user = UserProxyAgent(
        "User",
        human_input_mode="NEVER",
        code_execution_config=False,
        is_termination_msg=lambda message: "EUR back" in (message.get("content") or ""),
    )
    user.register_function({"get_order": get_order})
    with tachograph.Log.open(data) as log:
        for agent in (billing, user):
            record(agent, log)  # the one line
        with tachograph.context.session("support-7"), tachograph.context.trace() as trace_id:
            question = "I was charged twice for order 1042"
            chat = user.initiate_chat(billing, message=question, silent=True)

        print(chat.chat_history[-1]["content"])
        for event in log.trace(trace_id)["events"]:
            print(f"{event['agent_name']:8} {event['action']:24} {event.get('phase', ''):7}")
        report = log.verify()
        print(f"{report.verdict}, {report.level}: {report['size']} records")
        print(f"tacho trace {trace_id} --data {data}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tachograph-data")
