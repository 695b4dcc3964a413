"""5,000 clients on a server that may open 1,024 files, under full load, for a minute.

Those that are in are served, 99 in 100 of them within twice the time that they took before the
crowd came; the others are refused or answered and try again; health checks are answered all along.
"""

import heapq
import itertools
import multiprocessing
import random
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection

from harness.http1 import HOST
from harness.server import Server, bundled_models

OPEN_FILES = 1024
CLIENTS = 5000
SECONDS = 60
CALM_SECONDS = 15
KEPT = 16
RATIO = 2.0

BODY = b'{"inputs":[' + b",".join(b"%d" % (350 + i % 12) for i in range(200)) + b"]}"
QUESTION = b"POST /models/co2/predict HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s" % (
    len(BODY), BODY)
PROBE = b"GET /readyz HTTP/1.1\r\nhost: x\r\n\r\n"


class Kept:
    """Clients that were there first and ask one question after the other."""

    def __init__(self, port: int) -> None:
        self.times: list[float] = []
        self.failures: Counter[str] = Counter()
        self.ends = False
        self.sockets = [socket.create_connection((HOST, port), timeout=60) for _ in range(KEPT)]
        self.threads = [threading.Thread(target=self._ask, args=(s,)) for s in self.sockets]
        for thread in self.threads:
            thread.start()

    def _ask(self, client: socket.socket) -> None:
        while not self.ends:
            start = time.monotonic()
            try:
                client.sendall(QUESTION)
                answer = client.recv(65536)
            except OSError as error:
                self.failures[type(error).__name__] += 1
                return
            if answer[9:12] != b"200":
                self.failures[answer[9:12].decode("latin-1") or "closed"] += 1
                if not answer:
                    return
            self.times.append(time.monotonic() - start)

    def during(self, seconds: float) -> tuple[int, float]:
        """How many questions were answered in so many seconds, and the time of the slowest 1 %."""
        first = len(self.times)
        time.sleep(seconds)
        times = sorted(self.times[first:])
        return len(times), times[len(times) * 99 // 100] if times else float("inf")

    def end(self) -> None:
        """Lets the last answers come."""
        self.ends = True
        for thread in self.threads:
            thread.join()
        for client in self.sockets:
            client.close()


def crowd(port: int, seconds: float, results: Connection) -> None:
    """Clients that connect, ask, and ask again after a second or three, or connect anew then."""
    selector, outcomes = selectors.DefaultSelector(), Counter[str]()
    due: list[tuple[float, int, socket.socket | None]] = []
    order = itertools.count()
    end = time.monotonic() + seconds

    def later(client: socket.socket | None, soonest: float = 1.0) -> None:
        when = time.monotonic() + random.uniform(soonest, soonest + 2)
        heapq.heappush(due, (when, next(order), client))

    for _ in range(CLIENTS):
        later(None, soonest=0)
    while (now := time.monotonic()) < end:
        while due and due[0][0] <= now:
            _, _, client = heapq.heappop(due)
            try:
                if client is None:
                    client = socket.socket()
                    client.setblocking(False)
                    client.connect_ex((HOST, port))
                    selector.register(client, selectors.EVENT_WRITE)
                else:
                    client.send(QUESTION)
                    selector.register(client, selectors.EVENT_READ)
            except OSError as error:
                outcomes[type(error).__name__] += 1
                later(None)
        for key, events in selector.select(0.01):
            client = key.fileobj
            assert isinstance(client, socket.socket)
            try:
                if events & selectors.EVENT_WRITE:
                    client.send(QUESTION)
                    selector.modify(client, selectors.EVENT_READ)
                    continue
                answer = client.recv(65536)
            except OSError as error:
                answer = b""
                outcomes[type(error).__name__] += 1
            selector.unregister(client)
            if answer:
                outcomes[answer[9:12].decode("latin-1")] += 1
            if answer[9:12] == b"200":
                later(client)
            else:
                client.close()
                later(None)
    results.send(dict(outcomes))


def probe(port: int) -> bool:
    """Whether a newcomer's health check is answered."""
    try:
        with socket.create_connection((HOST, port), timeout=20) as client:
            client.sendall(PROBE)
            return client.recv(4096)[9:12] == b"200"
    except OSError:
        return False


def run(binary: str) -> Iterator[str]:
    """Runs it; yields what went wrong."""
    with Server.carousel(binary, bundled_models(), open_files=OPEN_FILES) as server:
        kept = Kept(server.port)
        kept.during(2)
        calm_count, calm = kept.during(CALM_SECONDS)
        receiver, sender = multiprocessing.Pipe()
        process = multiprocessing.Process(target=crowd, args=(server.port, SECONDS, sender))
        process.start()
        probes = Counter[bool]()
        ends = threading.Event()

        def check() -> None:
            while not ends.wait(0.5):
                probes[probe(server.port)] += 1

        checker = threading.Thread(target=check)
        checker.start()
        time.sleep(3)
        count, p99 = kept.during(SECONDS - 5)
        ends.set()
        checker.join()
        outcomes = receiver.recv()
        process.join()
        kept.end()
        if not server.alive():
            yield f"the server ended: {server.output()}"
            return
        print(
            f"  calm: {calm_count / CALM_SECONDS:.0f} answers/s, p99 {calm * 1e3:.1f} ms; beside"
            f" {CLIENTS} clients: {count / (SECONDS - 5):.0f}/s, p99 {p99 * 1e3:.1f} ms, {p99 / calm:.2f} times\n"
            f"  the crowd: {outcomes}; health checks: {probes[True]} answered, {probes[False]} not;"
            f" {server.open_files()} files open, {server.resident_kib() / 1024:.0f} MiB resident",
            flush=True)
        if "Too many open files" in server.output():
            yield "all descriptors were used up, which files and libdispatch need too"
        if kept.failures:
            yield f"those who were in got {dict(kept.failures)}"
        if p99 > RATIO * calm:
            yield f"99 in 100 took {p99 / calm:.2f} times as long as before"
        if probes[False] > len(list(probes.elements())) // 50:
            yield f"{probes[False]} health checks were not answered"
