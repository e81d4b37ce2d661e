"""How an act ended, as fields of an event."""

import asyncio
import traceback
from typing import Any


def outcome_of(error: "BaseException | None") -> str:
    """How an act ended that raised this, or nothing."""
    if error is None:
        return "success"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt, GeneratorExit, SystemExit)):
        return "cancelled"
    return "failure"


def failure(error: "BaseException | str") -> dict[str, Any]:
    """An error as fields of an event."""
    if isinstance(error, str):
        return {"error": {"message": error}}
    said: dict[str, Any] = {"message": str(error)}
    if error.__traceback__ is not None:
        said["stack"] = "".join(traceback.format_exception(error))
    return {"error": said, "error_type": type(error).__name__}
