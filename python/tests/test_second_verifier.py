"""The second verifier, beside the first one."""

import base64
import hashlib
import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cryptography")

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: E402

import tachograph  # noqa: E402
from tachograph_verify import check_document, check_folder  # noqa: E402
from tachograph_verify.tree import leaf, root, root_of_proof  # noqa: E402

VECTORS = Path(__file__).parents[2] / "testdata/vectors/example"
VKEY = json.loads((VECTORS.parent / "example.json").read_text())["vkey"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A log of 700 entries and more: full tiles, partial ones, and an upper level."""
    folder = tmp_path_factory.mktemp("made")
    with tachograph.Log.open(folder / "data", kek_file=folder / "kek") as log:
        for i in range(700):
            log.log_reasoning("Router", f"step {i}", f"t-{i % 7}", mode="buffered")
        log.flush()
        receipts = [log.log_reasoning("Router", "kept"), log.log_error("Router", "failed")]
    return folder, log.path, log.vkeys, receipts


def test_the_vectors_hold():
    (folder,) = (it for it in VECTORS.iterdir() if it.is_dir())
    report = check_folder(folder, [VKEY])
    assert (report.verdict, report.level, report.size) == ("ok", "signed", 4)
    assert check_folder(folder).level == "local"
    document = (VECTORS / "event.evidence.json").read_bytes()
    assert (check_document(document, [VKEY]).verdict, check_document(document).level) == (
        "ok",
        "local",
    )


def test_every_changed_byte_of_a_document_is_found():
    document = (VECTORS / "event.evidence.json").read_bytes()
    for position in range(len(document)):
        changed = bytearray(document)
        changed[position] ^= 1
        assert check_document(bytes(changed)).verdict == "tampered", (position, changed[position])


def test_what_the_package_writes_both_find_whole(made):
    folder, path, vkeys, receipts = made
    since = "\n".join(json.dumps(receipt.as_dict()) for receipt in receipts)
    theirs = check_folder(path, vkeys, since)
    ours = tachograph.verify(folder / "data", kek_file=folder / "kek", key=vkeys, since=since)
    assert (theirs.verdict, theirs.findings, theirs.unassessed) == ("ok", [], [])
    assert (ours.verdict, ours.level) == (theirs.verdict, theirs.level)
    assert (ours["size"], ours["root"]) == (theirs.size, theirs.root)


def test_both_find_what_was_changed_in_the_public_log(made, tmp_path):
    folder, path, vkeys, _ = made
    chance = random.Random(47)
    public = [
        "checkpoint",
        *(str(it.relative_to(path)) for it in path.glob("tile/**/*") if it.is_file()),
    ]
    assert len(public) > 6
    for number in range(30):
        copy = tmp_path / f"copy-{number}"
        shutil.copytree(folder / "data", copy)
        file = copy / path.name / public[number % len(public)]
        data = bytearray(file.read_bytes())
        place = chance.randrange(len(data))
        data[place] ^= 1 << chance.randrange(8)
        file.write_bytes(data)
        theirs = check_folder(copy / path.name, vkeys)
        ours = tachograph.verify(copy, kek_file=folder / "kek", key=vkeys)
        assert theirs.verdict == "tampered", (file, place)
        assert ours.verdict == "tampered", (file, place, ours)
        shutil.rmtree(copy)


def test_a_signed_checkpoint_of_another_tree_is_found(made, tmp_path):
    """Whoever holds a key signs what they like; the entries do not follow."""
    _, path, _, _ = made
    forged = tmp_path / "forged"
    shutil.copytree(path, forged)
    origin, size, root_ = (path / "checkpoint").read_text().split("\n")[:3]
    key = Ed25519PrivateKey.generate()
    public = b"\x01" + key.public_key().public_bytes_raw()
    id_ = hashlib.sha256(origin.encode() + b"\n" + public).digest()[:4]
    vkey = f"{origin}+{id_.hex()}+{base64.b64encode(public).decode()}"
    identity = json.loads((path / "log.json").read_text()) | {"keys": [vkey]}
    (forged / "log.json").write_text(json.dumps(identity))

    def sign(tree):
        text = f"{origin}\n{size}\n{tree}\n"
        signature = base64.b64encode(id_ + key.sign(text.encode())).decode()
        (forged / "checkpoint").write_text(f"{text}\n— {origin} {signature}\n")
        return check_folder(forged, [vkey])

    assert sign(root_).verdict == "ok"
    other = sign(base64.b64encode(bytes(32)).decode())
    assert other.findings == ["the root of the entries is not the signed one"]


def test_a_log_that_does_not_continue_its_receipts_is_found(made, tmp_path):
    folder, path, vkeys, receipts = made
    shutil.copytree(folder / "data", tmp_path / "data")
    with tachograph.Log.open(tmp_path / "data", kek_file=folder / "kek") as log:
        later = log.log_reasoning("Router", "later")
    since = json.dumps(later.as_dict())
    assert check_folder(log.path, vkeys, since).verdict == "ok"
    assert check_folder(path, vkeys, since).verdict == "tampered"
    forged = receipts[0].as_dict() | {"index": receipts[0].index - 1}
    assert check_folder(path, vkeys, json.dumps(forged)).verdict == "tampered"
    assert check_folder(path, vkeys, later.checkpoint).verdict == "tampered"
    assert check_folder(path, [VKEY]).verdict == "tampered"


def test_proofs_of_small_trees_lead_to_their_roots():
    def prove(index, leaves):
        """The audit path, by the definition in RFC 6962."""
        if len(leaves) == 1:
            return []
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        if index < split:
            return prove(index, leaves[:split]) + [root(leaves[split:])]
        return prove(index - split, leaves[split:]) + [root(leaves[:split])]

    for size in range(1, 40):
        leaves = [leaf(bytes([i])) for i in range(size)]
        for index in range(size):
            found = root_of_proof(index, size, leaves[index], prove(index, leaves))
            assert found == root(leaves)


def test_the_command_says_what_it_did_not_read(made):
    _, path, vkeys, _ = made
    command = [sys.executable, "-m", "tachograph_verify", str(path), "--key", vkeys[0]]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0 and "records, journal and keyring were not read" in ran.stdout
    ran = subprocess.run([*command[:-1], VKEY], capture_output=True, text=True)
    assert ran.returncode == 10 and "none of the keys given" in ran.stdout
