"""Modes: what is lost when, and how that is told. Processes are killed here, and disks fill."""

import multiprocessing
import os
import signal
import subprocess
import threading
import time

import pytest
from conftest import mine

import tachograph
from tachograph import errors


def numbers(log, producer):
    return [event["producer"]["seq"] for event in mine(log) if event["producer"]["id"] == producer]


def gaps(log):
    found = log.events(type="producer.gap", limit=None, newest_first=False)
    return [event["content"]["params"] for event in found]


def test_what_is_buffered_is_there_after_a_flush(log):
    receipts = [log.record(event_type="agent.x", params=i, mode="buffered") for i in range(5_000)]
    assert not receipts[-1].is_awaited and receipts[-1].index is None
    log.flush()
    assert numbers(log, log.producer_id) == list(range(1, 5_001))
    assert log.counts() == {"given": 5_000, "sealed": 5_000, "refused": 0, "lost": 0}
    assert mine(log, limit=1)[0]["assurance"] == "observed"


def test_the_end_of_a_process_is_a_flush(run, data):
    program = """
        import ctypes, tachograph
        log = tachograph.Log.open(DATA, mode="buffered")
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(log))  # nobody will ever drop it
        for i in range(1_000):
            log.log_reasoning("Router", f"step {i}")
    """
    assert run(program, data).wait() == 0
    with tachograph.Log.open(data) as log:
        assert len(mine(log)) == 1_000 and gaps(log) == []


def test_order_is_kept_whatever_the_mode(log):
    modes = ["buffered", "buffered", "durable", "buffered", "required"]
    for i in range(100):
        log.record(event_type="agent.x", mode=modes[i % 5])
    assert numbers(log, log.producer_id) == list(range(1, 101))


