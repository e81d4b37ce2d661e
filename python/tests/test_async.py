"""The same, without holding the event loop."""

import asyncio

import pytest
from conftest import mine

from tachograph import AsyncLog, errors


def test_awaited_means_durable_and_the_loop_goes_on(data):
    async def work():
        async with await AsyncLog.open(data) as log:
            ticks = 0

            async def tick():
                nonlocal ticks
                while True:
                    ticks += 1
                    await asyncio.sleep(0)

            ticking = asyncio.create_task(tick())
            receipt = await log.log_tool_call("Billing", "pay", {"amount": 5}, "t-1")
            ticking.cancel()
            assert receipt.is_durable and ticks > 1
            receipts = await asyncio.gather(
                *(log.log_reasoning("Router", f"step {i}", "t-2") for i in range(200))
            )
            assert [receipt.seq for receipt in receipts] == list(range(2, 202))
            indexes = [receipt.index for receipt in receipts]
            assert indexes == sorted(indexes)
            async with log.intent("transfer", {"amount": 7}, trace_id="t-3") as act:
                act.result("done")
            trace = await log.trace("t-3")
            assert [event["phase"] for event in trace["events"]] == ["intent", "result"]
            assert await log.verify()
            with pytest.raises(errors.EventRefused):
                await log.record(event_type="")
            return await log.events(limit=None)

    assert len(asyncio.run(work())) > 200


def test_arecord_of_a_log(log):
    receipt = asyncio.run(log.arecord(event_type="agent.x"))
    assert receipt.is_durable and len(mine(log)) == 1
