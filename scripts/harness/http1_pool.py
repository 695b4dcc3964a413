"""HTTP/1.1 over many connections at once, for load that one thread sends."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from harness.http1 import HOST, Malformed, Response


@dataclass(frozen=True)
class Exchange:
    """A request that was sent: when its first byte left and its answer was there, and the answer."""

    sent: float
    done: float
    # None where the connection ended instead.
    response: Response | None


class Connection(asyncio.Protocol):
    """One connection that stays open, with one request at a time on it."""

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self.transport: asyncio.Transport | None = None
        self.buffer = b""
        self.sent = 0.0
        self.then: Callable[[Exchange], None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's: the connection stands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def send(self, data: bytes, then: Callable[[Exchange], None]) -> None:
        """Sends a request; `then` is called with what comes of it."""
        assert self.transport and not self.then
        self.then, self.sent = then, time.monotonic()
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        """asyncio's: part of an answer came."""
        self.buffer += data
        response = self._whole_response()
        if response:
            self._finish(response)

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio's: the connection is gone."""
        self.transport = None
        self._finish(None)

    def _finish(self, response: Response | None) -> None:
        then, self.then = self.then, None
        closes = response is not None and response.fields.get("connection") == "close"
        if closes and self.transport:
            self.transport.close()
        elif self.transport:
            self.pool.idle.append(self)
        if then:
            then(Exchange(self.sent, time.monotonic(), response))

    def _whole_response(self) -> Response | None:
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        if "content-length" not in fields:
            raise Malformed(f"no content-length after {first!r}")
        length = int(fields["content-length"])
        if len(rest) < length:
            return None
        self.buffer = rest[length:]
        return Response(int(first.split(" ")[1]), fields, rest[:length])


class Pool:
    """Connections that are made beforehand, so that no request waits for one to be made."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle: list[Connection] = []
        # Requests that found no connection idle, or none that was still open.
        self.misses = 0

    async def open(self, count: int) -> None:
        """Makes so many more connections."""
        loop = asyncio.get_running_loop()
        for _ in range(count):
            _, connection = await loop.create_connection(lambda: Connection(self), HOST, self.port)
            self.idle.append(connection)

    def send(self, data: bytes, then: Callable[[Exchange], None]) -> bool:
        """Sends a request on an idle connection; False where there is none."""
        while self.idle:
            connection = self.idle.pop()
            if connection.transport and not connection.transport.is_closing():
                connection.send(data, then)
                return True
        self.misses += 1
        return False

    def close(self) -> None:
        """Ends the idle connections."""
        for connection in self.idle:
            if connection.transport:
                connection.transport.close()
        self.idle.clear()
