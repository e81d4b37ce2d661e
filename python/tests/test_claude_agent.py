"""The Claude Agent SDK from PyPI, a script in place of Claude Code: what it does is recorded."""

import asyncio
import collections
import json
import signal
import subprocess
from pathlib import Path

import pytest
from conftest import mine

pytest.importorskip("claude_agent_sdk")

from claude_agent_sdk import (  # noqa: E402
    ClaudeAgentOptions,
    HookMatcher,
    PermissionResultAllow,
    PermissionResultDeny,
    ProcessError,
    ResultMessage,
    query,
)
from claude_cli import MODEL, Cli, sums, text, thinking, tool_use, usage  # noqa: E402

import tachograph  # noqa: E402
from tachograph import context, errors  # noqa: E402
from tachograph.claude_agent import Recorder  # noqa: E402

QUESTION = "I was charged twice"
ORDER = {"order": 1042}
SECRET = "AKIAQ7ZT4XN2P5WJ6K3D"


async def get_order(params):
    if params["order"] == 0:
        raise ValueError("no such order")
    return f"order {params['order']}: paid twice"


async def play(cli, *, params=ORDER, ask=False):
    """A prompt, a call of a tool, an answer."""
    while await cli.prompt() is not None:
        cli.init()
        call = tool_use("c-1", "get_order", **params)
        cli.answer("m-1", thinking("Look."), text("I look."), call, usage=usage(10, 1))
        await cli.tool("c-1", "get_order", params, get_order, ask=ask)
        cli.answer("m-2", text("Refund it."), usage=usage(20, 2))
        await cli.stop("Refund it.")
        total = {MODEL: sums(30, 9, 0.01, read=60)}
        cli.result(result="Refund it.", total_cost_usd=0.01, model_usage=total, modelUsage=total)


def run(recorder, cli, options=None):
    async def read():
        stream = recorder.query(prompt=QUESTION, options=options, transport=cli)
        return [message async for message in stream]

    return asyncio.run(read())


def told(log):
    """Hooks and messages come side by side, so in no order."""
    return collections.Counter(
        (event["agent_name"], event["event_type"].removeprefix("agent."), event["phase"])
        for event in mine(log)
    )


RUN = collections.Counter(
    [
        ("claude", "invocation", "intent"),
        ("claude", "session", "observation"),
        ("claude", "llm_response", "observation"),
        ("claude", "tool_call", "intent"),
        ("claude", "tool_result", "result"),
        ("claude", "llm_response", "observation"),
        ("claude", "invocation", "result"),
        ("claude", "token_usage", "observation"),
    ]
)


@pytest.mark.parametrize("mode", ["buffered", "durable", "required"])
def test_a_query_is_recorded_with_one_line(log, mode):
    cli = Cli(play)
    messages = run(Recorder(log, mode=mode), cli)
    assert isinstance(messages[-1], ResultMessage) and cli.ran == ["c-1"]
    assert told(log) == RUN
    events = mine(log)
    assert {(e["session_id"], e["trace_id"]) for e in events} == {("s-7", "s-7")}
    assert {e["outcome"] for e in events if e["phase"] == "result"} == {"success"}
    trace = log.trace("s-7")
    assert trace["findings"]["gaps"] == [] and trace["findings"].get("orphans") == []
    by_id = {event["event_id"]: event for event in events}
    (result,) = mine(log, type="agent.tool_result")
    assert result["content"]["result"] == "order 1042: paid twice" and result["duration_ms"] == 7
    call = by_id[result["parent_event_id"]]
    assert call["content"]["params"] == ORDER
    assert call["content"]["attributes"] == {
        "claude.tool_use_id": "c-1",
        "claude.prompt_id": "p-1",
        "claude.permission_mode": "default",
        "claude.cwd": "/desk",
    }
    began, ended = mine(log, type="agent.invocation")
    assert (began["source"], began["content"]["input"]) == ("user", QUESTION)
    assert ended["content"]["output"] == "Refund it."
    assert {e["parent_event_id"] for e in events if e["phase"] == "observation"} <= {
        None,
        began["event_id"],
    } and log.verify()


def test_an_answer_is_one_event_and_its_tokens_count_once(log):
    """Each block comes in a message of its own, with counts that are not whole."""
    run(Recorder(log), Cli(play))
    first, second = mine(log, type="agent.llm_response")
    assert first["model"] == {"responded": MODEL} and first["outcome"] == "success"
    assert first["content"]["output"] == {
        "content": "I look.",
        "tool_calls": [{"id": "c-1", "name": "get_order"}],
    }
    assert first["content"]["reasoning"] == "Look."
    assert first["content"]["attributes"]["claude.usage"] == usage(10, 1)
    assert second["content"]["output"] == {"content": "Refund it."}
    (used,) = mine(log, type="agent.token_usage")
    # Cached input is inside the input.
    assert used["tokens"] == {
        "input": 90, "output": 9, "cache_read": 60, "cache_write": 0, "total": 99,
    }  # fmt: skip
    assert used["cost"] == {"amount": 0.01, "currency": "USD"}
    assert used["content"]["attributes"]["claude.num_turns"] == 2
    assert log.trace("s-7")["totals"]["tokens"]["total"] == 99


