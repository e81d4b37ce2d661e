"""AG2 0.14 from PyPI, with a scripted model client: what its classic agents do is recorded."""

import asyncio
import contextlib
import json
from types import SimpleNamespace

import pytest
from conftest import mine

pytest.importorskip("autogen.agentchat")

from autogen import ConversableAgent, UserProxyAgent  # noqa: E402
from autogen.coding import LocalCommandLineCodeExecutor  # noqa: E402

from tachograph import errors  # noqa: E402
from tachograph.ag2_classic import record  # noqa: E402


class Message(dict):
    """What a model says, as the framework takes it: by attributes, and as a dictionary."""

    __getattr__ = dict.get

    def model_dump(self):
        return dict(self)


class Scripted:
    """A model client that says what stands in its script."""

    turns: list = []
    before_turn = None

    def __init__(self, config, **_):
        pass

    def create(self, params):
        if Scripted.before_turn is not None:
            Scripted.before_turn()
        turn = Scripted.turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        message = Message(role="assistant", content=turn)
        if isinstance(turn, dict):
            message = Message(role="assistant", content=None, tool_calls=[turn])
        choice = SimpleNamespace(message=message)
        return SimpleNamespace(choices=[choice], model="scripted-1", cost=0)

    def message_retrieval(self, response):
        message = response.choices[0].message
        return [message if message.tool_calls else message.content]

    def cost(self, response):
        return 0

    @staticmethod
    def get_usage(response):
        return {}


def call(order):
    function = {"name": "get_order", "arguments": json.dumps({"order": order})}
    return {"id": "call-1", "type": "function", "function": function}


def desk(log, *turns, mode=None, before_turn=None):
    """A user who runs Billing's tools; and what they did."""
    ran = []

    def get_order(order: int) -> str:
        """Looks an order up."""
        ran.append(order)
        if order == 0:
            raise ValueError("no such order")
        return f"order {order}: paid twice"

    Scripted.turns, Scripted.before_turn = list(turns), before_turn
    config = {"config_list": [{"model": "scripted-1", "model_client_cls": "Scripted"}]}
    billing = ConversableAgent("Billing", llm_config=config, human_input_mode="NEVER")
    billing.register_model_client(model_client_cls=Scripted)
    user = UserProxyAgent(
        "User",
        human_input_mode="NEVER",
        code_execution_config=False,
        is_termination_msg=lambda message: "DONE" in (message.get("content") or ""),
    )
    user.register_function({"get_order": get_order})
    for agent in (billing, user):
        record(agent, log, mode=mode)
    return user, billing, ran


def chat(user, billing, is_async):
    said = {"message": "I was charged twice", "silent": True}
    if is_async:
        return asyncio.run(user.a_initiate_chat(billing, **said))
    return user.initiate_chat(billing, **said)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_chat_is_recorded(log, is_async):
    user, billing, ran = desk(log, call(1042), "Refund it. DONE", mode="required")
    chat(user, billing, is_async)
    assert ran == [1042]
    told = [
        (e["agent_name"], e["event_type"].removeprefix("agent."), e.get("outcome"))
        for e in mine(log)
    ]
    assert told == [
        ("User", "message", None),
        ("Billing", "llm_request", None),
        ("Billing", "llm_response", "success"),
        ("Billing", "message", None),
        ("User", "tool_call", None),
        ("User", "tool_result", "success"),
        ("User", "message", None),
        ("Billing", "llm_request", None),
        ("Billing", "llm_response", "success"),
        ("Billing", "message", None),
    ]
    (trace_id,) = {e["trace_id"] for e in mine(log)}
    assert log.trace(trace_id)["findings"]["gaps"] == []
    (called, result) = mine(log, tool="get_order")
    assert called["content"]["params"] == {"order": 1042}
    assert result["content"]["result"] == "order 1042: paid twice" and log.verify()


@pytest.mark.parametrize("is_async", [False, True])
def test_tools_and_models_that_fail(log, is_async):
    user, billing, _ = desk(log, call(0), "Sorry. DONE")
    chat(user, billing, is_async)
    result = mine(log, tool="get_order")[-1]
    assert result["outcome"] == "failure"
    assert "no such order" in result["content"]["error"]["message"]
    user, billing, _ = desk(log, RuntimeError("503"))
    with pytest.raises(RuntimeError):
        chat(user, billing, is_async)
    assert mine(log, type="agent.llm_response")[-1]["outcome"] == "failure"


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_tool_is_not_called(log, mode, does_run, is_async):
    """The log closes while the model thinks: nothing that it asks for is done."""
    turns = (call(1042), "DONE")
    user, billing, ran = desk(log, *turns, mode=mode, before_turn=log.close)
    with contextlib.nullcontext() if does_run else pytest.raises(errors.LogClosed):
        chat(user, billing, is_async)
    assert ran == ([1042] if does_run else [])


def test_without_a_log_a_required_function_is_not_called(log):
    for is_async in (False, True):
        user, _, ran = desk(log, mode="required")
        log.close()
        asked = call(7)["function"]
        with pytest.raises(errors.LogClosed):
            if is_async:
                asyncio.run(user.a_execute_function(asked))
            else:
                user.execute_function(asked)
        assert ran == []


@pytest.mark.parametrize("has_executor", [True, False])
@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_code_that_is_run(log, tmp_path, mode, does_run, has_executor):
    executor = {"executor": LocalCommandLineCodeExecutor(work_dir=tmp_path)}
    old = {"work_dir": str(tmp_path), "use_docker": False}
    clerk = ConversableAgent(
        "Clerk",
        llm_config=False,
        human_input_mode="NEVER",
        code_execution_config=executor if has_executor else old,
    )
    record(clerk, log, mode=mode)
    mark = tmp_path / "ran"

    def ask():
        code = f"```sh\ntouch {mark}\nexit 3\n```"
        return clerk.generate_reply([{"role": "user", "content": code}])

    ask()
    begun, ended = mine(log, type="agent.code_execution")
    assert "touch" in begun["content"]["params"]["code"][0]["code"] and mark.exists()
    assert ended["outcome"] == "failure"
    mark.unlink()
    log.close()
    with contextlib.nullcontext() if does_run else pytest.raises(errors.LogClosed):
        ask()
    assert mark.exists() is does_run


def test_a_person_who_is_asked(log, monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt="": "yes")
    user = UserProxyAgent("User", code_execution_config=False)
    record(user, log)
    assert user.get_human_input("Refund?") == "yes"
    asked, answered = mine(log, type="agent.human_intervention")
    assert asked["content"]["input"] == "Refund?" and answered["content"]["output"] == "yes"
