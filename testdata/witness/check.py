"""Witnesses that are not ours, and logs that are not: `witness-log` from PyPI, against `tacho`.

1. A log of witness-log has a `tacho witness` cosign it, and counts the cosignatures by its own code.
2. Both witnesses are asked the same, right and wrong: they give the same status.
3. A log of `tacho serve` has both cosign it, waits for both (`ack=witnessed`), and is verified by the policy.
4. That log's folder is put back to an older state, with all its keys: witness-log's witness finds it out.
Arguments: the program tacho, an empty folder.
"""

import base64
import http.server
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import witness_log

tacho, folder = sys.argv[1], pathlib.Path(sys.argv[2])
environment = dict(os.environ, XDG_CONFIG_HOME=str(folder / "config"), TACHO_DATA=str(folder / "data"))
running = []


def start(*words):
    """A program that says where it listens; what it said until then."""
    process = subprocess.Popen([tacho, *words], env=environment, stderr=subprocess.PIPE, text=True)
    running.append(process)
    said = []
    for line in process.stderr:
        said.append(line.rstrip())
        if line.startswith("Listening on "):
            threading.Thread(target=lambda: said.extend(process.stderr), daemon=True).start()
            return process, line.split()[-1], said
    raise SystemExit(f"tacho {words} did not begin: {said}")


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0, process.args


