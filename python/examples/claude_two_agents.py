"""Two agents of the Claude Agent SDK, recorded: Router hands a refund over to Billing.

Claude Code is scripted, so this runs anywhere: ``python python/examples/claude_two_agents.py
[DATA]``. With the real one ``query`` has no ``transport``, and the tool is one of an MCP server.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

from claude_agent_sdk import AssistantMessage, ClaudeAgentOptions, TextBlock, Transport

import tachograph
from tachograph.claude_agent import Recorder

BILLING = {"agent_id": "a-1", "agent_type": "Billing"}
HAND = {"subagent_type": "Billing", "prompt": "order 1042 was charged twice"}


class Scripted(Transport):
    """What Claude Code would say to its SDK, without it."""

    def __init__(self) -> None:
        self._said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._hooks: dict[str, Any] = {}

    async def connect(self) -> None: ...

    async def end_input(self) -> None: ...

    async def close(self) -> None: ...

    def is_ready(self) -> bool:
        return True

    async def write(self, data: str) -> None:
        message = json.loads(data)
        if message["type"] == "control_request":
            self._hooks = message["request"]["hooks"]
            said = {"subtype": "success", "request_id": message["request_id"], "response": {}}
            self._said.put_nowait({"type": "control_response", "response": said})
        elif message["type"] == "user":
            self._play = asyncio.create_task(self._script(message["message"]["content"]))
        else:
            self._answered.set_result(message["response"])

    async def read_messages(self) -> AsyncIterator[dict[str, Any]]:
        while True:
            message = await self._said.get()
            yield message
            if message["type"] == "result":
                return

    async def _hook(self, event: str, **fields: Any) -> None:
        told = {"hook_event_name": event, "session_id": "s-1", "cwd": "/", **fields}
        callback = self._hooks[event][0]["hookCallbackIds"][0]
        request = {"subtype": "hook_callback", "callback_id": callback, "input": told}
        self._answered = asyncio.get_running_loop().create_future()
        message = {"type": "control_request", "request_id": event, "request": request}
        self._said.put_nowait(message)
        await self._answered

    async def _script(self, question: str) -> None:
        await self._hook("UserPromptSubmit", prompt=question)
        hand = {"tool_name": "Agent", "tool_input": HAND, "tool_use_id": "c-1"}
        await self._hook("PreToolUse", **hand)
        await self._hook("SubagentStart", **BILLING)
        look = {"tool_name": "get_order", "tool_input": {"order": 1042}, "tool_use_id": "c-2"}
        await self._hook("PreToolUse", **look, **BILLING)
        order = "order 1042: charged twice, 49.90 EUR"
        await self._hook("PostToolUse", **look, **BILLING, tool_response=order)
        await self._hook("SubagentStop", **BILLING, last_assistant_message="Refund it.")
        await self._hook("PostToolUse", **hand, tool_response="Refund it.")
        said = [{"type": "text", "text": "You get 49.90 EUR back."}]
        answer = {"id": "m-1", "model": "claude-sonnet-5", "content": said}
        self._said.put_nowait({"type": "assistant", "session_id": "s-1", "message": answer})
        await self._hook("Stop", last_assistant_message=said[0]["text"])
        used = {"claude-sonnet-5": {"inputTokens": 120, "outputTokens": 9, "costUSD": 0.0005}}
        took = {"duration_ms": 900, "duration_api_ms": 800, "num_turns": 2, "modelUsage": used}
        end = {"type": "result", "subtype": "success", "is_error": False, "session_id": "s-1"}
        self._said.put_nowait({**end, **took})


async def main(data: str) -> None:
    with tachograph.Log.open(data) as log:
        recorder = Recorder(log, agent_name="Router")
        options = ClaudeAgentOptions()
        with tachograph.context.trace() as trace_id:
            question = "I was charged twice for order 1042"
            # The one line: it was ``query`` before.
            async for message in recorder.query(
                prompt=question, options=options, transport=Scripted()
            ):
                for block in message.content if isinstance(message, AssistantMessage) else ():
                    print(block.text if isinstance(block, TextBlock) else "")

        for event in log.trace(trace_id)["events"]:
            tokens = event.get("tokens", {}).get("total", "")
            print(
                f"{event['agent_name']:8} {event['action']:24} {event.get('phase', ''):11} {tokens}"
            )
        report = log.verify()
        print(f"{report.verdict}, {report.level}: {report['size']} records")
        print(f"tacho trace {trace_id} --data {data}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "tachograph-data"))
