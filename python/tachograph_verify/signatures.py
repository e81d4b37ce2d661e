"""Agents' signatures (format.md, section 21): what was signed is cut out of a record again."""

import base64
import hashlib
import json
from collections.abc import Iterator

from tachograph_verify.notes import Bad, decimal, decode, holds

_RECEIVERS = {"principal", "assurance", "signature"}
_DECODER = json.JSONDecoder()
#: A list of redactions that is full was cut short.
_REDACTIONS_MAX = 256


def signature_of(meta: str, content: "str | None") -> "tuple[str, str] | None":
    """The public key of the agent's signature in ``meta``, and how it stands: ``valid``,
    ``content redacted``, ``redacted`` or ``false``; ``None`` when there is none of that form.
    ``content`` is ``None`` when it is withheld, and empty when there never was any."""
    record = json.loads(meta)
    text = record.get("signature")
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 5 or parts[0] != "ed25519":
        return None
    try:
        covered = decimal(parts[2])
        key, digest, made = (decode(parts[place]) for place in (1, 3, 4))
    except Bad:
        return None
    if (len(key), len(digest), len(made)) != (32, 32, 64):
        return None
    noted = len(record.get("redactions", []))
    is_redacted = noted > covered or noted >= _REDACTIONS_MAX
    public = "ed25519:" + base64.b64encode(key).decode()
    texts = [_signed(meta, covered, left_out) for left_out in ("", "on_behalf_of")]
    start = b"tachograph/event-signature/v1\0" + digest
    if not any(text and holds(key, start + text.encode(), made) for text in texts):
        return (public, "redacted" if is_redacted else "false")
    if content is not None and _digest(content) != digest:
        return (public, "content redacted" if is_redacted else "false")
    return (public, "valid")


def _digest(content: str) -> bytes:
    if not content:
        return bytes(32)
    return hashlib.sha256(b"tachograph/signed-content/v1\0" + content.encode()).digest()


def _signed(meta: str, covered: int, left_out: str) -> "str | None":
    """The metadata without what its receiver set; ``None`` when it is not compact JSON."""
    members, found = [], 0
    try:
        for name, value in _members(meta):
            if name == "redactions":
                items = list(_items(value))
                found, items = len(items), items[:covered]
                value = f"[{','.join(items)}]"
                if not items:
                    continue
            if name != left_out and name not in _RECEIVERS:
                members.append(f'"{name}":{value}')
    except (Bad, ValueError, IndexError):
        return None
    return "{" + ",".join(members) + "}" if members and found >= covered else None


def _members(text: str) -> Iterator[tuple[str, str]]:
    """The members of an object, each value as it is written."""
    for whole in _split(text, "{", "}"):
        name, end = _DECODER.raw_decode(whole)
        yield name, whole[end + 1 :]


def _items(text: str) -> Iterator[str]:
    """The items of a list, as they are written."""
    yield from _split(text, "[", "]")


def _split(text: str, opening: str, closing: str) -> Iterator[str]:
    if not (text.startswith(opening) and text.endswith(closing)):
        raise Bad("the metadata is not compact JSON")
    at, end = 1, len(text) - 1
    while at < end:
        start = at
        _, at = _DECODER.raw_decode(text, at)
        if text[at] == ":":
            _, at = _DECODER.raw_decode(text, at + 1)
        if text[at] not in "," + closing:
            raise Bad("the metadata is not compact JSON")
        yield text[start:at]
        at += 1
