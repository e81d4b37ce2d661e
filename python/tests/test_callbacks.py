"""The handler of the forensic recipe."""

from conftest import mine

from tachograph.callbacks import ForensicCallbackHandler


def test_the_recipe_works_with_a_log_in_place_of_its_file(log):
    handler = ForensicCallbackHandler("SeniorCoder", log)
    handler.on_chat_init("fix the bug")
    handler.on_chain_start({"name": "chain"}, {"task": "fix"})
    handler.on_code_execution("print(1)", "exitcode: 0 (execution succeeded)\nCode output: 1")
    handler.on_code_execution("boom()", "exitcode: 1 (execution failed)")
    handler.on_code_execution("?", "no idea")
    handler.on_chain_end({"answer": "fixed"})
    handler.log_event("chat_closed", {"rounds": 3})
    events = mine(log)
    assert {event["agent_name"] for event in events} == {"SeniorCoder"}
    assert [event["event_type"] for event in events] == [
        "agent.invocation",
        "agent.invocation",
        "agent.code_execution",
        "agent.code_execution",
        "agent.code_execution",
        "agent.invocation",
        "agent.chat_closed",
    ]
    assert [event.get("outcome") for event in events[2:5]] == ["success", "failure", None]
    assert events[2]["content"]["params"] == {"code": "print(1)"}
    assert events[1]["content"] == {"input": {"task": "fix"}, "params": {"name": "chain"}}
