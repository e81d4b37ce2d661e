"""Writes the example log of docs/internals/format.md, byte by byte, and every number on the way to it.

What it is: a second writer of format version 1, with the standard library alone, so that the specification
is known to be enough. What it is not: a checker (`tacho verify` reads what is written here), or a source of
keys for anything else: every secret below is the SHA-256 of its own name.

    python3 testdata/vectors/make.py           writes testdata/vectors/example/ and example.json
    python3 testdata/vectors/make.py --check   compares instead
"""

import base64
import hashlib
import hmac
import json
import pathlib
import struct
import sys

HERE = pathlib.Path(__file__).resolve().parent


def secret(name, size=32):
    """A secret that nobody needs to keep."""
    return hashlib.sha256(b"tachograph example: " + name.encode()).digest()[:size]


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


# --- AES-256-GCM (FIPS 197, SP 800-38D), CRC-32C (RFC 3720), Ed25519 (RFC 8032) ------------------------


def _sbox():
    box, p, q = [0x63] * 256, 1, 1
    while True:
        p ^= (p << 1 & 0xFF) ^ (0x1B if p & 0x80 else 0)
        for shift in (1, 2, 4):
            q ^= q << shift & 0xFF
        q ^= 0x09 if q & 0x80 else 0
        box[p] = 0x63
        for turn in range(5):
            box[p] ^= (q << turn | q >> 8 - turn) & 0xFF
        if p == 1:
            return box


SBOX = _sbox()


def _round_keys(key):
    words = [list(key[i : i + 4]) for i in range(0, 32, 4)]
    rcon = 1
    for i in range(8, 60):
        word = list(words[i - 1])
        if i % 8 == 0:
            word = [SBOX[b] for b in word[1:] + word[:1]]
            word[0] ^= rcon
            rcon = rcon << 1 ^ (0x11B if rcon & 0x80 else 0)
        elif i % 8 == 4:
            word = [SBOX[b] for b in word]
        words.append([a ^ b for a, b in zip(words[i - 8], word)])
    return [sum(words[i : i + 4], []) for i in range(0, 60, 4)]


def _double(b):
    return b << 1 & 0xFF ^ (0x1B if b & 0x80 else 0)


