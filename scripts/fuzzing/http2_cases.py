"""HTTP/2 as nobody should send it: frames, field blocks, streams, floods."""

import random
import struct
from collections.abc import Iterator

from fuzzing.case import Expect, FrameCase
from harness.http2 import (
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HAS_PRIORITY, HEADERS, PADDED, PING, PREFACE,
    PRIORITY, PUSH_PROMISE, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, head, literal, request,
)

WORD = struct.Struct(">I")


def cases(good: bytes, source: random.Random, count: int) -> Iterator[FrameCase]:
    """All of them; `good` is a body that /predict takes, `count` how many random ones to add."""
    yield from prefaces()
    yield from frames()
    yield from field_blocks(good)
    yield from bodies(good)
    yield from floods()
    yield from noise(good, source, count)


def prefaces() -> Iterator[FrameCase]:
    """The first bytes."""
    get = request(1, "/livez")
    for name, data in {
        "cut": PREFACE[:-1], "spoilt": PREFACE[:-3] + b"x\r\n", "no settings": PREFACE + get,
        "a ping for settings": PREFACE + frame(PING, 0, 0, b"12345678"), "twice": PREFACE * 2,
        "zeros": PREFACE + b"\0" * 100, "HTTP/1.1 behind": PREFACE + b"GET / HTTP/1.1\r\n\r\n",
    }.items():
        yield FrameCase(f"preface {name}", data, Expect.ANY, preface=False, half_close=True)


def frames() -> Iterator[FrameCase]:
    """Frames that break a rule of RFC 9113 §4 to §6; each must end the connection or the stream."""
    get, block = request(1, "/livez"), head("GET", "/livez")
    open_head = frame(HEADERS, END_HEADERS, 1, head("POST", "/predict"))
    wrong = {
        "a frame above the size": frame(DATA, 0, 1, b"\0" * 20_000),
        "a length that is a lie": b"\xff\xff\xff\0\0\0\0\0\1" + b"\0" * 100,
        "DATA on stream 0": frame(DATA, END_STREAM, 0, b"x"),
        "DATA on an idle stream": frame(DATA, END_STREAM, 1, b"x"),
        "HEADERS on stream 0": frame(HEADERS, END_HEADERS | END_STREAM, 0, block),
        "HEADERS on an even stream": frame(HEADERS, END_HEADERS | END_STREAM, 2, block),
        "HEADERS padded beyond": frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1, b"\xff" + block),
        "HEADERS too short to be padded": frame(HEADERS, END_HEADERS | END_STREAM | PADDED, 1),
        "HEADERS with half a priority": frame(HEADERS, END_HEADERS | END_STREAM | HAS_PRIORITY, 1, b"ab"),
        "DATA padded beyond": open_head + frame(DATA, END_STREAM | PADDED, 1, b"\xff{}"),
        "CONTINUATION alone": frame(CONTINUATION, END_HEADERS, 1, block),
        "a frame within a field block": frame(HEADERS, END_STREAM, 1, block[:5])
        + frame(PING, 0, 0, b"12345678"),
        "another stream within a field block": frame(HEADERS, END_STREAM, 1, block[:5])
        + frame(CONTINUATION, END_HEADERS, 3, block[5:]),
        "RST_STREAM on an idle stream": frame(RST_STREAM, 0, 1, WORD.pack(8)),
        "RST_STREAM on stream 0": frame(RST_STREAM, 0, 0, WORD.pack(8)),
        "RST_STREAM of 3 bytes": open_head + frame(RST_STREAM, 0, 1, b"abc"),
        "SETTINGS on a stream": frame(SETTINGS, 0, 1),
        "SETTINGS of 5 bytes": frame(SETTINGS, 0, 0, b"12345"),
        "SETTINGS ACK with a payload": frame(SETTINGS, 1, 0, b"123456"),
        "SETTINGS: push 2": frame(SETTINGS, 0, 0, struct.pack(">HI", 2, 2)),
        "SETTINGS: a window of 2^31": frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 2**31)),
        "SETTINGS: frames of 1 byte": frame(SETTINGS, 0, 0, struct.pack(">HI", 5, 1)),
        "PUSH_PROMISE": open_head + frame(PUSH_PROMISE, END_HEADERS, 1, WORD.pack(2) + block),
        "PING of 7 bytes": frame(PING, 0, 0, b"1234567"),
        "PING on a stream": frame(PING, 0, 1, b"12345678"),
        "GOAWAY on a stream": frame(GOAWAY, 0, 1, bytes(8)),
        "GOAWAY of 3 bytes": frame(GOAWAY, 0, 0, b"abc"),
        "WINDOW_UPDATE of 0": frame(WINDOW_UPDATE, 0, 0, WORD.pack(0)),
        "WINDOW_UPDATE of 0 on a stream": open_head + frame(WINDOW_UPDATE, 0, 1, WORD.pack(0)),
        "WINDOW_UPDATE of 3 bytes": frame(WINDOW_UPDATE, 0, 0, b"abc"),
        "WINDOW_UPDATE too far": frame(WINDOW_UPDATE, 0, 0, WORD.pack(2**31 - 1)),
        "WINDOW_UPDATE on an idle stream": frame(WINDOW_UPDATE, 0, 1, WORD.pack(1)),
        "PRIORITY of 4 bytes": open_head + frame(PRIORITY, 0, 1, b"1234"),
        "HEADERS again, without an end": open_head + frame(HEADERS, END_HEADERS, 1, literal(b"a", b"b")),
    }
    for name, data in wrong.items():
        yield FrameCase(f"HTTP/2 {name}", data, error=True)
    for name, data in {
        "an unknown frame": frame(0xEE, 0xFF, 0, b"x" * 100) + get,
        "an unknown frame on a stream": frame(0xEE, 0xFF, 1, b"x" * 100) + get,
        "unknown settings": frame(SETTINGS, 0, 0, struct.pack(">HI", 0xEE, 7)) + get,
        # A connection error by §6.3, but nghttp2 passes over all of what §5.3.1 abolished.
        "a priority of stream 0": frame(PRIORITY, 0, 0, b"12345") + get,
        "a priority": frame(PRIORITY, 0, 1, bytes(4) + b"\x10") + get,
        "an unasked ACK of a ping": frame(PING, 1, 0, b"12345678") + get,
        "one CONTINUATION a byte": frame(HEADERS, END_STREAM, 1)
        + b"".join(frame(CONTINUATION, 0, 1, bytes([b])) for b in block[:4])
        + frame(CONTINUATION, END_HEADERS, 1, block[4:]),
    }.items():
        yield FrameCase(f"HTTP/2 {name}", data, Expect.ANY)
    yield FrameCase("HTTP/2 half closed", request(1, "/livez"), Expect.GOOD, half_close=True)


