"""HTTP/1.1 as nobody should send it: request lines, fields, lengths, chunks, smuggling."""

import random
from collections.abc import Iterator

from fuzzing.case import Case, Expect
from harness.http1 import Answers, request

GET = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"


def cases(good: bytes, source: random.Random, count: int) -> Iterator[Case]:
    """All of them; `good` is a body that /predict takes, `count` how many random ones to add."""
    yield from request_lines()
    yield from targets_and_methods(good)
    yield from field_lines()
    yield from lengths(good)
    yield from chunks(good)
    yield from smuggling(good)
    yield from connections(good)
    yield from mutations(good, source, count)


def request_lines() -> Iterator[Case]:
    """What stands before the fields."""
    rest = b"\r\nhost: localhost\r\n\r\n"
    for line in [
        b"GET", b"GET ", b"GET /livez", b"GET  /livez HTTP/1.1", b"GET /livez  HTTP/1.1",
        b" GET /livez HTTP/1.1", b"GET\t/livez\tHTTP/1.1", b"GET /livez HTTP/1.1 ",
        b"GET /livez HTTP/1.1 x", b"GET /liv ez HTTP/1.1", b"GET /livez http/1.1",
        b"GET /livez HTTP/1.10", b"GET /livez HTTP/11", b"GET /livez HTTP/1,1",
        b"GET /livez HTTP/", b"GET /livez HTP/1.1", b"GET /livez HTTP/1.1\0", b"GET /\0livez HTTP/1.1",
        b"G\0T /livez HTTP/1.1", b"GET /livez\x7f HTTP/1.1", b"GET /liv\xc3\xa9z HTTP/1.1",
        b"GET /livez#top HTTP/1.1", b"GET livez HTTP/1.1", b"GET localhost:80 HTTP/1.1",
        b"GET * HTTP/1.1", b"GET http:// HTTP/1.1", b"GET http:///livez HTTP/1.1",
        b"GET ftp://localhost/livez HTTP/1.1", b"G@T /livez HTTP/1.1", b"(GET) /livez HTTP/1.1",
        b"GET /livez HTTP/-1.1", b"GET /livez HTTP/1.", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03",
        b"\x80\x2e\x01\x00\x02", b"\0" * 64, b"\xff" * 64, b"%n%s%x", b"SSH-2.0-OpenSSH_9.7",
        b"EHLO localhost", b"{\"inputs\":[1]}",
    ]:
        yield Case(f"request line {line[:40]!r}", [line + rest], closes=True)
    for version in [b"HTTP/2.0", b"HTTP/3.0", b"HTTP/0.9", b"HTTP/9.9"]:
        yield Case(f"version {version!r}", [b"GET /livez " + version + rest], status=505)
    yield Case("HTTP/1.2 is a later 1.x", [b"GET /livez HTTP/1.2" + rest], Expect.EITHER)
    yield Case("no request line", [b"\r\n\r\nhost: localhost\r\n\r\n"])
    yield Case("HTTP/0.9", [b"GET /livez\r\n"], Expect.BAD_OR_CLOSED)
    yield Case("a line feed alone", [b"GET /livez HTTP/1.1\nhost: localhost\n\n"])
    yield Case("a carriage return alone", [b"GET /livez HTTP/1.1\rhost: localhost\r\r"],
               Expect.BAD_OR_CLOSED)
    yield Case("empty lines first", [b"\r\n\r\n" + GET], Expect.EITHER)
    yield Case("empty lines for ever", [b"\r\n" * 100_000], Expect.BAD_OR_CLOSED)
    yield Case("the preface, cut", [b"PRI * HTTP/2.0\r\n\r\nSM\r\n"], Expect.BAD_OR_CLOSED)
    yield Case("the preface, another end", [b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"],
               Expect.BAD_OR_CLOSED)
    for size in (16, 4096, 1 << 17):
        yield Case(f"a method of {size}", [b"G" * size + b" /livez HTTP/1.1" + rest], Expect.BAD)
        yield Case(f"a target of {size}", [b"GET /" + b"a" * size + b" HTTP/1.1" + rest])
        yield Case(f"a line of {size} without end", [b"a" * size], Expect.BAD_OR_CLOSED)
        yield Case(f"a line of {size} NULs", [b"\0" * size], Expect.BAD_OR_CLOSED)


def targets_and_methods(good: bytes) -> Iterator[Case]:
    """Paths that are not there, others' spellings of those that are, and methods that do not fit."""
    spellings = {
        "/predict/": "POST", "/%70redict": "POST", "/predict/../livez": "GET", "/./livez": "GET",
        "/livez/": "GET", "/models/..": "GET",
    }
    for path in [
        *spellings, "//predict", "/Predict", "/%2e%2e/etc/passwd",
        "/models//predict", "/models/none", "/models/none/predict", "/models/co2/predict/x",
        "/models/%00/predict", "/models/%zz", "/%", "/%c3%28", "/favicon.ico",
        "/models/" + "a" * 4000 + "/predict", "/;", "/:", "/?", "/a?b=c?d", "/v2/none",
    ]:
        known = path in ("/?",)
        for body in (None, good):
            method = "GET" if body is None else "POST"
            fits = spellings.get(path) == method
            expect = Expect.EITHER if known else Expect.GOOD if fits else Expect.BAD
            yield Case(f"{method} {path[:40]}", [request(path, body)], expect)
    for path in ["/", "/predict", "/models", "/livez", "/readyz", "/healthz", "/metrics"]:
        for method in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "get",
            "POSt", "PRI", "X" * 100, "!#$%&'*+-.^_`|~",
        ]:
            fits = method in ("GET", "HEAD") and path != "/predict"
            body = b"{}" if method not in ("GET", "HEAD") else None
            yield Case(
                f"{method[:12]} {path}", [request(path, body, method=method)],
                Expect.GOOD if fits else Expect.BAD, to_head=method == "HEAD",
                status={"PUT": 405, "DELETE": 405, "PATCH": 405, "CONNECT": 501}.get(method),
            )
    yield Case("OPTIONS *", [request("*", method="OPTIONS")], Expect.EITHER)
    yield Case("absolute form", [request("http://localhost/livez")], Expect.GOOD)
    yield Case("a query is no part of the path", [request("/livez?x=1")], Expect.GOOD)
    yield Case("GET with a body", [request("/livez", b"x", method="GET")], Expect.EITHER)


