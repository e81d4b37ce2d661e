"""Recording, asking, verifying: one process, one log."""

import dataclasses
import datetime
import decimal
import enum
import json
import pickle
import uuid
from pathlib import Path

import pytest
from conftest import mine

import tachograph
from tachograph import errors


def test_what_is_recorded_is_there_with_its_receipt(log):
    receipt = log.record(event_type="agent.reasoning", agent_name="Router", reasoning="it is late")
    assert receipt.is_durable and not receipt.is_duplicate
    (event,) = mine(log)
    assert event["index"] == receipt.index
    assert event["event_id"] == receipt.event_id
    assert event["content"] == {"reasoning": "it is late"}
    assert event["producer"] == {
        "id": log.producer_id,
        "seq": 1,
        "sdk": "tachograph-python/" + tachograph.__version__,
    }
    assert event["assurance"] == "acknowledged"
    assert receipt.checkpoint.splitlines()[0] == log.origin


def test_every_method_of_the_schema_records_its_type(log):
    trace = "t-1"
    told = [
        log.log_invocation("Router", "refund order 1042", "s-1", trace),
        log.log_reasoning("Router", "the order is late", trace),
        log.log_tool_call("Billing", "crm:get", {"order": 1042}, trace, None),
        log.log_tool_result("Billing", "crm:get", {"state": "late"}, trace),
        log.log_decision("Billing", "escalate", "over the limit", 0.4, trace),
        log.log_llm_response("Billing", "Sorry.", "m-1", {"input": 3, "output": 2}, trace),
        log.log_error("Billing", TimeoutError("no answer"), {"try": 2}, trace),
        log.log_handoff("Router", "Billing", "a refund", trace),
        log.log_human_intervention("Billing", "override", "ann@example.com", "paid twice", trace),
        log.log_token_usage("Billing", 10, 5, "m-1", trace),
        log.log_code_execution("Coder", "print(1)", "1", 0, trace),
        log.log_retrieval("Billing", "policy", [{"title": "Refunds"}], trace),
        log.log_user_feedback("Billing", 4, "wrong name", None, trace),
    ]
    events = {event["event_id"]: event for event in mine(log, trace=trace)}
    types = [events[receipt.event_id]["event_type"] for receipt in told]
    assert types == [kind.value for kind in list(tachograph.EventType)[:13]]
    call, decision, error = (events[told[i].event_id] for i in (2, 4, 6))
    assert (call["tool"], call["content"]["params"]) == ("crm:get", {"order": 1042})
    assert (decision["confidence"], decision["tier"]) == (0.4, "compliance")
    assert (error["error_type"], error["outcome"]) == ("TimeoutError", "failure")
    assert error["content"] == {"params": {"try": 2}, "error": {"message": "no answer"}}
    assert "10" not in json.dumps(events[told[8].event_id].get("tokens", {}))
    assert events[told[9].event_id]["tokens"] == {"input": 10, "output": 5, "total": 15}


def test_an_invocation_without_a_trace_begins_one(log):
    log.log_invocation("Router", "task", "s-1")
    (event,) = mine(log)
    assert uuid.UUID(event["trace_id"])


def test_the_schema_of_the_recipe_is_an_event(log):
    @dataclasses.dataclass
    class AuditEvent:
        event_type: tachograph.EventType = tachograph.EventType.DECISION
        agent_name: str = "Billing"
        params: dict = dataclasses.field(default_factory=dict)
        timestamp: float = 1_764_000_000.25
        parent_event_id: str | None = None

    log.record(AuditEvent(), trace_id="t-9")
    (event,) = mine(log)
    assert event["event_type"] == "agent.decision"
    assert event["timestamp"] == "2025-11-24T16:00:00.250000000Z"
    assert event["trace_id"] == "t-9"


