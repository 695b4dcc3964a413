"""Four clients that ask for what takes much of a loop's time, while others ask short questions.

The others' 99th percentile is compared with that without abuse. The generators share the machine's
cores with the server, so the figures are no better than they would be from elsewhere: for
comparison, the others' waits are printed too while as many programs are busy as there are cores,
which ask nothing of the server. Resident sizes are judged by the scenario `memory`.
"""

import contextlib
import gzip
import multiprocessing
import os
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

from abusing.memory import post
from harness.http1 import request
from harness.http2 import (
    END_HEADERS, END_STREAM, HEADERS, PING, PREFACE, SETTINGS, WINDOW_UPDATE, frame, literal,
)
from harness.http2 import head as http2_head
from harness.http2 import request as http2_request
from harness.server import HOST, Server, bundled_models

ABUSERS = 4
OTHERS = 4
SECONDS = 20.0
# Between two questions of one of the others.
PAUSE = 0.004
# What the others may have to wait under abuse, in times of what they wait without.
RATIO = 3.0
# Less than this can't be told from what the machine does meanwhile.
LEAST_MS = 1.0
QUESTION = post("/models/co2/predict", b'{"inputs":[359.4,359.6]}')


@dataclass
class Abuse:
    """What each of the abusers sends, as often as it is taken; HTTP/2 may be sent once a connection."""

    name: str
    payload: bytes
    once: bool = False


def abuses() -> Iterator[Abuse]:
    """What is done to the server, one after another."""
    coded = "content-encoding: gzip\r\n"
    small = gzip.compress(b" " * (1 << 20), 9)
    yield Abuse(f"gzip of {len(small)} bytes", post("/models/co2/predict", small, coded))
    large = gzip.compress(b" " * (15 << 20), 9)
    yield Abuse(f"gzip of {len(large)} bytes", post("/models/co2/predict", large, coded))
    for path in ("/metrics", "/models", "/models/kjv"):
        yield Abuse(f"pipelined GET {path}", request(path, None) * 64)
        # Wide windows, so that nothing but the server holds the answers back.
        begin = PREFACE + frame(SETTINGS, 0, 0, b"\x00\x04" + (1 << 30).to_bytes(4, "big"))
        begin += frame(WINDOW_UPDATE, 0, 0, (1 << 30).to_bytes(4, "big"))
        streams = b"".join(http2_request(stream, path) for stream in range(1, 512, 2))
        yield Abuse(f"256 streams of GET {path}", begin + streams, once=True)
    yield from http2_abuses()
    tokens = b'{"inputs":[' + b"1," * 65535 + b"1]}"
    yield Abuse("sequences of 65,536 steps", post("/models/co2/predict", tokens))
    many = b'{"inputs":[' + b",".join([b"[" + b"1," * 65534 + b"1]"] * 60) + b"]}"
    yield Abuse("bodies of 8 MB", post("/models/co2/predict", many))
    words = b'{"inputs":[' + b",".join([b"[1,2]"] * 4000) + b"]}"
    yield Abuse("bodies of 24 KB, 4,000 sequences", post("/models/co2/predict", words))


def http2_abuses() -> Iterator[Abuse]:
    """Little bytes that unpack to many, and frames that ask for nothing."""
    begin = PREFACE + frame(SETTINGS, 0, 0)
    # A field that enters the table, and an index for it in each byte behind.
    stored = literal(b"x", b"v" * 3900)
    stored = b"\x40" + stored[1:]
    fields = http2_head("GET", "/livez") + stored + b"\xbe" * 12_000
    bomb = begin + frame(HEADERS, END_HEADERS | END_STREAM, 1, fields)
    yield Abuse("HPACK bombs", bomb, once=True)
    small = http2_head("GET", "/livez") + b"\x40\x01x\x01v" + b"\xbe" * 12_000
    bomb = begin + frame(HEADERS, END_HEADERS | END_STREAM, 1, small)
    yield Abuse("HPACK bombs of small fields", bomb, once=True)
    first = http2_head("GET", "/livez") + stored
    again = http2_head("GET", "/livez") + b"\xbe" * 14
    heads = [frame(HEADERS, END_HEADERS | END_STREAM, 1, first)]
    heads += [frame(HEADERS, END_HEADERS | END_STREAM, n, again) for n in range(3, 512, 2)]
    yield Abuse("256 heads that unpack to 55 KB", begin + b"".join(heads), once=True)
    yield Abuse("PINGs", begin + frame(PING, 0, 0, b"12345678") * 1200, once=True)


