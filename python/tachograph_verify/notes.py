"""C2SP signed notes with Ed25519, verifier keys, and checkpoints."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ED25519 = 1
NOTE_BYTES_MAX = 524_288
SIGNATURES_MAX = 100
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


def decode(text: str) -> bytes:
    """Base64 of RFC 4648, padded, in its only spelling."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, binascii.Error) as error:
        raise Bad(f"not base64: {error}") from None
    if base64.b64encode(data).decode() != text:
        raise Bad("base64 in another spelling")
    return data


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
        return cls(text, name, key_id, data[0], data[1:])

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Strictly: keys of small order and encodings that are not canonical are refused."""
        point = int.from_bytes(self.public, "little") & (2**255 - 1)
        if len(self.public) != 32 or point >= _PRIME or point in _SMALL:
            return False
        r = int.from_bytes(signature[:32], "little") & (2**255 - 1)
        if len(signature) != 64 or r >= _PRIME or r in _SMALL:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Note:
    """The text, with its last newline, and the signature lines: name, key id, signature."""

    text: bytes
    signatures: list[tuple[str, bytes, bytes]]

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        if len(data) > NOTE_BYTES_MAX:
            raise Bad("the note is too long")
        text, found, lines = data.rpartition(b"\n\n")
        if not found or not lines.endswith(b"\n"):
            raise Bad("not a signed note")
        signatures = []
        for line in lines[:-1].decode("utf-8", "strict").split("\n"):
            parts = line.split(" ")
            if len(parts) != 3 or parts[0] != "—":
                raise Bad("not a signature line")
            signed = decode(parts[2])
            if len(signed) < 5:
                raise Bad("a signature is too short")
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
        if not size.isascii() or not size.isdigit() or str(int(size)) != size:
            raise Bad("the size is no number")
        data = decode(root)
        if len(data) != 32:
            raise Bad("the root has another length")
        return cls(origin, int(size), data)


def open_checkpoint(data: bytes, keys: list[Key]) -> tuple[Checkpoint, list[str], list[str]]:
    """A checkpoint, what is wrong with its signatures, and what cannot be told."""
    note = Note.parse(data)
    checkpoint = Checkpoint.parse(note.text)
    wrong, unknown = [], []
    for key in keys:
        found = note.by(key)
        if len(found) != 1:
            wrong.append(f"the checkpoint has {len(found)} signatures by {key.name}+{key.id.hex()}")
        elif key.kind != ED25519:
            unknown.append(f"a signature of type {key.kind} is not checked here")
        elif not key.verify(note.text, found[0]):
            wrong.append(f"the signature by {key.name}+{key.id.hex()} does not hold")
    if len(note.signatures) != len(keys):
        wrong.append("the checkpoint has signature lines by others")
    return checkpoint, wrong, unknown
