"""Whose signatures on a checkpoint count (format.md, section 17): keys that follow each other."""

from collections.abc import Callable
from dataclasses import dataclass

from tachograph_verify.notes import ED25519, Bad, Checkpoint, Key, Note, decimal

HEADER = "tachograph.local/key-succession/v1"
SUCCESSION_BYTES_MAX = 65_536
_KEYS_MAX = 4

UNCHECKED = "signatures of type {} are not checked here"


@dataclass(frozen=True)
class Succession:
    """A statement that keys of a log take over from others; its Ed25519 signatures hold."""

    origin: str
    epoch: int
    record: int
    old: list[Key]
    new: list[Key]

    @classmethod
    def parse(cls, statement: str) -> "Succession":
        data = statement.encode()
        if len(data) > SUCCESSION_BYTES_MAX:
            raise Bad("the succession is too long")
        note = Note.parse(data)
        header, *lines = note.text.decode("utf-8", "strict").split("\n")
        if header != HEADER or len(lines) < 5 or lines.pop():
            raise Bad("not a succession of keys")
        values = []
        for member, line in zip(("log", "epoch", "record"), lines, strict=False):
            name, found, value = line.partition(" ")
            if name != member or not found:
                raise Bad(f"the succession has no line {member}")
            values.append(value)
        sides: dict[str, list[Key]] = {"old": [], "new": []}
        for line in lines[3:]:
            side, _, key = line.partition(" ")
            if side not in sides or (side == "old" and sides["new"]):
                raise Bad("the succession has another line where its keys stand")
            sides[side].append(Key.parse(key))
        origin, epoch, record = values[0], decimal(values[1]), decimal(values[2])
        made = cls(origin, epoch, record, sides["old"], sides["new"])
        made._check(note)
        return made

    def _check(self, note: Note) -> None:
        if not self.old or max(len(self.old), len(self.new)) > _KEYS_MAX:
            raise Bad("the succession names no keys, or too many")
        if any(key.name != self.origin for key in self.keys):
            raise Bad("a key in the succession has another name than the log")
        if [key.kind for key in self.old] != [key.kind for key in self.new]:
            raise Bad("the succession changes the algorithms")
        signers = [(name, id_) for name, id_, _ in note.signatures]
        if signers != [(key.name, key.id) for key in self.keys]:
            raise Bad("the succession is not signed by each of its keys, in their order")
        for key, (_, _, signature) in zip(self.keys, note.signatures, strict=True):
            if key.kind == ED25519 and not key.verify(note.text, signature):
                raise Bad(f"the signature by {key.id.hex()} under the succession does not hold")

    @property
    def keys(self) -> list[Key]:
        return self.old + self.new


@dataclass
class Opened:
    """A checkpoint, whose Ed25519 signatures on it hold, and what cannot be told."""

    checkpoint: Checkpoint
    note: Note
    signers: list[Key]
    unassessed: list[str]


