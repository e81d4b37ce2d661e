"""Secrets of all kinds, through every way that the package has: none is anywhere afterwards.

`cargo xtask python` makes the secrets and names their file; the ways are those of `planting.py`.
"""

import base64
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from canaries import FILE, Search, read_secrets
from served import PROGRAM

import tachograph

pytestmark = pytest.mark.skipif(not FILE, reason="TACHOGRAPH_CANARIES names no file of secrets")

PLANTING = Path(__file__).with_name("planting.py")
#: Of one secret in one pass, at least so many places hold a marker in its stead.
MARKERS = 10


@pytest.fixture(scope="module")
def secrets():
    secrets = read_secrets()
    assert len(secrets) >= 100 and len({it["rule"] for it in secrets}) > 50
    return secrets


@pytest.fixture(scope="module")
def search(secrets):
    return Search(secrets)


@pytest.fixture
def plant(tmp_path):
    """Starts a process that plants them; what it prints is kept below the folder of the test."""
    started = []

    def start(place, mode, *words):
        path = tmp_path / f"said-{len(started)}.txt"
        command = [sys.executable, PLANTING, FILE, place, mode, *words]
        with path.open("wb") as said:
            child = subprocess.Popen(command, stdout=said, stderr=said, cwd=tmp_path)
        child.said = path
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()


def finished(child):
    assert child.wait(600) == 0, child.said.read_text()[-2000:]
    return child.said.read_bytes()


def killed(child, count):
    """Ends a process once it went through all of them, in the midst of the next pass."""
    for _ in range(1200):
        if child.said.read_bytes().count(b"\nplanted ") > count + 5:
            break
        assert child.poll() is None, child.said.read_text()[-2000:]
        time.sleep(0.5)
    child.send_signal(signal.SIGKILL)
    child.wait()


def decrypted(data, tmp_path, *, least):
    """All records in the clear, by the command line, in files of the test's."""
    for name, words in {
        "export.ndjson": ["export", "--format", "ndjson"],
        "export.csv": ["export", "--format", "csv"],
        "events.txt": ["events", "--limit", "1000"],
        "verify.txt": ["verify"],
    }.items():
        command = [PROGRAM, *words, "--data", str(data)]
        ran = subprocess.run(command, capture_output=True)
        assert ran.returncode == 0, ran.stderr[-1000:]
        (tmp_path / name).write_bytes(ran.stdout + ran.stderr)
    exported = (tmp_path / "export.ndjson").read_bytes()
    markers = exported.count(b"[redacted:") + exported.count(b"[hash:")
    assert markers >= least, f"only {markers} markers: the secrets did not get in"


@pytest.mark.parametrize("mode", ["durable", "buffered"])
def test_none_is_in_a_log_or_in_what_its_process_says(plant, data, secrets, search, tmp_path, mode):
    said = finished(plant(str(data), mode))
    assert said.count(b"\nrefused ") > 15 * len(secrets) and said.count(b"Traceback") > len(secrets)
    decrypted(data, tmp_path, least=MARKERS * len(secrets))
    assert search.leaks(tmp_path) == []


def test_none_is_there_after_a_crash(plant, data, secrets, search, tmp_path):
    killed(plant(str(data), "buffered", "--until-killed"), len(secrets))
    assert search.leaks(tmp_path) == []
    with tachograph.Log.open(data) as log:
        log.log_reasoning("Router", "after the crash")
    decrypted(data, tmp_path, least=MARKERS * len(secrets) // 2)
    assert search.leaks(tmp_path) == []


def test_none_is_in_a_spool_or_at_the_server(plant, server, spool, secrets, search, tmp_path):
    """The server is down, killed in between, and gets all of it in the end."""
    place = f"{server.url} {spool}"
    finished(plant(place, "durable"))
    killed(plant(place, "buffered", "--until-killed"), len(secrets))
    assert sum(it.stat().st_size for it in spool.rglob("*.journal")) > 1000 * len(secrets)
    assert search.leaks(tmp_path) == []
    server.start()
    with tachograph.connect(server.url, spool=spool) as log:
        while log.counts()["sealed"] == 0 and not log.events(limit=1, type="agent.*"):
            time.sleep(0.1)
        server.kill()
        assert search.leaks(tmp_path) == []
        server.start()
        log.flush(timeout=300)
    delivered(spool)
    server.stop()
    decrypted(server.data, tmp_path, least=MARKERS * len(secrets))
    assert search.leaks(tmp_path) == []


def delivered(spool):
    for _ in range(3000):
        if not [*spool.rglob("*.journal")]:
            return
        time.sleep(0.1)
    raise AssertionError("the spool does not get empty")


def test_what_a_policy_lets_through_is_found(data, secrets, search, tmp_path):
    """The search itself: of the kind that is kept every value, and of others none."""
    with tachograph.Log.open(data) as log:
        path = log.path
    (path / "redaction.toml").write_text('off = ["card_number"]\n')
    with tachograph.Log.open(data) as log:
        for secret in secrets:
            log.record(event_type="agent.x", result=secret["text"], mode="buffered")
    decrypted(data, tmp_path, least=len(secrets) // 2)
    kept = {it["value"] for it in secrets if it["rule"] == "card_number"}
    found = search.found((tmp_path / "export.ndjson").read_bytes())
    assert {(rule, it.decode()) for rule, it in found} == {("card_number", it) for it in kept}
    assert search.leaks(path) == []


def test_a_secret_in_another_spelling_is_found(secrets, search):
    for number, secret in enumerate(secrets):
        value = secret["value"].encode()
        before, after = b"of %d: " % number, b" and more"
        around = before + value + after
        texts = [around, around.hex().encode(), around.hex().upper().encode()]
        texts += [base64.b64encode(b"x" * i + around) for i in range(3)]
        texts += [base64.urlsafe_b64encode(b"x" * i + around) for i in range(3)]
        texts += [json.dumps({"a": around.decode()}).encode()]
        texts += [json.dumps(json.dumps([around.decode()])).encode()]
        texts += [repr(around.decode()).encode(), b"\xff\x00" * 99 + around]
        for text in texts:
            assert secret["rule"] in {rule for rule, _ in search.found(text)}, (secret, text)
        assert search.found(around.replace(value, b"[redacted:x]")) == set()