def field_lines() -> Iterator[Case]:
    """What stands between the request line and the empty line."""
    start = b"GET /livez HTTP/1.1\r\n"
    host = b"host: localhost\r\n"
    for lines in [
        b"", b"host: a\r\nhost: b\r\n", b"host: a b\r\n", b"host: a/b\r\n", b"host: a@b\r\n",
        b"host: localhost:x\r\n", b"host: a:1:2\r\n", b"host: [::1\r\n", b"host: \0\r\n",
    ]:
        yield Case(f"host {lines!r}", [start + lines + b"\r\n"], closes=True)
    for line in [
        b"name", b": value", b" name: value", b"\tname: value", b"name : value", b"name\t: value",
        b"na me: value", b"n\0me: value", b"n\xc3\xa4me: value", b"name(: value", b"name: a\0b",
        b"name: a\rb", b"name: a\nb", b"name: a\x01b", b"name: a\x7fb", b"name: a\r\n b",
        b"\"name\": value", b"name: a\r\n\tb", b"\0", b"=", b"na:\r\r\n me", b"\x0bname: value",
    ]:
        yield Case(f"field line {line!r}", [start + host + line + b"\r\n\r\n"], closes=True)
        yield Case(f"first field line {line!r}", [start + line + b"\r\n" + host + b"\r\n"], closes=True)
    for line in [b"name:", b"name:a", b"name:\t a \t", b"name: \xff\xfe", b"a: " + b"b" * 8000]:
        yield Case(f"unusual line {line[:20]!r}", [start + host + line + b"\r\n\r\n"], Expect.GOOD)
    for count in (101, 1000, 50_000):
        yield Case(f"{count} fields", [start + host + b"a: b\r\n" * count + b"\r\n"], status=431)
    for size in (17_000, 1 << 20):
        yield Case(f"a field of {size}", [start + host + b"a: " + b"b" * size + b"\r\n\r\n"], status=431)
        yield Case(f"a name of {size}", [start + host + b"a" * size + b": b\r\n\r\n"], status=431)
    for fields in [
        b"expect: 200-ok\r\n", b"expect: 100-continue, x\r\n",
    ]:
        yield Case(f"fields {fields!r}", [b"POST /predict HTTP/1.1\r\n" + host + fields
                                           + b"content-length: 2\r\n\r\n{}"])
    for fields in [
        b"connection: upgrade\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAA\r\n",
        b"connection: upgrade\r\nupgrade: websocket\r\n", b"connection: ,,,\r\n",
        b"connection: keep-alive, close\r\n", b"accept-encoding: gzip;q=9, *;q=-1, ;;=,,\r\n",
        b"accept-encoding: identity;q=0, *;q=0\r\n", b"accept: nothing/here\r\n",
        b"range: bytes=0-0\r\n", b"te: chunked;q=x\r\n", b"content-type: \r\n",
        b"accept-encoding: " + b"gzip," * 1000 + b"\r\n",
    ]:
        yield Case(f"fields {fields[:50]!r}", [start + host + fields + b"\r\n"], Expect.EITHER)


