"""Two agents of the OpenAI Agents SDK, recorded: Router hands a refund over to Billing.

The models are scripted, so this runs anywhere: ``python python/examples/openai_two_agents.py
[DATA]``. With a real model only ``model`` is another.
"""

import sys

from agents import Agent, Runner, function_tool, set_trace_processors
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call
from agents.usage import Usage

import tachograph
from tachograph.openai_agents import recorder


@function_tool
def get_order(order: int) -> str:
    """Looks an order up."""
    return f"order {order}: charged twice, 49.90 EUR"


def desk() -> Agent:
    answer = ModelStep(
        output=[assistant_message("You get 49.90 EUR back.")],
        usage=Usage(requests=1, input_tokens=120, output_tokens=9, total_tokens=129),
    )
    look = [function_call("get_order", {"order": 1042}, call_id="call-1")]
    billing = Agent("Billing", model=ScriptedModel([look, answer]), tools=[get_order])
    hand_over = [function_call("transfer_to_billing", {}, call_id="call-2")]
    return Agent("Router", model=ScriptedModel([hand_over]), handoffs=[billing])


def main(data: str) -> None:
    set_trace_processors([])  # nothing goes to OpenAI; leave this out where it should
    with tachograph.Log.open(data) as log:
        record = recorder(log)  # the one line
        with tachograph.context.session("support-7"), tachograph.context.trace() as trace_id:
            question = "I was charged twice for order 1042"
            answer = Runner.run_sync(desk(), question, hooks=record)

        print(answer.final_output)
        for event in log.trace(trace_id)["events"]:
            tokens = event.get("tokens", {}).get("total", "")
            print(
                f"{event['agent_name']:8} {event['action']:24} {event.get('phase', ''):7} {tokens}"
            )
        report = log.verify()
        print(f"{report.verdict}, {report.level}: {report['size']} records")
        print(f"tacho trace {trace_id} --data {data}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "tachograph-data")
