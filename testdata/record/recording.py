"""Where recordings go, and the guard that keeps the recording machine out of them.

Every script writes through `save_text`, `save_bytes` or `save_json`: they refuse content that names
the machine, the user or a folder of theirs, so that a forgotten scrub fails loudly instead of being
committed.
"""

import getpass
import json
import os
import re
import socket
import sys
from pathlib import Path

TESTDATA = Path(__file__).resolve().parent.parent

# The folder part of a source path, up to what is the same on every machine: what stays begins with
# `site-packages/`, `testdata/record/` or, for the standard library, `python3.11/`.
_SOURCE_FOLDER = re.compile(r"/[^\s\"':]*/(?=site-packages/|testdata/record/|python3\.\d+/)")


def scrub(text: str) -> str:
    """Cuts machine-specific folders off the source paths in a stack trace or a code attribute."""
    return _SOURCE_FOLDER.sub("", text)


def _forbidden() -> list[str]:
    """Strings that would tell where a recording was made. Short names are looked up as whole words."""
    return sorted(
        {
            str(Path.home()),
            str(TESTDATA.parent),
            os.getcwd(),
            sys.prefix,
            sys.base_prefix,
            socket.gethostname(),
            socket.getfqdn(),
            getpass.getuser(),
        }
        - {"/", "", "/usr", "localhost"}
    )


def _check(name: str, text: str) -> None:
    for word in _forbidden():
        if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text):
            raise SystemExit(f"{name}: the recording names {word!r}; scrub it before it is saved")


def save_bytes(relative: str, content: bytes) -> Path:
    """Writes `content` below `testdata/` after the guard has read it."""
    _check(relative, content.decode("utf-8", errors="replace"))
    path = TESTDATA / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    print(f"{relative}: {len(content)} bytes")
    return path


def save_text(relative: str, content: str) -> Path:
    """Writes text as UTF-8 with the line ends it has."""
    return save_bytes(relative, content.encode("utf-8"))


def save_json(relative: str, value: object) -> Path:
    """Writes one JSON document, indented, so that a changed recording can be read as a diff."""
    return save_text(relative, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def save_lines(relative: str, values: list) -> Path:
    """Writes one compact JSON value a line."""
    lines = [json.dumps(v, separators=(",", ":"), ensure_ascii=False) for v in values]
    return save_text(relative, "\n".join(lines) + "\n")
