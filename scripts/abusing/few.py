"""200 clients on a server that may open 64 files.

Nobody who was answered once is dropped; with all of them connected and silent the server rests; and once they are
gone everybody is served.
"""

import socket
import time
from collections import Counter
from collections.abc import Iterator

from abusing.descriptors import PROBE, QUESTION
from harness.http1 import HOST
from harness.server import Server, bundled_models

OPEN_FILES = 64
CLIENTS = 200
ROUNDS = 20
IDLE_SECONDS = 10
# Of one core, while nothing happens.
MOST_IDLE_SHARE = 0.01


def ask(client: socket.socket, question: bytes = QUESTION, seconds: float = 20.0) -> str:
    """The status of the answer; `closed`, or `silent` where none came."""
    client.settimeout(seconds)
    try:
        client.sendall(question)
        answer = client.recv(65536)
    except TimeoutError:
        return "silent"
    except OSError:
        return "closed"
    return answer[9:12].decode("latin-1") if answer else "closed"


def run(binary: str) -> Iterator[str]:
    """Runs it; yields what went wrong."""
    with Server.carousel(binary, bundled_models(), open_files=OPEN_FILES) as server:
        clients = [socket.create_connection((HOST, server.port), timeout=20) for _ in range(CLIENTS)]
        first = [ask(client, seconds=5) for client in clients]
        taken = [client for client, status in zip(clients, first) if status == "200"]
        # Those that were refused come again, and again, while the others ask.
        again, dropped, probes = Counter[str](), Counter[str](), Counter[str]()
        for _ in range(ROUNDS):
            dropped.update(status for status in map(ask, taken) if status != "200")
            with socket.create_connection((HOST, server.port), timeout=20) as client:
                again[ask(client)] += 1
            with socket.create_connection((HOST, server.port), timeout=20) as client:
                probes[ask(client, PROBE)] += 1
        time.sleep(3)
        before = server.processor_seconds()
        time.sleep(IDLE_SECONDS)
        share = (server.processor_seconds() - before) / IDLE_SECONDS
        still = Counter(ask(client) for client in taken)
        for client in clients:
            client.close()
        time.sleep(1)
        after = Counter[str]()
        for _ in range(CLIENTS):
            with socket.create_connection((HOST, server.port), timeout=20) as client:
                after[ask(client)] += 1
        print(
            f"  {CLIENTS} clients: {dict(Counter(first))}; of those answered {dict(dropped)} were dropped in"
            f" {ROUNDS} rounds; newcomers meanwhile: {dict(again)}, health checks {dict(probes)};"
            f" {share:.2%} of a core with nothing to do; then the first again: {dict(still)};"
            f" once all were gone: {dict(after)}; {server.open_files()} files open",
            flush=True)
        if not taken:
            yield "nobody was answered"
        if dropped or still["200"] < len(taken):
            yield f"of those who were in, some got {dict(dropped + still)}"
        if probes["200"] < ROUNDS:
            yield f"health checks got {dict(probes)}"
        if share > MOST_IDLE_SHARE:
            yield f"{share:.1%} of a core while nothing happened"
        if after["200"] < CLIENTS:
            yield f"once all were gone, clients got {dict(after)}"