def lengths(good: bytes) -> Iterator[Case]:
    """Content-Length."""
    start = b"POST /predict HTTP/1.1\r\nhost: localhost\r\n"
    size = str(len(good)).encode()
    for value in [
        b"", b"-1", b"+" + size, b"0x10", b"1e2", size + b".0", size + b" x", b"\xb2", b"ten",
        b"18446744073709551616", b"9223372036854775808", b"9" * 100, b"1 0", size + b", 5",
        size + b"," + size + b"x", b"\"" + size + b"\"", b"0" * 5000 + b"x", size + b";",
    ]:
        yield Case(f"length {value[:30]!r}",
                   [start + b"content-length: " + value + b"\r\n\r\n" + good], closes=True)
    for value in [size + b", " + size, b"0" * 30 + size]:
        yield Case(f"length {value!r}", [start + b"content-length: " + value + b"\r\n\r\n" + good],
                   Expect.EITHER)
    two = b"content-length: " + size + b"\r\n"
    yield Case("two lengths", [start + two + b"content-length: 5\r\n\r\n" + good], closes=True)
    yield Case("one length twice", [start + two + two + b"\r\n" + good], Expect.EITHER)
    # A body of length zero (RFC 9112 section 6.3); what comes behind it is the next request's head.
    yield Case("no length", [start + b"\r\n"], status=400)
    yield Case("no length, a body", [start + b"\r\n" + good], before=[400], status=400, closes=True)
    for value in [b"16777217", b"99999999999", b"9223372036854775807"]:
        yield Case(f"length {value!r}", [start + b"content-length: " + value + b"\r\n\r\n"], status=413)
    yield Case("an empty body", [start + b"content-length: 0\r\n\r\n"])
    for cut in range(0, len(good), max(1, len(good) // 12)):
        yield Case(f"a body cut at {cut}", [start + two + b"\r\n" + good[:cut]], Expect.BAD_OR_CLOSED)
    yield Case("expect, then nothing", [start + two + b"expect: 100-continue\r\n\r\n"],
               Expect.BAD_OR_CLOSED)
    yield Case("expect, then the body", [start + two + b"expect: 100-continue\r\n\r\n", good],
               Expect.GOOD, pause=0.02, half_close=False)


def chunks(good: bytes) -> Iterator[Case]:
    """Transfer-Encoding: chunked."""
    start = b"POST /predict HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n"
    size = b"%x" % len(good)
    whole = size + b"\r\n" + good + b"\r\n"
    yield Case("chunked", [start + whole + b"0\r\n\r\n"], Expect.GOOD)
    yield Case("a byte a chunk", [start + b"".join(b"1\r\n%c\r\n" % b for b in good) + b"0\r\n\r\n"],
               Expect.GOOD)
    yield Case("zeros first, an extension, a trailer",
               [start + b"000" + size + b";a=\"b\"\r\n" + good + b"\r\n0\r\na: b\r\n\r\n"], Expect.GOOD)
    for wrong in [
        b"", b"-1", b"+5", b"0x5", b"g", b"5 5", b" 5", b"fffffffffffffffff", b"8000000000000000",
        b"7fffffffffffffff", b"ffffffff00000005", b"5\0", b"\x805", b";", b";a=b", b"5\t", b"1_0",
        b"0" * 20_000,
    ]:
        yield Case(f"chunk size {wrong[:20]!r}", [start + wrong + b"\r\n" + good + b"\r\n0\r\n\r\n"],
                   closes=True)
    for name, body in {
        "a chunk shorter than it says": b"%x\r\n" % (len(good) + 1) + good + b"\r\n0\r\n\r\n",
        "a chunk longer than it says": b"%x\r\n" % (len(good) - 1) + good + b"\r\n0\r\n\r\n",
        "a line feed after the size": size + b"\n" + good + b"\r\n0\r\n\r\n",
        "a line feed after the chunk": size + b"\r\n" + good + b"\n0\r\n\r\n",
        "no line end after the chunk": size + b"\r\n" + good + b"0\r\n\r\n",
        "a line feed after the last": whole + b"0\n\n",
        "an endless extension": size + b";" + b"a" * 100_000 + b"\r\n" + good,
        "an extension with NUL": size + b";a=\0\r\n" + good + b"\r\n0\r\n\r\n",
        "a huge trailer": whole + b"0\r\na: " + b"b" * 100_000 + b"\r\n\r\n",
        "many trailers": whole + b"0\r\n" + b"a: b\r\n" * 20_000 + b"\r\n",
        "a trailer without colon": whole + b"0\r\nab\r\n\r\n",
        "a trailer with NUL": whole + b"0\r\na: \0\r\n\r\n",
        "no chunk but the last": b"0\r\n\r\n",
    }.items():
        yield Case(name, [start + body], closes=name != "no chunk but the last")
    stream = start + whole + b"0\r\n\r\n"
    for cut in range(len(start), len(stream), max(1, (len(stream) - len(start)) // 24)):
        yield Case(f"chunks cut at {cut - len(start)}", [stream[:cut]], Expect.BAD_OR_CLOSED)
    yield Case("chunks beyond the body's limit",
               [start] + [b"100000\r\n" + b" " * (1 << 20) + b"\r\n"] * 17 + [b"0\r\n\r\n"], status=413)


def smuggling(good: bytes) -> Iterator[Case]:
    """Two ways to see where a request ends: it gets one refusal, and what follows no answer."""
    hidden = b"GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n"
    start = b"POST /predict HTTP/1.1\r\nhost: localhost\r\n"
    length = b"content-length: %d\r\n" % len(good)
    chunked = b"%x\r\n" % len(good) + good + b"\r\n0\r\n\r\n"
    for coding in [
        b"transfer-encoding: chunked", b"Transfer-Encoding: chunked", b"transfer-encoding: xchunked",
        b"transfer-encoding : chunked", b"transfer-encoding:\x0bchunked", b"transfer-encoding: chunked\0",
        b"transfer-encoding: chunked, identity", b"transfer-encoding: identity",
        b"transfer-encoding: chunked, chunked", b"transfer-encoding: gzip, chunked",
        b"transfer-encoding: chunked\r\ntransfer-encoding: x", b"transfer-encoding: \"chunked\"",
        b"transfer-encoding: chunked;q=1", b"transfer-encoding:", b"transfer-encoding: ,",
        b" transfer-encoding: chunked", b"x: y\ntransfer-encoding: chunked",
        b"transfer-encoding\r\n : chunked",
    ]:
        for before in (length, b"content-length: 4\r\n"):
            yield Case(f"{before!r} with {coding!r}",
                       [start + before + coding + b"\r\n\r\n" + chunked + hidden], closes=True)
        if coding.lower() != b"transfer-encoding: chunked":
            yield Case(f"{coding!r} alone", [start + coding + b"\r\n\r\n" + chunked + hidden],
                       closes=True)
    yield Case("chunked in HTTP/1.0", [
        b"POST /predict HTTP/1.0\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n" + chunked
        + hidden], closes=True)
    for name in (b"transfer_encoding", b"transfer-encodin"):
        yield Case(f"{name!r} is another field", [start + length + name + b": chunked\r\n\r\n" + good],
                   Expect.GOOD)


def connections(good: bytes) -> Iterator[Case]:
    """Several requests, slow ones, and those that stop in their midst."""
    post = request("/predict", good)
    yield Case("half closed after the request", [post], Expect.GOOD)
    yield Case("byte by byte", [bytes([byte]) for byte in post], Expect.GOOD)
    yield Case("slowly", [post[at : at + 40] for at in range(0, len(post), 40)], Expect.GOOD, pause=0.01)
    yield Case("thirty pipelined", [post * 30], Expect.GOOD, before=[200] * 29)
    yield Case("four hundred pipelined", [GET * 400], Expect.GOOD, before=[200] * 399)
    yield Case("garbage behind a request", [post + b"\0garbage\r\n\r\n"], before=[200], closes=True)
    yield Case("a bad body between good ones", [post + request("/predict", b"{") + post],
               Expect.GOOD, before=[200, 400])
    yield Case("close, then more", [request("/livez", close=True) + GET], Expect.GOOD)
    yield Case("HTTP/1.0", [b"GET /livez HTTP/1.0\r\n\r\n"], Expect.EITHER)
    yield Case("nothing", [], Expect.BAD_OR_CLOSED)
    for cut in range(1, len(GET), 5):
        yield Case(f"a head cut at {cut}", [GET[:cut]], Expect.BAD_OR_CLOSED)


def mutations(good: bytes, source: random.Random, count: int) -> Iterator[Case]:
    """A good request with a few bytes changed, dropped, doubled or moved."""
    post = request("/predict", good, fields=[("content-type", "application/json"), ("accept", "*/*")])
    head = post.index(b"\r\n\r\n") + 4
    special = b"\0\r\n\t :,;=/\x7f\xff0+-\"{}[]"
    for number in range(count):
        data = bytearray(post)
        for _ in range(source.randint(1, 4)):
            at = source.randrange(min(head, len(data)))
            match source.randrange(5):
                case 0:
                    data[at] = source.randrange(256)
                case 1:
                    data[at] = source.choice(special)
                case 2:
                    del data[at : at + source.randint(1, 8)]
                case 3:
                    data[at:at] = source.randbytes(source.randint(1, 8))
                case _:
                    data[at:at] = data[at : at + source.randint(1, 30)]
        # What is cut off behind a shorter length may be refused as a request of its own.
        yield Mutation(f"head mutation {number}", [bytes(data)], Expect.ANY)


class Mutation(Case):
    """A case of which nobody knows how many requests it is."""

    def judge(self, answers: Answers) -> str | None:
        """Every answer but the last is good or a refusal; the last too, where there is one."""
        if answers.end == "silent" or answers.end.startswith("malformed"):
            return f"{answers.end} after {[each.status for each in answers.responses]}"
        for each in answers.responses:
            alone = Case(self.name, self.pieces, Expect.ANY)
            if flaw := alone.judge(Answers([each], "closed")):
                return flaw
        return None
