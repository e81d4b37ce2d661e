"""A log at a server: what is recorded, asked and refused. The server is a real one."""

import asyncio
import datetime
import ipaddress
import logging
import os

import pytest
from conftest import mine
from served import PROGRAM, Server

import tachograph
from tachograph import AsyncLog, context, errors


@pytest.fixture
def remote(server, spool):
    server.start()
    with tachograph.connect(server.url, spool=spool) as log:
        yield log


def test_what_is_required_is_in_the_log_when_it_returns(remote):
    receipt = remote.log_tool_call("Billing", "pay", {"amount": 5}, "t-1", mode="required")
    assert receipt.is_durable and receipt.index is not None and not receipt.is_duplicate
    assert len(receipt.leaf_hash) == 64 and "\n\n— " in receipt.checkpoint
    assert receipt.recorded_ms > 1_700_000_000_000
    (event,) = mine(remote)
    assert event["event_id"] == receipt.event_id and event["index"] == receipt.index
    assert event["producer"]["id"] == remote.producer_id and event["producer"]["seq"] == 1
    assert event["principal"]["subject"] and event["assurance"] == "acknowledged"
    assert event["content"]["params"] == {"amount": 5}


def test_what_is_durable_has_its_place_a_moment_later(remote):
    receipt = remote.log_reasoning("Router", "why")
    assert receipt.is_durable
    assert receipt.wait_sealed(timeout=30).index is not None
    buffered = remote.log_reasoning("Router", "why", mode="buffered")
    with pytest.raises(errors.BadQuestion):
        buffered.wait_sealed()
    remote.flush(timeout=30)
    assert remote.counts() == {"given": 2, "sealed": 2, "refused": 0, "lost": 0}


def test_questions_are_answered_as_by_a_log_of_our_own(remote, tmp_path):
    def record(log):
        with context.trace("t-9"), context.session("s-1"):
            log.log_invocation("Router", "refund order 1042")
            with log.intent("refund", {"order": 1042}, mode="required") as act:
                act.result("done")
            log.log_error("Billing", ValueError("bad"), mode="buffered")
        trace = log.trace("t-9")
        page = mine(log, session="s-1", limit=2)
        rest = mine(log, session="s-1", limit=2, cursor=page.next)
        assert len(page) == 2 and rest.next is None and page.checkpoint["size"] > 0
        told = [event["action"] for event in [*page, *rest]]
        assert log.trace("nothing") is None
        with pytest.raises(errors.BadQuestion):
            log.events(since="no time")
        proof = log.proof(page[0]["index"])
        totals = {name: trace["totals"][name] for name in ("events", "errors", "agents", "tools")}
        return told, totals, proof.split("\n", 1)[0]

    with tachograph.Log.open(tmp_path / "own") as own:
        assert record(remote) == record(own)
    assert remote.name == "main" and remote.url.startswith("http://") and remote.path is None
    assert remote.log_id is None and remote.vkeys and remote.origin in remote.publish()


def test_verify_checks_what_the_server_shows_and_what_was_kept(remote, tmp_path):
    receipts = [remote.log_reasoning("Router", f"{i}", mode="required") for i in range(3)]
    report = remote.verify(since=receipts)
    assert report and report["size"] >= 3 and report.level == "signed"
    with tachograph.Log.open(tmp_path / "elsewhere") as other:
        assert not remote.verify(key=other.vkeys)


def test_secrets_leave_before_anything_leaves_the_process(remote):
    remote.log_tool_call("A", "login", {"password": "hunter2-hunter2"}, "t-1", mode="required")
    (event,) = mine(remote, trace="t-1")
    assert event["content"]["params"]["password"] == "[redacted:sensitive_member]"
    assert event["redactions"][0]["path"] == "params.password"


def test_a_policy_of_the_process_comes_before_that_of_the_log(server, spool, tmp_path):
    server.start()
    policy = tmp_path / "redaction.toml"
    policy.write_text('preset = "default"\n[[fields]]\npath = "**.ssn"\naction = "drop"\n')
    with tachograph.connect(server.url, spool=spool, redaction=policy) as log:
        log.record(event_type="agent.x", params={"ssn": "078-05-1120", "n": 1}, mode="required")
        assert mine(log)[0]["content"]["params"] == {"n": 1}
    policy.write_text("nonsense = 1")
    with pytest.raises(errors.LogUnusable, match="redaction policy"):
        tachograph.connect(server.url, spool=spool, redaction=policy)


def test_an_event_that_no_log_takes_is_refused_here(remote):
    for mode in ("durable", "required"):
        with pytest.raises(errors.EventRefused) as refused:
            remote.record(event_type="", mode=mode)
        assert refused.value.field == "event_type"
    remote.record(event_type="log.fake", mode="buffered")
    remote.record(event_type="agent.x", mode="required")
    gaps = remote.events(type="producer.gap", newest_first=False)
    told = [event["content"]["params"] for event in gaps]
    assert [(it["first_seq"], it["last_seq"]) for it in told] == [(1, 1), (2, 2), (3, 3)]
    assert told[2]["reason"] == "refused: reserved_type"
    assert remote.counts() == {"given": 4, "sealed": 1, "refused": 3, "lost": 0}