def field_blocks(good: bytes) -> Iterator[FrameCase]:
    """HPACK that can't be read, and requests that are malformed (RFC 9113 §8.2, §8.3)."""
    def get(block: bytes) -> bytes:
        return frame(HEADERS, END_HEADERS | END_STREAM, 1, block)

    block = head("GET", "/livez")
    for name, data in {
        "index 0": b"\x80", "an index beyond": b"\xff\xff\xff\xff\x0f", "an endless index": b"\xff" * 50,
        "a string beyond": b"\x10\x7f\xff\xff\x7fx", "Huffman with a long end": b"\x10\x81\xff\x00",
        "Huffman of EOS": b"\x10\x84\xff\xff\xff\xff\x00", "a table too large": b"\x3f\xff\xff\x7f" + block,
        "a late table size": block + b"\x20", "a cut field": block[:-1], "zeros": bytes(20),
        "ones": b"\xff" * 20,
    }.items():
        yield FrameCase(f"HPACK {name}", get(data), error=True)
    method, scheme = literal(b":method", b"GET"), literal(b":scheme", b"http")
    path, host = literal(b":path", b"/livez"), literal(b":authority", b"localhost")
    for name, data in {
        "no method": scheme + path + host, "no scheme": method + path + host,
        "no path": method + scheme + host, "an empty path": method + scheme + literal(b":path", b"") + host,
        "two paths": block + path, "two methods": block + method, "a late pseudo": method + scheme + host
        + literal(b"a", b"b") + path, "an unknown pseudo": block + literal(b":x", b"y"),
        "a status": block + literal(b":status", b"200"), "upper case": block + literal(b"Name", b"v"),
        "connection": block + literal(b"connection", b"close"),
        "transfer-encoding": block + literal(b"transfer-encoding", b"chunked"),
        "keep-alive": block + literal(b"keep-alive", b"1"), "te": block + literal(b"te", b"gzip"),
        "upgrade": block + literal(b"upgrade", b"h2c"), "NUL": block + literal(b"a", b"b\0c"),
        "CR LF": block + literal(b"a", b"b\r\nc: d"), "an empty name": block + literal(b"", b"x"),
        "a name with a space": block + literal(b"a b", b"x"), "a name with a colon": block + literal(b"a:b", b"x"),
        "a space first": block + literal(b"a", b" b"), "two hosts": block + literal(b"host", b"other"),
        "a path without slash": head("GET", "livez"), "a path with NUL": head("GET", "/\0"),
        "a path with a space": head("GET", "/ livez"), "an empty method": head("", "/livez"),
        "a method with a space": head("G T", "/livez"), "CONNECT": head("CONNECT", "/livez"),
        "a bad authority": method + scheme + path + literal(b":authority", b"a b"),
        "a bad length": block + literal(b"content-length", b"x"), "length 5, no body": block
        + literal(b"content-length", b"5"), "long": block + literal(b"a", b"b" * 15_000) * 2,
    }.items():
        expect = Expect.ANY if name in ("a space first", "two hosts") else Expect.BAD_OR_CLOSED
        data = get(data) if len(data) < 16_000 else (
            frame(HEADERS, END_STREAM, 1, data[:16_000]) + frame(CONTINUATION, END_HEADERS, 1, data[16_000:]))
        yield FrameCase(f"HTTP/2 request, {name}", data, expect)
    yield FrameCase("HTTP/2 101 fields", get(block + literal(b"a", b"b") * 101), Expect.BAD)
    for target, method_name in (("/none", "GET"), ("/predict", "GET"), ("/livez", "DELETE"),
                                ("/livez", "get"), ("/" + "a" * 9000, "GET")):
        yield FrameCase(f"HTTP/2 {method_name} {target[:20]}", get(head(method_name, target)), Expect.BAD)
    yield FrameCase("HTTP/2 trailers", request(1, "/predict", good)[:-len(good) - 9]
                    + frame(DATA, 0, 1, good)
                    + frame(HEADERS, END_HEADERS | END_STREAM, 1, literal(b"a", b"b")), Expect.GOOD)


