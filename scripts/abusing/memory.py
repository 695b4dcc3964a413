"""Clients that ask for the most that is to be had, send the most that is taken, and read nothing.

The resident size stays under the bound that MANUAL.md states, short questions are not refused
for want of memory meanwhile, and afterwards the memory is given back. How long they wait is printed
and not judged: that is a matter of the loops' time.
"""

import contextlib
import gzip
import random
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from harness.http1 import request
from harness.http2 import (
    DATA, END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, SETTINGS, frame, head,
)
from harness.server import HOST, Server, bundled_models

MIB = 1 << 20
# The server is told to be small, as it would be in a container of 512 MiB.
MEMORY_MIB = 256
SESSIONS_MIB = 16
# Beside both and what was resident before: the computation's own buffers, connections, and what
# malloc has not given back yet.
REST_MIB = 64
SECONDS = 10
CLIENTS = 100


@dataclass
class Abuse:
    """So many clients, of whom each sends the bytes once, and again while `again`."""

    name: str
    payload: bytes
    clients: int = CLIENTS
    again: bool = False
    # Bytes that each reads a second.
    reads: int = 0


def post(path: str, body: bytes, fields: str = "") -> bytes:
    """A request with a body, and what else stands in its head."""
    lines = f"POST {path} HTTP/1.1\r\nhost: x\r\n{fields}content-length: {len(body)}\r\n\r\n"
    return lines.encode() + body


def streams(count: int, of: list[tuple[int, int, bytes]]) -> bytes:
    """An HTTP/2 connection whose windows stay closed, with these frames on each stream."""
    out = [PREFACE, frame(SETTINGS, 0, 0, b"\x00\x04" + (0).to_bytes(4, "big"))]
    for stream in range(1, 2 * count, 2):
        out += [frame(kind, flags, stream, payload) for kind, flags, payload in of]
    return b"".join(out)


def abuses() -> Iterator[Abuse]:
    """What is done to the server, one after another."""
    tokens = b"[" + b"1," * 65534 + b"1]"
    largest = b'{"inputs":[' + b",".join([tokens] * 3) + b'],"outputs":"all"}'
    yield Abuse("answers of 130 MB, unread", post("/models/kjv/predict", largest))
    yield Abuse("answers of 130 MB, read slowly", post("/models/kjv/predict", largest), reads=4096)
    one = b'{"inputs":[' + b"1," * 65535 + b'1],"outputs":"all"}'
    yield Abuse("answers of 0.7 MB, unread", post("/models/co2/predict", one))
    # Four times the answers asked for at once over each connection.
    yield Abuse("pipelined answers, unread", post("/models/co2/predict", one) * 4)
    many = b'{"inputs":[' + b",".join([tokens] * 120) + b"]}"
    yield Abuse("bodies of 15 MiB", post("/models/co2/predict", many))
    yield Abuse("bodies of 15 MiB, all but a byte", post("/models/co2/predict", many)[:-1])
    noise = bytes(random.choice(b" \t\n\r") for _ in range(260_000))
    padded = b'{"inputs":[1' + noise + b" " * (15 << 20) + b"]}"
    coded = gzip.compress(padded, 9)
    yield Abuse(
        "bodies that inflate to 15 MiB",
        post("/models/co2/predict", coded, "content-encoding: gzip\r\n"))
    nested = b'{"inputs":[' + b"[[1]]," * (2 << 20) + b"[[1]]]}"
    yield Abuse("documents that are large for their bytes", post("/models/co2/predict", nested))
    for path in ("/livez", "/metrics", "/models", "/models/kjv"):
        yield Abuse(f"pipelined GET {path}, unread", request(path, None) * 200, again=True)
    headers = (HEADERS, END_HEADERS, head("POST", "/predict"))
    upload = (DATA, 0, b" " * 16_000)
    yield Abuse("HTTP/2 uploads that do not end", streams(64, [headers] + [upload] * 60), clients=16)
    fields = [(f"a{index}", "x" * 120) for index in range(90)]
    heads = (HEADERS, END_HEADERS, head("POST", "/predict", fields))
    yield Abuse("HTTP/2 heads without bodies", streams(250, [heads]))
    get = (HEADERS, END_HEADERS | END_STREAM, head("GET", "/metrics"))
    yield Abuse("HTTP/2 GET /metrics, windows closed", streams(256, [get]))
    pings = streams(0, []) + frame(PING, 0, 0, b"12345678") * 900
    yield Abuse("HTTP/2 PINGs, unread", pings, again=True)


