"""slowhttptest's four attacks (slow heads, slow bodies, slow readers, many ranges), 1,000 connections each.

Predictions flow all along, and none fails. The attacker takes processor time of the server's own machine, which no
attacker from elsewhere does; so 99 in 100 predictions have twice the time that they took beside a process that only
spins. How they compare with those of an idle machine is printed too.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from abusing.descriptors import Kept
from harness.http1 import HOST
from harness.server import Server, bundled_models

CONNECTIONS = 1000
SECONDS = 25
CALM_SECONDS = 15
RATIO = 2.0

COMMON = ["-c", f"{CONNECTIONS}", "-r", "500", "-l", f"{SECONDS}", "-p", "3"]
ATTACKS = {
    "slow heads": ["-H", "-i", "2", "-x", "24"],
    "slow bodies": ["-B", "-i", "2", "-s", "8192", "-x", "10"],
    "slow readers": ["-X", "-w", "1", "-y", "2", "-n", "5", "-z", "4", "-k", "3"],
    "many ranges": ["-R", "-a", "10", "-b", "3000", "-t", "GET"],
}


def run(binary: str) -> Iterator[str]:
    """Runs it; yields what went wrong."""
    if not shutil.which("slowhttptest"):
        yield "slowhttptest is missing; scripts/dependencies abuse installs it"
        return
    for name, options in ATTACKS.items():
        path = "/models/co2/predict" if name == "slow bodies" else "/models/kjv"
        with Server.carousel(binary, bundled_models()) as server:
            kept = Kept(server.port)
            kept.during(2)
            calm_count, calm = kept.during(CALM_SECONDS)
            spinner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
            beside_count, beside = kept.during(CALM_SECONDS)
            spinner.kill()
            spinner.wait()
            attack = subprocess.Popen(
                ["slowhttptest", *options, *COMMON, "-u", f"http://{HOST}:{server.port}{path}"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            kept.during(3)
            most = server.open_files()
            count, p99 = kept.during(SECONDS - 8)
            most = max(most, server.open_files())
            output = attack.communicate()[0]
            kept.end()
            if not server.alive():
                yield f"{name}: the server ended: {server.output()}"
                return
            plain = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", output)
            available = re.findall(r"service available:\s+(\w+)", plain)
            print(
                f"  {name}: idle machine {calm_count / CALM_SECONDS:.0f} answers/s, p99 {calm * 1e3:.1f} ms; beside"
                f" a busy process {beside_count / CALM_SECONDS:.0f}/s, {beside * 1e3:.1f} ms; attacked"
                f" {count / (SECONDS - 8):.0f}/s, {p99 * 1e3:.1f} ms: {p99 / calm:.2f} and {p99 / beside:.2f} times;"
                f" {most} files open, {server.resident_kib() / 1024:.0f} MiB resident;"
                f" slowhttptest found it available {available.count('YES')} of {len(available)} times",
                flush=True)
            if kept.failures:
                yield f"{name}: predictions got {dict(kept.failures)}"
            if p99 > RATIO * beside:
                yield f"{name}: 99 in 100 took {p99 / beside:.2f} times as long as beside a busy process"
            if "NO" in available:
                yield f"{name}: slowhttptest found the server unavailable"