def test_values_of_python_become_json(log):
    class Colour(enum.Enum):
        RED = "red"

    class Odd:
        def __str__(self):
            return "odd"

    given = {
        "text": 'quote " \\ \n é \U0001f600',
        "int": 2**70,
        "float": 0.1,
        "nan": float("nan"),
        "true": True,
        "none": None,
        "list": [1, (2, 3)],
        "set": {3},
        "enum": Colour.RED,
        "date": datetime.date(2026, 11, 29),
        "decimal": decimal.Decimal("1.10"),
        "path": Path("/tmp/x"),
        "bytes": b"\x00\xff",
        "text in bytes": b'{"password": "hunter2"}',
        "words in bytes": b"\xff\x00 password=hunter2-abc",
        "error": ValueError("bad"),
        "odd": Odd(),
        "half": "a\ud800b",
        7: "number as key",
    }
    log.record(event_type="agent.reasoning", params=given)
    (event,) = mine(log)
    assert event["content"]["params"] == {
        "text": 'quote " \\ \n é \U0001f600',
        "int": 2**70,
        "float": 0.1,
        "nan": "NaN",
        "true": True,
        "none": None,
        "list": [1, [2, 3]],
        "set": [3],
        "enum": "red",
        "date": "2026-11-29",
        "decimal": "1.10",
        "path": "/tmp/x",
        "bytes": {"bytes": "00ff"},
        "text in bytes": {"text": '{"password": "[redacted:sensitive_member]"}'},
        "words in bytes": {"text": "\\xff\0 password=[redacted:assignment]"},
        "error": {"type": "ValueError", "message": "bad"},
        "odd": "odd",
        "half": "a\\ud800b",
        "7": "number as key",
    }


@pytest.mark.parametrize(
    ("event", "code"),
    [
        ({}, "missing_field"),
        ({"event_type": "log.erasure"}, "reserved_type"),
        ({"event_type": "agent.x", "confidence": 2}, "bad_value"),
        ({"event_type": "agent.x", "timestamp": "yesterday"}, "bad_timestamp"),
        ({"event_type": "agent.x", "producer": {"id": "me"}}, "bad_value"),
        ({"event_type": "agent.x", "params": "x" * (1 << 20)}, "too_large"),
        ({"event_type": "agent.x", 5: 6}, "wrong_type"),
    ],
)
def test_what_no_log_takes_is_refused_with_its_code(log, event, code):
    with pytest.raises(errors.EventRefused) as refused:
        log.record(event)
    assert refused.value.code == code
    assert pickle.loads(pickle.dumps(refused.value)).code == code
    assert len(mine(log)) == 0


def test_what_holds_itself_is_refused(log):
    loop = []
    loop.append(loop)
    with pytest.raises(errors.EventRefused) as refused:
        log.record(event_type="agent.x", params=loop)
    assert refused.value.code == "too_deep"


def test_a_secret_reaches_neither_disk_nor_answer(log, data):
    secret = "sk-live-" + "51f0a8c2d4e6b1f3a5c7e9d1"
    log.record(
        event_type="agent.reasoning", params={"authorization": f"Bearer {secret}"}, mode="buffered"
    )
    log.log_error("Billing", RuntimeError(f"provider said no to api_key={secret}"))
    said = json.dumps(mine(log))
    assert secret not in said and "redacted" in said
    log.close()
    assert all(
        secret.encode() not in file.read_bytes() for file in data.rglob("*") if file.is_file()
    )


def test_an_id_names_one_event(log):
    first = log.record(event_id="e-1", event_type="agent.x")
    assert first.event_id == "e-1"
    with pytest.raises(errors.EventRefused) as refused:
        log.record(event_id="e-1", event_type="agent.y")
    assert (refused.value.code, refused.value.field) == ("id_conflict", "event_id")
    assert [event["event_type"] for event in mine(log)] == ["agent.x"]