def test_every_hook_of_the_sdk_has_its_event_beside_those_of_the_user(log):
    seen = collections.Counter()

    async def count(told, _id, _context):
        seen[told["hook_event_name"]] += 1
        return {}

    async def everything(cli):
        await cli.prompt()
        await cli.hook("Notification", message="waits", notification_type="idle_prompt")
        await cli.tool("c-1", "get_order", ORDER, get_order, ask=True)
        await cli.tool("c-2", "get_order", {"order": 0}, get_order)
        await cli.hook("SubagentStart", ("a-1", "Billing"))
        stop = {"stop_hook_active": False, "agent_transcript_path": "/x"}
        await cli.hook("SubagentStop", ("a-1", "Billing"), **stop)
        await cli.hook("PreCompact", trigger="auto", custom_instructions=None)
        await cli.stop("done")

    async def allow(name, params, _context):
        return PermissionResultAllow(updated_permissions=None)

    options = ClaudeAgentOptions(can_use_tool=allow)
    recorder = Recorder(log)
    kinds = list(recorder.options().hooks)
    options.hooks = {kind: [HookMatcher(hooks=[count])] for kind in kinds}
    cli = Cli(everything)
    run(recorder, cli, options)
    assert options.hooks.keys() == set(kinds) and all(map(len, options.hooks.values()))
    assert seen == {kind: 2 if kind == "PreToolUse" else 1 for kind in kinds} and len(kinds) == 10
    found = collections.Counter(
        (e["event_type"].removeprefix("agent."), e["phase"]) for e in mine(log)
    )
    expected = {
        "UserPromptSubmit": ("invocation", "intent"),
        "PreToolUse": ("tool_call", "intent"),
        "PermissionRequest": ("human_intervention", "observation"),
        "Notification": ("notification", "observation"),
        "PreCompact": ("compaction", "intent"),
        "SubagentStart": ("handoff", "observation"),
    }
    for kind, event in expected.items():
        begun = seen["SubagentStart"] if kind == "UserPromptSubmit" else 0
        assert found[event] == seen[kind] + begun, kind
    assert found["tool_result", "result"] == seen["PostToolUse"] + seen["PostToolUseFailure"]
    assert found["invocation", "result"] == seen["Stop"] + seen["SubagentStop"]
    assert cli.answers == [{}] * sum(seen.values()) * 2


@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_without_a_log_a_required_tool_is_not_called(log, mode, does_run):
    """The log closes while the model thinks: the call that it asks for is refused."""

    async def closing(cli):
        await cli.prompt()
        log.close()
        await cli.tool("c-1", "get_order", ORDER, get_order)

    cli = Cli(closing)
    run(Recorder(log, mode=mode), cli)
    assert cli.ran == (["c-1"] if does_run else [])
    if not does_run:
        said = cli.answers[-1]["hookSpecificOutput"]
        assert said["permissionDecision"] == "deny" and "closed" in said["permissionDecisionReason"]


@pytest.mark.parametrize("required", ["log", "spool"])
def test_without_room_or_a_server_a_required_tool_is_not_called(spool, required):
    """A spool that is full, and a server that acknowledges nothing."""

    async def filling(cli):
        for size in (300_000, 10_000, 1) if required == "spool" else ():
            with pytest.raises(errors.LogUnavailable):
                while True:
                    log.record(event_type="agent.x", result="x" * size, mode="durable")
        await cli.tool("c-1", "get_order", ORDER, get_order)

    place = {"spool": spool, "spool_bytes": 4 << 20, "patience": 0.2, "required": required}
    log = tachograph.connect("http://127.0.0.1:9", token="t", **place)
    cli = Cli(filling)
    run(Recorder(log, mode="required"), cli)
    assert cli.ran == []
    assert cli.answers[-1]["hookSpecificOutput"]["permissionDecision"] == "deny"
    log.close(timeout=0)


def test_without_a_log_no_required_prompt_is_taken(log):
    cli = Cli(play)
    recorder = Recorder(log, mode="required")
    log.close()
    run(recorder, cli)
    assert cli.ran == [] and cli.answers[0]["decision"] == "block"


@pytest.mark.parametrize(("mode", "does_run"), [("required", False), ("durable", True)])
def test_a_hook_that_says_something_else_is_no_way_around(log, mode, does_run, caplog):
    """Of another version perhaps: without the id of the call."""

    async def odd(cli):
        if not await cli.hook("PreToolUse", tool_name="get_order", tool_input=ORDER):
            cli.ran.append("c-1")

    cli = Cli(odd)
    run(Recorder(log, mode=mode), cli)
    assert cli.ran == (["c-1"] if does_run else []) and "PreToolUse" in caplog.text


