"""``AsyncLog``: the methods of a log for ``async`` code."""

import asyncio
import os
from collections.abc import Awaitable
from typing import Any

from tachograph._intent import Intent
from tachograph._log import Log, connect
from tachograph._methods import Fields, Methods
from tachograph._native import Receipt
from tachograph._receipts import settled
from tachograph.answers import Events, Verification
from tachograph.types import Mode


class AsyncLog(Methods[Awaitable[Receipt]]):
    """The same for ``async`` code: ``await log.log_tool_call(...)``. Events are numbered in the
    order of the calls, whatever is awaited first."""

    def __init__(self, log: Log) -> None:
        #: The log itself.
        self.log = log

    @classmethod
    async def open(
        cls, data: "str | os.PathLike[str]" = "tachograph-data", **options: Any
    ) -> "AsyncLog":
        """As ``Log.open``."""
        return cls(await asyncio.to_thread(Log.open, data, **options))

    @classmethod
    async def connect(cls, url: str, **options: Any) -> "AsyncLog":
        """As ``tachograph.connect``."""
        return cls(await asyncio.to_thread(connect, url, **options))

    def record(
        self,
        event: "Fields | object | None" = None,
        /,
        *,
        mode: "Mode | None" = None,
        **fields: Any,
    ) -> Awaitable[Receipt]:
        """Records an event; await it to know that it is on disk."""
        return settled(self.log.submit(event, mode=mode, **fields))

    def intent(
        self, tool: str, params: Any = None, *, mode: "Mode | None" = None, **fields: Any
    ) -> "Intent":
        """As ``Log.intent``; use ``async with``."""
        return self.log.intent(tool, params, mode=mode, **fields)

    async def events(self, **question: Any) -> Events:
        """As ``Log.events``."""
        return await asyncio.to_thread(self.log.events, **question)

    async def trace(self, id: str) -> "dict[str, Any] | None":
        """As ``Log.trace``."""
        return await asyncio.to_thread(self.log.trace, id)

    async def verify(self, **options: Any) -> Verification:
        """As ``Log.verify``."""
        return await asyncio.to_thread(lambda: self.log.verify(**options))

    async def flush(self) -> None:
        """As ``Log.flush``."""
        await asyncio.to_thread(self.log.flush)

    async def close(self) -> None:
        """As ``Log.close``."""
        await asyncio.to_thread(self.log.close)

    async def __aenter__(self) -> "AsyncLog":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
