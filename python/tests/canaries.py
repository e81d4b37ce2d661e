"""Looks for planted secrets in whatever came out, in every spelling that hides one from a reader.

Base64 has three of them, by what stands before the secret; of each only the digits count that no
neighbour has a part in.
"""

import base64
import collections
import json
import os
import re
import urllib.parse
from pathlib import Path

#: A file with a secret on each line, as ``simulate redaction --canaries`` writes it; the last line
#: names the kinds of which not every value is found.
FILE = os.environ.get("TACHOGRAPH_CANARIES", "")
#: So many bytes of a spelling are looked for first.
HEAD = 6
#: A value that is no longer than this may also be a part of some number or name.
SHORT = 14


def read_secrets() -> list[dict]:
    """``rule``, ``value``, ``text`` around it."""
    with open(FILE, encoding="utf-8") as file:
        *secrets, _ = map(json.loads, file)
    return secrets


def spellings(value: str) -> set[bytes]:
    data = value.encode()
    escaped = json.dumps(value)[1:-1]
    texts = {value, escaped, json.dumps(value, ensure_ascii=False)[1:-1]}
    # JSON in a text of JSON, what Python and addresses make of it.
    texts |= {json.dumps(escaped)[1:-1], repr(value)[1:-1], urllib.parse.quote(value, safe="")}
    texts |= {data.hex(), data.hex().upper()}
    for before in range(3):
        digits = base64.b64encode(bytes(before) + data + bytes(2)).decode()
        # Six bits a digit: whole ones after what stands before, up to where the secret ends.
        inside = digits[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        texts |= {inside, inside.translate(str.maketrans("+/", "-_"))}
    return {text.encode() for text in texts}


class Search:
    """Every spelling of every secret at once."""

    def __init__(self, secrets: list[dict]) -> None:
        self._rules: dict[bytes, str] = {}
        self._heads: dict[bytes, list[bytes]] = collections.defaultdict(list)
        for secret in secrets:
            for spelling in spellings(secret["value"]):
                if spelling not in self._rules:
                    self._heads[spelling[:HEAD]].append(spelling)
                self._rules[spelling] = secret["rule"]
        # Encoded, a neighbour is always a digit, and chance has no part in it.
        plain = (secret["value"].encode() for secret in secrets)
        self._short = {value for value in plain if len(value) <= SHORT}
        # Ahead of what is looked at, so that two may overlap.
        self._pattern = re.compile(b"(?=(" + _pattern(sorted(self._heads)) + b"))", re.DOTALL)

    def found(self, text: bytes) -> "set[tuple[str, bytes]]":
        """Rule and spelling of all that stands there."""
        found = set()
        for match in self._pattern.finditer(text):
            at = match.start()
            for spelling in self._heads[match[1]]:
                is_there = text.startswith(spelling, at)
                if is_there and (spelling not in self._short or _is_alone(text, at, len(spelling))):
                    found.add((self._rules[spelling], spelling))
        return found

    def leaks(self, folder: Path) -> list[str]:
        """Where one stands, below a folder."""
        leaks = []
        for path in sorted(it for it in folder.rglob("*") if it.is_file()):
            name = path.relative_to(folder)
            leaks += [f"{name}: {rule} {it[:60]!r}" for rule, it in self.found(path.read_bytes())]
        return leaks


def _pattern(heads: list[bytes]) -> bytes:
    """One of sorted texts of one length, with no beginning twice: alternatives would be tried one
    after the other."""
    groups: dict[bytes, list[bytes]] = collections.defaultdict(list)
    for head in filter(None, heads):
        groups[head[:1]].append(head[1:])
    ways = [re.escape(first) + _pattern(rest) for first, rest in groups.items()]
    return b"(?:" + b"|".join(ways) + b")" if ways else b""


def _is_alone(text: bytes, at: int, length: int) -> bool:
    around = text[max(at - 1, 0) : at] + text[at + length : at + length + 1]
    return not re.search(rb"[0-9A-Za-z]", around)
