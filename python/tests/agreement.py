"""Both verifiers on evidence documents, whole and altered: how many, and where they disagree.

    python agreement.py JUDGE COUNT [SEED]

JUDGE is `cargo build -p prove --example judge`. The documents are of a log whose keys took over
twice, which is made first. Needs TACHOGRAPH_PROGRAM, as the tests do.
"""

import collections
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from test_second_verifier_keys import Rotated

from tachograph_verify import check_document

#: Other values of what a member may hold.
ODD = [None, "", "00", 0, 1, -1, 2**64, 1.5, True, [], {}, "x" * 100]
BATCH = 2000


def members(value, path=()):
    """Every place in a document."""
    yield path
    if isinstance(value, (dict, list)):
        inside = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in inside:
            yield from members(member, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def altered(documents, chance):
    """A copy of one of them with some things changed: characters, values, members, their order."""
    whole = chance.choice(documents)
    way = chance.randrange(8)
    if way == 0:
        return "whole", whole
    if way == 1:
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 3)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        return "bits", bytes(data)
    document, other = json.loads(whole), json.loads(chance.choice(documents))
    *path, last = chance.choice([it for it in members(document) if it])
    holder = at(document, path)
    if way == 2:
        holder[last] = chance.choice(ODD)
    elif way == 3:
        del holder[last]
    elif way == 4:
        found = [it for it in members(other) if it]
        holder[last] = at(other, chance.choice(found))
    elif way == 5:
        # The same place of another document.
        try:
            holder[last] = at(other, [*path, last])
        except (KeyError, IndexError, TypeError):
            return "whole", whole
    elif way == 6:
        text = holder[last]
        if isinstance(text, str) and text:
            lines = text.split("\n")
            lines[chance.randrange(len(lines))] = chance.choice(lines)
            if chance.random() < 0.5:
                chance.shuffle(lines)
            holder[last] = "\n".join(lines)
        elif isinstance(text, list):
            chance.shuffle(text)
    else:
        text = holder[last]
        if isinstance(text, str) and text:
            place = chance.randrange(len(text))
            middle = chance.choice(["", text[place] * 2, chr(ord(text[place]) ^ 1), "é", "A"])
            holder[last] = text[:place] + middle + text[place + 1 :]
    spaced = chance.choice([None, (",", ":"), 1])
    options = {"indent": 1} if spaced == 1 else {"separators": spaced}
    text = json.dumps(document, ensure_ascii=chance.random() < 0.5, **options)
    names = ["value", "gone", "mixed", "other document", "lines", "text"]
    return names[way - 2], text.encode("utf-8", "surrogatepass")


def main():
    judge, count, seed = sys.argv[1], int(sys.argv[2]), int((sys.argv[3:] or ["1"])[0])
    chance = random.Random(seed)
    told, apart = collections.Counter(), []
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()
    with tempfile.TemporaryDirectory() as home:
        rotated = Rotated(Path(home))
        trusts = [[], *([key] for key in rotated.vkeys), rotated.vkeys[1:]]
        for done in range(0, count, BATCH):
            cases = [
                (*altered(rotated.documents, chance), chance.choice(trusts))
                for _ in range(min(BATCH, count - done))
            ]
            lines = "".join(f"{' '.join([it.hex(), *keys])}\n" for _, it, keys in cases)
            ran = subprocess.run([judge], input=lines, capture_output=True, text=True, check=True)
            for (way, document, keys), said in zip(cases, ran.stdout.splitlines(), strict=True):
                report = check_document(document, keys)
                theirs = report.verdict
                ours, level = said.lower().split(" ")
                told[way, ours] += 1
                if ours != theirs or (ours == "ok" and level != report.level):
                    apart.append((way, said, theirs, report.findings, keys, document))
    for (way, verdict), number in sorted(told.items()):
        print(f"{way}: {number} {verdict}")
    for it in apart[:20]:
        print("APART:", *it)
    print(f"{sum(told.values())} documents, seed {seed}: {len(apart)} on which the two disagree")
    sys.exit(1 if apart else 0)


if __name__ == "__main__":
    main()