def test_threads_lose_nothing(log):
    def work(name):
        for i in range(500):
            log.record(event_type="agent.x", agent_name=name, params=i, mode="buffered")
        log.record(event_type="agent.x", agent_name=name, params=500)

    threads = [threading.Thread(target=work, args=(f"a-{i}",)) for i in range(16)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    events = mine(log)
    assert len(events) == 16 * 501
    for i in range(16):
        told = [e["content"]["params"] for e in events if e["agent_name"] == f"a-{i}"]
        assert told == list(range(501))
    assert log.verify()


def test_other_threads_run_while_one_waits(log):
    """Who keeps the interpreter's lock leaves them a switch interval of the whole wait: a
    hundredth."""
    count, stop = [0], threading.Event()

    def spin():
        while not stop.is_set():
            count[0] += 1

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        before, began = count[0], time.perf_counter()
        time.sleep(0.3)
        alone = (count[0] - before) / (time.perf_counter() - began)
        for _ in range(20_000):
            log.submit(event_type="agent.x", mode="buffered")
        receipt = log.submit(event_type="agent.x")
        before, began = count[0], time.perf_counter()
        receipt.wait()
        beside = (count[0] - before) / (time.perf_counter() - began)
    finally:
        stop.set()
        thread.join()
    assert beside > alone / 10


@pytest.mark.parametrize("round_", range(3))
def test_kill_loses_nothing_that_was_durable(run, data, round_):
    program = """
        import os, threading, tachograph
        log = tachograph.Log.open(DATA)
        def work(name):
            while True:
                receipt = log.log_reasoning(name, "step")
                os.write(1, f"{receipt.seq} {receipt.index} {receipt.event_id}\\n".encode())
        for i in range(4):
            threading.Thread(target=work, args=(f"a-{i}",)).start()
    """
    child = run(program, data, stdout=subprocess.PIPE)
    told = [child.stdout.readline() for _ in range(40 + 30 * round_)]
    child.send_signal(signal.SIGKILL)
    told += child.stdout.read().splitlines()
    told = [line.split() for line in told if line.count(" ") == 2 and len(line.strip()) > 36]
    with tachograph.Log.open(data) as log:
        there = {event["event_id"]: event for event in mine(log)}
        for seq, index, event_id in told:
            assert there[event_id]["index"] == int(index)
            assert there[event_id]["producer"]["seq"] == int(seq)
        in_order = [event["producer"]["seq"] for event in there.values()]
        assert in_order == sorted(set(in_order))
        assert log.verify()


@pytest.mark.parametrize("round_", range(3))
def test_kill_loses_of_what_is_buffered_only_what_is_told_as_a_gap(run, data, round_):
    program = """
        import os, time, tachograph
        log = tachograph.Log.open(DATA, mode="buffered")
        i = 0
        while True:
            log.log_reasoning("Router", "x" * 200)
            i += 1
            if i % 50 == 0:
                os.write(1, f"{i}\\n".encode())
                time.sleep(0.0005)
    """
    child = run(program, data, stdout=subprocess.PIPE)
    told = [child.stdout.readline() for _ in range(60 + 25 * round_)]
    child.send_signal(signal.SIGKILL)
    told += child.stdout.read().split()
    last = max(int(line) for line in told if line.strip())
    with tachograph.Log.open(data) as log:
        (producer,) = {event["producer"]["id"] for event in mine(log)}
        there = numbers(log, producer)
        told = gaps(log)
        lost = [n for gap in told for n in range(gap["first_seq"], gap["last_seq"] + 1)]
        assert all(gap["producer"] == producer for gap in told)
        assert sum(gap["lost"] for gap in told) == len(lost)
        assert sorted(there + lost) == list(range(1, max(there + lost) + 1))
        assert last <= max(there + lost) <= last + 50
    with tachograph.Log.open(data) as log:
        assert gaps(log) == told


def test_an_event_that_nobody_waited_for_and_no_log_takes_is_a_gap(log):
    log.record(event_type="agent.x", mode="buffered")
    log.record(event_type="log.fake", mode="buffered")
    log.record(event_type="agent.x", mode="buffered")
    log.flush()
    assert numbers(log, log.producer_id) == [1, 3]
    (gap,) = gaps(log)
    assert (gap["first_seq"], gap["last_seq"], gap["reason"]) == (2, 2, "refused: reserved_type")
    assert log.counts()["refused"] == 1 and "reserved_type" in log.last_fault


FULL = """
    import resource, time, tachograph
    from tachograph import errors
    log = tachograph.Log.open(DATA)
    log.log_reasoning("Router", "fine")
    log.publish()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    (journal,) = log.path.glob("journal/*.journal")
    ran = []
    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (journal.stat().st_size, hard))
    def mend():
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
"""


def test_a_required_act_is_not_done_when_the_disk_is_full(run, data):
    program = (
        FULL
        + """
    fill()
    try:
        with log.intent("transfer", {"amount": 5, "note": "x" * 9_000}, mode="required"):
            ran.append("required")
    except errors.LogUnavailable as error:
        print("blocked:", error)
    with log.intent("lookup", {"note": "x" * 9_000}, mode="durable"):
        ran.append("durable")
    log.record(event_type="agent.x", reasoning="kept", mode="buffered")
    time.sleep(0.4)  # it is held back now, and who comes behind it must not be
    try:
        log.record(event_type="agent.x", reasoning="told")
    except errors.LogUnavailable:
        ran.append("told")
    mend()
    log.log_reasoning("Router", "again")
    assert ran == ["durable", "told"], ran
    log.close()
    """
    )
    child = run(program, data, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert "Traceback" not in err and "blocked:" in out and "goes on unrecorded" in err
    with tachograph.Log.open(data) as log:
        assert log.verify()
        said = [event.get("content", {}).get("reasoning") for event in mine(log)]
        assert said[0] == "fine" and said[-2:] == ["kept", "again"]
        (producer,) = {event["producer"]["id"] for event in mine(log)}
        lost = [n for gap in gaps(log) for n in range(gap["first_seq"], gap["last_seq"] + 1)]
        there = numbers(log, producer)
        assert sorted(there + lost) == list(range(1, max(there) + 1)) and lost


def test_an_intent_whose_process_died_is_a_call_without_an_outcome(run, data):
    program = """
        import os, tachograph
        log = tachograph.Log.open(DATA)
        with log.intent("transfer", {"amount": 5}, trace_id="t-1", mode="required"):
            os.kill(os.getpid(), 9)
    """
    run(program, data).wait()
    with tachograph.Log.open(data) as log:
        trace = log.trace("t-1")
        (call,) = trace["events"]
        (gap,) = trace["findings"]["gaps"]
        assert (call["phase"], gap["id"], gap["kind"]) == (
            "intent",
            call["event_id"],
            "tool_call_without_result",
        )


def test_how_an_act_ended_is_recorded_whatever_way_that_was(log):
    with log.intent("a", trace_id="t") as act:
        act.result({"n": 1})
    for error in (ValueError("bad"), TimeoutError(), KeyboardInterrupt()):
        with pytest.raises(type(error)), log.intent("b", trace_id="t"):
            raise error
    with log.intent("c", trace_id="t") as act:
        act.outcome("denied")
    events = mine(log, trace="t", type="agent.tool_result")
    outcomes = [event["outcome"] for event in events]
    assert outcomes == ["success", "failure", "timeout", "cancelled", "denied"]
    assert events[0]["content"] == {"result": {"n": 1}}
    assert events[1]["error_type"] == "ValueError" and "stack" in events[1]["content"]["error"]
    assert log.trace("t")["findings"]["gaps"] == []


def test_a_forked_process_is_told_and_harms_nothing(log):
    log.log_reasoning("Router", "before")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            log.log_reasoning("Router", "from the child")
            said = "recorded"
        except errors.Forked:
            said = "Forked"
        log.close()
        os.write(writer, said.encode())
        os._exit(0)
    os.waitpid(pid, 0)
    assert os.read(reader, 20) == b"Forked"
    log.log_reasoning("Router", "after")
    assert len(mine(log)) == 2 and log.verify()


def child(data, name, answers):
    try:
        with tachograph.Log.open(data, log=name) as log:
            log.log_reasoning("Worker", "from a process of my own")
            answers.put("recorded")
    except errors.LogLocked:
        answers.put("LogLocked")


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_a_process_may_have_a_log_of_its_own_and_not_this_one(log, data, method):
    processes = multiprocessing.get_context(method)
    answers = processes.Queue()
    for name, expected in (("main", "LogLocked"), (f"worker-{method}", "recorded")):
        process = processes.Process(target=child, args=(str(data), name, answers))
        process.start()
        assert answers.get(timeout=60) == expected
        process.join(60)
        assert process.exitcode == 0


def test_a_wait_ends_at_its_timeout_and_the_event_is_not_lost(log):
    receipt = log.submit(event_type="agent.x")
    try:
        receipt.wait(timeout=0)
    except errors.Timeout:
        pass
    assert receipt.wait(timeout=30).is_durable
    began = time.monotonic()
    log.flush(timeout=30)
    assert time.monotonic() - began < 30
