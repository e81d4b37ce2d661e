"""A real server beside a test, which may be stopped, killed and started again."""

import json
import os
import signal
import socket
import subprocess
import time
from pathlib import Path

#: The binary; `cargo xtask python` names it.
PROGRAM = os.environ.get("TACHOGRAPH_PROGRAM", "")

LISTENS = "Listening on"


class Server:
    """`tacho serve` on a data folder, always at the same address."""

    def __init__(self, data: Path, said: Path, scheme: str = "http", **environment: str) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self.data = data
        self.said = said
        self._environment = environment
        self._process: subprocess.Popen | None = None

    def start(self) -> "Server":
        command = [PROGRAM, "serve", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}"]
        environment = {**os.environ, **self._environment}
        before = self.said.read_text().count(LISTENS) if self.said.exists() else 0
        with self.said.open("a") as said:
            self._process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        for _ in range(1200):
            if self.said.read_text().count(LISTENS) > before:
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(self.said.read_text())

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(60)

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def token(self, role: str) -> str:
        """A token that the server knows; made while it runs or not."""
        command = [PROGRAM, "token", "create", f"of-a-{role}", "--role", role, "--format", "json"]
        made = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(made.stdout)["token"]

