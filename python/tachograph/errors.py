"""What can go wrong, by what a caller can do about it.

Every sentence says what happened, why, and what to do. None holds a value of an event or a key.
"""


class TachographError(Exception):
    """The base of everything that this package raises."""


class OpenFailed(TachographError):
    """No log was opened."""


class LogNotFound(OpenFailed):
    """There is no log of this name, and none was to be made."""


class LogLocked(OpenFailed):
    """Another process, or another ``Log`` of this one, is writing to the log."""


class LogUnusable(OpenFailed):
    """The log's files, or its redaction policy, are not what they must be."""


class KeyUnavailable(OpenFailed):
    """The key-encryption key is not there, or not the one of this log."""


class NotRecorded(TachographError):
    """The event is not in the log, as far as can be known; an act that it announces must not be
    done."""


class EventRefused(NotRecorded, ValueError):
    """No log takes this event: correct it. ``code`` is stable, ``field`` is a dotted path."""

    def __init__(self, reason: str, code: str = "", field: str = "") -> None:
        super().__init__(f"field `{field}`: {reason}" if field else reason)
        self.reason = reason
        self.code = code
        self.field = field

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return (type(self), (self.reason, self.code, self.field))


class LogUnavailable(NotRecorded):
    """The disk or the spool is full, a write failed, or a server did not acknowledge what is
    required. It is tried again by itself; record it later."""


class QueueFull(NotRecorded):
    """Too many events wait, and the disk takes none."""


class LogClosed(NotRecorded):
    """The log was closed."""


class Forked(NotRecorded):
    """The log belongs to the process that this one was forked from."""


class Timeout(TachographError, TimeoutError):
    """The answer took longer than the caller waits; what was recorded may become durable yet."""


class AskFailed(TachographError):
    """A question has no answer."""


class BadQuestion(AskFailed, ValueError):
    """The question makes no sense."""


class ReadFailed(AskFailed):
    """The log cannot be read (``verify`` says more), or the server does not answer or allow it."""
