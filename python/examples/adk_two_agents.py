"""Two agents of Google's ADK, recorded: Router hands a refund over to Billing.

The models are scripted, so this runs anywhere: ``python python/examples/adk_two_agents.py
[DATA]``. With a real model only ``model`` is another.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.apps import App
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

import tachograph
from tachograph.adk import Recorder


class Scripted(BaseLlm):
    """A model that says what stands in its script."""

    model: str = "scripted-1"
    turns: list[LlmResponse] = []

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        yield self.turns.pop(0)


def get_order(order: int) -> str:
    """Looks an order up."""
    return f"order {order}: charged twice, 49.90 EUR"


def call(name: str, **arguments: Any) -> LlmResponse:
    part = types.Part(function_call=types.FunctionCall(name=name, args=arguments))
    return LlmResponse(content=types.Content(role="model", parts=[part]))


def desk() -> LlmAgent:
    text = types.Part(text="You get 49.90 EUR back.")
    answer = LlmResponse(
        content=types.Content(role="model", parts=[text]),
        usage_metadata=types.GenerateContentResponseUsageMetadata(
            prompt_token_count=120, candidates_token_count=9, total_token_count=129
        ),
    )
    script = Scripted(turns=[call("get_order", order=1042), answer])
    billing = LlmAgent(name="Billing", model=script, tools=[get_order])
    script = Scripted(turns=[call("transfer_to_agent", agent_name="Billing")])
    return LlmAgent(name="Router", model=script, sub_agents=[billing])


async def main(data: str) -> None:
    with tachograph.Log.open(data) as log:
        record = Recorder(log)  # the one line
        runner = InMemoryRunner(app=App(name="desk", root_agent=desk(), plugins=[record]))
        session = await runner.session_service.create_session(app_name="desk", user_id="ann")
        text = types.Part(text="I was charged twice for order 1042")
        question = types.Content(role="user", parts=[text])
        with tachograph.context.trace() as trace_id:
            async for event in runner.run_async(
                user_id="ann", session_id=session.id, new_message=question
            ):
                if event.is_final_response() and event.content is not None:
                    print(event.content.parts[0].text)

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