def test_a_required_hook_fails_closed_even_when_it_fails(log):
    options = Recorder(log, mode="required").options()
    on_failure = {kind: hooks[0].on_failure for kind, hooks in options.hooks.items()}
    assert {kind for kind, it in on_failure.items() if it == "block"} == {
        "PreToolUse",
        "UserPromptSubmit",
    }
    options = Recorder(log, mode="durable").options()
    assert {hooks[0].on_failure for hooks in options.hooks.values()} == {None}


def test_two_tools_at_once(log):
    async def both(cli):
        async def wait(params):
            """The first to begin is the last to end."""
            if params["order"] == 2:
                await one_ended.wait()
            return f"order {params['order']}"

        async def call(order):
            await cli.tool(f"c-{order}", "get_order", {"order": order}, wait)
            one_ended.set()

        one_ended = asyncio.Event()
        await cli.prompt()
        calls = [tool_use(f"c-{n}", "get_order", order=n) for n in (2, 1)]
        cli.answer("m-1", *calls, usage=usage())
        await asyncio.gather(call(2), call(1))
        await cli.stop("done")
        cli.result()

    cli = Cli(both)
    run(Recorder(log, mode="required"), cli)
    by_id = {event["event_id"]: event for event in mine(log)}
    results = mine(log, type="agent.tool_result")
    assert [e["content"]["result"] for e in results] == ["order 1", "order 2"]
    for result in results:
        asked = by_id[result["parent_event_id"]]["content"]["params"]["order"]
        assert result["content"]["result"] == f"order {asked}"
    assert len(mine(log, type="agent.tool_call")) == 2


def test_a_subagent_and_what_it_does(log):
    """Two at once, each begun by a call of the main agent's."""

    async def spawn(cli, number, name):
        agent, call_id = (f"a-{number}", name), f"c-{number}"

        async def work(params):
            await cli.hook("SubagentStart", agent)
            said = text(f"{name} looks.")
            cli.answer(f"m-{name}", said, tool_use(f"d-{number}", "get_order"), parent=call_id)
            await cli.tool(
                f"d-{number}", "get_order", ORDER, get_order, agent=agent, parent=call_id
            )
            stop = {"stop_hook_active": False, "last_assistant_message": "done"}
            await cli.hook("SubagentStop", agent, agent_transcript_path="/x", **stop)
            return "done"

        params = {"subagent_type": name, "prompt": f"ask {name}"}
        await cli.tool(call_id, "Agent", params, work)

    async def both(cli):
        await cli.prompt()
        await asyncio.gather(spawn(cli, 1, "Billing"), spawn(cli, 2, "Fraud"))
        await cli.stop("done")
        cli.result()

    run(Recorder(log, agent_name="Router"), Cli(both))
    by_id = {event["event_id"]: event for event in mine(log)}
    for name, number in (("Billing", 1), ("Fraud", 2)):
        (handoff,) = [e for e in mine(log, agent="Router") if e["action"] == f"handoff:{name}"]
        call = by_id[handoff["parent_event_id"]]
        assert (call["tool"], call["agent_name"]) == ("Agent", "Router")
        assert call["content"]["params"]["subagent_type"] == name
        began, ended = mine(log, agent=name, type="agent.invocation")
        assert began["parent_event_id"] == handoff["event_id"]
        assert began["content"]["input"] == f"ask {name}" and began["agent_id"] == f"a-{number}"
        assert (ended["outcome"], ended["content"]["output"]) == ("success", "done")
        (called,) = mine(log, agent=name, type="agent.tool_call")
        (answer,) = mine(log, agent=name, type="agent.llm_response")
        assert called["parent_event_id"] == answer["parent_event_id"] == began["event_id"]
        assert answer["agent_id"] == f"a-{number}"
    assert log.trace("s-7")["findings"]["gaps"] == []


def test_of_two_subagents_of_one_kind_none_is_said_to_be_of_a_call_that_may_be_the_others(log):
    async def both(cli):
        await cli.prompt()

        async def spawn(number):
            async def work(params):
                begun.release()
                await both_begun.wait()
                await cli.hook("SubagentStart", (f"a-{number}", "Billing"))
                return "done"

            await cli.tool(f"c-{number}", "Agent", {"subagent_type": "Billing"}, work)

        begun, both_begun = asyncio.Semaphore(0), asyncio.Event()
        spawning = asyncio.gather(spawn(1), spawn(2))
        await begun.acquire()
        await begun.acquire()
        both_begun.set()
        await spawning

    run(Recorder(log), Cli(both))
    began = next(e for e in mine(log, type="agent.invocation") if e["phase"] == "intent")
    assert {e["parent_event_id"] for e in mine(log, type="agent.handoff")} == {began["event_id"]}


