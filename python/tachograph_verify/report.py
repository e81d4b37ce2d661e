"""What was found, and the verdict that follows from it."""

from dataclasses import dataclass, field


@dataclass
class Report:
    """``findings`` are failures, ``unassessed`` what this verifier cannot tell,
    ``notes`` what is worth knowing beside."""

    origin: str = ""
    size: int = 0
    root: str = ""
    is_pinned: bool = False
    findings: list[str] = field(default_factory=list)
    unassessed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def verdict(self) -> str:
        """``ok``, ``tampered`` or ``incomplete``."""
        if self.findings:
            return "tampered"
        return "incomplete" if self.unassessed else "ok"

    @property
    def level(self) -> str:
        """``signed`` when a pinned key signed; otherwise everything agrees, whoever made it."""
        return "signed" if self.is_pinned and not self.findings else "local"