def ask(url, body=None, headers=None):
    """Status, kind and body of an answer."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        answer = urllib.request.urlopen(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers["content-type"], answer.read().decode()


def until(what, look):
    end = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < end, what
        time.sleep(0.1)
    return found


# Their witness.
state = folder / "theirs.json"
witness_log.WitnessService.create_state(str(state))
theirs = witness_log.WitnessService.new("theirs.example", os.urandom(32), str(state))


class Door(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.path == "/add-checkpoint", self.path
        status, kind, text = theirs.handle_add_checkpoint_http(body.decode())
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


door = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Door)
threading.Thread(target=door.serve_forever, daemon=True).start()
their_url = f"http://127.0.0.1:{door.server_port}"

try:
    # 1. Their log, our witness.
    log = witness_log.WitnessLog.generate()
    origin = log.canonical_origin()
    for number in range(5):
        log.append_intent(b"step %d" % number)
    theirs.add_log(origin, log.c2sp_vkey(origin))
    name, place = "ours.example", str(folder / "ours")
    first, our_url, said = start(
        "witness", "serve", "--name", name, "--folder", place, "--listen", "127.0.0.1:0",
        "--log-key", log.c2sp_vkey(origin),
    )
    our_key = said[0].split()[1]
    raw = base64.b64decode(our_key.split("+", 2)[2])
    assert raw[0] == 4, our_key
    for old, steps in [(0, 4), (5, 300), (9, 1), (309, 0)]:
        status, _, body = ask(f"{our_url}/add-checkpoint", log.add_checkpoint_body(old).encode())
        assert status == 200, (status, body)
        counted = log.dossier_from_responses([(raw[1:].hex(), body)])[1]
        assert counted == 1, "their code does not count our cosignature"
        assert theirs.handle_add_checkpoint_http(log.add_checkpoint_body(old))[0] == 200
        for number in range(steps):
            log.append_result(b"more %d" % number)
    # 2. The same questions, the same answers.
    good = log.add_checkpoint_body(310)
    lines = log.add_checkpoint_body(1).split("\n")
    fork = witness_log.WitnessLog.resume(log.identity_bytes(), 1)
    for number in range(400):
        fork.append_intent(b"another story %d" % number)
    of_same_size = fork.add_checkpoint_body_at(310, 310)
    cases = [
        (200, good),
        (400, ""),
        (400, good.replace("old 310", "old 0310")),
        (400, good.replace("old 310", "old 311")),
        (400, good.replace("\n\n", "\n!\n\n", 1)),
        (403, good.replace("\n310\n", "\n311\n")),
        (404, good.replace(origin, "nobody.example/log")),
        (409, log.add_checkpoint_body(0)),
        (409, log.add_checkpoint_body(309)),
        (422, fork.add_checkpoint_body_at(400, 310)),
        (422, of_same_size),
        (200, good),
    ]
    assert lines[0] == "old 1"
    for wanted, body in cases:
        ours = ask(f"{our_url}/add-checkpoint", body.encode())
        other = theirs.handle_add_checkpoint_http(body)
        assert ours[0] == wanted, (wanted, ours, body)
        if other[0] != wanted:
            print(f"differs: ours {wanted}, theirs {other[0]} {other[2]!r} for {body[:60]!r}")
            assert (wanted, other[0]) in [(422, 409)], (wanted, other)
        if wanted == 409:
            assert ours[1:] == other[1:] == ("text/x.tlog.size", "310\n"), (ours, other)
    stop(first)

    # 3. Our log, both witnesses.
    subprocess.run([tacho, "init"], env=environment, check=True, capture_output=True)
    described = json.loads(
        subprocess.run(
            [tacho, "keys", "list", "--format", "json"], env=environment, check=True, capture_output=True
        ).stdout
    )
    keys = sorted({key for key in json.dumps(described).split('"') if key.count("+") >= 2})
    assert keys, described
    our_log = keys[0].split("+")[0]
    for key in keys:
        theirs.add_log(our_log, key)
    watching = [word for key in keys for word in ("--log-key", key)]
    _, our_url, _ = start(
        "witness", "serve", "--name", name, "--folder", place, "--listen", "127.0.0.1:0", *watching
    )
    policy = folder / "policy"
    policy.write_text(
        "".join(f"log {key}\n" for key in keys)
        + f"witness ours {our_key} {our_url}\nwitness theirs {theirs.vkey()} {their_url}\n"
        + "group both all ours theirs\nquorum both\n"
    )
    configuration = folder / "tachograph.toml"
    configuration.write_text(f'[witness]\npolicy = "{policy}"\nallow_private = true\ntimeout_ms = 10000\n')
    words = ["serve", "--config", str(configuration), "--listen", "127.0.0.1:0"]
    server, address, _ = start(*words)
    token = (folder / "config/tachograph/admin-token").read_text().strip()
    bearer = {"authorization": f"Bearer {token}"}
    events = f"{address}/api/v1/logs/main/events"
    event = b'{"event_type": "agent.tool_call", "tool": "lookup"}'

    def append(ack):
        status, _, body = ask(f"{events}?ack={ack}", event, bearer)
        assert status == 200, (status, body)
        return json.loads(body)

    kept = folder / "kept"
    for number in range(4):
        note = append("witnessed")["checkpoint"]
        signers = [line.split()[1] for line in note.split("\n\n", 1)[1].splitlines()]
        assert {name, "theirs.example"} <= set(signers), note
    stop(server)
    verified = subprocess.run(
        [tacho, "verify", "--policy", str(policy), "--format", "json"], env=environment, capture_output=True
    )
    report = json.loads(verified.stdout)
    assert verified.returncode == 0 and report["level"] == "witnessed", report
    assert any(note.startswith("2 of 2 witnesses") for note in report["notes"]), report["notes"]
    shutil.copytree(folder / "data", kept)

    # 4. A rollback by whoever has every key.
    server, address, _ = start(*words)
    events = f"{address}/api/v1/logs/main/events"
    for number in range(20):
        append("witnessed")
    stop(server)
    cosigned = next((folder / "data").glob("*/cosigned"))
    newest = cosigned.read_bytes()
    shutil.rmtree(folder / "data")
    shutil.copytree(kept, folder / "data")
    # What the configuration folder remembers stops the server, and whoever has every key can take it away.
    stopped = subprocess.run([tacho, *words], env=environment, capture_output=True, text=True, timeout=60)
    assert stopped.returncode == 3 and "was put back" in stopped.stderr, stopped
    shutil.rmtree(folder / "config/tachograph/known-heads")
    server, address, said = start(*words)
    events = f"{address}/api/v1/logs/main/events"

    def alarm():
        status, _, body = ask(f"{address}/api/v1/logs/main", headers=bearer)
        return json.loads(body)["witnesses"].get("alarm")

    told = until("the rollback is found out", alarm)
    assert "rolled back" in told, told
    assert "tacho_witness_alarm{log=\"main\"} 1" in ask(f"{address}/metrics", headers=bearer)[2]
    until("the operator is told", lambda: any("rolled back" in line for line in said))
    assert ask(f"{events}?ack=witnessed", event, bearer)[0] == 503
    stop(server)
    # With what witnesses cosigned, anybody sees it without asking them.
    cosigned.write_bytes(newest)
    verified = subprocess.run(
        [tacho, "verify", "--policy", str(policy), "--format", "json"], env=environment, capture_output=True
    )
    report = json.loads(verified.stdout)
    kinds = {finding["kind"] for finding in report["findings"]}
    assert verified.returncode == 10 and kinds & {"truncated", "forked"}, report
finally:
    for process in running:
        if process.poll() is None:
            process.kill()
print("witness-log and tacho witness each other's logs, and find out a rollback")