def test_a_message_tells_which_call_began_a_subagent(log):
    """Two of one kind; one comes to an end by itself, the other is stopped."""

    async def both(cli):
        await cli.prompt()
        for number in (1, 2):
            call = {"tool_name": "Agent", "tool_input": {"subagent_type": "Billing"}}
            await cli.hook("PreToolUse", **call, tool_use_id=f"c-{number}")
        task = {"subtype": "task_started", "description": "", "task_type": "local_agent"}
        cli.say("system", **task, task_id="a-1", tool_use_id="c-1")
        while not (known := watch.acts.tasks):
            await asyncio.sleep(0)
        assert known == {"a-1": "c-1"}
        for number in (1, 2):
            await cli.hook("SubagentStart", (f"a-{number}", "Billing"))
        stop = {"stop_hook_active": False, "agent_transcript_path": "/x"}
        await cli.hook("SubagentStop", ("a-1", "Billing"), **stop)
        for number in (1, 2):
            task = {"task_id": f"a-{number}", "patch": {"status": "killed"}}
            cli.say("system", subtype="task_updated", **task)
        cli.result()

    recorder = Recorder(log)
    watch = recorder._watch(is_read=True)
    recorder._watch = lambda is_read: watch
    run(recorder, Cli(both))
    log.flush()
    by_id = {event["event_id"]: event for event in mine(log)}
    calls = [
        by_id[e["parent_event_id"]]["content"]["attributes"]["claude.tool_use_id"]
        for e in mine(log, type="agent.handoff")
    ]
    assert calls == ["c-1", "c-2"]
    ended = [e for e in mine(log, agent="Billing") if e["phase"] == "result"]
    assert [(e["agent_id"], e["outcome"]) for e in ended] == [
        ("a-1", "success"),
        ("a-2", "cancelled"),
    ]
    assert mine(log, type="agent.task") == []


def test_a_tool_that_fails(log):
    def failing(cli):
        return play(cli, params={"order": 0})

    run(Recorder(log), Cli(failing))
    (result,) = mine(log, type="agent.tool_result")
    assert (result["outcome"], result["content"]["error"]["message"]) == (
        "failure",
        "no such order",
    )
    assert len(mine(log, tool="get_order")) == 2


@pytest.mark.parametrize("is_interrupt", [True, False])
def test_a_tool_that_was_interrupted(log, is_interrupt):
    async def interrupted(cli):
        call = {"tool_name": "Bash", "tool_input": {}, "tool_use_id": "c-1"}
        await cli.hook("PreToolUse", **call)
        await cli.hook("PostToolUseFailure", **call, error="stop", is_interrupt=is_interrupt)

    run(Recorder(log), Cli(interrupted))
    (result,) = mine(log, type="agent.tool_result")
    assert result["outcome"] == ("cancelled" if is_interrupt else "failure")


def test_calls_that_a_result_names_and_nobody_answered(log):
    async def unanswered(cli):
        await cli.prompt()
        for number in (1, 2, 3):
            call = {"tool_name": "Bash", "tool_input": {}, "tool_use_id": f"c-{number}"}
            await cli.hook("PreToolUse", **call)
        denied = [{"tool_name": "Bash", "tool_use_id": "c-1", "tool_input": {}}]
        deferred = {"id": "c-2", "name": "Bash", "input": {}}
        cli.result(permission_denials=denied, deferred_tool_use=deferred)

    run(Recorder(log), Cli(unanswered))
    log.flush()
    outcomes = {
        e["content"]["attributes"]["claude.tool_use_id"]: e["outcome"]
        for e in mine(log, type="agent.tool_result")
    }
    assert outcomes == {"c-1": "denied", "c-2": "escalated", "c-3": "unknown"}


def test_what_is_too_long_for_an_event_stands_there_as_its_hash(log):
    async def write(params):
        return params["content"]

    long = {"content": "x" * 2_000_000}
    cli = Cli(lambda cli: cli.tool("c-1", "Write", long, write))
    run(Recorder(log, mode="required"), cli)
    assert cli.ran == ["c-1"]
    (call,) = mine(log, type="agent.tool_call")
    assert call["content"]["params"]["bytes"] > 2_000_000 and "sha256" in call["content"]["params"]
    (result,) = mine(log, type="agent.tool_result")
    assert result["content"]["result"]["bytes"] == 2_000_002


def test_a_tool_that_is_not_there(log):
    """No hook is told of it."""

    async def missing(cli):
        await cli.prompt()
        cli.answer("m-1", tool_use("c-1", "nope", order=1))
        cli.came_back("c-1", "No such tool", is_error=True)
        cli.result()

    run(Recorder(log), Cli(missing))
    (call,) = mine(log, tool="nope")
    assert (call["event_type"], call["phase"]) == ("agent.tool_call", "observation")
    assert call["outcome"] == "failure" and call["content"]["params"] == {"order": 1}


