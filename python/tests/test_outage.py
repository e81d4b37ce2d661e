"""The server is away, agents are killed, spools are full: what is lost then, and how it is told."""

import signal
import subprocess
import textwrap
import threading
import time

import pytest
from conftest import mine

import tachograph
from tachograph import errors

SECRET = "of-all-the-words-this-one"


def numbers(log, producer):
    return [event["producer"]["seq"] for event in mine(log) if event["producer"]["id"] == producer]


def gaps(log):
    found = log.events(type="producer.gap", limit=None, newest_first=False)
    return [event["content"]["params"] for event in found]


def lost(told, producer):
    of_it = [gap for gap in told if gap["producer"] == producer]
    return [n for gap in of_it for n in range(gap["first_seq"], gap["last_seq"] + 1)]


def test_what_is_durable_waits_for_a_server_that_is_not_there_yet(server, spool):
    with tachograph.connect(server.url, token="t", spool=spool) as log:
        receipts = [log.log_reasoning("A", f"{i}") for i in range(20)]
        assert all(receipt.is_durable and receipt.index is None for receipt in receipts)
        with pytest.raises(errors.Timeout):
            log.flush(timeout=0.2)
        assert log.close(timeout=0) == 20
    server.start()
    with tachograph.connect(server.url, spool=spool) as log:
        log.log_reasoning("B", "of the next process", mode="required")
        wait_for(lambda: len(numbers(log, receipts[0].producer_id)) == 20)
        assert numbers(log, receipts[0].producer_id) == list(range(1, 21))
        assert gaps(log) == []
    assert files(spool) == []


def files(spool):
    """What is left of events in a spool."""
    return [*spool.rglob("*.journal"), *spool.glob("*/producers/*")]


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come true")


def test_nothing_in_a_spool_is_in_the_clear(server, spool):
    with tachograph.connect(server.url, spool=spool, log=f"log-{SECRET}"[:20]) as log:
        log.log_reasoning("A", SECRET, password=SECRET)
        log.close(timeout=0)
    found = [path for path in spool.rglob("*") if path.is_file()]
    assert any(path.suffix == ".journal" and path.stat().st_size > 300 for path in found)
    for path in found:
        assert SECRET.encode() not in path.read_bytes(), path
        assert path.stat().st_mode & 0o077 == 0 or path.stat().st_size == 24, path


def test_another_key_opens_no_spool(server, spool, monkeypatch, tmp_path):
    tachograph.connect(server.url, spool=spool).close()
    other = tmp_path / "other-kek"
    tachograph.connect(server.url, spool=tmp_path / "new", kek_file=other).close()
    with pytest.raises(errors.KeyUnavailable):
        tachograph.connect(server.url, spool=spool, kek_file=other)


def test_a_required_act_is_not_done_without_the_server(server, spool):
    server.start()
    with tachograph.connect(server.url, spool=spool, patience=0.5) as log:
        log.log_reasoning("A", "fine", mode="required")
        server.stop()
        ran = []
        with pytest.raises(errors.LogUnavailable, match="not recorded"):
            with log.intent("pay", {"amount": 5}, mode="required"):
                ran.append("required")
        with log.intent("lookup", mode="durable"):
            ran.append("durable")
        assert ran == ["durable"]
        server.start()
        log.flush(timeout=60)
        assert log.log_reasoning("A", "again", mode="required").index is not None
        (gap,) = gaps(log)
        assert gap["first_seq"] == gap["last_seq"] == 2 and "told so" in gap["reason"]
        assert numbers(log, log.producer_id) == [1, 3, 4, 5]
        tools = {event.get("tool") for event in mine(log)}
        assert "pay" not in tools and "lookup" in tools
        assert log.counts() == {"given": 5, "sealed": 4, "refused": 0, "lost": 1}


def test_a_withdrawn_act_stays_withdrawn_after_a_crash(server, spool, run):
    program = f"""
        import os, tachograph
        from tachograph import errors
        log = tachograph.connect({server.url!r}, token="t", spool=DATA, patience=0.2)
        log.log_reasoning("A", "before")
        try:
            log.log_tool_call("A", "pay", mode="required")
        except errors.LogUnavailable:
            os.kill(os.getpid(), 9)
    """
    run(program, spool).wait()
    server.start()
    with tachograph.connect(server.url, spool=spool) as log:
        wait_for(lambda: gaps(log) and mine(log))
        (event,) = mine(log)
        assert (event["action"], event["producer"]["seq"]) == ("reasoning", 1)
        (gap,) = gaps(log)
        assert (gap["first_seq"], gap["last_seq"]) == (2, 2)


def test_where_the_spool_is_enough_a_required_act_is_done(server, spool):
    with tachograph.connect(server.url, spool=spool, required="spool") as log:
        with log.intent("pay", mode="required") as act:
            act.result("done")
        assert log.close(timeout=0) == 2


