"""C2SP signed notes with Ed25519, verifier keys, and checkpoints."""

import base64
import binascii
import hashlib
import unicodedata
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 1
#: By the type of a key: Ed25519, its cosignatures, ML-DSA-44.
_PUBLIC_BYTES = {ED25519: 32, 4: 32, 6: 1312}
NOTE_BYTES_MAX = 524_288
SIGNATURES_MAX = 100
SIGNATURE_BYTES_MAX = 8192
NAME_BYTES_MAX = 255
# The field's prime: an encoding at or above it is another spelling of a smaller one.
_PRIME = 2**255 - 19
# The points of small order, by y: a key among them signs anything.
_SMALL = {
    0,
    1,
    _PRIME - 1,
    *(
        int.from_bytes(bytes.fromhex(order_8), "little")
        for order_8 in (
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        )
    ),
}


class Bad(Exception):
    """Bytes that are not what the format says."""


#: What reading hostile bytes may raise: another type where a text was to be, or too deep a nesting.
UNREADABLE = (Bad, ValueError, LookupError, TypeError, AttributeError, RecursionError)


def decode(text: str) -> bytes:
    """Base64 of RFC 4648, padded, in its only spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise Bad(f"not base64: {error}") from None
    if base64.b64encode(data).decode() != text:
        raise Bad("base64 in another spelling")
    return data


def decimal(text: str) -> int:
    """A number of 64 bits in its only spelling."""
    if not text.isascii() or not text.isdigit() or len(text) > 20 or str(int(text)) != text:
        raise Bad("not a number in decimal")
    if int(text) >= 2**64:
        raise Bad("the number is too large")
    return int(text)


def is_key_name(name: str) -> bool:
    """Whether a key may be called so."""
    odd = (it.isspace() or it == "+" or unicodedata.category(it) == "Cc" for it in name)
    return 0 < len(name.encode()) <= NAME_BYTES_MAX and not any(odd)


def holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519, strictly: keys of small order and encodings that are not canonical are refused."""
    point = int.from_bytes(public, "little") & (2**255 - 1)
    if len(public) != 32 or point >= _PRIME or point in _SMALL:
        return False
    r = int.from_bytes(signature[:32], "little") & (2**255 - 1)
    if len(signature) != 64 or r >= _PRIME or r in _SMALL:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Key:
    """A verifier key: ``<name>+<hash>+<base64 of type and key>``."""

    text: str
    name: str
    id: bytes
    kind: int
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "Key":
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise Bad("not a vkey")
        name, digest, rest = parts
        data = decode(rest)
        key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
        if not data or key_id.hex() != digest:
            raise Bad("the hash in the vkey is not that of its key")
        if not is_key_name(name):
            raise Bad("the vkey has no name that a key can have")
        if len(data) - 1 != _PUBLIC_BYTES.get(data[0]):
            raise Bad("the vkey is of a type or a length that no key has")
        return cls(text, name, key_id, data[0], data[1:])

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether it signed a message."""
        return holds(self.public, message, signature)


@dataclass(frozen=True)
class Note:
    """The text, with its last newline, and the signature lines: name, key id, signature."""

    text: bytes
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        if len(data) > NOTE_BYTES_MAX:
            raise Bad("the note is too long")
        if any(byte < 0x20 and byte != 0x0A for byte in data):
            raise Bad("the note holds control characters")
        data.decode("utf-8", "strict")
        text, found, lines = data.rpartition(b"\n\n")
        if not found or not lines.endswith(b"\n"):
            raise Bad("not a signed note")
        signatures = []
        for line in lines[:-1].decode("utf-8", "strict").split("\n"):
            parts = line.split(" ")
            if len(parts) != 3 or parts[0] != "—" or not is_key_name(parts[1]):
                raise Bad("not a signature line")
            signed = decode(parts[2])
            if not 4 < len(signed) <= 4 + SIGNATURE_BYTES_MAX:
                raise Bad("a signature has a length that none has")
            signatures.append((parts[1], signed[:4], signed[4:]))
        if len(signatures) > SIGNATURES_MAX:
            raise Bad("too many signatures")
        return cls(text + b"\n", signatures)

    def by(self, key: Key) -> list[bytes]:
        """The signatures that claim to be by a key."""
        return [it for name, id_, it in self.signatures if (name, id_) == (key.name, key.id)]


@dataclass(frozen=True)
class Checkpoint:
    """Origin, size and root."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: bytes) -> "Checkpoint":
        lines = text.decode("utf-8", "strict").split("\n")
        if len(lines) != 4 or lines[3]:
            raise Bad("a checkpoint has three lines")
        origin, size, root = lines[:3]
        data = decode(root)
        if len(data) != 32:
            raise Bad("the root has another length")
        return cls(origin, decimal(size), data)
