"""Names the machine that something was measured on."""

import os
import re
from pathlib import Path

# From the widest; the kernels' variants, and what may serve int8 later.
INSTRUCTION_SETS = ["avx512_vnni", "avx512f", "avx2", "fma", "sse4_2", "asimd"]


def machine() -> str:
    """The CPU's model, how many of it, and the instruction sets that matter here."""
    text = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)$", text, re.MULTILINE)
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", text, re.MULTILINE)
    present = set(flags[1].split()) if flags else set()
    sets = " ".join(name for name in INSTRUCTION_SETS if name in present)
    forced = os.environ.get("CAROUSEL_ISA")
    return (
        f"{os.cpu_count()} × {model[1] if model else 'a CPU without a name'}: {sets}"
        + (f"; CAROUSEL_ISA={forced}" if forced else "")
    )
