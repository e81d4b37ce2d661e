"""What every test has: a configuration folder of its own, and a log."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from served import PROGRAM, Server

import tachograph


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """No key, and no log, of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith("TACHO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def log(data):
    with tachograph.Log.open(data) as log:
        yield log


@pytest.fixture
def server(data, tmp_path):
    """A server that is not started yet."""
    if not PROGRAM:
        pytest.skip("TACHOGRAPH_PROGRAM names no server; `cargo xtask python` does")
    server = Server(data, tmp_path / "server.txt")
    yield server
    server.kill()


@pytest.fixture
def spool(tmp_path):
    return tmp_path / "spool"


@pytest.fixture
def run(tmp_path):
    """Starts a program in a process of its own; `DATA` is the data folder."""
    started = []

    def start(program: str, data: Path, **options) -> subprocess.Popen:
        path = tmp_path / f"program-{len(started)}.py"
        path.write_text(f"DATA = {str(data)!r}\n" + textwrap.dedent(program))
        child = subprocess.Popen([sys.executable, str(path)], text=True, **options)
        started.append(child)
        return child

    yield start
    for child in started:
        if child.poll() is None:
            child.kill()
        child.wait()


def mine(log, **question):
    """Events of agents, oldest first; not the log's own."""
    question = {"type": "agent.*", "limit": None, "newest_first": False, **question}
    return log.events(**question)
