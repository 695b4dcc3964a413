"""HTTP/1.1 by the byte: sends exactly what it is given and parses strictly what comes back."""

import contextlib
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

HOST = "127.0.0.1"
# It only ends a hang: longer than any answer takes on a machine that is busy with other things.
PATIENCE = 120.0


@dataclass
class Response:
    """One response; `fields` has names in lower case."""

    status: int
    fields: dict[str, str]
    body: bytes


@dataclass
class Answers:
    """What a connection gave: final responses, and how it ended."""

    responses: list[Response] = field(default_factory=list)
    # "closed" by the server, "reset" by it, "open" still, "silent" when it hangs, or what is broken
    end: str = "open"


class Malformed(Exception):
    """The server sent what is no HTTP/1.1 response."""


class Wire:
    """A connection to the server."""

    def __init__(self, port: int, patience: float = PATIENCE) -> None:
        self.socket = socket.create_connection((HOST, port), timeout=patience)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def send(self, data: bytes) -> None:
        """Sends all of `data`; a server that closed meanwhile is no error here."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def half_close(self) -> None:
        """Tells the server that nothing more comes."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Ends the connection with RST, as a crashed client's machine does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def close(self) -> None:
        """Ends the connection."""
        self.socket.close()

    def fill(self) -> bool:
        """Reads some more; False at the end of the stream."""
        data = self.socket.recv(65536)
        self.buffer += data
        return bool(data)

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        while len(self.buffer) < count:
            if not self.fill():
                raise Malformed(f"ended {count - len(self.buffer)} bytes early")
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def line(self) -> bytes:
        """The next line, without its CR LF."""
        while b"\r\n" not in self.buffer:
            if not self.fill():
                raise Malformed("ended within a line")
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def response(self, *, to_head: bool = False) -> Response | None:
        """The next final response; None where the server closed instead."""
        while True:
            if not self.buffer and not self.fill():
                return None
            version, _, rest = self.line().partition(b" ")
            if version != b"HTTP/1.1" or not rest[:3].isdigit() or rest[3:4] != b" ":
                raise Malformed(f"status line {version!r} {rest[:40]!r}")
            status = int(rest[:3])
            fields: dict[str, str] = {}
            while line := self.line():
                name, colon, value = line.partition(b":")
                if not colon or not name or name != name.strip():
                    raise Malformed(f"field line {line!r}")
                fields[name.decode().lower()] = value.strip().decode("latin-1")
            if status >= 200:
                break
        if to_head or status in (204, 304):
            return Response(status, fields, b"")
        if fields.get("transfer-encoding") == "chunked":
            return Response(status, fields, self._chunked())
        if "content-length" not in fields:
            raise Malformed("neither content-length nor chunked")
        return Response(status, fields, self.take(int(fields["content-length"])))

    def _chunked(self) -> bytes:
        body = b""
        while size := int(self.line().split(b";")[0], 16):
            body += self.take(size)
            if self.take(2) != b"\r\n":
                raise Malformed("chunk without CR LF")
        while self.line():
            pass
        return body

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def converse(
    port: int, pieces: Sequence[bytes], *, half_close: bool = True, pause: float = 0,
    to_head: bool = False, responses: int = 0, patience: float = PATIENCE,
) -> Answers:
    """Sends `pieces`, reads responses until the server closes (or there are `responses` of them)."""
    answers = Answers()
    try:
        with Wire(port, patience) as wire:
            for piece in pieces:
                wire.send(piece)
                if pause:
                    time.sleep(pause)
            if half_close:
                wire.half_close()
            while not responses or len(answers.responses) < responses:
                response = wire.response(to_head=to_head)
                if response is None:
                    answers.end = "closed"
                    break
                answers.responses.append(response)
    except TimeoutError:
        answers.end = "silent"
    except (ConnectionResetError, BrokenPipeError):
        answers.end = "reset"
    except (Malformed, ValueError) as error:
        answers.end = f"malformed response: {error}"
    return answers


def request(
    target: str, body: bytes | None = None, *, method: str | None = None,
    fields: Sequence[tuple[str, str]] = (), close: bool = False,
) -> bytes:
    """The bytes of a well-formed request, apart from what `fields` adds to it."""
    lines = [f"{method or ('GET' if body is None else 'POST')} {target} HTTP/1.1", "host: localhost"]
    lines += [f"{name}: {value}" for name, value in fields]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    if close:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + (body or b"")
