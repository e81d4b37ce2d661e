"""Evidence documents (format.md, section 11): one record with everything that proves it."""

from dataclasses import dataclass
from typing import Any

from tachograph_verify.ledger import announced, hexadecimal, unique
from tachograph_verify.notes import UNREADABLE, Bad, Key, decode
from tachograph_verify.report import Report
from tachograph_verify.signatures import signature_of
from tachograph_verify.tree import LOG, Entry, commitment, content_commitment, leaf, root_of_proof
from tachograph_verify.trust import Succession, Trust

_MEMBERS = {"format", "origin", "index", "entry", "record", "proof", "vkeys"}
_RECORD = {"meta", "meta_salt", "content", "content_salt", "content_commitment"}
BYTES_MAX = 16_777_216
HASHES_MAX = 65


def check_document(data: bytes, keys: "list[str] | None" = None) -> Report:
    """Checks a document; ``keys`` are those that the caller trusts."""
    report = Report()
    try:
        _check(data, [Key.parse(key) for key in keys or []], report)
    except UNREADABLE as error:
        report.findings.append(str(error) or type(error).__name__)
    return report


def _check(data: bytes, pinned: list[Key], report: Report) -> None:
    if len(data) > BYTES_MAX:
        raise Bad("the document is too long")
    document = unique(data)
    successions = document.pop("successions", [])
    if set(document) != _MEMBERS or document["format"] != "tachograph.evidence/1":
        raise Bad("not an evidence document of version 1")
    index, raw = document["index"], hexadecimal(document["entry"])
    entry = Entry.decode(raw)
    if index == 0 and any(entry.previous):
        raise Bad("the first entry names a leaf before it")
    if _commitment(document["record"]) != entry.commitment:
        raise Bad("the record is not what its entry commits to")
    claimed, hashes, note = _proof(document["proof"])
    if type(index) is not int or claimed != index:
        raise Bad("the proof is of another record")
    if not isinstance(successions, list) or not isinstance(document["vkeys"], list):
        raise Bad("no list where the document has one")
    shown = [_Shown.read(it) for it in successions]
    trust = Trust(document["origin"], [Key.parse(text) for text in document["vkeys"]], pinned)
    if any(key.name != trust.origin for _, keys in trust.epochs for key in keys):
        raise Bad("a key in the document has another name than the log")
    trust.follow([(it.succession.record, it.succession) for it in shown])
    opened = trust.open(note) if shown else trust.open_alone(note)
    checkpoint = opened.checkpoint
    report.origin, report.size, report.root = (
        checkpoint.origin,
        checkpoint.size,
        checkpoint.root.hex(),
    )
    report.unassessed += opened.unassessed
    places = [(index, leaf(raw), hashes)]
    places += [(it.succession.record, it.leaf, it.hashes) for it in shown]
    for place in places:
        if root_of_proof(place[0], checkpoint.size, *place[1:]) != checkpoint.root:
            raise Bad(f"the proof of record {place[0]} does not lead to the signed root")
    report.is_pinned = bool(pinned)
    _note_signature(document["record"], report)


def _note_signature(record: dict[str, Any], report: Report) -> None:
    """What an agent signed: whose key it is, the document does not say."""
    is_withheld = record.get("content_commitment") is not None
    content = None if is_withheld else record.get("content") or ""
    signed = signature_of(record["meta"], content)
    if signed is not None:
        report.notes.append(f"the signature with the agent's key {signed[0]} is {signed[1]}")


@dataclass(frozen=True)
class _Shown:
    """A succession that its entry commits to."""

    succession: Succession
    leaf: bytes
    hashes: list[bytes]

    @classmethod
    def read(cls, shown: dict[str, Any]) -> "_Shown":
        if set(shown) != {"entry", "record", "proof"}:
            raise Bad("a succession in the document has other members")
        raw, record = hexadecimal(shown["entry"]), shown["record"]
        entry = Entry.decode(raw)
        if entry.kind != LOG or _commitment(record) != entry.commitment:
            raise Bad("a succession in the document is not a record of the log's own")
        succession = announced(record["meta"], record["content"])
        hashes = [hexadecimal(it) for it in shown["proof"]]
        if succession is None or any(len(it) != 32 for it in hashes) or len(hashes) > HASHES_MAX:
            raise Bad("a record in the document announces no succession, or its proof is none")
        return cls(succession, leaf(raw), hashes)


def _commitment(record: dict[str, Any]) -> bytes:
    if not set(record) <= _RECORD:
        raise Bad("the record has members that it must not have")
    # Null and absent are one.
    record = {name: value for name, value in record.items() if value is not None}
    shown, withheld = "content" in record, "content_commitment" in record
    if shown and withheld or shown != ("content_salt" in record):
        raise Bad("content is either shown or withheld")
    content = None
    if shown:
        salt = hexadecimal(record["content_salt"])
        content = content_commitment(record["content"].encode(), salt)
    elif withheld:
        content = hexadecimal(record["content_commitment"])
    return commitment(record["meta"].encode(), hexadecimal(record["meta_salt"]), content)


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
    if any(len(it) != 32 for it in hashes) or len(hashes) > HASHES_MAX:
        raise Bad("the proof's hashes are not hashes")
    return int(index), hashes, note.encode()
