"""One process that records secrets in every way that the package has; ``test_canaries.py`` starts
it and keeps all that it prints.

    python planting.py SECRETS PLACE MODE [--until-killed]

SECRETS is what ``canaries.py`` reads: ``text`` of a line holds a secret in its surroundings. PLACE
is a data folder, or ``URL SPOOL`` in one word. MODE is that of one event of each, the others are
buffered. Everything that the package says is printed: receipts, errors with their stacks, what it
logs and counts, answers to questions. With ``--until-killed`` it goes on until somebody ends it.
"""

import asyncio
import json
import logging
import sys
import traceback
import warnings

import tachograph
from tachograph import context
from tachograph.callbacks import ForensicCallbackHandler

try:
    from langchain_core.runnables import RunnableLambda

    from tachograph.langchain import Recorder
except ImportError:
    RunnableLambda = None

#: Fields that take any text.
PLACES = (
    "result", "reasoning", "error", "context", "input", "output", "tags", "action", "tool",
    "source", "error_type", "agent_name", "session_id", "on_behalf_of",
)  # fmt: skip


def told(what, act):
    """What an act answers, or how it fails: with the stack, and what it says of itself."""
    try:
        print(what, act())
    except Exception as error:
        print(what, type(error).__name__, repr(error), error, vars(error), traceback.format_exc())


def in_prose(text):
    """Words around a secret, but none where only a pair of members gives it away (``"name":
    "db_password", "value": ...``): that is read where the whole text is JSON, and nowhere else."""
    return "a pair" if '"name":"' in text and '"value":"' in text else f"exitcode: 1 ({text})"


def record(log, number, text, mode):
    """In what is recorded: as a value, a name, text that is JSON, and deep inside."""
    place = PLACES[number % len(PLACES)]
    value = [text[:1000]] if place == "tags" else text
    base = {"event_type": "agent.x", "trace_id": f"t-{number % 50}"}
    told("record", lambda: log.record({**base, place: value}, mode=mode).event_id)
    told("record", lambda: log.record({**base, "params": {text: {"deep": [{"er": [text, 1]}]}}}))
    told("record", lambda: log.record({**base, "x.custom": {"said": json.dumps({"note": text})}}))
    if text.startswith("{"):
        told("record", lambda: log.record({**base, "params": json.loads(text)}))
    told("id", lambda: log.record({**base, "event_id": in_prose(text)}))
    with context.fields(session_id=text[:200], on_behalf_of=text[:200]):
        told("reasoning", lambda: log.log_reasoning("Router", text).seq)
    told("call", lambda: log.log_tool_call("Router", "lookup", {"note": text, text: 1}))
    told("error", lambda: log.log_error("Router", ValueError(text), {"said": [text]}))


def refused(log, text, mode):
    """In what no log takes."""
    name = in_prose(text)
    for event in (
        {"event_type": text},
        {"event_type": "agent.x", "outcome": text},
        {"event_type": "agent.x", text: text, "confidence": text},
        {"event_type": "agent.x", "timestamp": text, "result": text},
        {"event_type": "agent.x", "parent_event_id": [text]},
        {"event_type": "agent.x", "event_id": f"{in_prose(text)} {'x' * 2000}"},
        {"event_type": "agent.x", "cost": {"amount": text, "currency": text}},
        {"event_type": "agent.x", "tokens": {name: text}},
        {"event_type": "agent.x", "params": {text: object()}},
        {"event_type": "agent.x", "params": {"note": text, "bytes": {text.encode()}}},
        text,
        [text],
    ):
        told("refused", lambda event=event: log.record(event, mode=mode))
    told("refused", lambda: log.record(event_type="agent.x", mode=name))
    told("refused", lambda: log.record(event_type="agent.x", tier=text, mode=mode))
    for line in (text, json.dumps(text), json.dumps({"text": text}), json.dumps([text])[:-2]):
        told("refused", lambda line=line: log.submit_ag2(line).wait())


def adapters(log, text):
    """What adapters of frameworks are told."""
    handler = ForensicCallbackHandler("Coder", log)
    told("handler", lambda: handler.on_chat_init(text, said=text).seq)
    told("handler", lambda: handler.on_chain_start({"name": text}, {"question": text}).seq)
    told("handler", lambda: handler.on_code_execution(text, in_prose(text)).seq)
    told("handler", lambda: handler.log_event("noted", {text: text}).seq)
    if RunnableLambda is None:
        return
    chain = RunnableLambda(lambda asked: {"answer": asked, "next": [asked]}, name="Router")
    chain.invoke(text, {"callbacks": [Recorder(log)]})
    try:
        RunnableLambda(fail, name="Router").invoke(text, {"callbacks": [Recorder(log)]})
    except ValueError:
        pass  # it is the agent's own, and says what the agent said


def fail(asked):
    raise ValueError(in_prose(asked))


def intend(log, text):
    """A side effect that fails with the secret in its message."""
    try:
        with log.intent("transfer", {"note": text}, error_type=text):
            raise OSError(in_prose(text))
    except OSError:
        pass  # as above


def ask(log, text):
    """Questions that hold one, most of which make no sense."""
    text = in_prose(text)
    for name in ("text", "agent", "type", "since", "until", "cursor", "tier", "outcome"):
        told(f"events by {name}", lambda name=name: log.events(limit=3, **{name: text}))
    told("trace", lambda: log.trace(text))
    told("proof", lambda: log.proof(text))
    told("verify", lambda: log.verify(key=text))
    told("verify", lambda: log.verify(since=text))


def plant(log, number, text, mode):
    record(log, number, text, mode)
    refused(log, text, mode)
    adapters(log, text)
    intend(log, text)
    if number % 100 == 0:
        ask(log, text)


async def plant_async(log, texts):
    async with tachograph.AsyncLog(log) as log:
        for text in texts:
            for act in (
                lambda: log.log_reasoning("Planner", text),
                lambda: log.record(event_type=text, result=text),
                lambda: log.record(event_type="agent.x", params={text: object()}),
            ):
                try:
                    print("async", await act())
                except Exception as error:
                    print("async", repr(error), error, vars(error), traceback.format_exc())


def opened(place):
    if " " not in place:
        return tachograph.Log.open(place, mode="buffered")
    url, spool = place.split(" ")
    return tachograph.connect(url, token="t", spool=spool, mode="buffered", patience=0.2)


def main():
    # Also what the package says in logs and warnings.
    logging.basicConfig(level=logging.DEBUG)
    logging.captureWarnings(True)
    warnings.simplefilter("always")
    secrets, place, mode = sys.argv[1:4]
    with open(secrets, encoding="utf-8") as file:
        *lines, _ = map(json.loads, file)
    texts = [line["text"] for line in lines]
    log = opened(place)
    while True:
        for number, text in enumerate(texts):
            plant(log, number, text, mode)
            print(f"planted {number}", flush=True)
        if "--until-killed" not in sys.argv:
            break
    told("flush", lambda: log.flush(timeout=5))
    print(log.counts(), log.last_fault, repr(log), log.producer_id)
    told("events", lambda: [*log.events(limit=200)])
    told("closed", lambda: log.close(timeout=0))
    told("closed", lambda: log.record(event_type="agent.x", result=texts[0]))
    asyncio.run(plant_async(opened(place), texts[::10]))


if __name__ == "__main__":
    main()
