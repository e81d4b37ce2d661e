"""What JSON has no word for, as something that it has: one level, the caller goes on from there."""

import dataclasses
import re
from collections.abc import Mapping, Set
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

#: As long as the shortest secret that a rule knows.
_WORD = re.compile(rb"[ -~]{8}")


def plain(value: Any) -> Any:
    """A dictionary, list, text, number, truth value or ``None`` in place of ``value``."""
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return sorted(value, key=repr)
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _of_bytes(bytes(value))
    if isinstance(value, BaseException):
        return {"type": type(value).__name__, "message": str(value)}
    if isinstance(value, type) or callable(value):
        return f"{getattr(value, '__module__', '?')}.{getattr(value, '__qualname__', '?')}"
    for name in ("model_dump", "to_dict"):
        method = getattr(value, name, None)
        if callable(method):
            try:
                return _json_type(method())
            except Exception:  # an object of somebody else's, half made perhaps
                break
    return _text(value)


def _of_bytes(data: bytes) -> dict[str, str]:
    """Hexadecimal would hide a secret from redaction: only what holds no words is written so."""
    text = data.decode("utf-8", "backslashreplace")
    if _WORD.search(data) or text.encode() == data:
        return {"text": text}
    return {"bytes": data.hex()}


def _json_type(value: Any) -> Any:
    return value if isinstance(value, (dict, list, str)) else _text(value)


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__module__}.{type(value).__qualname__}>"
