"""Starts a Carousel (or any other server) as a child process, watches its size, and stops it."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

# Seconds after which what should have come is taken to have failed: only to end a hang.
HANG = 180.0

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "config" / "models"
HOST = "127.0.0.1"


def bundled_models() -> list[Path]:
    """The bundled model folders, in the order of their names."""
    return sorted(path.parent for path in BUNDLED.glob("*/model.json"))


def carousel(path: str | None) -> str:
    """The binary at `path`, or that of scripts/build, which builds it where it is missing."""
    if path:
        return str(Path(path).resolve(strict=True))
    built = ROOT / ".build" / "release" / "carousel"
    if built.exists():
        return str(built)
    command = [str(ROOT / "scripts" / "build")]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


class Server:
    """A child process that serves HTTP on the loopback interface; use it in a `with`."""

    def __init__(
        self, command: list[str], port: int, *, cwd: Path, environment: dict[str, str] | None,
        ready: str | None = "/readyz",
    ) -> None:
        self.port = port
        self.log = tempfile.TemporaryFile(mode="w+")
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, env=environment,
            cwd=cwd,
        )
        self.pid = self.process.pid
        try:
            self._wait_until_ready(ready)
        except BaseException:
            self.stop()
            raise

    @classmethod
    def carousel(
        cls, binary: str, folders: list[Path], port: int = 0, options: tuple[str, ...] = (),
        open_files: int | None = None, environment: dict[str, str] | None = None,
    ) -> Self:
        """`carousel serve` with the models in `folders`, or of files; picks a port where none is given.

        It may have `open_files` descriptors, or as many as we may; `environment` is added to ours.
        """
        limit = ["prlimit", f"--nofile={open_files}:{open_files}"] if open_files else []
        port = port or free_port()
        names = [str(folder.resolve()) for folder in folders]
        # No settings but these: neither the repository's, nor the caller's beyond the kernels'.
        kept = {
            name: value for name, value in os.environ.items()
            if name == "CAROUSEL_ISA" or not name.startswith("CAROUSEL_")
        }
        return cls(
            [*limit, binary, "serve", *names, "--host", HOST, "--port", str(port),
             "--log-level", "warning", *options],
            port, cwd=Path(tempfile.gettempdir()), environment=kept | (environment or {}),
        )

    def _wait_until_ready(self, path: str | None, seconds: float = HANG) -> None:
        """Waits for a 200 at `path`; where that is None, for a connection."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise SystemExit(f"the server ended at once:\n{self.output()}")
            try:
                connection = http.client.HTTPConnection(HOST, self.port, timeout=seconds)
                connection.connect()
                status = 200
                if path:
                    connection.request("GET", path)
                    status = connection.getresponse().status
                connection.close()
                if status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise SystemExit(f"the server was not ready in {seconds} s:\n{self.output()}")

    def alive(self) -> bool:
        """Whether the process that was started still runs."""
        return self.process.poll() is None

    def output(self) -> str:
        """What the server wrote, its last 4 KB."""
        self.log.seek(0)
        return self.log.read()[-4096:]

    def resident_kib(self) -> int:
        """The resident size (VmRSS) in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        return int(found[1]) if found else 0

    def processor_seconds(self) -> float:
        """The time that the process and those that it started have run for, on all cores together."""
        return sum(map(_processor_seconds, _family(self.pid)))

    def open_files(self) -> int:
        """How many descriptors the process holds."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def metric(self, pattern: str) -> float:
        """The sum of the samples in /metrics whose line up to the value matches `pattern`."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=HANG)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return sum(
            float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if re.fullmatch(pattern, line.rsplit(" ", 1)[0])
        )

    def stop(self) -> int:
        """Asks the process to stop, by SIGTERM, and returns its exit status."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(HANG)
        except subprocess.TimeoutExpired:
            print(f"the server ignored SIGTERM for {HANG:.0f} s", file=sys.stderr)
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid] + [each for child in children for each in _family(int(child))]


def _processor_seconds(pid: int) -> float:
    """The time that one process has run for."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