def test_an_event_that_the_server_refuses_is_told_as_a_gap(remote):
    remote.record(event_type="agent.x", event_id="same", params=1, mode="required")
    with pytest.raises(errors.EventRefused) as refused:
        remote.record(event_type="agent.x", event_id="same", params=2, mode="required")
    assert refused.value.code == "id_conflict"
    remote.record(event_type="agent.x", event_id="same", params=3, mode="buffered")
    remote.flush(timeout=30)
    gaps = remote.events(type="producer.gap", newest_first=False)
    told = [event["content"]["params"] for event in gaps]
    assert [it["first_seq"] for it in told] == [2, 3]
    assert {it["reason"] for it in told} == {"refused: id_conflict"}
    assert "id_conflict" in remote.last_fault and remote.counts()["refused"] == 2


def test_a_token_that_is_not_let_in_fails_at_once_and_is_never_shown(server, spool, caplog):
    server.start()
    secret = "tacho_0123456789abcdef_SECRETSECRETSECRET"
    caplog.set_level(logging.DEBUG)
    with tachograph.connect(server.url, token=secret, spool=spool, patience=60) as log:
        shown = [repr(log), str(log)]
        with pytest.raises(errors.LogUnavailable) as refused:
            log.log_reasoning("A", "x", mode="required")
        shown.append(str(refused.value))
        assert "401" in shown[-1]
        ran = []
        with pytest.raises(errors.LogUnavailable), log.intent("pay", mode="required"):
            ran.append("pay")
        assert ran == []
        assert log.log_reasoning("A", "kept").is_durable
        with pytest.raises(errors.ReadFailed) as refused:
            log.origin
        shown += [str(refused.value), str(log.last_fault)]
        with pytest.raises(errors.Timeout):
            log.flush(timeout=0.1)
        assert log.close(timeout=0) == 3
    shown.append(caplog.text)
    assert not any("SECRETSECRET" in text for text in shown), shown


def test_a_producer_may_record_and_not_ask(server, spool):
    server.start()
    with tachograph.connect(server.url, token=server.token("producer"), spool=spool) as log:
        assert log.log_reasoning("A", "x", mode="required").index is not None
        with pytest.raises(errors.ReadFailed, match="does not allow"):
            log.events()


def test_an_address_is_checked_before_anything_is_sent(spool):
    for bad in ("log.example.org", "http://user:secret@host", "ftp://host", ""):
        with pytest.raises(errors.BadQuestion) as refused:
            tachograph.connect(bad, spool=spool)
        assert "secret" not in str(refused.value)
    with pytest.raises(errors.BadQuestion, match="not https"):
        tachograph.connect("http://log.example.org", token="t", spool=spool)
    with pytest.raises(errors.BadQuestion, match="no token"):
        tachograph.connect("https://log.example.org", token="two words", spool=spool)
    with pytest.raises(errors.BadQuestion, match="choose 'log' or 'spool'"):
        tachograph.connect("https://log.example.org", spool=spool, required="disk")
    assert not spool.exists()


def test_the_authority_of_a_certificate_is_named(tmp_path, data, spool, monkeypatch):
    if not PROGRAM:
        pytest.skip("TACHOGRAPH_PROGRAM names no server")
    authority, certificate, key = certificates(tmp_path)
    secured = {"TACHO_TLS__CERTIFICATE": str(certificate), "TACHO_TLS__KEY": str(key)}
    server = Server(data, tmp_path / "said.txt", scheme="https", **secured).start()
    try:
        with tachograph.connect(server.url, spool=spool, ca_file=authority) as log:
            assert log.log_reasoning("A", "x", mode="required").index is not None
            assert log.verify()
        with tachograph.connect(server.url, spool=spool) as log:
            with pytest.raises(errors.LogUnavailable, match="[Cc]ertificate"):
                log.log_reasoning("A", "x", mode="required")
            assert log.close(timeout=0) == 1
    finally:
        server.kill()


def certificates(folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def made(name, issuer, signer, is_authority):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([loopback]), critical=False)
        )
        return key, builder.sign(signer or key, hashes.SHA256())

    root_key, root = made("a test's authority", None, None, True)
    key, leaf = made("a test's server", root.subject, root_key, False)
    paths = [folder / name for name in ("authority.pem", "server.pem", "server.key")]
    paths[0].write_bytes(root.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[2].write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return paths


def test_awaited_without_holding_the_loop(server, spool):
    server.start()

    async def work():
        async with await AsyncLog.connect(server.url, spool=spool) as log:
            receipts = await asyncio.gather(
                *(log.log_reasoning("Router", f"{i}", mode="required") for i in range(50))
            )
            assert [receipt.seq for receipt in receipts] == list(range(1, 51))
            indexes = [receipt.index for receipt in receipts]
            assert indexes == sorted(indexes)
            async with log.intent("pay", {"amount": 7}, trace_id="t-3", mode="required") as act:
                act.result("done")
            trace = await log.trace("t-3")
            assert [event["phase"] for event in trace["events"]] == ["intent", "result"]
            assert await log.verify()

    asyncio.run(work())


def test_without_a_spool_what_is_durable_is_in_the_log(server):
    server.start()
    with tachograph.connect(server.url, spool=None) as log:
        receipt = log.log_reasoning("A", "x")
        assert receipt.index is not None
        for i in range(100):
            log.log_reasoning("A", f"{i}", mode="buffered")
    with tachograph.connect(server.url, spool=None) as log:
        log.log_reasoning("A", "y")
        assert len(mine(log)) == 102


def test_a_forked_process_is_told(remote):
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            remote.log_reasoning("Router", "from the child")
            said = "recorded"
        except errors.Forked:
            said = "Forked"
        os.write(writer, said.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 20) == b"Forked"
    assert remote.log_reasoning("Router", "after", mode="required").index is not None
