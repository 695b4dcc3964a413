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


def _facts() -> dict[str, str]:
    """What the system says of the first CPU."""
    first, *_ = Path("/proc/cpuinfo").read_text().split("\n\n")
    return dict(re.findall(r"^([^\t:]+?)\s*: (.*)$", first, re.MULTILINE))


def instruction_sets() -> list[str]:
    """Those of INSTRUCTION_SETS that the CPU has."""
    facts = _facts()
    present = (facts.get("flags") or facts.get("Features", "")).split()
    return [name for name in INSTRUCTION_SETS if name in present]


def machine() -> str:
    """The CPU's model, how many of it, and the instruction sets that matter here."""
    facts = _facts()
    model = facts.get("model name", "a CPU without a name")
    numbers = ", ".join(f"{key} {facts[key]}" for key in NUMBERS if key in facts)
    forced = os.environ.get("CAROUSEL_ISA")
    return (
        f"{os.cpu_count()} × {model} ({numbers}): {' '.join(instruction_sets())}"
        + (f"; CAROUSEL_ISA={forced}" if forced else "")
    )
