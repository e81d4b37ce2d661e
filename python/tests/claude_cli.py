"""Claude Code as its SDK sees it, without it: a transport that plays a script, and speaks the
control protocol for hooks and for leave to call tools as the program does."""

import asyncio
import itertools
import json
import re

from claude_agent_sdk import Transport

MODEL = "claude-sonnet-5"


def text(said):
    return {"type": "text", "text": said}


def thinking(said):
    return {"type": "thinking", "thinking": said, "signature": "x"}


def tool_use(call_id, name, **params):
    return {"type": "tool_use", "id": call_id, "name": name, "input": params}


def usage(input=10, output=1, **more):
    return {"input_tokens": input, "output_tokens": output, **more}


def sums(input, output, cost, *, read=0, write=0):
    """What a result says of a model: since the connection began."""
    counts = {"inputTokens": input, "outputTokens": output, "costUSD": cost}
    return {**counts, "cacheReadInputTokens": read, "cacheCreationInputTokens": write}


class Cli(Transport):
    """``play`` is an async function that gets this; when it returns the program has ended."""

    def __init__(self, play, session="s-7"):
        self.session = session
        #: What tools did, and what hooks and questions were answered.
        self.ran, self.answers = [], []
        self._play = play
        self._out, self._prompts = asyncio.Queue(), asyncio.Queue()
        self._waiting, self._ids = {}, itertools.count()
        self._playing, self._hooks = None, {}

    # The SDK's side.

    async def connect(self):
        pass

    def is_ready(self):
        return True

    async def write(self, data):
        message = json.loads(data)
        if message["type"] == "user":
            await self._prompts.put(message["message"]["content"])
        elif message["type"] == "control_response":
            response = message["response"]
            self._waiting.pop(response["request_id"]).set_result(response)
        elif message["request"]["subtype"] == "initialize":
            self._hooks = message["request"]["hooks"] or {}
            self._reply(message, {"hook_on_failure_supported": True})
            self._playing = asyncio.create_task(self._run())
        else:
            self._reply(message, {})

    def _reply(self, message, said):
        response = {"subtype": "success", "request_id": message["request_id"], "response": said}
        self._out.put_nowait({"type": "control_response", "response": response})

    async def read_messages(self):
        while (message := await self._out.get()) is not None:
            if isinstance(message, Exception):
                raise message
            yield message

    async def end_input(self):
        self._prompts.put_nowait(None)

    async def close(self):
        if self._playing is not None:
            self._playing.cancel()

    async def _run(self):
        try:
            await self._play(self)
        except Exception as error:
            self._out.put_nowait(error)
        self._out.put_nowait(None)

    # The script's side.

    def say(self, type, **fields):
        uuid = f"u-{next(self._ids)}"
        self._out.put_nowait({"type": type, "session_id": self.session, "uuid": uuid, **fields})

    async def request(self, **request):
        id_ = f"r-{next(self._ids)}"
        answer = self._waiting[id_] = asyncio.get_running_loop().create_future()
        message = {"type": "control_request", "request_id": id_, "request": request}
        self._out.put_nowait(message)
        return await answer

    async def hook(self, event, agent=None, **fields):
        """Every hook of an event that is for this tool, at once; what they decide."""
        where = {"session_id": self.session, "cwd": "/desk", "transcript_path": "/desk/s-7.jsonl"}
        who = {} if agent is None else {"agent_id": agent[0], "agent_type": agent[1]}
        told = {**where, "permission_mode": "default", "prompt_id": "p-1", **who}
        told |= {"hook_event_name": event, **fields}
        asked = []
        for matcher in self._hooks.get(event, ()):
            if matcher["matcher"] and not re.fullmatch(matcher["matcher"], told["tool_name"]):
                continue
            for callback in matcher["hookCallbackIds"]:
                asked.append((matcher, self._callback(callback, told)))
        said = await asyncio.gather(*(one for _, one in asked))
        answers = []
        for (matcher, _), response in zip(asked, said, strict=True):
            if response["subtype"] == "success":
                answers.append(response["response"])
            elif matcher.get("onFailure") == "block":
                answers.append({"decision": "block", "reason": response["error"]})
        self.answers += answers
        return [answer for answer in answers if _is_against(answer)]

    def _callback(self, callback, told):
        id_ = told.get("tool_use_id")
        about = {"callback_id": callback, "input": told, "tool_use_id": id_}
        return self.request(subtype="hook_callback", **about)

    async def prompt(self):
        """The next prompt, unless a hook is against it."""
        said = await self._prompts.get()
        against = said is not None and await self.hook("UserPromptSubmit", prompt=said)
        return None if against else said

    def init(self):
        about = {"model": MODEL, "tools": ["Bash"], "mcp_servers": [], "cwd": "/desk"}
        self.say("system", subtype="init", permissionMode="default", **about)

    def answer(self, id_, *blocks, parent=None, usage=None, **more):
        """Each block in a message of its own, with the counts of the beginning in all of them."""
        for block in blocks:
            message = {"id": id_, "model": MODEL, "content": [block], "usage": usage or {}}
            self.say("assistant", message={**message, **more}, parent_tool_use_id=parent)

    def came_back(self, call_id, content, *, parent=None, is_error=False):
        block = {"type": "tool_result", "tool_use_id": call_id, "content": content}
        message = {"role": "user", "content": [{**block, "is_error": is_error}]}
        self.say("user", message=message, parent_tool_use_id=parent)

    async def tool(self, call_id, name, params, run, *, agent=None, parent=None, ask=False):
        """A call, from the hook before it to what the model gets."""
        call = {"tool_name": name, "tool_input": params, "tool_use_id": call_id}
        against = await self.hook("PreToolUse", agent, **call)
        why = "a hook is against it"
        if not against and ask:
            question = {key: call[key] for key in ("tool_name", "tool_input")}
            asking = self.request(subtype="can_use_tool", input=params, **call)
            asked = self.hook("PermissionRequest", agent, **question)
            _, response = await asyncio.gather(asked, asking)
            decision = response.get("response") or {"behavior": "deny"}
            against, why = decision["behavior"] == "deny", decision.get("message")
        if against:
            self.came_back(call_id, why, parent=parent, is_error=True)
            return
        self.ran.append(call_id)
        try:
            said = await run(params)
        except ValueError as error:
            told = {"error": str(error), "is_interrupt": False, "duration_ms": 7}
            await self.hook("PostToolUseFailure", agent, **call, **told)
            self.came_back(call_id, str(error), parent=parent, is_error=True)
            return
        await self.hook("PostToolUse", agent, **call, tool_response=said, duration_ms=7)
        self.came_back(call_id, said, parent=parent)

    async def stop(self, said):
        await self.hook("Stop", stop_hook_active=False, last_assistant_message=said)

    def result(self, **fields):
        took = {"duration_ms": 90, "duration_api_ms": 80, "num_turns": 2, "usage": usage()}
        self.say("result", **{"subtype": "success", "is_error": False, **took, **fields})


def _is_against(answer):
    specific = answer.get("hookSpecificOutput") or {}
    return answer.get("decision") == "block" or specific.get("permissionDecision") == "deny"