def test_a_tool_that_another_hook_is_against(log):
    async def no(told, _id, _context):
        decision = {"permissionDecision": "deny", "permissionDecisionReason": "not today"}
        return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **decision}}

    hooks = {"PreToolUse": [HookMatcher(matcher="get_.*", hooks=[no])]}
    cli = Cli(play)
    run(Recorder(log, mode="required"), cli, ClaudeAgentOptions(hooks=hooks))
    assert cli.ran == []
    (result,) = mine(log, type="agent.tool_result")
    assert result["outcome"] == "denied" and "against" in result["content"]["result"]


@pytest.mark.parametrize("is_fine", [True, False])
def test_leave_to_call_a_tool(log, is_fine):
    async def ask(name, params, context):
        if is_fine:
            return PermissionResultAllow(updated_input={"order": 7})
        return PermissionResultDeny(message="not today")

    cli = Cli(lambda cli: play(cli, ask=True))
    run(Recorder(log), cli, ClaudeAgentOptions(can_use_tool=ask))
    assert cli.ran == (["c-1"] if is_fine else [])
    (call,) = mine(log, type="agent.tool_call")
    (question,) = mine(log, type="agent.human_intervention")
    assert question["action"] == "human_intervention:question"
    assert question["content"]["params"]["call"] == ORDER
    (decision,) = mine(log, type="agent.decision")
    assert decision["parent_event_id"] == question["parent_event_id"] == call["event_id"]
    (result,) = mine(log, type="agent.tool_result")
    if is_fine:
        assert (decision["action"], decision["outcome"]) == ("permission:allow", "success")
        assert decision["content"]["params"] == {"updated_input": {"order": 7}}
    else:
        assert (decision["action"], decision["outcome"]) == ("permission:deny", "denied")
        assert (result["outcome"], result["content"]["reasoning"]) == ("denied", "not today")


def test_parameters_that_were_changed_on_the_way_stand_with_the_result(log):
    async def changed(cli):
        call = {"tool_name": "get_order", "tool_use_id": "c-1"}
        await cli.hook("PreToolUse", **call, tool_input=ORDER)
        await cli.hook("PostToolUse", **call, tool_input={"order": 7}, tool_response="ok")

    run(Recorder(log), Cli(changed))
    (result,) = mine(log, type="agent.tool_result")
    assert result["content"]["params"] == {"order": 7}


def test_what_is_cancelled_is_unknown(log):
    running = asyncio.Event()

    async def wait(params):
        running.set()
        await asyncio.sleep(60)

    async def slow(cli):
        await cli.prompt()
        cli.answer("m-1", text("I look."), tool_use("c-1", "get_order"))
        await cli.tool("c-1", "get_order", ORDER, wait)

    async def cancelling():
        async def read():
            stream = Recorder(log).query(prompt=QUESTION, transport=Cli(slow))
            return [message async for message in stream]

        reading = asyncio.create_task(read())
        await running.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading

    asyncio.run(cancelling())
    log.flush()
    (result,) = mine(log, type="agent.tool_result")
    assert result["outcome"] == "unknown"
    assert mine(log, type="agent.invocation")[-1]["outcome"] == "cancelled"
    assert mine(log, type="agent.llm_response")[0]["content"]["output"]["content"] == "I look."


KILLED = """
import asyncio, sys
sys.path.insert(0, {tests!r})
from claude_cli import Cli, text, tool_use
import tachograph
from tachograph.claude_agent import Recorder

async def wait(params):
    print("running", flush=True)
    await asyncio.sleep(60)

async def play(cli):
    await cli.prompt()
    await cli.tool("c-1", "transfer", {{"amount": 7}}, wait)

async def main(log):
    async for message in Recorder(log, mode="required").query(prompt="go", transport=Cli(play)):
        pass

asyncio.run(main(tachograph.Log.open(DATA)))
"""


def test_of_a_process_that_is_killed_the_call_is_there_and_its_outcome_unknown(run, data):
    program = KILLED.format(tests=str(Path(__file__).parent))
    child = run(program, data, stdout=subprocess.PIPE)
    assert child.stdout.readline() == "running\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    with tachograph.Log.open(data) as log:
        (call,) = mine(log, type="agent.tool_call")
        assert call["content"]["params"] == {"amount": 7}
        assert mine(log, type="agent.tool_result") == []
        assert len(log.trace("s-7")["findings"]["gaps"]) >= 1


