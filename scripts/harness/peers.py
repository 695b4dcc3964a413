"""What a comparison with peers needs: their Python packages, and taking turns."""

import hashlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from harness.server import ROOT

CACHE = ROOT / ".build-bench"
Name = TypeVar("Name")


def python(name: str, requirements: Path) -> str:
    """The Python of .build-bench/`name`; made anew when the requirements change."""
    digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    folder, stamp = CACHE / name, CACHE / f"{name}.sha256"
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"installing the peers into {folder.relative_to(ROOT)}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet",
               "--disable-pip-version-check", "--requirement", str(requirements)]
        subprocess.run(pip, check=True)
        stamp.write_text(digest)
    return str(folder / "bin" / "python")


def turns(names: Iterable[Name], rounds: int) -> Iterator[Name]:
    """Each of them once a round, each round in another order."""
    waiting = list(names)
    for _ in range(rounds):
        yield from waiting
        waiting.append(waiting.pop(0))