class Trust:
    """The keys of a log in the order in which they took over, and those that the caller trusts."""

    def __init__(self, origin: str, first: list[Key], pinned: list[Key]) -> None:
        self.origin = origin
        self.pinned = pinned
        #: The record with which each began, and its keys.
        self.epochs: list[tuple[int, list[Key]]] = [(-1, first)]

    def follow(self, successions: list[tuple[int, Succession]]) -> None:
        """Takes successions into account, each with the index of its record, in any order. Where
        nobody says which keys were the first, those are that the earliest succession follows."""
        ordered = sorted(successions, key=lambda it: (it[1].epoch, it[0]))
        if ordered and not self.epochs[0][1]:
            self.epochs[0] = (-1, ordered[0][1].old)
        for at, it in ordered:
            next_, (before, keys) = len(self.epochs), self.epochs[-1]
            if it.origin != self.origin:
                raise Bad(f"the succession in record {at} is of another log")
            if it.record != at:
                raise Bad(f"the succession of record {it.record} stands in record {at}")
            if it.epoch > next_:
                raise Bad(f"epoch {next_} is missing before that of record {at}")
            if it.epoch < next_:
                raise Bad(f"epoch {it.epoch} begins twice, the second time in record {at}")
            if before >= at:
                raise Bad(f"epoch {it.epoch} begins in record {at}, before the one before it")
            if it.old != keys:
                raise Bad(f"the succession in record {at} is by others than those in force")
            if any(self.number_of(key) is not None for key in it.new):
                raise Bad(f"the succession in record {at} brings back a key")
            self.epochs.append((at, it.new))

    def number_of(self, key: Key) -> "int | None":
        """The epoch of a key."""
        found = (number for number, (_, keys) in enumerate(self.epochs) if key in keys)
        return next(found, None)

    def in_force(self, size: int) -> int:
        """The epoch that a checkpoint belongs to."""
        return max(number for number, (record, _) in enumerate(self.epochs) if record < size)

    def due(self, size: int) -> list[Key]:
        """Who must have signed a checkpoint of this size."""
        number = self.in_force(size)
        record, keys = self.epochs[number]
        takes_over = number > 0 and record + 1 == size
        return (self.epochs[number - 1][1] if takes_over else []) + keys

    def open_alone(self, data: bytes) -> Opened:
        """A checkpoint beside which nobody says that keys took over: one of the pinned keys signed
        it, or when there is none anybody known. Lines by others say nothing."""
        opened = self._signed(data)
        if self.pinned and not any(key in opened.signers for key in self.pinned):
            raise Bad("none of the keys given signed the checkpoint")
        return opened

    def open(self, data: bytes) -> Opened:
        """A checkpoint that those who are due signed, and who follow from a pinned key. Lines by
        others say nothing."""
        opened = self._due(data)
        in_force = self.in_force(opened.checkpoint.size)
        self._vouch(opened, lambda number: number <= in_force)
        return opened

    def open_kept(self, data: bytes) -> Opened:
        """The same of an earlier checkpoint of a whole log, which it is compared with: earlier keys
        count, too."""
        opened = self._due(data)
        self._vouch(opened, lambda _: True)
        return opened

    def open_published(self, data: bytes) -> Opened:
        """The same, signed once by each that is due and by nobody else."""
        opened = self.open(data)
        due, lines = self.due(opened.checkpoint.size), opened.note.signatures
        for key in due:
            if len(opened.note.by(key)) != 1:
                raise Bad(f"{key.id.hex()} signed the checkpoint more than once")
        ids = [(key.name, key.id) for key in due]
        others = [name for name, id_, _ in lines if (name, id_) not in ids]
        if others and len(others) == len(due) and set(others) == {self.origin}:
            opened.unassessed.append("other keys may be about to take over")
        elif others:
            raise Bad("the checkpoint has signature lines by others")
        return opened

    def _signed(self, data: bytes) -> Opened:
        note = Note.parse(data)
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != self.origin:
            raise Bad("the checkpoint is of another log")
        known = dict.fromkeys(self.pinned + [key for _, keys in self.epochs for key in keys])
        signers = [key for key in known if note.by(key)]
        unassessed = []
        for key in signers:
            if key.kind != ED25519:
                unassessed.append(UNCHECKED.format(key.kind))
            elif not all(key.verify(note.text, it) for it in note.by(key)):
                raise Bad(f"the signature by {key.name}+{key.id.hex()} does not hold")
        if not signers:
            raise Bad("nobody known signed the checkpoint")
        return Opened(checkpoint, note, signers, unassessed)

    def _due(self, data: bytes) -> Opened:
        opened = self._signed(data)
        for key in self.due(opened.checkpoint.size):
            if key not in opened.signers:
                raise Bad(f"{key.id.hex()} did not sign the checkpoint, and is due at its size")
        return opened

    def _vouch(self, opened: Opened, is_in_time: Callable[[int], bool]) -> None:
        """Trust in a key is trust in those that follow it."""
        for key in self.pinned:
            number = self.number_of(key)
            if is_in_time(number) if number is not None else key in opened.signers:
                return
        if self.pinned:
            raise Bad("none of the keys given vouches for who signed the checkpoint")
