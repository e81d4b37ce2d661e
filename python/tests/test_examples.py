"""The examples run as the page says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ag2")
EXAMPLES = Path(__file__).parent.parent / "examples"


def test_two_agents(data):
    command = [sys.executable, str(EXAMPLES / "ag2_two_agents.py"), str(data)]
    ran = subprocess.run(command, capture_output=True, text=True, env=os.environ, timeout=120)
    assert ran.returncode == 0, ran.stderr
    for said in (
        "You get 49.90 EUR back.",
        "handoff:Billing",
        "tool_result:get_order",
        "129",
        "ok, signed",
    ):
        assert said in ran.stdout
