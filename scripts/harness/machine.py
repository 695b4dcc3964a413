"""Names the machine that something was measured on."""

import os
import re
from pathlib import Path

# From the widest: what the kernels have variants for, and what these imply.
INSTRUCTION_SETS = [
    "avx512_vnni", "avx512f", "avx_vnni", "avx2", "fma", "sse4_2", "asimddp", "asimd",
]
# Hypervisors hide names; these tell. The first two are x86's, the others Arm's.
NUMBERS = ["cpu family", "model", "CPU implementer", "CPU part"]


def machine() -> str:
    """The CPU's model, how many of it, and the instruction sets that matter here."""
    first, *_ = Path("/proc/cpuinfo").read_text().split("\n\n")
    facts = dict(re.findall(r"^([^\t:]+?)\s*: (.*)$", first, re.MULTILINE))
    model = facts.get("model name", "a CPU without a name")
    numbers = ", ".join(f"{key} {facts[key]}" for key in NUMBERS if key in facts)
    present = (facts.get("flags") or facts.get("Features", "")).split()
    sets = " ".join(name for name in INSTRUCTION_SETS if name in present)
    forced = os.environ.get("CAROUSEL_ISA")
    return (
        f"{os.cpu_count()} × {model} ({numbers}): {sets}"
        + (f"; CAROUSEL_ISA={forced}" if forced else "")
    )
