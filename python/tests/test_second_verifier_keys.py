"""The second verifier on a log whose signing keys took over from each other, beside the first."""

import json
import random
import shutil
import subprocess
from dataclasses import replace

import pytest

pytest.importorskip("cryptography")

from served import PROGRAM  # noqa: E402

import tachograph  # noqa: E402
from tachograph import errors  # noqa: E402
from tachograph_verify import check_document, check_folder  # noqa: E402
from tachograph_verify.notes import Bad, Note  # noqa: E402
from tachograph_verify.trust import Succession, Trust  # noqa: E402

pytestmark = pytest.mark.skipif(not PROGRAM, reason="TACHOGRAPH_PROGRAM names no tacho")


class Rotated:
    """A log with three epochs; what was kept in each, and documents under its last checkpoint."""

    def __init__(self, home):
        self.data, self.kek = home / "data", home / "kek"
        self.vkeys, self.kept, self.checkpoints = [], [], []
        for epoch in range(3):
            with tachograph.Log.open(self.data, kek_file=self.kek) as log:
                if epoch == 0:
                    self.vkeys.append(log.vkeys[0])
                self.kept += [log.log_reasoning("Router", f"{epoch}/{i}") for i in range(20)]
                self.path = log.path
            self.checkpoints.append((self.path / "checkpoint").read_text())
            if epoch < 2:
                self.tacho("keys", "rotate")
                self.checkpoints.append((self.path / "checkpoint").read_text())
        shown = [json.loads(it.read_text()) for it in sorted((self.path / "ledger").glob("*.json"))]
        shown = [it for it in shown if "log.key_rotated" in it["meta"]]
        self.notes = [json.loads(it["content"])["params"]["succession"] for it in shown]
        self.records = [it["index"] for it in shown]
        for note in self.notes:
            self.vkeys.append(Succession.parse(note).new[0].text)
        places = [1, self.records[0], self.kept[25].index, self.kept[-1].index]
        self.documents = [self.tacho("prove", "--evidence", str(place)) for place in places]
        self.documents.append(self.tacho("prove", "--evidence", "--metadata-only", str(places[2])))

    def tacho(self, *words):
        environment = {"TACHO_KEK_FILE": str(self.kek), "HOME": str(self.data.parent)}
        command = [PROGRAM, *words, "--data", str(self.data)]
        return subprocess.run(command, env=environment, capture_output=True, check=True).stdout

    def since(self):
        return "\n".join(json.dumps(it.as_dict()) for it in self.kept)

    def first(self, data, keys, since=""):
        """The report of the first verifier on a log."""
        return tachograph.verify(data, kek_file=self.kek, key=keys, since=since or None)

    def first_verdict(self, data):
        try:
            return self.first(data, self.vkeys[0]).verdict
        except errors.OpenFailed as error:
            return str(error)


@pytest.fixture(scope="module")
def rotated(tmp_path_factory):
    return Rotated(tmp_path_factory.mktemp("rotated"))


def first_of_document(document, keys, folder):
    """The verdict of the first verifier about a document, and its level."""
    file = folder / "document.json"
    file.write_bytes(document)
    words = [word for key in keys for word in ("--key", key)]
    command = [PROGRAM, "verify", str(file), "--format", "json", *words]
    ran = subprocess.run(command, capture_output=True)
    if ran.returncode not in (0, 10, 11):
        return None
    report = json.loads(ran.stdout)
    return report["verdict"], report["level"]


def test_a_log_whose_keys_took_over_holds_and_every_epoch_vouches_for_it(rotated):
    assert len(set(rotated.vkeys)) == 3 and len(rotated.records) == 2
    for key in rotated.vkeys:
        theirs = check_folder(rotated.path, [key], rotated.since())
        ours = rotated.first(rotated.data, key, rotated.since())
        assert (theirs.verdict, theirs.findings, theirs.unassessed) == ("ok", [], [])
        assert (ours.verdict, ours.level, ours["root"]) == ("ok", theirs.level, theirs.root)
        for checkpoint in rotated.checkpoints:
            assert check_folder(rotated.path, [key], checkpoint).verdict == "ok"
            assert rotated.first(rotated.data, key, checkpoint).verdict == "ok"
    assert check_folder(rotated.path).level == "local"


def test_documents_hold_and_no_key_vouches_for_those_before_it(rotated, tmp_path):
    old = json.loads(rotated.documents[0])
    assert len(old["successions"]) == 2
    for document in rotated.documents:
        for keys in ([], *([key] for key in rotated.vkeys)):
            theirs = check_document(document, keys)
            assert theirs.verdict == "ok", (keys, theirs.findings)
            assert (theirs.verdict, theirs.level) == first_of_document(document, keys, tmp_path)
    stranger = "example.org/other+530d903a+AekyeRrm56h"
    assert check_document(rotated.documents[0], [stranger]).verdict == "tampered"
    # A checkpoint from before a rotation, pinned by the key of after it.
    trust = Trust(old["origin"], Succession.parse(rotated.notes[0]).old, [])
    notes = map(Succession.parse, rotated.notes)
    trust.follow(list(zip(rotated.records, notes, strict=True)))
    trust.pinned = trust.epochs[1][1]
    trust.open(rotated.checkpoints[2].encode())
    trust.open_kept(rotated.checkpoints[0].encode())
    with pytest.raises(Bad, match="none of the keys given vouches"):
        trust.open(rotated.checkpoints[0].encode())