def test_a_secret_is_nowhere(log, data, caplog):
    async def secret(params):
        raise ValueError(f"key {SECRET} is refused")

    async def leaking(cli):
        await cli.prompt()
        cli.init()
        call = tool_use("c-1", "get_order", key=SECRET)
        cli.answer("m-1", thinking(f"aws {SECRET}"), text(f"it is {SECRET}"), call)
        await cli.tool("c-1", "get_order", {"key": SECRET}, secret, ask=True)
        await cli.hook("Notification", message=f"the key {SECRET}", notification_type=SECRET)
        await cli.hook("SubagentStart", ("a-1", f"agent {SECRET}"))
        await cli.hook("PreToolUse", tool_name=SECRET)
        await cli.stop(f"the key is {SECRET}")
        cli.result(is_error=True, errors=[f"the key {SECRET}"])
        raise ProcessError(f"gone with {SECRET}", exit_code=1)

    async def deny(name, params, context):
        return PermissionResultDeny(message=f"never {SECRET}")

    recorder = Recorder(log, agent_name=f"Desk of {SECRET}")
    options = ClaudeAgentOptions(can_use_tool=deny)
    with pytest.raises(ProcessError):
        run(recorder, Cli(leaking), options)
    log.flush()
    said = json.dumps(mine(log))
    assert said.count("[redacted:") + said.count("[hash:") > 8 and SECRET not in said
    log.close()
    assert SECRET not in caplog.text.replace("Fatal error in message reader", "")
    for path in data.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path


def results(*turns):
    """A client's session: each prompt ends with what stands there."""

    async def session(cli):
        for turn in turns:
            if await cli.prompt() is None:
                return
            cli.answer(f"m-{turn}", text("Yes."), usage=usage(5, 1))
            if not turn.get("is_error"):
                await cli.stop("Yes.")
            cli.result(**turn)

    return session


def talk(client, prompts, surrounding=None):
    async def play():
        async with client:
            for prompt in prompts:
                with (surrounding or context.fields)():
                    await client.query(prompt)
                [message async for message in client.receive_response()]

    asyncio.run(play())


def test_sums_of_a_clients_session_count_once(log):
    """They grow from result to result, by model."""
    other = "claude-haiku-5"
    turns = [
        {"total_cost_usd": 0.1, "modelUsage": {MODEL: sums(10, 2, 0.1)}},
        {
            "total_cost_usd": 0.35,
            "modelUsage": {MODEL: sums(30, 5, 0.3), other: sums(7, 1, 0.05)},
        },
        {"total_cost_usd": 0.35, "modelUsage": {MODEL: sums(30, 5, 0.3), other: sums(7, 1, 0.05)}},
    ]
    talk(Recorder(log).client(transport=Cli(results(*turns))), ["one", "two", "three"])
    rows = [
        (e["model"]["responded"], e["tokens"]["input"], e["tokens"]["output"], e["cost"]["amount"])
        for e in mine(log, type="agent.token_usage")
    ]
    assert rows == [(MODEL, 10, 2, 0.1), (MODEL, 20, 3, 0.2), (other, 7, 1, 0.05)]
    assert [e["content"]["input"] for e in mine(log, type="agent.invocation")[::2]] == [
        "one",
        "two",
        "three",
    ]
    assert log.trace("s-7")["findings"]["gaps"] == []


def test_a_result_that_is_read_late_is_of_its_own_turn(log):
    async def talking():
        begun, is_read = asyncio.Event(), asyncio.Event()

        async def two(cli):
            for said in ("Yes.", "No."):
                await cli.prompt()
                if said == "No.":
                    begun.set()
                    await is_read.wait()
                await cli.stop(said)
                cost = 0.1 if said == "Yes." else 0.3
                cli.result(modelUsage={MODEL: sums(10, 1, cost)}, result=said)

        async with Recorder(log).client(transport=Cli(two)) as client:
            await client.query("one")
            await client.query("two")
            await begun.wait()
            for _ in range(2):
                [message async for message in client.receive_response()]
                is_read.set()

    asyncio.run(talking())
    one, one_ended, two, two_ended = mine(log, type="agent.invocation")
    assert [e["parent_event_id"] for e in (one_ended, two_ended)] == [
        one["event_id"],
        two["event_id"],
    ]
    assert [e["content"]["output"] for e in (one_ended, two_ended)] == ["Yes.", "No."]
    rows = mine(log, type="agent.token_usage")
    assert [e["parent_event_id"] for e in rows] == [one["event_id"], two["event_id"]]
    assert mine(log, type="agent.step") == []


def test_what_no_result_sums_up_is_what_answers_say(log):
    async def gone(cli):
        await cli.prompt()
        cli.answer("m-1", text("I"), text("look."), usage=usage(10, 1, cache_read_input_tokens=5))
        cli.answer("m-2", text("So."), usage=usage(20, 2))

    run(Recorder(log), Cli(gone))
    log.flush()
    (used,) = mine(log, type="agent.token_usage")
    assert used["tokens"]["input"] == 35 and used["tokens"]["output"] == 3
    assert mine(log, type="agent.invocation")[-1]["outcome"] == "unknown"