class Crowd:
    """The clients of one abuse."""

    def __init__(self, abuse: Abuse, port: int, clients: int | None = None) -> None:
        self.abuse = abuse
        self.selector = selectors.DefaultSelector()
        self.sent: dict[socket.socket, int] = {}
        for _ in range(clients or abuse.clients):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((HOST, port))
            client.setblocking(False)
            self.sent[client] = 0
            self.selector.register(client, selectors.EVENT_WRITE)

    def push(self, seconds: float) -> None:
        """Sends what can be sent."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready = self.selector.select(left)
            if not ready:
                continue
            for key, _ in ready:
                self._send(key.fileobj)

    def _send(self, client: socket.socket) -> None:
        payload = self.abuse.payload
        start = self.sent[client]
        try:
            self.sent[client] += client.send(memoryview(payload)[start:start + (256 << 10)])
        except BlockingIOError:
            return
        except OSError:
            self.selector.unregister(client)
            return
        if self.sent[client] == len(payload):
            if self.abuse.again:
                self.sent[client] = 0
            else:
                self.selector.unregister(client)

    def read(self, count: int) -> None:
        """Takes so many bytes from each."""
        for client in self.sent:
            with contextlib.suppress(OSError):
                client.recv(count)

    def peek(self) -> dict[str, int]:
        """How many clients got which status, where it is HTTP/1.1; without reading."""
        statuses: dict[str, int] = {}
        for client in self.sent:
            try:
                status = client.recv(12, socket.MSG_PEEK)[9:12].decode("latin-1")
            except OSError:
                status = "none"
            statuses[status] = statuses.get(status, 0) + 1
        return statuses

    def leave(self) -> None:
        """Hangs up."""
        for client in self.sent:
            client.close()
        self.selector.close()


def short_question(port: int) -> tuple[int, float]:
    """The status of a short question and the seconds that it took."""
    start = time.monotonic()
    try:
        with socket.create_connection((HOST, port), timeout=20) as client:
            client.sendall(post("/models/co2/predict", b'{"inputs":[359.4,359.6]}'))
            answer = client.recv(4096)
    except OSError:
        return 0, time.monotonic() - start
    return int(answer[9:12] or 0), time.monotonic() - start


def run(binary: str) -> Iterator[str]:
    """Runs all abuses against one server; yields what went wrong."""
    options = (
        "--max-memory-bytes", f"{MEMORY_MIB} MiB", "--max-session-bytes", f"{SESSIONS_MIB} MiB",
        "--write-timeout-seconds", "20",
    )
    with Server.carousel(binary, bundled_models(), options=options) as server:
        for _ in range(200):
            short_question(server.port)
        # Models take what they compute with when they first need it.
        warm = Crowd(next(abuses()), server.port, clients=2)
        warm.push(2)
        warm.leave()
        time.sleep(12)
        before = server.resident_kib() / 1024
        bound = before + MEMORY_MIB + SESSIONS_MIB + REST_MIB
        print(f"  resident {before:.0f} MiB before; bound {bound:.0f} MiB")
        for abuse in abuses():
            yield from suffer(server, abuse, bound)
            if not server.alive():
                yield f"the server ended: {server.output()}"
                return
        end = time.monotonic() + 60
        while (after := server.resident_kib() / 1024) > before * 1.2 and time.monotonic() < end:
            time.sleep(0.5)
        held = server.metric("carousel_memory_bytes")
        print(f"  resident {after:.0f} MiB afterwards; {held:.0f} bytes counted")
        if after > before * 1.2:
            yield f"a minute later {after:.0f} MiB are resident, {before:.0f} were before"
        if held > MIB:
            yield f"{held:.0f} bytes are counted with nobody there"


def suffer(server: Server, abuse: Abuse, bound: float) -> Iterator[str]:
    """Runs one abuse; yields what went wrong."""
    crowd = Crowd(abuse, server.port)
    peak, worst, refused, count = 0.0, 0.0, 0, 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and server.alive():
        crowd.push(0.05)
        peak = max(peak, server.resident_kib() / 1024)
        if abuse.reads:
            crowd.read(abuse.reads // 20)
        status, seconds = short_question(server.port)
        worst, count = max(worst, seconds), count + 1
        refused += status == 429
    statuses = crowd.peek()
    crowd.leave()
    print(
        f"  {abuse.name}: at most {peak:.0f} MiB resident; {statuses}; of {count} short questions"
        f" {refused} refused, the slowest took {worst:.2f} s", flush=True)
    if peak > bound:
        yield f"{abuse.name}: {peak:.0f} MiB resident, more than {bound:.0f}"
    if refused > count // 10:
        yield f"{abuse.name}: {refused} of {count} short questions refused"