def test_keys_are_due_in_their_time_only(rotated):
    trust = Trust(rotated.kept[0].checkpoint.split("\n")[0], [], [])
    first, second = (Succession.parse(note) for note in rotated.notes)
    trust.epochs = [(-1, first.old)]
    trust.follow([(second.record, second), (first.record, first)])
    both = first.old + first.new
    dues = [trust.due(first.record + i) for i in range(3)]
    assert dues == [first.old, both, first.new]
    assert [trust.in_force(size) for size in (0, second.record, second.record + 1)] == [0, 1, 2]
    # Whoever has an old key and signs a later checkpoint with it signs nothing that counts.
    note = rotated.checkpoints[-1]
    text = note.split("\n\n")[0] + "\n"
    expired = text + "\n" + rotated.checkpoints[0].split("\n\n")[1]
    with pytest.raises(Bad):
        trust.open(expired.encode())
    assert Note.parse(note.encode()).text.decode() == text


def test_successions_that_do_not_follow_are_told_apart(rotated):
    first, second = (Succession.parse(note) for note in rotated.notes)
    a, b = rotated.records
    for successions, wrong in [
        ([(b, second)], "epoch 1 is missing"),
        ([(a, first), (a, first)], "begins twice"),
        ([(a + 1, first)], "stands in record"),
        ([(a, first), (b, second), (b, second)], "begins twice"),
        ([(a, first), (a, replace(second, record=a))], "before the one before it"),
        ([(a, first), (b, replace(second, new=first.old))], "brings back a key"),
    ]:
        with pytest.raises(Bad, match=wrong):
            Trust(first.origin, first.old, []).follow(successions)
    with pytest.raises(Bad, match="by others"):
        Trust(first.origin, second.new, []).follow([(a, first)])
    with pytest.raises(Bad, match="another log"):
        Trust("example.org/other", first.old, []).follow([(a, first)])


def test_every_changed_character_of_a_succession_is_found(rotated):
    note = rotated.notes[0]
    for place, old in enumerate(note):
        for new in {"x", "0", "\n", chr(ord(old) ^ 1)} - {old}:
            with pytest.raises((Bad, ValueError)):
                Succession.parse(note[:place] + new + note[place + 1 :])
        with pytest.raises((Bad, ValueError)):
            Succession.parse(note[:place] + note[place + 1 :])


def altered(document, chance):
    """A copy of an evidence document with one thing changed, which may be what trust hangs on."""
    it = json.loads(document)
    shown = it["successions"]
    notes = [json.loads(one["record"]["content"]) for one in shown]
    way = chance.randrange(10)
    if way == 0:
        shown.pop(chance.randrange(len(shown)))
    elif way == 1:
        shown.reverse()
    elif way == 2:
        shown.append(chance.choice(shown))
    elif way == 3:
        lines = notes[0]["params"]["succession"].split("\n")
        it["vkeys"] = [line[4:] for line in lines if line.startswith("new ")]
    elif way == 4:
        proof = it["proof"].split("\n")
        proof.pop(chance.randrange(len(proof)))
        it["proof"] = "\n".join(proof)
    elif way == 5:
        one = chance.choice(shown)["proof"]
        one.pop(chance.randrange(len(one)))
    elif way == 6:
        chance.choice(shown)["entry"] = it["entry"]
    elif way == 7:
        it["successions"] = []
    elif way == 8:
        del it["successions"]
    text = json.dumps(it, ensure_ascii=False).encode()
    if way == 9:
        data = bytearray(text)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
        text = bytes(data)
    return way, text


def test_both_agree_on_altered_documents(rotated, tmp_path):
    chance = random.Random(17)
    for number in range(200):
        document = rotated.documents[number % len(rotated.documents)]
        way, changed = altered(document, chance)
        keys = [rotated.vkeys[number % 3]] if number % 4 else []
        theirs = check_document(changed, keys)
        ours = first_of_document(changed, keys, tmp_path)
        if ours is None:  # too far from a document to be taken for one
            assert theirs.verdict == "tampered", (way, changed)
            continue
        assert ours[0] == theirs.verdict, (way, keys, theirs.findings, ours, changed)
        # Of the order of the successions nothing depends.
        assert way in (1,) or theirs.verdict == "tampered" or ours == (theirs.verdict, theirs.level)


def test_both_find_what_was_changed_in_a_rotated_log(rotated, tmp_path):
    chance = random.Random(23)
    # What log.json says besides the keys, a record commits to that only its keyring opens.
    public = ["checkpoint"]
    public += [str(it.relative_to(rotated.path)) for it in rotated.path.glob("ledger/*.json")]
    for number in range(40):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(rotated.data, copy)
        file = copy / rotated.path.name / public[number % len(public)]
        if number % 5 == 4 and file.parent.name == "ledger":
            file.unlink()
        else:
            data = bytearray(file.read_bytes())
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(7)
            file.write_bytes(data)
        theirs = check_folder(copy / rotated.path.name, rotated.vkeys[:1])
        ours = rotated.first_verdict(copy)
        assert (theirs.verdict == "ok") == (ours == "ok"), (file.name, theirs.findings, ours)
        shutil.rmtree(copy)


def test_an_older_checkpoint_put_back_is_found(rotated, tmp_path):
    """With the ledger that shows a later succession, by whoever has the old key."""
    copy = tmp_path / "copy"
    shutil.copytree(rotated.data, copy)
    (copy / rotated.path.name / "checkpoint").write_text(rotated.checkpoints[0])
    assert check_folder(copy / rotated.path.name, rotated.vkeys[:1]).verdict == "tampered"
    assert rotated.first(copy, rotated.vkeys[0]).verdict == "tampered"
