"""Content codings of requests: cut, corrupt, unknown, doubled, and bombs."""

import gzip
import random
import zlib
from collections.abc import Iterator

from fuzzing.case import Case, Expect
from harness.http1 import request


def cases(good: bytes, source: random.Random, count: int) -> Iterator[Case]:
    """All of them; `good` is a body that /predict takes, `count` how many random ones to add."""
    packed = gzip.compress(good, mtime=0)
    deflated = zlib.compress(good)

    def case(name: str, body: bytes, coding: str, expect: Expect = Expect.BAD,
             status: int | None = None) -> Case:
        fields = [("content-encoding", coding)]
        return Case(f"coding: {name}", [request("/predict", body, fields=fields)], expect,
                    status=status, half_close=False)

    for coding in ("gzip", "x-gzip", "GZIP", " gzip ", "identity, gzip"):
        yield case(f"good {coding!r}", packed, coding, Expect.GOOD)
    yield case("good deflate", deflated, "deflate", Expect.GOOD)
    yield case("identity", good, "identity", Expect.GOOD)
    yield case("an empty list", good, "", Expect.EITHER)
    for coding in (
        "br", "zstd", "compress", "gzip, gzip", "gzip, deflate", "deflate, gzip", "gzip, br", "*",
        "gzip;q=1", "gz", "\"gzip\"", "x" * 1000, "identity, br",
    ):
        yield case(f"unknown {coding[:20]!r}", packed, coding, status=415)
    yield case("gzip that is JSON", good, "gzip")
    yield case("deflate that is JSON", good, "deflate")
    yield case("gzip that is zlib", deflated, "gzip")
    yield case("zlib that is gzip", packed, "deflate")
    yield case("gzip within gzip", gzip.compress(packed), "gzip")
    yield case("deflate without its wrapper", deflated[2:-4], "deflate", Expect.EITHER)
    yield case("no coding said", packed, "identity")
    yield case("nothing", b"", "gzip")
    yield case("gzip of nothing", gzip.compress(b""), "gzip")
    yield case("bytes behind", packed + b"x", "gzip", Expect.EITHER)
    yield case("zeros behind", packed + b"\0" * 100, "gzip", Expect.EITHER)
    half = len(good) // 2
    yield case("two members", gzip.compress(good[:half]) + gzip.compress(good[half:]), "gzip",
               Expect.EITHER)
    yield case("many members", gzip.compress(b"") * 2000, "gzip")
    for cut in range(len(packed)):
        yield case(f"gzip cut at {cut}", packed[:cut], "gzip")
    for cut in range(len(deflated)):
        yield case(f"deflate cut at {cut}", deflated[:cut], "deflate")
    for at in range(len(packed)):
        flipped = packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :]
        # The header's time and system are free; its flags and the data are not.
        expect = Expect.EITHER if 3 <= at < 10 else Expect.BAD
        yield case(f"gzip flipped at {at}", flipped, "gzip", expect)
    for number in range(count):
        data = bytearray(source.choice((packed, deflated)))
        for _ in range(source.randint(1, 4)):
            data[source.randrange(len(data))] = source.randrange(256)
        yield case(f"mutation {number}", bytes(data), "gzip" if data[0] == 31 else "deflate",
                   Expect.EITHER)
    for size in (1 << 20, 17 << 20, 256 << 20):
        for byte in (b" ", b"["):
            yield case(f"a bomb of {size >> 20} MiB of {byte!r}", _bomb(byte, size), "gzip")
    yield case("a bomb in deflate", zlib.compress(b" " * (64 << 20), 9), "deflate")
    yield case("a bomb in a bomb", gzip.compress(_bomb(b"\0", 64 << 20)), "gzip")
    yield case("a bomb that ends in JSON", gzip.compress(b" " * (20 << 20) + good), "gzip")
    # 5 MiB of noise, so that the size is what counts, not the ratio.
    noise = b"".join(b"%d," % source.randrange(10**9) for _ in range(1_900_000))
    yield case("more than may inflate", gzip.compress(b"{\"inputs\":[" + noise + b"1]}", 6), "gzip")
    yield Case("a coding on GET", [request("/livez", fields=[("content-encoding", "gzip")])],
               Expect.EITHER)


def _bomb(byte: bytes, size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    block = byte * (1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()
