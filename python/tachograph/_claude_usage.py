"""What a connection of the Claude Agent SDK used: each count once.

Messages tell it twice, and neither way is whole: answers with the counts of their beginning, and
results with sums since the connection began.
"""

from collections.abc import Mapping
from typing import Any

from tachograph._teller import counts

#: In sums, by model.
_SUMS = {
    "input": "inputTokens",
    "output": "outputTokens",
    "cache_read": "cacheReadInputTokens",
    "cache_write": "cacheCreationInputTokens",
}
#: In an answer.
_COUNTS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
}
#: Digits of a cost that mean something.
_DIGITS = 9

_Row = dict[str, Any]


class Usage:
    """What was told, and what is to be told yet: in sums, where there are any."""

    def __init__(self) -> None:
        self._sums: dict[str, dict[str, float]] = {}
        self._cost = 0.0
        #: Answers that no sum has in it, by their id: a part of one repeats its counts.
        self._answers: "dict[str | None, tuple[str, dict[str, int]]]" = {}

    def forget(self) -> None:
        """Sums begin at nothing."""
        self._sums, self._cost = {}, 0.0

    def answered(self, key: "str | None", model: str, usage: "Mapping[str, Any] | None") -> None:
        if usage:
            self._answers[key] = (model, counts(usage, _COUNTS))

    def since(self, message: Any) -> list[_Row]:
        """What was used since the last result: a row for each model."""
        total = float(message.total_cost_usd or 0.0)
        if not message.model_usage:
            cost, self._cost = _difference(total, self._cost), total
            return self.left() + ([_row(None, {}, cost)] if cost else [])
        self._answers.clear()
        self._cost = total
        rows = []
        for model, usage in message.model_usage.items():
            now: dict[str, float] = {**counts(usage, _SUMS), "cost": float(usage.get("costUSD", 0))}
            before = self._sums.get(model, {})
            if any(now.get(name, 0) < value for name, value in before.items()):
                before = {}  # begun anew
            self._sums[model] = now
            used = {name: _difference(value, before.get(name, 0)) for name, value in now.items()}
            cost = used.pop("cost")
            if cost or any(used.values()):
                tokens = {name: int(value) for name, value in used.items()}
                rows.append(_row(model, tokens, cost))
        return rows

    def left(self) -> list[_Row]:
        """What answers say that no result summed up: without one nobody says more."""
        sums: dict[str, dict[str, int]] = {}
        for model, used in self._answers.values():
            known = sums.setdefault(model, {})
            for name, count in used.items():
                known[name] = known.get(name, 0) + count
        self._answers.clear()
        return [_row(model, used, 0.0) for model, used in sums.items()]


def _difference(now: float, before: float) -> float:
    return round(now - before, _DIGITS) if now >= before else now


def _row(model: "str | None", used: dict[str, int], cost: float) -> _Row:
    tokens = dict(used)
    if tokens:
        # Claude counts cached input beside the input; here it is inside.
        cached = tokens.get("cache_read", 0) + tokens.get("cache_write", 0)
        tokens["input"] = tokens.get("input", 0) + cached
        tokens["total"] = tokens["input"] + tokens.get("output", 0)
    return {
        "model": {"responded": model} if model else None,
        "tokens": tokens or None,
        "cost": {"amount": cost, "currency": "USD"} if cost else None,
    }
