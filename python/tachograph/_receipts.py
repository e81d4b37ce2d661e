"""Receipts: waited for beside an event loop, and kept."""

import asyncio
import json
from collections.abc import Iterable

from tachograph._native import Receipt


async def settled(receipt: Receipt) -> Receipt:
    """Waits for a receipt without holding the event loop."""
    if receipt.is_awaited:
        await asyncio.get_running_loop().run_in_executor(None, receipt.wait)
    return receipt


def kept(since: "str | Iterable[Receipt] | None") -> "str | None":
    """What was kept from earlier, as ``verify`` takes it."""
    if since is None or isinstance(since, str):
        return since
    return "\n".join(json.dumps(receipt.as_dict()) for receipt in since)
