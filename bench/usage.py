"""What a living process used so far, read from /proc: so only on Linux."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class Usage(NamedTuple):
    """CPU seconds, children that ended included; how often its threads were woken; memory in MB, now and at most."""

    cpu_s: float
    woken: int
    memory_mb: float
    peak_mb: float


def usage(pid: int) -> Usage | None:
    """Of the process of this number; None where there is no /proc."""
    if not os.path.exists("/proc/self/stat"):
        return None
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
    woken = sum(_number(status, "voluntary_ctxt_switches") for status in Path(f"/proc/{pid}/task").glob("*/status"))
    sizes = (_number(Path(f"/proc/{pid}/status"), name) * 1024 / 1e6 for name in ("VmRSS", "VmHWM"))
    return Usage(sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK"), woken, *sizes)


def _number(file: Path, name: str) -> int:
    """The number after this name in one of /proc's status files."""
    lines = [line.split() for line in file.read_text().splitlines()]
    return next(int(line[1]) for line in lines if line and line[0] == name + ":")