def test_a_log_verifies_and_a_flipped_byte_is_found(log, data):
    receipts = [log.log_reasoning("Router", f"step {i}") for i in range(50)]
    good = log.verify(since=receipts)
    assert good and (good.verdict, good.level, good.findings) == ("ok", "signed", [])
    log.close()
    (journal,) = log.path.glob("journal/*.journal")
    journal.chmod(0o600)
    bytes_ = bytearray(journal.read_bytes())
    bytes_[len(bytes_) // 2] ^= 1
    journal.write_bytes(bytes_)
    bad = tachograph.verify(data)
    assert not bad and bad.verdict == "tampered"
    assert any(finding["file"].startswith("journal/") for finding in bad.findings)
    with pytest.raises(errors.LogUnusable):
        tachograph.Log.open(data)


def test_a_rolled_back_log_does_not_continue_its_receipts(log, data, tmp_path):
    import shutil

    log.log_reasoning("Router", "before")
    log.close()
    shutil.copytree(data, tmp_path / "backup")
    with tachograph.Log.open(data) as later:
        receipt = later.log_reasoning("Router", "after")
    with tachograph.Log.open(tmp_path / "backup") as rolled_back:
        assert rolled_back.verify()
        assert not rolled_back.verify(since=[receipt])


def test_questions(log):
    for i in range(10):
        log.log_tool_call(f"agent-{i % 2}", "lookup", {"i": i}, f"t-{i % 5}")
    assert len(log.events(agent="agent-1")) == 5
    assert len(log.events(agent=["agent-0", "agent-1"], trace="t-3")) == 2
    assert [e["content"]["params"]["i"] for e in log.events(type="tool_call", limit=2)] == [9, 8]
    first = log.events(type="tool_call", limit=6, newest_first=False)
    rest = log.events(type="tool_call", limit=6, newest_first=False, cursor=first.next)
    assert [len(first), len(rest), rest.next] == [6, 4, None]
    assert first.checkpoint["origin"] == log.origin
    trace = log.trace("t-3")
    assert len(trace["events"]) == 2 and len(trace["nodes"]) == 2
    assert log.trace("no-such") is None
    with pytest.raises(errors.BadQuestion):
        log.events(outcome="splendid")
    with pytest.raises(errors.BadQuestion):
        log.events(since="yesterday")
    receipt = log.log_reasoning("Router", "proved")
    assert log.proof(receipt.index).startswith("c2sp.org/tlog-proof@v1")
    with pytest.raises(errors.BadQuestion):
        log.proof(10_000)


def test_a_log_is_found_again_and_goes_on(data):
    with tachograph.Log.open(data) as log:
        assert log.is_new
        first = log.log_reasoning("Router", "one")
    with tachograph.Log.open(data) as log:
        assert not log.is_new
        second = log.log_reasoning("Router", "two")
        assert len(mine(log)) == 2 and second.index > first.index
        assert log.verify(since=[first])


def test_who_comes_second_is_told_and_who_is_late(data, log):
    with pytest.raises(errors.LogLocked):
        tachograph.Log.open(data)
    log.close()
    log.close()
    with pytest.raises(errors.LogClosed):
        log.log_reasoning("Router", "too late")
    with tachograph.Log.open(data):
        pass


def test_a_log_that_is_forgotten_is_closed(data):
    tachograph.Log.open(data).log_reasoning("Router", "one")
    with tachograph.Log.open(data) as log:
        assert len(mine(log)) == 1


def test_no_log_is_made_unasked_and_none_opens_without_its_key(data, tmp_path, monkeypatch):
    with pytest.raises(errors.LogNotFound):
        tachograph.Log.open(data, create=False)
    with tachograph.Log.open(data, kek_file=tmp_path / "kek"):
        pass
    with pytest.raises(errors.KeyUnavailable):
        tachograph.Log.open(data, kek_file=tmp_path / "other")
    monkeypatch.setenv("TACHO_KEK_FILE", str(tmp_path / "kek"))
    with tachograph.Log.open(data):
        pass
    with pytest.raises(errors.BadQuestion):
        tachograph.Log.open(data, log="../x")
    with pytest.raises(errors.BadQuestion):
        tachograph.Log.open(data, mode="perhaps")


def test_a_passphrase_opens_what_it_made(data, monkeypatch):
    monkeypatch.setenv("TACHO_KEK_PASSPHRASE", "correct horse battery staple")
    with tachograph.Log.open(data) as log:
        log.log_reasoning("Router", "one")
    with tachograph.Log.open(data) as log:
        assert len(mine(log)) == 1
    monkeypatch.setenv("TACHO_KEK_PASSPHRASE", "wrong horse battery staple")
    with pytest.raises(errors.KeyUnavailable):
        tachograph.Log.open(data)
