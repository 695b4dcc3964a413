"""HTTP/2 by the frame (RFC 9113), with as much of HPACK (RFC 7541) as statuses need."""

import contextlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from harness.http1 import PATIENCE, Wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS = range(5)
PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(5, 10)
END_STREAM, ACK, END_HEADERS, PADDED, HAS_PRIORITY = 1, 1, 4, 8, 32

# RFC 7541 appendix A, indices 8 to 14.
STATUSES = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}
# RFC 7541 appendix B: the codes of the digits.
DIGITS = {"00000": "0", "00001": "1", "00010": "2"} | {
    format(0b011001 + digit - 3, "06b"): str(digit) for digit in range(3, 10)
}


class Frame(NamedTuple):
    """One frame as it came."""

    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame with a true length."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """A field never indexed, without Huffman coding."""
    return b"\x10" + _text(name) + _text(value)


def _text(data: bytes) -> bytes:
    if len(data) < 127:
        return bytes([len(data)]) + data
    rest, length = len(data) - 127, b"\x7f"
    while rest >= 128:
        length += bytes([rest % 128 + 128])
        rest //= 128
    return length + bytes([rest]) + data


def head(
    method: str, path: str, fields: Sequence[tuple[str, str]] = (), *, scheme: str = "http"
) -> bytes:
    """The field block of a well-formed request, apart from what `fields` adds."""
    pseudo = ((":method", method), (":scheme", scheme), (":path", path), (":authority", "localhost"))
    return b"".join(literal(n.encode("latin-1"), v.encode("latin-1")) for n, v in (*pseudo, *fields))


def request(
    stream: int, path: str, body: bytes | None = None, fields: Sequence[tuple[str, str]] = (),
    method: str | None = None,
) -> bytes:
    """The frames of a request, its body in frames of at most 16 KiB."""
    block = head(method or ("GET" if body is None else "POST"), path, fields)
    if body is None:
        return frame(HEADERS, END_HEADERS | END_STREAM, stream, block)
    parts = [body[at : at + 16384] for at in range(0, len(body), 16384)] or [b""]
    frames = [frame(HEADERS, END_HEADERS, stream, block)]
    frames += [frame(DATA, 0, stream, part) for part in parts[:-1]]
    return b"".join(frames) + frame(DATA, END_STREAM, stream, parts[-1])


def status(block: bytes) -> int:
    """The :status that a response's field block starts with; 0 where it can't be read."""
    while block and block[0] >> 5 == 1:  # a new size of the dynamic table
        block = block[1:]
    if not block:
        return 0
    if block[0] & 0x80:
        return STATUSES.get(block[0] & 0x7F, 0)
    # A literal whose name is one of the static table's, all of them below the prefix's limit.
    index = block[0] & (0x3F if block[0] & 0x40 else 0x0F)
    if index not in STATUSES or len(block) < 2:
        return 0
    length, text = block[1] & 0x7F, block[2 : 2 + (block[1] & 0x7F)]
    if not block[1] & 0x80:
        return int(text) if length == 3 and text.isdigit() else 0
    bits, found, code = "".join(format(byte, "08b") for byte in text), "", ""
    for bit in bits:
        code += bit
        if code in DIGITS:
            found, code = found + DIGITS[code], ""
    return int(found) if len(found) == 3 else 0


@dataclass
class Reply:
    """What a stream got: a status and a body, or a reset."""

    status: int = 0
    body: bytes = b""
    reset: int | None = None
    ended: bool = False


@dataclass
class Session:
    """One HTTP/2 connection with prior knowledge."""

    port: int
    patience: float = PATIENCE
    replies: dict[int, Reply] = field(default_factory=dict)
    # Of the last GOAWAY: its error code, and the last stream that is or was answered.
    goaway: int | None = None
    last_stream: int | None = None
    # Whether any frame came.
    heard: bool = False
    # "open", "closed", "reset", "silent" or what is broken
    end: str = "open"

    def __post_init__(self) -> None:
        self.wire = Wire(self.port, self.patience)
        self.next_stream = 1

    def open(self) -> None:
        """Sends the preface and settings: windows so large that they never matter, no dynamic table."""
        settings = struct.pack(">HIHI", 1, 0, 4, 2**31 - 1)
        self.wire.send(
            PREFACE + frame(SETTINGS, 0, 0, settings)
            + frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 2**31 - 1 - 65535))
        )

    def read(self) -> Frame:
        """The next frame, acted upon: settings are acknowledged, replies collected."""
        length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + self.wire.take(9))
        found = Frame(kind, flags, stream & (2**31 - 1), self.wire.take(length))
        self.heard = True
        if kind == SETTINGS and not flags & ACK:
            self.wire.send(frame(SETTINGS, ACK, 0))
        elif kind == GOAWAY:
            self.last_stream, self.goaway = struct.unpack(">II", found.payload[:8])
        elif found.stream:
            self._collect(found)
        return found

    def _collect(self, found: Frame) -> None:
        reply = self.replies.setdefault(found.stream, Reply())
        if found.kind == HEADERS:
            reply.status = reply.status or status(found.payload)
        elif found.kind == DATA:
            reply.body += found.payload
        elif found.kind == RST_STREAM:
            reply.reset = struct.unpack(">I", found.payload)[0]
        if found.kind in (HEADERS, DATA) and found.flags & END_STREAM:
            reply.ended = True

    def until_done(self, stream: int) -> None:
        """Reads until `stream` has its answer or the connection ends, be it by a GOAWAY."""
        try:
            while not self.goaway and self.end == "open":
                reply = self.replies.get(stream)
                if reply and (reply.ended or reply.reset is not None):
                    return
                self.read()
        except TimeoutError:
            self.end = "silent"
        except (ConnectionResetError, BrokenPipeError):
            self.end = "reset"
        except Exception as error:
            # A cut frame is as good as a close: what follows a GOAWAY is the server's to decide.
            self.end = "closed" if "early" in str(error) else f"malformed: {error}"

    def ask(self, path: str, body: bytes | None = None) -> Reply:
        """Sends a request on a new stream and waits for its answer."""
        stream, self.next_stream = self.next_stream, self.next_stream + 2
        self.wire.send(request(stream, path, body))
        self.until_done(stream)
        return self.replies.get(stream, Reply())

    def close(self) -> None:
        """Ends the connection."""
        with contextlib.suppress(OSError):
            self.wire.close()
