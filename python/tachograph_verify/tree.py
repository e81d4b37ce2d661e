"""RFC 6962: leaves, nodes, roots, proofs; the paths of C2SP tiles; entries."""

import hashlib
import struct
from dataclasses import dataclass

from tachograph_verify.notes import Bad

ENTRY_BYTES = 104
TILE_WIDTH = 256
#: The kind of the log's own records.
LOG = 1


def leaf(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of a node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root(hashes: list[bytes]) -> bytes:
    """The root over hashes of one level, left to right."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    while len(hashes) > 1:
        # A last one without a partner goes up as it is: the left subtree is always a full one.
        pairs = [node(*hashes[i : i + 2]) for i in range(0, len(hashes) - 1, 2)]
        hashes = pairs + hashes[len(hashes) & ~1 :]
    return hashes[0]


def root_of_proof(index: int, size: int, hash_: bytes, proof: list[bytes]) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    if index >= size:
        raise Bad("the index is beyond the tree")
    fn, sn, result = index, size - 1, hash_
    for step in proof:
        if sn == 0:
            raise Bad("the proof is too long")
        if fn & 1 or fn == sn:
            result = node(step, result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node(result, step)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise Bad("the proof is too short")
    return result


def path(level: "int | str", number: int, width: int = TILE_WIDTH) -> str:
    """Where a tile lies, or a bundle of entries."""
    digits = f"{number % 1000:03}"
    while number >= 1000:
        number //= 1000
        digits = f"x{number % 1000:03}/{digits}"
    return f"tile/{level}/{digits}" + ("" if width == TILE_WIDTH else f".p/{width}")


@dataclass(frozen=True)
class Entry:
    """The public leaf."""

    kind: int
    tier: int
    time_ms: int
    stream: bytes
    sequence: int
    previous: bytes
    commitment: bytes

    @classmethod
    def decode(cls, data: bytes) -> "Entry":
        if len(data) != ENTRY_BYTES:
            raise Bad("an entry has 104 bytes")
        version, kind, tier, zero, time_ms, stream, sequence, previous, commitment = struct.unpack(
            ">BBB5sQ16sQ32s32s", data
        )
        if version != 1 or kind > 1 or tier > 3 or any(zero):
            raise Bad("not an entry of version 1")
        return cls(kind, tier, time_ms, stream, sequence, previous, commitment)


def commitment(meta: bytes, meta_salt: bytes, content: "bytes | None") -> bytes:
    """What an entry commits to; ``content`` is the commitment to the content."""
    first = hashlib.sha256(b"tachograph/meta/v1\x00" + meta_salt + meta).digest()
    return hashlib.sha256(b"tachograph/record/v1\x00" + first + (content or bytes(32))).digest()


def content_commitment(content: bytes, salt: bytes) -> bytes:
    """The commitment to content."""
    return hashlib.sha256(b"tachograph/content/v1\x00" + salt + content).digest()
