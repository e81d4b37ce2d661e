"""What a log shows of its own records (format.md, section 14): documents in ``ledger/``."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tachograph_verify.notes import Bad, decimal
from tachograph_verify.tree import commitment, content_commitment
from tachograph_verify.trust import Succession

BYTES_MAX = 4 << 20
ROTATED = "log.key_rotated"
_FORMAT = "tachograph.disclosed/1"


@dataclass(frozen=True)
class Shown:
    """A record of the log's own, with the salts that make its commitment."""

    index: int
    commitment: bytes
    succession: "Succession | None"

    @classmethod
    def read(cls, path: Path) -> "Shown":
        index = path.stem.lstrip("0") or "0"
        if path.name != f"{decimal(index):020}.json":
            raise Bad(f"ledger/{path.name} is no file that a log has")
        data = path.read_bytes()
        if len(data) > BYTES_MAX:
            raise Bad(f"ledger/{path.name} is too long")
        document = unique(data)
        names = ("format", "index", "meta_salt", "meta", "content_salt", "content")
        if not isinstance(document, dict) or tuple(document) != names or written(document) != data:
            raise Bad(f"ledger/{path.name} is not written as it should be")
        if document["format"] != _FORMAT or document["index"] != int(index):
            raise Bad(f"ledger/{path.name} is of another format, or another record")
        meta_salt, content_salt = (salt(document[name]) for name in ("meta_salt", "content_salt"))
        meta, content = document["meta"], document["content"]
        if not content:
            raise Bad(f"ledger/{path.name} shows a record without content")
        inner = content_commitment(content.encode(), content_salt)
        made = commitment(meta.encode(), meta_salt, inner)
        return cls(int(index), made, announced(meta, content))


def announced(meta: str, content: str) -> "Succession | None":
    """The succession that a record announces; ``None`` when it is of another type."""
    if unique(meta.encode()).get("event_type") != ROTATED:
        return None
    params = unique(content.encode())["params"]
    if set(params) != {"succession", "authority"}:
        raise Bad("the record of a rotation has other members")
    if type(params["authority"]) is not int:
        raise Bad("the record of a rotation names no authority")
    return Succession.parse(params["succession"])


def salt(text: str) -> bytes:
    """Sixteen bytes in lower-case hexadecimal."""
    data = hexadecimal(text)
    if len(data) != 16:
        raise Bad("a salt has another length")
    return data


def hexadecimal(text: str) -> bytes:
    """Bytes in their only spelling."""
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise Bad("hexadecimal in another spelling")
    return data


def unique(data: bytes) -> Any:
    """JSON whose objects hold each name once."""
    return json.loads(data, object_pairs_hook=_unique)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Bad("a member stands there twice")
    return found


def written(document: dict[str, Any]) -> bytes:
    """The one spelling of a document."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    return text.encode() + b"\n"
