"""Clients that mean no good, against a server that runs: bombs, idle connections, those who take for ever.

    python clients.py http://127.0.0.1:7411 TOKEN_FILE PID

Others must be served meanwhile, and the server's memory must not grow by more than 32 MiB for those who only stay, and
by 64 MiB for all of it together (VmHWM of PID: the most it ever had, as Linux counts it). `cargo xtask exporters` starts
the server.
"""

import gzip
import pathlib
import socket
import struct
import sys
import threading
import time

import grpc

MEBIBYTE = 1 << 20
STAYING_MAX = 32 * MEBIBYTE
TOGETHER_MAX = 64 * MEBIBYTE
# The same clients take some mebibytes more or less from run to run; what fails is more than that.
NOISE = 6 * MEBIBYTE
IDLE = 1_000
# A server that is busy with bombs answers others within this time.
OTHERS_MAX_S = 5.0

address, token_file, pid = sys.argv[1:4]
host, port = address.split("://", 1)[1].rsplit(":", 1)
token = pathlib.Path(token_file).read_text().strip()
EVENTS = "/api/v1/logs/main/events"
EVENT = b'{"event_type":"test.hostile"}'


def most_memory():
    """The most memory that the server ever had, in bytes, without pages of files: those are its own code, read when it is
    first needed, and the system may drop them."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    figures = dict(line.split(":", 1) for line in status.splitlines())
    if "VmHWM" not in figures or "RssFile" not in figures:
        sys.exit("no VmHWM, or no RssFile: this needs Linux")
    most, files = (int(figures[name].split()[0]) for name in ("VmHWM", "RssFile"))
    return (most - files) * 1024


def connect():
    return socket.create_connection((host, int(port)), timeout=60)


def head(path, *headers):
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Authorization: Bearer {token}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunked(path, headers, pieces):
    """Sends pieces as chunks until they end or the other side has heard enough; the status, or `closed`."""
    with connect() as connection:
        try:
            connection.sendall(head(path, *headers, "Transfer-Encoding: chunked", "Connection: close"))
            for piece in pieces:
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        try:
            answer = connection.recv(4096)
        except ConnectionResetError:
            answer = b""
        return answer.split(b" ")[1].decode() if answer else "closed"


def gzip_bomb(mebibytes):
    """Members one behind the other: a mebibyte of zeros in a kilobyte, as often as it takes."""
    member = gzip.compress(bytes(MEBIBYTE))
    for _ in range(mebibytes):
        yield member


def lines_bomb(mebibytes):
    """What unfolds to the shortest lines there are, each of which is refused."""
    member = gzip.compress(b"{}\n" * (MEBIBYTE // 3))
    for _ in range(mebibytes):
        yield member


def values_bomb(mebibytes):
    """A list of millions of nothings, each of which takes more room in memory than on the wire."""
    yield gzip.compress(b'{"resourceSpans":[' + b"{}," * (mebibytes * MEBIBYTE // 3) + b"{}]}")


def field(tag, message):
    """A length-delimited field of protobuf."""
    length, prefix = len(message), bytearray([tag << 3 | 2])
    while length > 127:
        prefix.append(length & 127 | 128)
        length >>= 7
    return bytes(prefix) + bytes([length]) + message


def attributes_bomb():
    """A span of a million attributes that hold nothing: two bytes each, and a structure each."""
    span = field(9, b"") * ((2 * MEBIBYTE - 64) // 2)
    yield gzip.compress(field(1, field(2, field(2, span) * 8)))


def zstd_bomb(mebibytes, window=0xFF):
    """One frame of blocks that each say: this byte, 128 KiB of it (RFC 8878, section 3.1.1.2)."""
    yield struct.pack("<IBB", 0xFD2FB528, 0, window)
    block = struct.pack("<I", 1 << 1 | (128 << 10) << 3)[:3] + b"x"
    for _ in range(mebibytes):
        yield block * 8
    yield struct.pack("<I", 1)[:3]


def bombs():
    """Every way in, every packing, more than a body may hold and far more."""
    otlp, protobuf = "/v1/traces", "Content-Type: application/x-protobuf"
    json = "Content-Type: application/json"
    packed = {"gzip": gzip_bomb, "zstd": lambda size: zstd_bomb(size, 0x68), "zstd ": zstd_bomb}
    for coding, bomb in packed.items():
        encoding = f"Content-Encoding: {coding.strip()}"
        for mebibytes in (10, 33, 4 << 10):
            for path, kind in ((EVENTS, json), (otlp, protobuf), (otlp, json)):
                yield f"{coding} {mebibytes} MiB {path} {kind}", path, (encoding, kind), bomb(mebibytes)
    gzipped = "Content-Encoding: gzip"
    yield "lines", EVENTS, (gzipped, json), lines_bomb(31)
    yield "values", otlp, (gzipped, json), values_bomb(31)
    yield "attributes", otlp, (gzipped, protobuf), attributes_bomb()
    nested = gzip.compress(gzip.compress(bytes(64 * MEBIBYTE)))
    yield "nested", EVENTS, (gzipped, json), [nested]
    yield "nested, and said", EVENTS, ("Content-Encoding: gzip, gzip", json), [nested]


def explode():
    # 200: of OTLP, what was not taken is told as partial success.
    refusals = {"200", "400", "408", "413", "415", "422", "503", "closed"}
    for name, path, headers, pieces in bombs():
        status = chunked(path, headers, pieces)
        assert status in refusals, f"{name}: {status}"


def explode_over_grpc():
    channel = grpc.insecure_channel(
        f"{host}:{port}", options=[("grpc.max_send_message_length", -1)], compression=grpc.Compression.Gzip
    )
    method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    call = channel.unary_unary(method, request_serializer=None, response_deserializer=None)
    for mebibytes in (10, 33, 256):
        try:
            call(bytes(mebibytes * MEBIBYTE), metadata=[("authorization", f"Bearer {token}")], timeout=60)
            raise AssertionError(f"{mebibytes} MiB of zeros were taken")
        except grpc.RpcError as error:
            fine = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNAVAILABLE)
            assert error.code() in fine, error
    channel.close()


def frame(kind, flags, stream, payload):
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def miser():
    """Asks a hundred times over HTTP/2, and lets nothing be sent: a window of 0."""
    connection = connect()
    settings = frame(4, 0, 0, struct.pack(">HI", 4, 0))
    path = b"/openapi.json"
    headers = b"\x82\x86\x04" + bytes([len(path)]) + path + b"\x01" + bytes([len(host)]) + host.encode()
    asked = b"".join(frame(1, 5, 2 * number + 1, headers) for number in range(100))
    connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings + asked)
    return connection


class Others(threading.Thread):
    """Somebody who does nothing wrong."""

    def __init__(self):
        super().__init__()
        self.over, self.served, self.slowest, self.failed = threading.Event(), 0, 0.0, []

    def run(self):
        while not self.over.wait(0.05):
            begun = time.monotonic()
            status = chunked(EVENTS, ("Content-Type: application/json",), [EVENT])
            self.slowest = max(self.slowest, time.monotonic() - begun)
            self.served += 1
            # 503 says that it is busy and when to come back; whoever sends events does.
            if status not in ("200", "503"):
                self.failed.append(status)


def main():
    chunked(EVENTS, ("Content-Type: application/json",), [EVENT])
    before = most_memory()
    others = Others()
    others.start()
    idle = [connect() for _ in range(IDLE)]
    for number, connection in enumerate(idle):
        # Half of them begin a request, and never end it.
        if number % 2:
            connection.sendall(head(EVENTS, "Content-Length: 100000")[: 40 + number % 60])
    deaf = [connect() for _ in range(8)]
    for connection in deaf:
        connection.settimeout(1)
        try:
            for _ in range(200):
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n")
        except TimeoutError:
            pass
    deaf += [miser() for _ in range(4)]
    time.sleep(1)
    staying = most_memory() - before
    threads = [threading.Thread(target=explode) for _ in range(3)] + [threading.Thread(target=explode_over_grpc)]
    failures = []
    threading.excepthook = lambda it: failures.append(it.exc_value)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    others.over.set()
    others.join()
    for connection in idle + deaf:
        connection.close()
    bombs_took = most_memory() - before - staying
    print(
        f"hostile clients: {IDLE} connections that stay took {staying / MEBIBYTE:.0f} MiB, bombs "
        f"{bombs_took / MEBIBYTE:.0f} MiB more; {others.served} requests of others meanwhile, the slowest {others.slowest:.2f} s"
    )
    if staying + bombs_took > TOGETHER_MAX:
        print(f"together that is more than the {TOGETHER_MAX // MEBIBYTE} MiB that it should be")
    assert not failures, failures
    assert not others.failed, others.failed
    assert others.served > 10 and others.slowest < OTHERS_MAX_S, (others.served, others.slowest)
    assert staying <= STAYING_MAX and staying + bombs_took <= TOGETHER_MAX + NOISE, "that is too much"


if __name__ == "__main__":
    main()