def test_a_full_spool_raises_and_what_nobody_waits_for_is_counted(server, spool):
    with tachograph.connect(server.url, token="t", spool=spool, spool_bytes=4 << 20) as log:
        wait_for(lambda: fills(log))
        with pytest.raises(errors.LogUnavailable, match="spool"):
            log.log_reasoning("A", "x" * 100_000)
        with pytest.raises(errors.LogUnavailable, match="spool"):
            log.log_reasoning("A", "x" * 100_000, mode="required")
        for _ in range(5):
            log.log_reasoning("A", "y" * 200_000, mode="buffered")
        wait_for(lambda: log.counts()["lost"] >= 7)
        log.log_reasoning("A", "small")
        producer, given = log.producer_id, log.counts()["given"]
        assert log.counts()["lost"] >= 7 and "spool" in log.last_fault
        sizes = [path.stat().st_size for path in spool.rglob("*.journal")]
        assert sum(sizes) <= (4 << 20) + 4096 * len(sizes)  # each ends with a whole block
        log.close(timeout=0)
    server.start()
    with tachograph.connect(server.url, spool=spool) as log:
        wait_for(lambda: given in numbers(log, producer))
        there, told = numbers(log, producer), lost(gaps(log), producer)
        assert there == sorted(there) and sorted(there + told) == list(range(1, given + 1))
        assert len(told) >= 7


def fills(log):
    try:
        log.log_reasoning("A", "x" * 100_000)
        return False
    except errors.LogUnavailable:
        return True


def test_the_end_of_a_process_delivers(server, spool, run):
    server.start()
    program = f"""
        import ctypes, tachograph
        log = tachograph.connect({server.url!r}, spool=DATA, mode="buffered")
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(log))  # nobody will ever drop it
        for i in range(3_000):
            log.log_reasoning("Router", f"step {{i}}")
    """
    assert run(program, spool).wait() == 0
    with tachograph.connect(server.url, spool=spool) as log:
        log.log_reasoning("end", "end", mode="required")  # the answer covers all before it
        (producer,) = {event["producer"]["id"] for event in mine(log)} - {log.producer_id}
        assert numbers(log, producer) == list(range(1, 3_001)) and gaps(log) == []


def test_the_end_of_a_process_says_what_waits(server, spool, run):
    program = f"""
        import logging, tachograph
        logging.basicConfig()
        log = tachograph.connect({server.url!r}, token="t", spool=DATA, patience=0.3)
        log.log_reasoning("Router", "why")
    """
    child = run(program, spool, stderr=subprocess.PIPE)
    said = child.communicate(timeout=60)[1]
    assert child.returncode == 0 and "1 events wait in the spool" in said, said
    program = program.replace("spool=DATA", "spool=None").replace("0.3)", "0.3, mode='buffered')")
    child = run(program, spool, stderr=subprocess.PIPE)
    said = child.communicate(timeout=60)[1]
    assert "1 events are lost" in said, said


def test_order_is_kept_whatever_the_mode_and_whoever_is_away(server, spool):
    server.start()
    modes = ["buffered", "durable", "buffered", "buffered", "required"]
    with tachograph.connect(server.url, spool=spool, patience=60) as log:
        for i in range(60):
            if i == 20:
                server.kill()
                threading.Timer(0.7, server.start).start()
            log.record(event_type="agent.x", params=i, mode=modes[i % 5])
        log.flush(timeout=60)
        assert numbers(log, log.producer_id) == list(range(1, 61)) and gaps(log) == []
        assert log.verify()


AGENT = """
    import os, threading, time, tachograph
    from tachograph import errors
    log = tachograph.connect(URL, spool=DATA, patience=60)
    def tell(kind, receipt):
        os.write(1, f"{kind} {receipt.producer_id} {receipt.seq} {receipt.event_id}\\n".encode())
    def work(name, mode):
        i = 0
        while True:
            i += 1
            tell(mode, log.log_reasoning(name, f"step {i}", mode=mode))
            log.log_reasoning(name, "aside", mode="buffered")
            time.sleep(0.001)
    for name, mode in (("a", "durable"), ("b", "durable"), ("c", "required")):
        threading.Thread(target=work, args=(name, mode)).start()
"""


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_killed_agents_and_a_server_that_comes_and_goes_lose_nothing(server, spool, run, how):
    """Durable and required events: none lost, none twice, in the order of their producer. The rest
    is there or told."""
    told = []
    server.start()
    for round_ in range(4):
        program = f"URL = {server.url!r}\n{textwrap.dedent(AGENT)}"
        child = run(program, spool, stdout=subprocess.PIPE)
        lines = [child.stdout.readline() for _ in range(60 + 40 * round_)]
        if round_ % 2:
            getattr(server, how)()
            lines += [child.stdout.readline() for _ in range(40)]
            if round_ == 1:
                server.start()
                lines += [child.stdout.readline() for _ in range(60)]
        child.send_signal(signal.SIGKILL)
        lines += child.stdout.read().splitlines()
        told += [line.split() for line in lines if len(line.split()) == 4 and len(line) > 80]
    server.start()
    with tachograph.connect(server.url, spool=spool) as log:
        producers = {producer for _, producer, _, _ in told}
        assert len(producers) == 4
        wait_for(lambda: len(files(spool)) <= 2)  # those of this process
        log.log_reasoning("end", "end", mode="required")
        there = {event["event_id"]: event for event in mine(log)}
        assert len(there) == len(mine(log))
        for mode, producer, seq, event_id in told:
            event = there[event_id]
            assert event["producer"] == {**event["producer"], "id": producer, "seq": int(seq)}, mode
        gone = gaps(log)
        for producer in producers:
            have, missing = numbers(log, producer), lost(gone, producer)
            assert have == sorted(set(have))
            assert sorted(have + missing) == list(range(1, max(have + missing) + 1))
        assert log.verify()
    assert files(spool) == []