def _encrypt_block(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        state = [SBOX[b] for b in state]
        state = [state[(4 * (i // 4) + 5 * (i % 4)) % 16] for i in range(16)]
        if number < 14:
            mixed = []
            for i in range(0, 16, 4):
                column = state[i : i + 4]
                for j in range(4):
                    a, b, c, d = (column[(j + k) % 4] for k in range(4))
                    mixed.append(_double(a) ^ _double(b) ^ b ^ c ^ d)
            state = mixed
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


def _ghash(h, data):
    h, y = int.from_bytes(h, "big"), 0
    for i in range(0, len(data), 16):
        x, v, z = y ^ int.from_bytes(data[i : i + 16], "big"), h, 0
        for bit in range(127, -1, -1):
            if x >> bit & 1:
                z ^= v
            v = v >> 1 ^ (0xE1 << 120 if v & 1 else 0)
        y = z
    return y.to_bytes(16, "big")


def seal(key, nonce, associated, plain):
    """Ciphertext, then the 16-byte tag."""
    keys = _round_keys(key)
    stream = b"".join(
        _encrypt_block(keys, nonce + struct.pack(">I", 2 + i)) for i in range(-(-len(plain) // 16))
    )
    cipher = bytes(a ^ b for a, b in zip(plain, stream))
    pad = lambda data: data + bytes(-len(data) % 16)  # noqa: E731
    lengths = struct.pack(">QQ", 8 * len(associated), 8 * len(cipher))
    digest = _ghash(_encrypt_block(keys, bytes(16)), pad(associated) + pad(cipher) + lengths)
    mask = _encrypt_block(keys, nonce + struct.pack(">I", 1))
    return cipher + bytes(a ^ b for a, b in zip(digest, mask))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return struct.pack(">I", crc ^ 0xFFFFFFFF)


P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def _recover_x(y):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return x if x % 2 == 0 else P - x


BASE = (_recover_x(BASE_Y), BASE_Y, 1, _recover_x(BASE_Y) * BASE_Y % P)


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _multiply(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


def _compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def ed25519(seed, message):
    """The public key and the signature."""
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
    public = _compress(_multiply(scalar, BASE))
    number = lambda *parts: int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")  # noqa: E731
    r = number(digest[32:], message) % ORDER
    start = _compress(_multiply(r, BASE))
    s = (r + number(start, public, message) * scalar) % ORDER
    return public, start + s.to_bytes(32, "little")


# --- The log --------------------------------------------------------------------------------------------

LOG_ID = secret("log id", 16)
ORIGIN = "log.example/format"
CREATED_MS = 1_767_225_600_000  # 2026-01-01T00:00:00Z
NAMES = [(1, "log-signing"), (3, "stream-secret"), (4, "redaction-secret"), (5, "idempotency-secret"), (6, "journal")]
SECRETS = {purpose: secret(name) for purpose, name in NAMES}
KEY_IDS = {purpose: secret(name + " id", 16) for purpose, name in NAMES}
KEK = secret("kek")
JOURNAL = f"journal/{0:020}.journal"


def key_text(public):
    """The verifier key of the log (C2SP signed-note), and its id."""
    key_id = sha256(ORIGIN.encode(), b"\n\x01", public)[:4]
    return f"{ORIGIN}+{key_id.hex()}+{base64.b64encode(bytes([1]) + public).decode()}", key_id


VKEY, KEY_ID = key_text(ed25519(SECRETS[1], b"")[0])

LOG_JSON = (
    json.dumps(
        {
            "format": 1,
            "log_id": LOG_ID.hex(),
            "name": "example",
            "origin": ORIGIN,
            "created": "2026-01-01T00:00:00.000000000Z",
            "keys": [VKEY],
        },
        indent=2,
    )
    + "\n"
).encode()

# What a producer sends. `principal` is not its to say, `mood` is no field, `error` is absent.
SENT = (
    '{"event_type": "agent.tool_call", "timestamp": 1767225600.25, "agent_name": "b\\u00f6b", "session_id": "s-1",'
    ' "tool": "mcp:look\\"up", "phase": "intent", "confidence": 1, "token_count": 14, "cost": {"amount": 0.00120,'
    ' "currency": "USD"}, "error": null, "principal": {"subject": "me"}, "params": { "row": [7, 8.0] }, "mood": "calm",'
    ' "event_id": "e-1", "tags": ["demo"]}'
)
META = (
    '{"schema":"tachograph.event/1","event_id":"e-1","event_type":"agent.tool_call",'
    '"timestamp":"2026-01-01T00:00:00.250000000Z","agent_name":"böb","session_id":"s-1","tool":"mcp:look\\"up",'
    '"phase":"intent","confidence":1.0,"tokens":{"total":14},"cost":{"amount":0.00120,"currency":"USD"},'
    '"assurance":"acknowledged","tags":["demo"]}'
)
CONTENT = '{"params":{"row":[7,8.0]},"attributes":{"principal":{"subject":"me"},"mood":"calm"}}'


def life(kind, number, params):
    """The two texts of a record of the log's own life."""
    event_id = f"019b76da-a800-7000-8000-{number:012x}"
    meta = {"schema": "tachograph.event/1", "event_id": event_id, "event_type": kind, "source": "system"}
    compact = lambda value: json.dumps(value, separators=(",", ":"))  # noqa: E731
    return compact(meta), compact({"params": params})


CREATED = life("log.created", 0, {"origin": ORIGIN, "log_json_sha256": sha256(LOG_JSON).hex()})
STARTED = life("log.started", 1, {"size": 1, "version": "0.1.0", "keyring_generation": 1})
STOPPED = life("log.stopped", 3, {"size": 3})
LIFE, EVENT, CRITICAL, INFO = 1, 0, 3, 1

# Kind, tier, record time, stream kind and text, sequence, metadata, content; one list a frame.
FRAMES = [
    [(LIFE, CRITICAL, CREATED_MS, b"l", b"", 1, *CREATED)],
    [
        (LIFE, CRITICAL, CREATED_MS + 500, b"l", b"", 2, *STARTED),
        (EVENT, INFO, CREATED_MS + 500, b"s", b"s-1", 1, META, CONTENT),
    ],
    [(LIFE, CRITICAL, CREATED_MS + 900, b"l", b"", 3, *STOPPED)],
]


def node(left, right):
    return sha256(b"\x01", left, right)


def keyring():
    generation = struct.pack(">Q", 1)
    wrap = mac(KEK, b"tachograph/keyring/wrap/v1\0", LOG_ID, generation)
    kek_id = mac(KEK, b"tachograph/kek/id/v1")[:8]
    out = b"TACHOKEY" + struct.pack(">HBB", 1, 1, 0) + kek_id + LOG_ID + generation + bytes(28)
    out += struct.pack(">I", len(NAMES))
    for purpose, name in NAMES:
        head = KEY_IDS[purpose] + bytes([purpose]) + struct.pack(">Q", CREATED_MS)
        nonce = secret(name + " nonce", 12)
        out += head + nonce + seal(wrap, nonce, b"tachograph/keyring/entry/v1\0" + LOG_ID + head, SECRETS[purpose])
    return out + mac(mac(KEK, b"tachograph/keyring/mac/v1\0", LOG_ID), out)


def build():
    """Every file of the folder, and what stands in example.json."""
    header = b"TACHOJNL" + struct.pack(">II", 1, 0) + LOG_ID + KEY_IDS[6] + struct.pack(">QI", 0, 0)
    header += crc32c(header)
    journal, entries, leaves, shown = header, [], [], []
    for frame in FRAMES:
        first = len(entries)
        payload = leaves[-1] if leaves else bytes(32)
        for kind, tier, time_ms, stream_kind, stream_text, sequence, meta, content in frame:
            index, meta, content = len(entries), meta.encode(), content.encode()
            day = struct.pack(">Q", time_ms // 86_400_000)
            stream = mac(SECRETS[3], day, stream_kind, stream_text)[:16]
            salts = secret(f"meta salt {index}", 16), secret(f"content salt {index}", 16)
            meta_commitment = sha256(b"tachograph/meta/v1\0", salts[0], meta)
            content_commitment = sha256(b"tachograph/content/v1\0", salts[1], content)
            commitment = sha256(b"tachograph/record/v1\0", meta_commitment, content_commitment)
            previous = leaves[-1] if leaves else bytes(32)
            placed = struct.pack(">Q", time_ms) + stream + struct.pack(">Q", sequence)
            entry = bytes([1, kind, tier, 0, 0, 0, 0, 0]) + placed + previous + commitment
            record = bytes([kind, tier, 0, 0]) + placed + salts[0] + salts[1]
            record += struct.pack(">II", len(meta), len(content)) + meta + content
            entries.append(entry)
            leaves.append(sha256(b"\0", entry))
            payload += record
            shown.append(
                {
                    "index": index,
                    "meta": meta.decode(),
                    "content": content.decode(),
                    "meta_salt": salts[0].hex(),
                    "content_salt": salts[1].hex(),
                    "meta_commitment": meta_commitment.hex(),
                    "content_commitment": content_commitment.hex(),
                    "commitment": commitment.hex(),
                    "stream_input": (day + stream_kind + stream_text).hex(),
                    "record": record.hex(),
                    "entry": entry.hex(),
                    "leaf_hash": leaves[-1].hex(),
                }
            )
        nonce = secret(f"frame {first} nonce", 12)
        head = b"TJF1" + struct.pack(">IQIQ", len(payload) + 16, first, len(frame), len(journal)) + nonce
        body = seal(SECRETS[6], nonce, header + head, payload)
        journal += head + crc32c(head + body) + body
    root = node(node(leaves[0], leaves[1]), node(leaves[2], leaves[3]))
    head = f"{ORIGIN}\n{len(entries)}\n{base64.b64encode(root).decode()}\n"
    signature = ed25519(SECRETS[1], head.encode())[1]
    note = f"{head}\n\u2014 {ORIGIN} {base64.b64encode(KEY_ID + signature).decode()}\n"
    path = [leaves[3], node(leaves[0], leaves[1])]
    lines = "".join(base64.b64encode(one).decode() + "\n" for one in path)
    event = shown[2]
    evidence = {
        "format": "tachograph.evidence/1",
        "origin": ORIGIN,
        "index": 2,
        "entry": event["entry"],
        "record": {name: event[name] for name in ("meta", "meta_salt", "content", "content_salt")},
        "proof": f"c2sp.org/tlog-proof@v1\nindex 2\n{lines}\n{note}",
        "vkeys": [VKEY],
    }
    folder = f"example/{LOG_ID.hex()}"
    files = {
        "example/kek": f"tachograph-kek-v1:{base64.b64encode(KEK).decode()}\n".encode(),
        "example/event.json": SENT.encode() + b"\n",
        "example/event.evidence.json": json.dumps(evidence, indent=2, ensure_ascii=False).encode(),
        f"{folder}/log.json": LOG_JSON,
        f"{folder}/keyring": keyring(),
        f"{folder}/{JOURNAL}": journal,
        f"{folder}/checkpoint": note.encode(),
        f"{folder}/tile/0/000.p/4": b"".join(leaves),
        f"{folder}/tile/entries/000.p/4": b"".join(b"\x00\x68" + entry for entry in entries),
    }
    vectors = {
        "log_id": LOG_ID.hex(),
        "vkey": VKEY,
        "secrets": {name: SECRETS[purpose].hex() for purpose, name in NAMES},
        "kek": KEK.hex(),
        "sent": SENT,
        "records": shown,
        "root": root.hex(),
        "checkpoint": note,
    }
    files["signature.json"] = (json.dumps(signature_vectors(), indent=1, ensure_ascii=False) + "\n").encode()
    files["example.json"] = (json.dumps(vectors, indent=1, ensure_ascii=False) + "\n").encode()
    return files


def signature_vectors():
    """Section 21: a signed event, as it was sent, as it is stored, and as its log redacted it."""
    seed = secret("agent")
    key = base64.b64encode(ed25519(seed, b"")[0]).decode()
    head = '{"schema":"tachograph.event/1","event_id":"e-1","event_type":"agent.tool_call"'
    head += ',"timestamp":"2026-01-01T00:00:00.250000000Z","agent_name":"planner","tool":"mail"'
    noted = '{"path":"params.to","rule":"email","action":"mask"}'
    later = '{"path":"attributes.note","rule":"iban","action":"mask"}'
    content = '{"params":{"to":"[redacted:email]","cents":1.50},"attributes":{"note":"b\u00f6b",'
    content += '"tachograph.signature_salt":"abcdefghijklmnopabcdefghijklmnop"}}'
    signed = f'{head},"redactions":[{noted}],"tags":["demo"]}}'
    digest = sha256(b"tachograph/signed-content/v1\0", content.encode())
    statement = b"tachograph/event-signature/v1\0" + digest + signed.encode()
    parts = [base64.b64encode(it).decode() for it in (digest, ed25519(seed, statement)[1])]
    text = f"ed25519:{key}:1:{parts[0]}:{parts[1]}"
    received = ',"principal":{"subject":"svc"},"on_behalf_of":"alice","assurance":"acknowledged"'

    def stored(redactions, agent="planner"):
        start = head.replace("planner", agent) + received
        return f'{start},"signature":"{text}","redactions":[{redactions}],"tags":["demo"]}}'

    both = f"{noted},{later}"
    return {
        "seed": seed.hex(),
        "key": f"ed25519:{key}",
        "key_id": sha256(b"tachograph/agent-key/v1\0", base64.b64decode(key))[:8].hex(),
        "content_digest": digest.hex(),
        "statement": statement.hex(),
        "records": [
            {"standing": "valid", "meta": stored(noted), "content": content},
            {"standing": "valid", "meta": stored(noted), "content": None},
            {"standing": "false", "meta": stored(noted), "content": content.replace("1.50", "1.5")},
            {"standing": "false", "meta": stored(noted, "worker"), "content": content},
            {"standing": "content redacted", "meta": stored(both), "content": content.replace("b\u00f6b", "[redacted:iban]")},
            {"standing": "redacted", "meta": stored(both, "[redacted:email]"), "content": content},
        ],
    }


def main():
    # FIPS 197 appendix C.3 and the RFC 8032 test 1, so that a slip here is not taken for a slip elsewhere.
    assert _encrypt_block(_round_keys(bytes(range(32))), bytes.fromhex("00112233445566778899aabbccddeeff")).hex() == (
        "8ea2b7ca516745bfeafc49904b496089"
    )
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
    assert ed25519(seed, b"")[0].hex().startswith("d75a980182b10ab7")
    assert crc32c(b"123456789").hex() == "e3069283"
    stale = []
    for name, data in build().items():
        path = HERE / name
        if "--check" in sys.argv[1:]:
            if not path.is_file() or path.read_bytes() != data:
                stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    if stale:
        sys.exit(f"not what make.py writes: {', '.join(stale)}; run it and read the difference")


if __name__ == "__main__":
    main()
