"""What a process has cost so far: wall and CPU seconds, and the most memory that it ever held."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path


def peak_megabytes() -> int:
    """Of this program alone: what ``getrusage`` says holds the program that started it, too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = [each for each in status.splitlines() if each.startswith("VmHWM:")]
    return round(int(line.split()[1]) / 1024)


@dataclass
class Stopwatch:
    """Runs from the moment it is made. CPU is that of all threads of this process."""

    wall: float = field(default_factory=time.perf_counter)
    cpu: float = field(default_factory=time.process_time)

    def as_json(self) -> dict[str, float]:
        """Seconds since the start, the CPU that the imports before it took, and the peak in MiB."""
        return {
            "wall_seconds": round(time.perf_counter() - self.wall, 2),
            "cpu_seconds": round(time.process_time() - self.cpu, 2),
            "import_cpu_seconds": round(self.cpu, 2),
            "peak_megabytes": peak_megabytes(),
        }
