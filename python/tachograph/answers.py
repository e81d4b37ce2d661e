"""What a log answers. Every answer names the checkpoint that it is true for."""

import json
from typing import Any


class Events(list[dict[str, Any]]):
    """Events in the order asked for, as ``tacho events --format json`` has them."""

    def __init__(self, document: str, unreadable: int) -> None:
        answer = json.loads(document)
        super().__init__(answer["events"])
        #: Origin, size and root of the tree that the answer is true for.
        self.checkpoint: dict[str, Any] = answer["checkpoint"]
        #: Where the next page begins, for ``cursor``; ``None`` when this is all.
        self.next: str | None = answer.get("next")
        #: Records that may belong here and cannot be read: ``verify`` says more.
        self.unreadable = unreadable


class Verification(dict[str, Any]):
    """The report of ``tacho verify --format json``. True only when everything holds."""

    def __bool__(self) -> bool:
        return self.verdict == "ok"

    @property
    def verdict(self) -> str:
        """``ok``, ``tampered`` or ``incomplete``."""
        return str(self["verdict"])

    @property
    def level(self) -> str:
        """How far it was checked: ``local``, ``signed``, ``witnessed``, ``anchored``."""
        return str(self["level"])

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What is wrong, each with its place."""
        return list(self["findings"])
