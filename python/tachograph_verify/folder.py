"""The public log in a log's folder: signatures, every entry, every tile, receipts."""

import json
from pathlib import Path

from tachograph_verify.ledger import Shown
from tachograph_verify.notes import UNREADABLE, Bad, Key
from tachograph_verify.report import Report
from tachograph_verify.tree import ENTRY_BYTES, LOG, TILE_WIDTH, Entry, leaf, path, root
from tachograph_verify.trust import Trust

_IDENTITY = {"format", "log_id", "name", "origin", "created", "keys"}


def check_folder(folder: Path, keys: "list[str] | None" = None, since: str = "") -> Report:
    """Checks a log's folder. ``keys`` are those that the caller trusts, ``since`` receipts as JSON
    lines, or a checkpoint."""
    report = Report()
    try:
        _Check(folder, report).run([Key.parse(key) for key in keys or []], since)
    except (OSError, *UNREADABLE) as error:
        report.findings.append(str(error) or type(error).__name__)
    return report


class _Check:
    def __init__(self, folder: Path, report: Report) -> None:
        self.folder = folder
        self.report = report
        self.leaves: list[bytes] = []
        self.shown: dict[int, Shown] = {}

    def run(self, pinned: list[Key], since: str) -> None:
        identity = json.loads((self.folder / "log.json").read_bytes())
        if not isinstance(identity, dict) or set(identity) != _IDENTITY or identity["format"] != 1:
            raise Bad("log.json is not what it must be")
        keys = [Key.parse(text) for text in identity["keys"]]
        if any(key.name != identity["origin"] for key in keys):
            raise Bad("a key in log.json has another name than the log")
        trust = Trust(identity["origin"], keys, pinned)
        self._ledger(trust)
        opened = trust.open_published((self.folder / "checkpoint").read_bytes())
        self.report.unassessed += opened.unassessed
        checkpoint = opened.checkpoint
        self.report.origin, self.report.size = checkpoint.origin, checkpoint.size
        self.report.root = checkpoint.root.hex()
        self.report.is_pinned = bool(pinned)
        self._entries(checkpoint.size)
        self._tiles(checkpoint.size)
        if root(self.leaves) != checkpoint.root:
            raise Bad("the root of the entries is not the signed one")
        for index in self.shown:
            if index >= checkpoint.size:
                raise Bad(f"the ledger shows record {index}, behind the checkpoint")
        self._strangers(checkpoint.size)
        self._since(since, trust)

    def _ledger(self, trust: Trust) -> None:
        """What the log shows of its own records; with it who signs now."""
        files = sorted((self.folder / "ledger").glob("*"))
        for shown in map(Shown.read, files):
            self.shown[shown.index] = shown
        of_keys = [(it.index, it.succession) for it in self.shown.values() if it.succession]
        trust.follow(of_keys)

    def _read(self, level: "int | str", number: int, width: int) -> bytes:
        """A tile or bundle: the partial one of the checkpoint, or the full one that overtook it."""
        partial = self.folder / path(level, number, width)
        if width < TILE_WIDTH and not partial.is_file():
            return (self.folder / path(level, number)).read_bytes()
        return partial.read_bytes()

    def _entries(self, size: int) -> None:
        previous, time_ms = bytes(32), 0
        streams: dict[bytes, int] = {}
        for number in range((size + TILE_WIDTH - 1) // TILE_WIDTH):
            width = min(TILE_WIDTH, size - number * TILE_WIDTH)
            data = self._read("entries", number, width)
            if len(data) % (ENTRY_BYTES + 2) or len(data) < width * (ENTRY_BYTES + 2):
                raise Bad(f"bundle {number} has another length")
            for i in range(width):
                at = i * (ENTRY_BYTES + 2)
                index = number * TILE_WIDTH + i
                bytes_ = data[at + 2 : at + 2 + ENTRY_BYTES]
                if data[at : at + 2] != b"\x00\x68":
                    raise Bad(f"record {index}: the length of its entry is wrong")
                entry = Entry.decode(bytes_)
                if entry.previous != previous:
                    raise Bad(f"record {index}: its entry does not name the leaf before")
                if entry.time_ms < time_ms:
                    raise Bad(f"record {index}: record time goes back")
                if entry.sequence != streams.get(entry.stream, 0) + 1:
                    raise Bad(f"record {index}: its stream has a gap")
                self._compare(index, entry)
                previous, time_ms = leaf(bytes_), entry.time_ms
                streams[entry.stream] = entry.sequence
                self.leaves.append(previous)

    def _compare(self, index: int, entry: Entry) -> None:
        shown = self.shown.get(index)
        if shown and (shown.commitment != entry.commitment or entry.kind != LOG):
            raise Bad(f"the ledger shows record {index} otherwise than the log has it")

    def _tiles(self, size: int) -> None:
        """Every tile holds the hashes of what lies below it."""
        level, hashes = 0, self.leaves
        while hashes:
            for number in range((len(hashes) + TILE_WIDTH - 1) // TILE_WIDTH):
                below = hashes[number * TILE_WIDTH : (number + 1) * TILE_WIDTH]
                data = self._read(level, number, len(below))
                if not data.startswith(b"".join(below)) or len(data) > 32 * TILE_WIDTH:
                    raise Bad(f"{path(level, number, len(below))} is not what lies below it")
            full = len(hashes) // TILE_WIDTH
            spans = (hashes[i * TILE_WIDTH : (i + 1) * TILE_WIDTH] for i in range(full))
            hashes = [root(span) for span in spans]
            level += 1

    def _strangers(self, size: int) -> None:
        """Files that the tree does not account for. Partial ones may be of the checkpoint before
        or after."""
        for file in (self.folder / "tile").rglob("*"):
            if not file.is_file():
                continue
            name = file.relative_to(self.folder).as_posix()
            kind, rest = name.removeprefix("tile/").split("/", 1)
            stem, _, partial = rest.partition(".p/")
            number = int("".join(part.removeprefix("x") for part in stem.split("/")))
            width = int(partial) if partial else TILE_WIDTH
            level: "int | str" = kind if kind == "entries" else int(kind)
            if path(level, number, width) != name:
                raise Bad(f"{name} does not belong there")
            if not partial:
                span = 1 if level == "entries" else 256 ** int(level)
                if number * TILE_WIDTH * span >= size:
                    self.report.unassessed.append(f"{name} lies beyond the checkpoint")
            elif level in ("entries", 0):
                self._partial(name, level, number, width)

    def _partial(self, name: str, level: "int | str", number: int, width: int) -> None:
        data = (self.folder / name).read_bytes()
        leaves = self.leaves[number * TILE_WIDTH : number * TILE_WIDTH + width]
        if level == "entries":
            step = ENTRY_BYTES + 2
            there = [leaf(data[i * step + 2 : (i + 1) * step]) for i in range(len(data) // step)]
        else:
            there = [data[i : i + 32] for i in range(0, len(data), 32)]
        if len(there) != width or there[: len(leaves)] != leaves:
            raise Bad(f"{name} holds something else than the log")

    def _since(self, since: str, trust: Trust) -> None:
        if not since.strip():
            return
        if not since.lstrip().startswith("{"):
            self._continues(since, trust)
            return
        for number, line in enumerate(filter(str.strip, since.splitlines()), 1):
            receipt = json.loads(line)
            index = receipt["index"]
            if index >= len(self.leaves) or self.leaves[index].hex() != receipt["leaf_hash"]:
                self.report.findings.append(f"receipt {number}: record {index} is not in the log")
            self._continues(receipt["checkpoint"], trust)

    def _continues(self, note: str, trust: Trust) -> None:
        try:
            earlier = trust.open_kept(note.encode()).checkpoint
        except Bad as error:
            self.report.findings.append(f"what was kept is not signed by this log: {error}")
            return
        if earlier.size > len(self.leaves):
            self.report.findings.append("the log is shorter than it was")
        elif root(self.leaves[: earlier.size]) != earlier.root:
            self.report.findings.append("the log is not the one that was seen before")