def abuse(port: int, abuse: Abuse, end: float) -> None:
    """Sends it over ABUSERS connections, reads what comes back, and connects anew where one ends."""
    # It is to take no time from the server and the others that it would not take from elsewhere.
    os.nice(19)
    selector = selectors.DefaultSelector()
    sent: dict[socket.socket, int] = {}
    started: dict[socket.socket, float] = {}

    def connect() -> None:
        client = socket.create_connection((HOST, port))
        client.setblocking(False)
        sent[client], started[client] = 0, time.monotonic()
        selector.register(client, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def leave(client: socket.socket) -> None:
        selector.unregister(client)
        client.close()
        del sent[client], started[client]

    while time.monotonic() < end:
        while len(sent) < ABUSERS:
            connect()
        for key, ready in selector.select(0.1):
            client = key.fileobj
            try:
                if ready & selectors.EVENT_READ and not client.recv(1 << 18):
                    leave(client)
                    continue
                if ready & selectors.EVENT_WRITE:
                    start = sent[client]
                    sent[client] += client.send(
                        memoryview(abuse.payload)[start : start + (1 << 18)])
                    if sent[client] == len(abuse.payload):
                        sent[client] = 0
                        if abuse.once:
                            selector.modify(client, selectors.EVENT_READ)
            except BlockingIOError:
                pass
            except OSError:
                leave(client)
        # A connection whose streams are answered by now makes place for a new one.
        if abuse.once:
            for client in [c for c, begun in started.items() if time.monotonic() - begun > 0.1]:
                leave(client)


def waits(port: int, seconds: float) -> list[float]:
    """How long short questions of OTHERS connections took, in milliseconds, sorted."""
    selector = selectors.DefaultSelector()
    found: list[float] = []
    asked: dict[socket.socket, float] = {}
    due: list[tuple[float, socket.socket]] = []
    for index in range(OTHERS):
        client = socket.create_connection((HOST, port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(client, selectors.EVENT_READ)
        due.append((time.monotonic() + PAUSE * index / OTHERS, client))
    end = time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        for _, client in [entry for entry in due if entry[0] <= now]:
            asked[client] = time.monotonic()
            client.sendall(QUESTION)
        due = [entry for entry in due if entry[0] > now]
        rest = min([end, *(at for at, _ in due)]) - time.monotonic()
        for key, _ in selector.select(max(0.0, rest)):
            client = key.fileobj
            if not client.recv(1 << 16):
                raise SystemExit("the server closed a connection that asked short questions")
            now = time.monotonic()
            found.append((now - asked.pop(client)) * 1000)
            due.append((now + PAUSE, client))
    # Who still waits has waited so long at least.
    found += [(time.monotonic() - at) * 1000 for at in asked.values()]
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return sorted(found)


def busy() -> None:
    """Computes and calls the kernel without end."""
    read, write = os.pipe()
    while True:
        os.write(write, b"x")
        os.read(read, 1)


def beside_busy_programs(port: int) -> list[float]:
    """`waits` while programs that have nothing to do with the server are busy."""
    programs = [
        multiprocessing.Process(target=busy, daemon=True) for _ in os.sched_getaffinity(0)]
    for program in programs:
        program.start()
    try:
        return waits(port, 5)
    finally:
        for program in programs:
            program.kill()
            program.join()


def percentile(sorted_waits: list[float], share: float) -> float:
    """The wait that `share` of them don't exceed."""
    return sorted_waits[min(len(sorted_waits) - 1, int(len(sorted_waits) * share))]


def run(binary: str) -> Iterator[str]:
    """Runs all abuses against one server; yields what went wrong."""
    with Server.carousel(binary, bundled_models()) as server:
        waits(server.port, 1)
        print(f"  resident {server.resident_kib() / 1024:.0f} MiB before")
        busied = beside_busy_programs(server.port)
        print(
            f"  beside busy programs that ask for nothing: p50 {percentile(busied, 0.5):.2f} ms,"
            f" p99 {percentile(busied, 0.99):.2f} ms, worst {busied[-1]:.1f} ms", flush=True)
        for kind in abuses():
            calm = waits(server.port, 5)
            end = time.monotonic() + SECONDS + 1
            abuser = multiprocessing.Process(target=abuse, args=(server.port, kind, end))
            abuser.start()
            time.sleep(0.5)
            disturbed = waits(server.port, SECONDS)
            resident = server.resident_kib() / 1024
            with contextlib.suppress(Exception):
                abuser.join(SECONDS)
            if not server.alive():
                yield f"the server ended: {server.output()}"
                return
            before, after = percentile(calm, 0.99), percentile(disturbed, 0.99)
            ratio = after / max(before, LEAST_MS)
            print(
                f"  {kind.name}: others' p50 {percentile(calm, 0.5):.2f} -> "
                f"{percentile(disturbed, 0.5):.2f} ms, p99 {before:.2f} -> {after:.2f} ms"
                f" ({after / before:.1f} times), worst {calm[-1]:.1f} -> {disturbed[-1]:.1f} ms,"
                f" {len(disturbed)} asked; resident {resident:.0f} MiB", flush=True)
            if ratio > RATIO:
                yield f"{kind.name}: the others' p99 is {ratio:.1f} times what it was"
