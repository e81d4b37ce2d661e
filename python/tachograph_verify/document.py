"""Evidence documents (format.md, section 11): one record with everything that proves it."""

import json
from typing import Any

from tachograph_verify.notes import Bad, Key, decode, open_checkpoint
from tachograph_verify.report import Report
from tachograph_verify.tree import Entry, commitment, content_commitment, leaf, root_of_proof

_MEMBERS = {"format", "origin", "index", "entry", "record", "proof", "vkeys"}
_RECORD = {"meta", "meta_salt", "content", "content_salt", "content_commitment"}
BYTES_MAX = 16_777_216


def check_document(data: bytes, keys: "list[str] | None" = None) -> Report:
    """Checks a document; ``keys`` are those that the caller trusts."""
    report = Report()
    try:
        _check(data, [Key.parse(key) for key in keys or []], report)
    except (Bad, ValueError, KeyError, TypeError) as error:
        report.findings.append(str(error) or type(error).__name__)
    return report


def _strict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Bad("a member stands there twice")
    return found


def _check(data: bytes, pinned: list[Key], report: Report) -> None:
    if len(data) > BYTES_MAX:
        raise Bad("the document is too long")
    document = json.loads(data, object_pairs_hook=_strict)
    if document.get("successions"):
        report.unassessed.append("keys that follow each other are not followed here")
        return
    if set(document) != _MEMBERS or document["format"] != "tachograph.evidence/1":
        raise Bad("not an evidence document of version 1")
    index, raw = document["index"], _hex(document["entry"])
    entry = Entry.decode(raw)
    if index == 0 and any(entry.previous):
        raise Bad("the first entry names a leaf before it")
    if _commitment(document["record"]) != entry.commitment:
        raise Bad("the record is not what its entry commits to")
    claimed, hashes, note = _proof(document["proof"])
    if claimed != index:
        raise Bad("the proof is of another record")
    keys = [Key.parse(text) for text in document["vkeys"]]
    checkpoint, wrong, unknown = open_checkpoint(note, keys)
    report.origin, report.size, report.root = (
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root.hex(),
    )
    if checkpoint.origin != document["origin"] or any(
        key.name != checkpoint.origin for key in keys
    ):
        raise Bad("the checkpoint is of another log")
    report.findings += wrong
    report.unassessed += unknown
    if root_of_proof(index, checkpoint.size, leaf(raw), hashes) != checkpoint.root:
        raise Bad("the proof does not lead to the signed root")
    there = {key.text for key in keys}
    report.is_pinned = any(key.text in there for key in pinned)
    if pinned and not report.is_pinned:
        raise Bad("none of the keys given signed it")


def _hex(text: str) -> bytes:
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise Bad("hexadecimal in another spelling")
    return data


def _commitment(record: dict[str, Any]) -> bytes:
    if not set(record) <= _RECORD:
        raise Bad("the record has members that it must not have")
    shown, withheld = "content" in record, "content_commitment" in record
    if shown and withheld or shown != ("content_salt" in record):
        raise Bad("content is either shown or withheld")
    content = None
    if shown:
        content = content_commitment(record["content"].encode(), _hex(record["content_salt"]))
    elif withheld:
        content = _hex(record["content_commitment"])
    return commitment(record["meta"].encode(), _hex(record["meta_salt"]), content)


def _proof(text: str) -> tuple[int, list[bytes], bytes]:
    head, _, note = text.partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1" or len(lines) < 2:
        raise Bad("not a tlog-proof")
    if lines[1].startswith("extra "):
        raise Bad("a proof in a document has no extra data")
    name, _, index = lines[1].partition(" ")
    if name != "index" or str(int(index)) != index or int(index) < 0:
        raise Bad("the proof has no index")
    hashes = [decode(line) for line in lines[2:]]
    if any(len(it) != 32 for it in hashes) or len(hashes) > 65:
        raise Bad("the proof's hashes are not hashes")
    return int(index), hashes, note.encode()
