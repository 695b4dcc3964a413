"""Runs wrk and h2load, and reads what they measured."""

import json
import math
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from harness.server import HOST, ROOT


@dataclass(frozen=True)
class Load:
    """One run of wrk. `refused` counts statuses of 400 and above, `broken` what the socket felt."""

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    refused: int
    broken: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def wrk(
    port: int, bodies: Path, *, clients: int, seconds: float, path: str = "/predict",
    close: bool = False,
) -> Load:
    """Posts the lines of `bodies` in turn for some seconds, from one thread."""
    words = [str(bodies), *(["close"] if close else [])]
    return _run_wrk("cycle.lua", f"http://{HOST}:{port}{path}", clients, seconds, words)


def wrk_pipelined(url: str, *, clients: int, seconds: float, depth: int) -> Load:
    """Gets `url` for some seconds, from one thread, `depth` requests at once on each connection."""
    return _run_wrk("depth.lua", url, clients, seconds, [str(depth)])


def _run_wrk(script: str, url: str, clients: int, seconds: float, words: list[str]) -> Load:
    command = [
        "wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "10s",
        "-s", str(ROOT / "scripts" / "bench" / script), url, "--", *words,
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    return Load(
        found["requests"], found["microseconds"] / 1e6, found["p50"] / 1e3, found["p99"] / 1e3,
        found["statuses"],
        found["connect"] + found["read"] + found["write"] + found["timeout"],
    )


def h2load(url: str, *, clients: int, seconds: int, streams: int) -> Load:
    """Gets `url` over HTTP/2 for some seconds, from one thread, over so many streams at once on each connection."""
    command = ["h2load", "-t1", f"-c{clients}", f"-m{streams}", f"-D{seconds}", url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    counts = {name: int(count) for count, name in re.findall(r"(\d+) (\w+)", output)}
    # h2load tells the mean of the times, not their quantiles.
    rate = re.search(r"([\d.]+) req/s", output)
    if not rate:
        raise SystemExit(f"h2load printed no rate:\n{output}")
    failed = counts["errored"] + counts["timeout"] + counts["failed"]
    return Load(
        counts["succeeded"], counts["succeeded"] / float(rate[1]), math.nan, math.nan,
        counts["3xx"] + counts["4xx"] + counts["5xx"], failed,
    )
