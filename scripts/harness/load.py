"""Runs wrk with scripts/bench/cycle.lua and reads what it measured."""

import json
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
    command = [
        "wrk", "-t1", f"-c{clients}", f"-d{seconds:g}s", "--timeout", "10s",
        "-s", str(ROOT / "scripts" / "bench" / "cycle.lua"), f"http://{HOST}:{port}{path}", "--",
        str(bodies), *(["close"] if close else []),
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = json.loads(output.splitlines()[-1])
    return Load(
        found["requests"], found["microseconds"] / 1e6, found["p50"] / 1e3, found["p99"] / 1e3,
        found["statuses"],
        found["connect"] + found["read"] + found["write"] + found["timeout"],
    )
