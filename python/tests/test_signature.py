"""Events that an agent signs: in this process, after redaction, and held to at the door."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import mine
from served import PROGRAM
from tachograph_verify.document import check_document
from tachograph_verify.signatures import signature_of

import tachograph
from tachograph import errors

VECTORS = Path(__file__).parents[2] / "testdata/vectors/signature.json"


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "planner.key"
    return path, tachograph.create_agent_key(path)


def tacho(*arguments, data):
    if not PROGRAM:
        pytest.skip("TACHOGRAPH_PROGRAM names no program; `cargo xtask python` does")
    command = [PROGRAM, *arguments, "--data", str(data)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_second_verifier_reads_the_vectors_as_they_say():
    vectors = json.loads(VECTORS.read_text())
    for record in vectors["records"]:
        told = signature_of(record["meta"], record["content"])
        assert told == (vectors["key"], record["standing"]), record
        spaced = record["meta"].replace(",", ", ", 1)
        assert signature_of(spaced, record["content"])[1] != "valid"


def test_what_is_recorded_is_signed_after_redaction(data, key):
    path, public = key
    with tachograph.Log.open(data, agent_key=path) as log:
        assert log.agent_keys == [(None, public)]
        log.log_tool_call("planner", "mail", {"to": "alice@example.com"})
        (event,) = mine(log)
    assert "alice@example.com" not in json.dumps(event)
    assert event["signature"].startswith(public + ":") and event["redactions"]
    assert event["content"]["attributes"]["tachograph.signature_salt"]


def test_each_agent_signs_with_its_own_key(data, key, tmp_path):
    path, public = key
    own = tmp_path / "worker.key"
    other = tachograph.create_agent_key(own)
    with tachograph.Log.open(data, agent_key={"planner": path, "worker": own.read_bytes()}) as log:
        for agent in ("planner", "worker", "nobody"):
            log.log_reasoning(agent, "why")
        signed = {it["agent_name"]: it.get("signature", "") for it in mine(log)}
    assert signed["planner"].startswith(public) and signed["worker"].startswith(other)
    assert signed["nobody"] == ""


def test_the_log_holds_events_to_the_keys_that_are_registered(data, key):
    path, public = key
    with tachograph.Log.open(data):
        pass
    tacho("agent-key", "register", public, "--agent", "planner", "--required", data=data)
    with tachograph.Log.open(data, agent_key=path) as log:
        log.log_reasoning("planner", "mine")
        with pytest.raises(errors.EventRefused) as refused:
            log.log_reasoning("worker", "not mine")
        assert refused.value.code == "bad_signature" and refused.value.field == "agent_name"
    with tachograph.Log.open(data) as log:
        with pytest.raises(errors.EventRefused) as refused:
            log.log_reasoning("planner", "forged")
        assert refused.value.code == "unsigned"
        log.log_reasoning("worker", "nobody need sign")
    report = json.loads(tacho("verify", "--format", "json", data=data))
    assert report["verdict"] == "ok"
    assert report["signatures"] == {"valid": 1, "redacted": 0, "unknown": 0, "bad": 0}


def test_signed_at_a_server(server, spool, data, key):
    path, public = key
    with tachograph.Log.open(data):
        pass
    tacho("agent-key", "register", public, "--agent", "planner", "--required", data=data)
    server.start()
    with tachograph.connect(server.url, spool=spool, agent_key=path) as log:
        log.log_tool_call("planner", "pay", {"amount": 5.0}, mode="required")
        with pytest.raises(errors.EventRefused):
            log.log_tool_call("worker", "pay", {"amount": 5.0}, mode="required")
    with tachograph.connect(server.url, spool=None) as log:
        with pytest.raises(errors.EventRefused) as refused:
            log.log_tool_call("planner", "pay", {"amount": 5.0}, mode="required")
        assert refused.value.code == "unsigned"
    server.stop()
    report = json.loads(tacho("verify", "--format", "json", data=data))
    assert (report["verdict"], report["signatures"]["valid"]) == ("ok", 1)


def test_both_verifiers_read_the_same_signature(data, key, tmp_path):
    path, public = key
    with tachograph.Log.open(data, agent_key=path) as log:
        log.log_tool_call("planner", "pay", {"amount": 0.10, "é\n": [1e3]}, mood="calm")
        (event,) = mine(log)
    document = json.loads(tacho("prove", event["event_id"], "--evidence", data=data))
    meta, content = document["record"]["meta"], document["record"]["content"]
    assert signature_of(meta, content) == (public, "valid")
    assert signature_of(meta, None) == (public, "valid")
    assert signature_of(meta.replace("planner", "blanner"), content) == (public, "false")
    assert signature_of(meta, content.replace("1000.0", "1000.5")) == (public, "false")
    assert signature_of(meta.replace(public, "x"), content) is None
    report = check_document(json.dumps(document).encode())
    assert report.verdict == "ok" and any(public in note for note in report.notes)
    evidence = tmp_path / "event.json"
    evidence.write_text(json.dumps(document))
    assert f"({public}) holds" in tacho("verify", str(evidence), "--format", "json", data=data)


def test_a_key_that_cannot_be_had_opens_nothing_and_is_not_shown(data, key, tmp_path):
    path, public = key
    assert tachograph.public_agent_key(path) == public
    assert tachograph.public_agent_key(path.read_bytes()) == public
    secret = path.read_text().strip().split(":")[1]
    os.chmod(path, 0o644)
    cases = [path, tmp_path / "nowhere", b"hunter2", f"tachograph-agent-key-v2:{secret}".encode()]
    for bad in cases:
        with pytest.raises(errors.KeyUnavailable) as raised:
            tachograph.Log.open(data, agent_key=bad)
        assert "hunter2" not in str(raised.value) and secret not in str(raised.value)
    assert not data.exists()
    os.chmod(path, 0o600)
    with tachograph.Log.open(data, agent_key=path) as log:
        assert secret not in repr(log) and secret not in repr(log.agent_keys)
