"""Two AG2 agents, recorded: Router hands a refund over to Billing, which looks the order up.

The models are scripted, so this runs anywhere: ``python python/examples/ag2_two_agents.py [DATA]``.
With a real model only ``config`` is another.
"""

import asyncio
import sys

from ag2 import Agent
from ag2.events import ModelMessage, ModelResponse, ToolCallEvent, Usage
from ag2.testing import TestConfig

import tachograph
from tachograph.ag2 import recorder


def get_order(order: int) -> str:
    """Looks an order up."""
    return f"order {order}: charged twice, 49.90 EUR"


def scripted(*turns) -> TestConfig:
    return TestConfig(*turns, raise_tool_errors=False)


async def main(data: str) -> None:
    with tachograph.Log.open(data) as log:
        record = [recorder(log)]  # the one line

        answer = ModelResponse(
            ModelMessage("Refund 49.90 EUR."),
            usage=Usage(prompt_tokens=120, completion_tokens=9, total_tokens=129),
            model="scripted-1",
            provider="scripted",
        )
        look = ToolCallEvent("get_order", arguments='{"order": 1042}')
        config = scripted(look, answer)
        billing = Agent("Billing", config=config, tools=[get_order], middleware=record)

        async def ask_billing(question: str) -> str:
            """Asks Billing about money."""
            reply = await billing.ask(question)
            return reply.response.content or ""

        ask = ToolCallEvent("ask_billing", arguments='{"question": "Was 1042 charged twice?"}')
        config = scripted(ask, "You get 49.90 EUR back.")
        router = Agent("Router", config=config, tools=[ask_billing], middleware=record)

        with tachograph.context.session("support-7"), tachograph.context.trace() as trace_id:
            reply = await router.ask("I was charged twice for order 1042")

        print(reply.response.content)
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