def test_of_streamed_pieces_only_counts_are_taken(log):
    async def streaming(cli):
        await cli.prompt()
        cli.answer("m-1", text("So."), usage=usage(10, 1))
        for event in (
            {"type": "content_block_delta", "delta": {"text": "piece"}},
            {"type": "message_delta", "usage": {"output_tokens": 42}},
        ):
            cli.say("stream_event", event=event)

    run(Recorder(log), Cli(streaming))
    log.flush()
    (answer,) = mine(log, type="agent.llm_response")
    assert answer["content"]["attributes"]["claude.usage"] == usage(10, 42)
    (used,) = mine(log, type="agent.token_usage")
    assert used["tokens"]["output"] == 42 and "piece" not in json.dumps(mine(log))


def test_turns_that_end_badly(log):
    error = {"is_error": True, "modelUsage": {}}
    turns = [
        {**error, "subtype": "error_max_turns", "errors": ["too many turns"]},
        {**error, "result": "API Error: 529", "api_error_status": 529},
        {"terminal_reason": "aborted_tools", "is_error": True},
    ]
    talk(Recorder(log).client(transport=Cli(results(*turns))), ["one", "two", "three"])
    ended = [e for e in mine(log, type="agent.invocation") if e["phase"] == "result"]
    assert [(e["outcome"], e.get("error_type")) for e in ended] == [
        ("failure", "error_max_turns"),
        ("failure", "api_error"),
        ("cancelled", None),
    ]
    assert ended[0]["content"]["error"] == {"message": "too many turns"}
    assert ended[1]["content"]["error"] == {"message": "API Error: 529", "status": 529}
    assert mine(log, type="agent.error") == []


@pytest.mark.parametrize("has_result", [True, False])
def test_an_error_that_the_sdk_raises_is_told_once(log, has_result):
    async def failing(cli):
        await cli.prompt()
        if has_result:
            cli.result(is_error=True, subtype="error_max_turns", errors=["too many turns"])
        raise ProcessError("gone", exit_code=1)

    with pytest.raises(ProcessError):
        run(Recorder(log), Cli(failing))
    log.flush()
    failed = [e for e in mine(log) if e.get("outcome") == "failure"]
    assert [(e["event_type"], e["phase"]) for e in failed] == [("agent.invocation", "result")]


def test_an_answer_that_is_an_error(log):
    async def refused(cli):
        await cli.prompt()
        message = {"id": "m-1", "model": "<synthetic>", "content": [text("Invalid API key")]}
        cli.say("assistant", message=message, error="authentication_failed")
        cli.result(is_error=True, result="Invalid API key")

    run(Recorder(log), Cli(refused))
    (answer,) = mine(log, type="agent.llm_response")
    assert (answer["outcome"], answer["error_type"]) == ("failure", "authentication_failed")


def test_hooks_alone_record_all_but_models(log):
    """Whoever calls the SDK's own ``query`` has them from ``options``."""
    recorder = Recorder(log)

    async def read(options, cli, ask):
        return [message async for message in ask(prompt=QUESTION, options=options, transport=cli)]

    asyncio.run(read(recorder.options(), Cli(play), query))
    unread = RUN - collections.Counter(
        {
            ("claude", "session", "observation"): 1,
            ("claude", "llm_response", "observation"): 2,
            ("claude", "token_usage", "observation"): 1,
        }
    )
    assert told(log) == unread
    options = recorder.options(recorder.options())
    assert [len(matchers) for matchers in options.hooks.values()] == [1] * 10
    asyncio.run(read(options, Cli(play), recorder.query))
    assert told(log) == unread + RUN


def test_hooks_alone_do_not_know_what_was_refused(log):
    async def no(told, _id, _context):
        return {"decision": "block", "reason": "no"}

    hooks = {"PreToolUse": [HookMatcher(hooks=[no])]}
    options = Recorder(log).options(ClaudeAgentOptions(hooks=hooks))

    async def read():
        return [message async for message in query(prompt="x", options=options, transport=cli)]

    cli = Cli(play)
    asyncio.run(read())
    (result,) = mine(log, type="agent.tool_result")
    assert cli.ran == [] and result["outcome"] == "unknown"


def test_hooks_alone_do_not_know_that_a_turn_failed(log):
    async def failing(cli):
        await cli.hook("UserPromptSubmit", prompt="one")
        await cli.hook("UserPromptSubmit", prompt="two")
        await cli.stop("Two.")

    async def read():
        options = Recorder(log).options()
        return [one async for one in query(prompt="x", options=options, transport=Cli(failing))]

    asyncio.run(read())
    outcomes = [e["outcome"] for e in mine(log, type="agent.invocation") if e["phase"] == "result"]
    assert outcomes == ["unknown", "success"]