def bodies(good: bytes) -> Iterator[FrameCase]:
    """What DATA frames hold."""
    yield FrameCase("HTTP/2 good", request(1, "/predict", good), Expect.GOOD)
    for body in (b"", b"{", b"{}", b"\xff", good[:-1], good + b"x", b"[" * 50_000):
        yield FrameCase(f"HTTP/2 body {body[:20]!r} ({len(body)})", request(1, "/predict", body), Expect.BAD)
    for length in (len(good) - 1, len(good) + 1, 0):
        fields = [("content-length", str(length))]
        yield FrameCase(f"HTTP/2 length {length} for {len(good)}", request(1, "/predict", good, fields))
    for coding in ("br", "gzip"):
        fields = [("content-encoding", coding)]
        yield FrameCase(f"HTTP/2 no {coding}", request(1, "/predict", good, fields), Expect.BAD)
    block = frame(HEADERS, END_HEADERS, 1, head("POST", "/predict"))
    yield FrameCase("HTTP/2 a byte a frame", block + b"".join(frame(DATA, 0, 1, bytes([b])) for b in good)
                    + frame(DATA, END_STREAM, 1), Expect.GOOD)
    yield FrameCase("HTTP/2 cut", block + frame(DATA, 0, 1, good[:5]), half_close=True)
    yield FrameCase("HTTP/2 DATA after the end", request(1, "/predict", good) + frame(DATA, 1, 1, b"x"),
                    Expect.ANY)
    # Beyond the window, which nobody waits for here.
    yield FrameCase("HTTP/2 a body above the window",
                    block + b"".join(frame(DATA, 0, 1, b" " * 16384) for _ in range(1200)))


def floods() -> Iterator[FrameCase]:
    """Many of what costs the server more than it costs us; it may bear or end it, but not hang."""
    end = request(1, "/livez")
    reset = b"".join(
        request(stream, "/livez") + frame(RST_STREAM, 0, stream, WORD.pack(8))
        for stream in range(3, 6003, 2)
    )
    for name, data in {
        "pings": frame(PING, 0, 0, b"12345678") * 5000 + end,
        "settings": frame(SETTINGS, 0, 0, struct.pack(">HI", 3, 100)) * 5000 + end,
        "priorities": frame(PRIORITY, 0, 1, bytes(4) + b"\x10") * 5000 + end,
        "window updates": frame(WINDOW_UPDATE, 0, 0, WORD.pack(1)) * 5000 + end,
        "resets": end + reset,
        "continuations": frame(HEADERS, END_STREAM, 1, b"") + frame(CONTINUATION, 0, 1, b"") * 5000,
        "long continuations": frame(HEADERS, END_STREAM, 1, b"")
        + frame(CONTINUATION, 0, 1, literal(b"a", b"b" * 4000)) * 500,
        "empty DATA": frame(HEADERS, END_HEADERS, 1, head("POST", "/predict")) + frame(DATA, 0, 1) * 5000,
        "streams": b"".join(
            frame(HEADERS, END_HEADERS, stream, head("POST", "/predict")) for stream in range(3, 4003, 2)
        ) + end,
    }.items():
        yield FrameCase(f"HTTP/2 flood of {name}", data, Expect.ANY, half_close=True)


def noise(good: bytes, source: random.Random, count: int) -> Iterator[FrameCase]:
    """A good request with bytes changed, or with random frames before it."""
    whole = request(1, "/predict", good)
    for number in range(count):
        data = bytearray(whole)
        if number % 2:
            for _ in range(source.randint(1, 4)):
                data[source.randrange(len(data))] = source.randrange(256)
        else:
            data = bytearray(b"".join(
                frame(source.randrange(12), source.randrange(256), source.randrange(4),
                      source.randbytes(source.choice((0, 4, 5, 6, 8, 30))))
                for _ in range(source.randint(1, 5))
            ) + whole)
        yield FrameCase(f"HTTP/2 noise {number}", bytes(data), Expect.ANY, half_close=True)
