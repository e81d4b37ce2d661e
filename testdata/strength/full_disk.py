"""A server on a disk that is filled up and freed again, over and over, while events arrive.

    python full_disk.py TACHO [ROUNDS]

Needs root: the disk is a file of 2 GiB with ext4, mounted beside the temporary files. In every round the disk is filled
to the last block; appends must be answered with 507 within a second, and never by anything but 200, 503 or 507;
metadata can be read at once, and content, which is recorded, within five seconds; `tacho verify` goes on; when the space is free again, appends are taken within five seconds. At the end every event
that was acknowledged is in the log, once. `cargo xtask strength full-disk` runs it. Where no file can be mounted, it says so
and ends with 77.
"""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

DISK_BYTES = 2 << 30
CANNOT_MOUNT = 77
REFUSED_WITHIN_S = 1.0
RESUMED_WITHIN_S = 5.0
# Who reads content is recorded, so this waits until the log is open again after the write that failed.
RECORDED_WITHIN_S = 5.0
# Appends go on for so long in every state.
STAY_S = 2.0
CLIENTS = 4
BATCH = 50
EVENTS = "/api/v1/logs/main/events"
DETAIL = "x" * 400

tacho = str(pathlib.Path(sys.argv[1]).resolve())
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20


class Server:
    """`tacho serve` with its data on the disk in question and nothing else on it."""

    def __init__(self, disk, home):
        self.environment = dict(os.environ, TACHO_DATA=str(disk / "data"), XDG_CONFIG_HOME=str(home / "config"))
        self.said = open(home / "said", "w+")
        self.process = subprocess.Popen(
            [tacho, "serve", "--listen", "127.0.0.1:0"], env=self.environment, stderr=self.said, stdin=subprocess.DEVNULL
        )
        until = time.monotonic() + 30
        self.port = None
        while self.port is None and time.monotonic() < until:
            for line in (home / "said").read_text().splitlines():
                if line.startswith("Listening on "):
                    self.port = int(line.rsplit(":", 1)[1])
            time.sleep(0.05)
        if self.port is None:
            sys.exit(f"the server did not begin to listen: {(home / 'said').read_text()}")
        self.token = (home / "config/tachograph/admin-token").read_text().strip()

    def ask(self, method, path, body=None):
        """One request on a connection of its own: the status and the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, {"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def read_content(self, until):
        """When content could be read, or None."""
        while time.monotonic() < until:
            if self.ask("GET", f"{EVENTS}?limit=10")[0] == 200:
                return time.monotonic()
            time.sleep(0.1)
        return None

    def verify(self):
        """What `tacho verify` says of the folder, beside the running server."""
        run = [tacho, "verify", "--format", "json"]
        done = subprocess.run(run, env=self.environment, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


class Clients:
    """Threads that append without a pause, send again what was not taken, and note every answer."""

    def __init__(self, server):
        self.server, self.ended = server, threading.Event()
        self.lock, self.answers, self.taken = threading.Lock(), [], 0
        self.wrong = []
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        batch = 0
        while not self.ended.is_set():
            lines = [
                json.dumps({"event_id": f"c{number}-b{batch}-{n}", "event_type": "test.disk", "action": DETAIL})
                for n in range(BATCH)
            ]
            try:
                status, answer = self.server.ask("POST", EVENTS, "\n".join(lines))
            except OSError as error:
                status, answer = 0, str(error).encode()
            with self.lock:
                self.answers.append((time.monotonic(), status))
                if status == 200:
                    self.taken += BATCH
                elif status not in (503, 507):
                    self.wrong.append((status, answer[:300]))
            if status == 200:
                batch += 1
            else:
                time.sleep(0.02)

    def first(self, status, since):
        """Seconds from `since` to the first answer of this status, or None."""
        with self.lock:
            times = [when - since for when, each in self.answers if each == status and when >= since]
        return min(times, default=None)

    def wait_for(self, status, since, within):
        while time.monotonic() < since + within + 5:
            took = self.first(status, since)
            if took is not None:
                return took
            time.sleep(0.02)
        sys.exit(f"no answer {status} within {within + 5} s; the last answers: {self.answers[-5:]}")

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def fill(disk):
    """Takes every free block, however many are given back meanwhile."""
    path = disk / "filler"
    handle = os.open(path, os.O_CREAT | os.O_WRONLY)
    size, step = 0, 64 << 20
    while step >= 4096:
        try:
            os.posix_fallocate(handle, size, step)
            size += step
        except OSError:
            step //= 2
    os.close(handle)
    return path


def one_round(server, clients, disk, number):
    time.sleep(STAY_S)
    filler = fill(disk)
    full = time.monotonic()
    refused = clients.wait_for(507, full, REFUSED_WITHIN_S)
    status, _ = server.ask("GET", f"{EVENTS}?limit=10&content=0")
    recorded = server.read_content(full + RECORDED_WITHIN_S)
    time.sleep(STAY_S)
    code, out, err = server.verify()
    filler.unlink()
    freed = time.monotonic()
    resumed = clients.wait_for(200, freed, RESUMED_WITHIN_S)
    read = f"content read after {recorded - full:.2f} s" if recorded else "no content read"
    print(
        f"round {number}: 507 after {refused:.2f} s, taken again after {resumed:.2f} s; metadata {status}, {read}, "
        f"verify {code}"
    )
    faults = []
    if refused > REFUSED_WITHIN_S:
        faults.append(f"507 came only after {refused:.2f} s")
    if resumed > RESUMED_WITHIN_S:
        faults.append(f"appends were taken only after {resumed:.2f} s")
    if status != 200:
        faults.append(f"reading metadata was answered with {status}")
    if recorded is None:
        faults.append(f"content could not be read within {RECORDED_WITHIN_S} s")
    if code != 0:
        faults.append(f"verify said {code}: {out[:500]} {err[:500]}")
    return faults


def play(disk, home):
    server = Server(disk, home)
    clients = Clients(server)
    faults = []
    try:
        for number in range(1, rounds + 1):
            faults += [f"round {number}: {fault}" for fault in one_round(server, clients, disk, number)]
    finally:
        clients.stop()
        ended = server.stop()
    code, out, err = server.verify()
    faults += [f"a client was answered with {status}: {text}" for status, text in clients.wrong[:5]]
    if ended != 0:
        faults.append(f"the server ended with {ended}")
    if code != 0:
        faults.append(f"at the end verify said {code}: {out[:500]} {err[:500]}")
    counted = subprocess.run(
        [tacho, "events", "--type", "test.disk", "--format", "ndjson", "--limit", "100000000"],
        env=server.environment, capture_output=True, text=True,
    )
    ids = [json.loads(line)["event_id"] for line in counted.stdout.splitlines() if '"event_id"' in line]
    print(f"{clients.taken} events acknowledged, {len(ids)} found")
    if len(ids) != len(set(ids)) or len(ids) < clients.taken:
        faults.append(f"{clients.taken} events were acknowledged, {len(ids)} found, {len(set(ids))} different")
    return faults


def cannot(why):
    print(f"no disk could be mounted to be filled: {why}")
    sys.exit(CANNOT_MOUNT)


def main():
    if os.geteuid() != 0:
        cannot("it takes root")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        image, disk = folder / "image", folder / "disk"
        disk.mkdir()
        with open(image, "wb") as file:
            file.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
        mounted = subprocess.run(["mount", "-o", "loop", image, disk], capture_output=True, text=True)
        if mounted.returncode != 0:
            cannot(mounted.stderr.strip())
        try:
            faults = play(disk, folder)
        finally:
            subprocess.run(["umount", disk], check=False)
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)


main()
