"""CrewAI from PyPI, with a scripted model: what a crew does is recorded."""

import os

import pytest
from conftest import mine

os.environ |= {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_VERSION_CHECK": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
}
pytest.importorskip("crewai")

from crewai import Agent, BaseLLM, Crew, Task  # noqa: E402
from crewai.events.base_events import BaseEvent  # noqa: E402
from crewai.events.event_bus import crewai_event_bus  # noqa: E402
from crewai.events.types.llm_events import LLMCallType  # noqa: E402
from crewai.llms.base_llm import llm_call_context  # noqa: E402
from crewai.tools import tool  # noqa: E402

from tachograph import context  # noqa: E402
from tachograph.crewai import _kinds, recording  # noqa: E402

DONE = "Thought: I now know the final answer\nFinal Answer: Refund it."


@pytest.fixture(autouse=True)
def apart(tmp_path, monkeypatch):
    """Nothing of whoever runs the tests."""
    monkeypatch.setenv("CREWAI_STORAGE_DIR", str(tmp_path / "crewai"))
    monkeypatch.setenv("HOME", str(tmp_path))


class Scripted(BaseLLM):
    """A model that says what stands in its script, and tells the bus as CrewAI's own do."""

    turns: list = []
    before_turn: object = None

    def call(self, messages, tools=None, callbacks=None, available_functions=None, **more):
        if self.before_turn is not None:
            self.before_turn()
        who = {key: more.get(key) for key in ("from_task", "from_agent")}
        with llm_call_context():
            self._emit_call_started_event(messages=messages, **who)
            turn = self.turns.pop(0)
            if isinstance(turn, Exception):
                self._emit_call_failed_event(error=str(turn), **who)
                raise turn
            usage = {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15}
            self._emit_call_completed_event(
                response=turn, call_type=LLMCallType.LLM_CALL, usage=usage, **who
            )
        return turn

    def supports_function_calling(self):
        return False


def call(order):
    return f'Thought: look\nAction: get_order\nAction Input: {{"order": {order}}}'


def desk(*turns, before_turn=None):
    ran = []

    @tool
    def get_order(order: int) -> str:
        """Looks an order up."""
        ran.append(order)
        if order == 0:
            raise ValueError("no such order")
        return f"order {order}: paid twice"

    script = Scripted(model="scripted-1", turns=list(turns), before_turn=before_turn)
    agent = Agent(
        role="Billing", goal="help", backstory="-", llm=script, tools=[get_order], max_retry_limit=0
    )
    task = Task(description="refund?", expected_output="a text", agent=agent)
    return Crew(name="Desk", agents=[agent], tasks=[task]), ran


def test_a_crew_is_recorded(log):
    crew, ran = desk(call(1042), DONE)
    with recording(log), context.session("s-7"):
        assert crew.kickoff().raw == "Refund it."
    assert ran == [1042]
    events = mine(log)
    kinds = {(e["event_type"], e["phase"], e.get("outcome")) for e in events}
    assert kinds >= {
        ("agent.invocation", "intent", None),
        ("agent.invocation", "result", "success"),
        ("agent.task", "intent", None),
        ("agent.task", "result", "success"),
        ("agent.llm_request", "intent", None),
        ("agent.llm_response", "result", "success"),
        ("agent.tool_request", "observation", None),
        ("agent.tool_call", "intent", None),
        ("agent.tool_result", "result", "success"),
    }
    assert len({e["trace_id"] for e in events}) == 1
    trace = log.trace(events[0]["trace_id"])
    assert trace["totals"]["tokens"]["total"] == 30 and trace["findings"]["gaps"] == []
    (result,) = mine(log, type="agent.tool_result")
    assert result["content"]["result"] == "order 1042: paid twice"
    assert result["agent_name"] == "Billing"
    assert {e["agent_name"] for e in mine(log, type="agent.llm_response")} == {"Billing"}
    agents = {e["agent_name"] for e in events if e["event_type"] == "agent.invocation"}
    assert agents == {"Desk", "Billing"} and log.verify()


def test_every_event_of_the_bus_is_there(log):
    """Counted beside a listener of CrewAI's own kind, in the same run."""
    seen = []

    def count(_, event):
        seen.append((event.event_id, event.type))

    kinds = set(_kinds(BaseEvent))
    for kind in kinds:
        crewai_event_bus.register_handler(kind, count)
    crew, _ = desk(call(1042), call(0), DONE)
    with recording(log):
        crew.kickoff()
    crewai_event_bus.flush()
    for kind in kinds:
        crewai_event_bus.off(kind, count)
    untold = ("default_env", "agent_logs_started", "agent_logs_execution", "hook_dispatched")
    wanted = {id_ for id_, type_ in seen if type_ not in untold}
    assert wanted <= {e["event_id"] for e in mine(log)} and len(wanted) > 15


def test_tools_and_models_that_fail(log):
    crew, ran = desk(call(0), DONE)
    with recording(log):
        crew.kickoff()
    results = mine(log, type="agent.tool_result")
    assert {e["outcome"] for e in results} == {"failure"} and len(ran) >= len(results) > 0
    assert "no such order" in results[0]["content"]["error"]["message"]
    with recording(log), pytest.raises(RuntimeError):
        desk(RuntimeError("503"))[0].kickoff()
    failed = {e["event_type"] for e in mine(log) if e.get("outcome") == "failure"}
    assert failed >= {"agent.llm_response", "agent.invocation", "agent.task"}


@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_tool_is_not_called(log, mode, does_run):
    """The log closes while the model thinks: CrewAI tells the model that the tool is blocked."""
    crew, ran = desk(call(1042), DONE, before_turn=log.close)
    with recording(log, mode=mode):
        crew.kickoff()
    assert ran == ([1042] if does_run else [])


def test_after_a_recording_nothing_is_recorded(log):
    with recording(log):
        pass
    desk(DONE)[0].kickoff()
    crewai_event_bus.flush()
    assert mine(log) == []
