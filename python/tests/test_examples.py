"""The examples run as the page says: each in a process of its own, with its framework."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
SAID = ("You get 49.90 EUR back.", "tool_result:get_order", "ok, signed")
#: But for the classic agents of AG2, which know of neither.
MORE = ("handoff:Billing", "129")
NEEDS = {
    "adk_two_agents.py": "google.adk",
    "ag2_classic_two_agents.py": "autogen.agentchat",
    "ag2_two_agents.py": "ag2",
    "autogen_two_agents.py": "autogen_agentchat",
    "claude_two_agents.py": "claude_agent_sdk",
    "crewai_two_agents.py": "crewai",
    "langgraph_two_agents.py": "langgraph",
    "openai_two_agents.py": "agents",
}


def is_installed(module):
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even what it is a part of
        return False


@pytest.mark.parametrize("example", sorted(NEEDS))
def test_two_agents(data, example):
    if not is_installed(NEEDS[example]):
        pytest.skip(f"{NEEDS[example]} is not installed")
    command = [sys.executable, str(EXAMPLES / example), str(data)]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=120)
    assert ran.returncode == 0, ran.stderr
    for said in SAID if "classic" in example else SAID + MORE:
        assert said in ran.stdout, ran.stdout


def test_at_a_server(server, spool):
    server.start()
    command = [sys.executable, str(EXAMPLES / "at_a_server.py"), server.url, str(spool)]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=120)
    assert ran.returncode == 0, ran.stderr
    for said in ("refunded", "tool_result:refund", "decision:close", "verified: ok"):
        assert said in ran.stdout, ran.stdout


def test_no_example_is_forgotten():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {*NEEDS, "at_a_server.py"}
