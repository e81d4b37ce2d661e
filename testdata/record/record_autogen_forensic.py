"""Records the log file of a callback handler for AutoGen agents, as such handlers are commonly written.

The handler below logs through Python's own `logging` with the format
`%(asctime)s - %(name)s - %(message)s`, the message being one JSON object
`{"timestamp", "agent", "event", "data"}`. Planted on purpose: a secret inside a code snippet, and two
lines that are no entries (the rest of a print that went to the same file).
"""

import json
import logging
import tempfile
from datetime import datetime, timezone
from pathlib import Path

from recording import save_text, scrub

AGENT = "SeniorCoder"


class ForensicLog:
    """Writes what one agent did to a log file, one JSON object a line."""

    def __init__(self, agent: str, path: Path) -> None:
        self.agent = agent
        self.logger = logging.getLogger(f"forensics.{agent}")
        self.logger.setLevel(logging.INFO)
        self.logger.propagate = False
        self.handler = logging.FileHandler(path, encoding="utf-8")
        self.handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(message)s"))
        self.logger.addHandler(self.handler)

    def write(self, event: str, data: dict) -> None:
        """Logs one entry with the time of now, in UTC, as `2026-11-02T14:23:01.000000Z`."""
        now = datetime.now(timezone.utc).replace(tzinfo=None).isoformat(timespec="microseconds")
        entry = {"timestamp": now + "Z", "agent": self.agent, "event": event, "data": data}
        self.logger.info(json.dumps(entry))

    def garbage(self, text: str) -> None:
        """Puts raw text into the file, as a library that prints to the same stream would."""
        self.handler.stream.write(text)
        self.handler.flush()


def play(log: ForensicLog) -> None:
    """One short job: a script that fails, is corrected and runs."""
    log.write("chat_init", {"recipient": "CodeCritic", "message": "Count the open refunds of today."})
    log.write("chain_start", {"inputs": {"task": "count open refunds", "max_turns": 4}})
    log.write(
        "code_execution",
        {
            "code_snippet": "import os, refunds\n"
            'client = refunds.Client(api_key="sk-live-51f0c2a7d9e84b6f93a1c5d2e7b80f46")\n'
            "print(client.count(status='open'))",
            "execution_result": "exitcode: 1 (execution failed)\nModuleNotFoundError: "
            "No module named 'refunds'",
        },
    )
    log.garbage('Traceback (most recent call last):\n  File "<string>", line 1, in <module>\n')
    log.write(
        "code_execution",
        {
            "code_snippet": "print(len([r for r in open('refunds.csv') if ',open,' in r]))",
            "execution_result": "exitcode: 0 (execution succeeded)\n17\n",
        },
    )
    log.write("memory_lookup", {"query": "open refunds", "hits": 3})
    log.write("chain_end", {"outputs": {"answer": "17 refunds are open.", "größe": "ü – 17"}})


def main() -> None:
    """Writes `forensic/forensics_SeniorCoder.log`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"forensics_{AGENT}.log"
        log = ForensicLog(AGENT, path)
        play(log)
        log.handler.close()
        save_text(f"forensic/{path.name}", scrub(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
