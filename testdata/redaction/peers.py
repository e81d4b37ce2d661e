"""Other tools that take secrets or personal data out of text, on the same samples as ours.

    python peers.py SHEET

SHEET has a line of JSON for each sample: its text, its values, and what our redactor made of it; the last line says how
long ours took. `cargo xtask redact-eval --peers` writes it. Every tool is asked as its documentation says, without
models. What counts as found is kinder to them than to us: for ours the whole value must be gone, for them any part.
"""

import json
import logging
import pathlib
import sys
import tempfile
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.ERROR)

GROUPS = ("fixed", "check", "generic", "personal")


def detect_secrets():
    """As it scans a file: what it makes of single strings (`scan --string`) leaves out most of its filters."""
    from detect_secrets.core.scan import scan_file
    from detect_secrets.settings import default_settings

    folder = tempfile.TemporaryDirectory(prefix="tachograph-peers-")
    path = pathlib.Path(folder.name) / "sample.txt"

    def find(text):
        # The folder goes when this function does.
        assert folder
        path.write_text(text, encoding="utf-8")
        for secret in scan_file(str(path)):
            at = text.find(secret.secret_value)
            if at >= 0:
                yield at, at + len(secret.secret_value), 1.0

    return default_settings(), find


def presidio():
    """Every recogniser that works without a model, of every country and language."""
    import presidio_analyzer.predefined_recognizers as predefined
    from presidio_analyzer import LocalRecognizer

    found = {}
    for name in dir(predefined):
        kind = getattr(predefined, name)
        if isinstance(kind, type) and issubclass(kind, LocalRecognizer) and "Recognizer" in name:
            try:
                recogniser = kind()
                list(recogniser.analyze("x", recogniser.supported_entities, None))
                found[name] = recogniser
            except Exception:  # It wants a model, a service or a package that is not there.
                continue

    def find(text):
        for recogniser in found.values():
            for result in recogniser.analyze(text, recogniser.supported_entities, None):
                yield result.start, result.end, result.score

    return None, find


def scrubadub():
    import scrubadub

    scrubber = scrubadub.Scrubber()

    def find(text):
        for filth in scrubber.iter_filth(text):
            yield filth.beg, filth.end, 1.0

    return None, find


def ask(samples, context, find):
    """What a tool finds in all samples, and how long that takes."""
    if context is not None:
        context.__enter__()
    answers, begun = [], time.thread_time()
    for sample in samples:
        try:
            answers.append(list(find(sample["text"])))
        except Exception:  # A text that it cannot read: it found nothing.
            answers.append([])
    seconds = time.thread_time() - begun
    if context is not None:
        context.__exit__(None, None, None)
    return answers, seconds


def places(text, value):
    """Where a value stands, also as JSON writes it."""
    for spelling in (value, json.dumps(value, ensure_ascii=False)[1:-1]):
        at = text.find(spelling)
        if at >= 0:
            return at, at + len(spelling)
    return None


def count(samples, answers, least_score=0.0):
    answers = [[hit[:2] for hit in hits if hit[2] >= least_score] for hits in answers]
    found = {group: [0, 0] for group in GROUPS}
    right = wrong = 0
    for sample, hits in zip(samples, answers):
        where = [(places(sample["text"], value["value"]), value) for value in sample["values"]]
        for place, value in where:
            found[value["group"]][1] += 1
            if place and any(start < place[1] and place[0] < end for start, end in hits):
                found[value["group"]][0] += 1
        for start, end in hits:
            touches = any(place and start < place[1] and place[0] < end for place, _ in where)
            right, wrong = right + touches, wrong + (not touches)
    return found, right, wrong


def row(name, found, right, wrong, megabytes, seconds):
    shares = " | ".join(f"{part / max(whole, 1):.1%}" for part, whole in found.values())
    precision = right / max(right + wrong, 1)
    print(f"| {name} | {shares} | {precision:.1%} | {wrong} | {megabytes / seconds:.2f} MB/s |", flush=True)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        *samples, last = [json.loads(line) for line in file]
    megabytes = sum(len(sample["text"].encode()) for sample in samples) / 1e6
    clean = sum(not sample["values"] for sample in samples)
    print(f"{len(samples)} samples, {clean} of them clean, {megabytes:.1f} MB\n")
    print("| tool | fixed format | check digits | generic | personal | precision | false hits | speed |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    ours = {group: [0, 0] for group in GROUPS}
    for sample in samples:
        for value in sample["values"]:
            ours[value["group"]][0] += value["found"]
            ours[value["group"]][1] += 1
    right, wrong = (sum(sample[key] for sample in samples) for key in ("right", "wrong"))
    row("Tachograph", ours, right, wrong, megabytes, last["seconds"])
    tools = {"detect-secrets": detect_secrets, "presidio-analyzer": presidio, "scrubadub": scrubadub}
    for name, tool in tools.items():
        answers, seconds = ask(samples, *tool())
        # Its guesses have scores, and the user says from which on they count.
        for least in (0.3, 0.5) if tool is presidio else (0.0,):
            shown = f"{name}, score {least}" if least else name
            row(shown, *count(samples, answers, least), megabytes, seconds)


main()
