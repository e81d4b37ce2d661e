"""Two agents of CrewAI, recorded: Router delegates a refund to Billing.

The models are scripted, so this runs anywhere: ``python python/examples/crewai_two_agents.py
[DATA]``. With a real model only ``llm`` is another.
"""

import os
import sys
from typing import Any

os.environ.setdefault("CREWAI_DISABLE_TELEMETRY", "true")

from crewai import Agent, BaseLLM, Crew, Task  # noqa: E402
from crewai.events.types.llm_events import LLMCallType  # noqa: E402
from crewai.llms.base_llm import llm_call_context  # noqa: E402
from crewai.tools import tool  # noqa: E402

import tachograph  # noqa: E402
from tachograph.crewai import recording  # noqa: E402


class Scripted(BaseLLM):
    """A model that says what stands in its script."""

    turns: list[str] = []

    def call(self, messages: Any, *args: Any, **more: Any) -> str:
        who = {key: more.get(key) for key in ("from_task", "from_agent")}
        with llm_call_context():
            self._emit_call_started_event(messages=messages, **who)
            turn = self.turns.pop(0)
            kind = LLMCallType.LLM_CALL
            usage = {"prompt_tokens": 120, "completion_tokens": 9, "total_tokens": 129}
            self._emit_call_completed_event(response=turn, call_type=kind, usage=usage, **who)
        return turn

    def supports_function_calling(self) -> bool:
        return False


@tool
def get_order(order: int) -> str:
    """Looks an order up."""
    return f"order {order}: charged twice, 49.90 EUR"


def agent(role: str, *turns: str, **more: Any) -> Agent:
    script = Scripted(model="scripted-1", turns=list(turns))
    return Agent(role=role, goal="Help customers.", backstory="A clerk.", llm=script, **more)


def call(name: str, arguments: str) -> str:
    return f"Thought: I need this.\nAction: {name}\nAction Input: {arguments}"


def final(answer: str) -> str:
    return f"Thought: I now know the final answer\nFinal Answer: {answer}"


def desk() -> Crew:
    answer = "You get 49.90 EUR back."
    billing = agent(
        "Billing", call("get_order", '{"order": 1042}'), final(answer), tools=[get_order]
    )
    ask = '{"task": "Was 1042 charged twice?", "context": "-", "coworker": "Billing"}'
    router = agent(
        "Router", call("delegate_work_to_coworker", ask), final(answer), allow_delegation=True
    )
    question = "I was charged twice for order 1042"
    task = Task(description=question, expected_output="An answer.", agent=router)
    return Crew(name="Desk", agents=[router, billing], tasks=[task])


def main(data: str) -> None:
    with tachograph.Log.open(data) as log:
        with tachograph.context.session("support-7"), tachograph.context.trace() as trace_id:
            with recording(log):  # the one line
                answer = desk().kickoff()

        print(answer.raw)
        for event in log.trace(trace_id)["events"]:
            tokens = event.get("tokens", {}).get("total", "")
            print(
                f"{event['agent_name']:8} {event['action']:32} {event.get('phase', ''):11} {tokens}"
            )
        report = log.verify()
        print(f"{report.verdict}, {report.level}: {report['size']} records")
        print(f"tacho trace {trace_id} --data {data}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tachograph-data")