def test_two_logs_may_listen(log, tmp_path):
    with tachograph.Log.open(tmp_path / "other") as other:
        options = Recorder(other).options(Recorder(log).options())
        assert [len(matchers) for matchers in options.hooks.values()] == [2] * 10


def test_what_surrounds_a_query_or_a_prompt_counts_more(log):
    with context.session("s-1"), context.trace("t-1"), context.on_behalf_of("ann"):
        run(Recorder(log), Cli(play))
    events = mine(log)
    assert {event["trace_id"] for event in events} == {"t-1"}
    assert {(event["session_id"], event["on_behalf_of"]) for event in events} == {("s-1", "ann")}
    numbers = iter(["t-2", "t-3"])
    client = Recorder(log).client(transport=Cli(results({}, {})))
    talk(client, ["two", "three"], lambda: context.trace(next(numbers)))
    for number in ("t-2", "t-3"):
        kinds = [e["event_type"] for e in mine(log, trace=number)]
        assert sorted(kinds) == [
            "agent.invocation", "agent.invocation", "agent.llm_response", "agent.token_usage",
        ], (number, kinds)  # fmt: skip


def test_what_happens_beside(log):
    async def beside(cli):
        await cli.prompt()
        cli.init()
        cli.init()
        cli.say("system", subtype="api_retry", attempt=1, error_status=529)
        cli.say("system", subtype="mirror_error", error="the store is gone")
        cli.say("rate_limit_event", rate_limit_info={"status": "rejected"})
        await cli.hook("PreCompact", trigger="auto", custom_instructions=None)
        cli.say("system", subtype="compact_boundary", compact_metadata={"pre_tokens": 9})
        search = {"type": "server_tool_use", "id": "h-1", "name": "web_search", "input": {"q": 1}}
        found = {"type": "advisor_tool_result", "tool_use_id": "h-1", "content": {"type": "x"}}
        cli.answer("m-1", search, found)
        task = {"task_id": "b-1", "description": "build", "task_type": "local_bash"}
        cli.say("system", subtype="task_started", tool_use_id="c-9", **task)
        cli.say("system", subtype="task_updated", task_id="b-1", patch={"status": "failed"})
        ended = {"status": "failed", "output_file": "/x", "summary": "it broke"}
        cli.say("system", subtype="task_notification", task_id="b-1", **ended)
        came = {"origin": {"kind": "channel", "server": "mail"}}
        cli.say("user", message={"role": "user", "content": "do it"}, **came)
        await cli.hook("UserPromptSubmit", prompt="and this")
        cli.say("conversation_reset", new_conversation_id="n")
        cli.say("of another version", x=1)
        await cli.stop("done")
        await cli.hook("Stop", stop_hook_active=True, last_assistant_message="more")
        cli.result()

    run(Recorder(log), Cli(beside))
    kinds = [(e["event_type"].removeprefix("agent."), e["action"]) for e in mine(log)]
    counted = collections.Counter(kinds)
    assert counted == {
        ("invocation", "invocation"): 2,
        ("step", "stop"): 1,
        ("session", "session"): 1,
        ("session", "conversation_reset"): 1,
        ("retry", "retry"): 1,
        ("error", "error"): 1,
        ("rate_limit", "rate_limit"): 1,
        ("compaction", "compaction"): 2,
        ("llm_response", "llm_response"): 1,
        ("tool_call", "tool_call:web_search"): 1,
        ("task", "task"): 1,
        ("message", "message"): 2,
    }
    (task,) = mine(log, type="agent.task")
    assert task["outcome"] == "failure"
    said = {(e["source"], e["content"]["input"]) for e in mine(log, type="agent.message")}
    assert said == {("channel", "do it"), ("user", "and this")}
    assert log.trace("s-7")["findings"]["gaps"] == []


def test_nothing_is_kept_of_a_query_that_ended(log):
    """Not even of what nobody told the end of."""

    async def breaking_off(cli):
        await cli.prompt()
        call = {"tool_name": "Agent", "tool_input": {}, "tool_use_id": "c-1"}
        await cli.hook("PreToolUse", **call)
        await cli.hook("SubagentStart", ("a-1", "Billing"))
        await cli.hook("PreCompact", trigger="auto", custom_instructions=None)
        cli.say("system", subtype="task_started", task_id="a-1", description="", tool_use_id="c-1")

    recorder = Recorder(log)
    watch = recorder._watch(is_read=True)
    recorder._watch = lambda is_read: watch
    run(recorder, Cli(breaking_off))
    acts = watch.acts
    known = (acts.turns, acts.calls, acts.agents, acts.compactions)
    assert not any((*known, acts.hooked, acts.spawned, acts.tasks, acts.stopped))
    log.flush()
    unknown = [event["event_type"] for event in mine(log, outcome="unknown")]
    assert sorted(unknown) == [
        "agent.compaction", "agent.invocation", "agent.invocation", "agent.tool_result",
    ]  # fmt: skip
