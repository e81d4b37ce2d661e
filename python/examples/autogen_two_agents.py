"""Two agents of Microsoft's AutoGen, recorded: Router hands a refund over to Billing.

The models are scripted, so this runs anywhere: ``python python/examples/autogen_two_agents.py
[DATA]``. With a real model only ``replay`` is another.
"""

import asyncio
import sys
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import Swarm
from autogen_core import FunctionCall
from autogen_core.models import CreateResult, ModelInfo, RequestUsage
from autogen_ext.models.replay import ReplayChatCompletionClient

import tachograph
from tachograph.autogen import Model, Tools, run

INFO = ModelInfo(
    vision=False,
    function_calling=True,
    json_output=False,
    family="unknown",
    structured_output=False,
)


def get_order(order: int) -> str:
    """Looks an order up."""
    return f"order {order}: charged twice, 49.90 EUR"


def replay(*turns: CreateResult) -> ReplayChatCompletionClient:
    return ReplayChatCompletionClient(list(turns), model_info=INFO)


def turn(content: Any, tokens: tuple[int, int] = (0, 0)) -> CreateResult:
    usage = RequestUsage(prompt_tokens=tokens[0], completion_tokens=tokens[1])
    return CreateResult(finish_reason="stop", content=content, usage=usage, cached=False)


def call(name: str, arguments: str = "{}") -> CreateResult:
    return turn([FunctionCall(id=f"call-{name}", name=name, arguments=arguments)])


def desk(log: tachograph.Log) -> Swarm:
    answer = turn("You get 49.90 EUR back. DONE", (120, 9))
    billing = AssistantAgent(
        "Billing",
        model_client=Model(replay(call("get_order", '{"order": 1042}'), answer), log, "Billing"),
        workbench=Tools([get_order], log, "Billing"),
        reflect_on_tool_use=True,
    )
    router = AssistantAgent(
        "Router",
        model_client=Model(replay(call("transfer_to_billing")), log, "Router"),
        handoffs=["Billing"],
    )
    return Swarm([router, billing], termination_condition=TextMentionTermination("DONE"))


async def main(data: str) -> None:
    with tachograph.Log.open(data) as log:
        with tachograph.context.session("support-7"), tachograph.context.trace() as trace_id:
            answer = await run(desk(log), "I was charged twice for order 1042", log)

        print(answer.messages[-1].content.removesuffix(" DONE"))
        for event in log.trace(trace_id)["events"]:
            tokens = event.get("tokens", {}).get("total", "")
            print(
                f"{event['agent_name']:8} {event['action']:24} {event.get('phase', ''):7} {tokens}"
            )
        report = log.verify()
        print(f"{report.verdict}, {report.level}: {report['size']} records")
        print(f"tacho trace {trace_id} --data {data}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "tachograph-data"))
