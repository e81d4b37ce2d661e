"""The Claude Agent SDK: hooks that record before and after, and the messages that a program reads
for what no hook is told.

    recorder = tachograph.claude_agent.Recorder(log)
    async for message in recorder.query(prompt=question, options=options):
        ...

What is seen, and what is not, stands in docs/python.md.
"""

import contextlib
import dataclasses
from collections.abc import AsyncGenerator
from typing import Any

import claude_agent_sdk as sdk

from tachograph import context as _context
from tachograph._async import AsyncLog
from tachograph._claude_acts import Acts
from tachograph._claude_hooks import Asking, Hooks
from tachograph._claude_messages import Messages
from tachograph._log import Log
from tachograph._teller import Teller
from tachograph.types import Mode

#: Seconds that a hook may take: a log at a server is waited for as long as it says itself.
_TIMEOUT = 600.0
#: What is not done when our hook before it fails.
_REFUSABLE = ("PreToolUse", "UserPromptSubmit")


class Recorder:
    """One for each log; any number of queries and clients at once may use it.

    ``agent_name`` is the main agent's; subagents go by their type. With ``mode="required"`` no
    prompt is taken and no tool is called when that cannot be recorded before: the model is told
    that the tool was denied, and the run goes on.
    """

    def __init__(
        self,
        log: "Log | AsyncLog",
        *,
        agent_name: "str | None" = None,
        mode: "Mode | None" = None,
    ) -> None:
        self._teller = Teller(log, mode)
        self._agent = agent_name

    async def query(
        self, *, prompt: Any, options: Any = None, transport: Any = None
    ) -> AsyncGenerator[Any, None]:
        """``claude_agent_sdk.query``, recorded."""
        watch = self._watch(is_read=True)
        watch.begin()
        options = watch.options(options)
        stream = sdk.query(prompt=prompt, options=options, transport=transport)
        async with contextlib.aclosing(watch.messages.whole(stream)) as messages:
            async for message in messages:
                yield message

    def client(self, options: Any = None, transport: Any = None) -> "Client":
        """A ``ClaudeSDKClient``, recorded."""
        return Client(self._watch(is_read=True), options, transport)

    def options(self, options: Any = None) -> Any:
        """Options with hooks beside one's own, for whoever cannot call ``query`` or ``client``: of
        models, tokens and cost nothing is recorded then."""
        return self._watch(is_read=False).options(options)

    def _watch(self, *, is_read: bool) -> "_Watch":
        acts = Acts(self._teller, self._agent)
        acts.is_read = is_read
        return _Watch(acts)


class Client(sdk.ClaudeSDKClient):
    """A client whose session is recorded; made by ``Recorder.client``."""

    def __init__(self, watch: "_Watch", options: Any, transport: Any) -> None:
        super().__init__(watch.options(options), transport)
        self._watch = watch

    async def connect(self, prompt: Any = None) -> None:
        self._watch.begin()
        await super().connect(prompt)

    async def query(self, prompt: Any, session_id: str = "default") -> None:
        self._watch.acts.outside = _context.current()
        await super().query(prompt, session_id)

    async def receive_messages(self) -> AsyncGenerator[Any, None]:
        stream = self._watch.messages.read(super().receive_messages())
        try:
            async with contextlib.aclosing(stream) as messages:
                async for message in messages:
                    yield message
        except Exception as error:
            self._watch.messages.failed(error)
            raise

    async def disconnect(self) -> None:
        try:
            await super().disconnect()
        finally:
            self._watch.messages.ended()


class _Watch:
    """What is recorded of one connection."""

    def __init__(self, acts: Acts) -> None:
        self.acts = acts
        self.messages = Messages(acts)
        self._hooks = Hooks(acts, self.messages.before_call)

    def begin(self) -> None:
        """What surrounds it from now on counts."""
        self.acts.outside = _context.current()
        self.messages.began()

    def options(self, options: Any) -> Any:
        """A copy of the options that has our hooks, once, and those of before."""
        options = sdk.ClaudeAgentOptions() if options is None else options
        hooks = {kind: self._others(matchers) for kind, matchers in (options.hooks or {}).items()}
        for kind in self._hooks.events:
            is_required = kind in _REFUSABLE and self.acts.teller.mode == "required"
            closed = {"on_failure": "block"} if is_required else {}
            matcher = sdk.HookMatcher(hooks=[self._hooks.on_event], timeout=_TIMEOUT, **closed)
            hooks[kind] = [matcher, *hooks.get(kind, ())]
        ask = options.can_use_tool
        if isinstance(ask, Asking) and ask.log is self._hooks.log:
            ask = ask.ask
        asking = None if ask is None else Asking(self._hooks, ask)
        return dataclasses.replace(options, hooks=hooks, can_use_tool=asking)

    def _others(self, matchers: Any) -> list[Any]:
        """Matchers but for ours: the options may have been through here before."""
        return [one for one in matchers if not any(map(self._is_ours, one.hooks))]

    def _is_ours(self, hook: Any) -> bool:
        owner = getattr(hook, "__self__", None)
        return isinstance(owner, Hooks) and owner.log is self._hooks.log
