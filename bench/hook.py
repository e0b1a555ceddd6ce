"""What a hook costs, as a whole process, against a bare interpreter: ``python -m bench.hook``.

Stash waits for this process inside the user's save, once per scene. So the floor is the cheapest process that Python
can be, `python3 -I -S -c pass` of the same interpreter, and both take turns so that the machine's moods hit both.
A process that holds the lease stands for the living worker; nobody reads the inbox, so lost marks can be counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter

from bench.launch import SPAWNS, Ran, base_python, run, run_at_once
from bench.parts import main
from bench.table import Bar, Row, median, p95
from sync_queue import inbox, lease, marks

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 16
WARM_UP = 5
COVER_BYTES = 3_000_000
QUICK = {"rounds": 2, "bursts": 1}
RATIO_BAR = Bar(1.25, of_ratio=True)
AT_ONCE_BAR = Bar(100)

HOLDER = "import sys; sys.path.insert(0, sys.argv[1]); from sync_queue import lease; "
HOLDER += "lease.take(sys.argv[2]); print('held', flush=True); sys.stdin.read()"

# A process's peak starts at that of whoever started it, so a small one has to start it.
PEAK = """
import posix, resource, sys
moves = [(posix.POSIX_SPAWN_OPEN, 1, "/dev/null", posix.O_WRONLY, 0)]
pid = posix.posix_spawn(sys.argv[1], sys.argv[1:], posix.environ, file_actions=moves)
print(posix.wait4(pid, 0)[2].ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


class Hooks:
    """Runs hook processes and bare ones on one data folder, and counts the marks that were acknowledged."""

    def __init__(self, data_dir: str) -> None:
        self.python = base_python()
        self.data_dir = data_dir
        self.env = {**os.environ, "STASH_PLUGIN_DATA": data_dir}
        self.bare_command = [self.python, "-I", "-S", "-c", "pass"]
        self.reading_command = [self.python, "-I", "-S", "-c", "import sys; sys.stdin.buffer.read()"]
        self.command = [self.python, "-I", "-S", str(ROOT / "Stash2Plex.py")]
        self.acknowledged = 0

    def bare(self) -> float:
        """Seconds of one bare interpreter."""
        return run(self.bare_command, b"", self.env).seconds

    def reading(self, payload: bytes) -> float:
        """Seconds of an interpreter that reads its stdin and does nothing with it."""
        return run(self.reading_command, payload, self.env).seconds

    def hook(self, payload: bytes) -> float:
        """Seconds of one hook."""
        return self._checked(run(self.command, payload, self.env))

    def bare_at_once(self) -> list[float]:
        """Seconds of each of 16 bare interpreters started together."""
        return [ran.seconds for ran in run_at_once(self.bare_command, [b""] * AT_ONCE, self.env)]

    def hooks_at_once(self) -> list[float]:
        """Seconds of each of 16 hooks started together."""
        payloads = [event(scene) for scene in range(1, AT_ONCE + 1)]
        return [self._checked(ran) for ran in run_at_once(self.command, payloads, self.env)]

    def peaks(self) -> tuple[float, float]:
        """Peak memory in MB of a bare interpreter and of a hook."""
        small = [self.python, "-I", "-S", "-c", PEAK]
        bare, hook = run(small + self.bare_command, b"", self.env), run(small + self.command, event(1), self.env)
        self.acknowledged += 1
        return float(bare.output) / 1e6, float(hook.output) / 1e6

    @property
    def lost(self) -> int:
        """Acknowledged marks that are not in the inbox."""
        return self.acknowledged - marks.count(self.data_dir)

    def _checked(self, ran: Ran) -> float:
        if ran.exit_code or b"queued scene" not in ran.output:
            raise RuntimeError(f"a hook did not take its event: exit code {ran.exit_code}, answer {ran.output!r}")
        self.acknowledged += 1
        return ran.seconds


def event(scene: int, cover_bytes: int = 0) -> bytes:
    """What Stash writes to a hook after a save of this scene, with a cover in it or not."""
    given = {"id": str(scene), "title": "A title", "details": "Some details. " * 10}
    if cover_bytes:
        given["cover_image"] = "data:image/jpeg;base64," + "A" * cover_bytes
    hook = {"id": scene, "type": "Scene.Update.Post", "input": given, "inputFields": list(given)}
    server = {"Scheme": "http", "Host": "127.0.0.1", "Port": 9999, "SessionCookie": None, "PluginDir": str(ROOT)}
    return json.dumps({"server_connection": server, "args": {"hookContext": hook}}).encode()


@contextmanager
def living_worker(data_dir: str) -> Iterator[None]:
    """A process that holds the lease, which is all that a hook sees of a worker."""
    inbox.make_private_folder(data_dir)
    command = [base_python(), "-I", "-S", "-c", HOLDER, str(ROOT), data_dir]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdin and holder.stdout
        try:
            holder.stdout.readline()
            if not lease.held(data_dir):
                raise RuntimeError("the stand-in for the worker does not hold the lease")
            yield
        finally:
            holder.stdin.close()


def measure(folder: Path, *, rounds: int = 200, bursts: int = 20) -> list[Row]:
    """All rows: so many hooks one after another, and so many bursts of 16 at once."""
    data_dir = str(folder / "data")
    hooks = Hooks(data_dir)
    plain, covered = event(1), event(1, COVER_BYTES)
    with living_worker(data_dir):
        for _ in range(WARM_UP):
            hooks.bare(), hooks.hook(plain)
        one_by_one = [(hooks.bare(), hooks.hook(plain)) for _ in range(rounds)]
        with_cover = [(hooks.reading(covered), hooks.hook(covered)) for _ in range(max(1, rounds // 4))]
        together = [(hooks.bare_at_once(), hooks.hooks_at_once()) for _ in range(bursts)]
        writes = [_durable_write_s(hooks) for _ in range(min(rounds, 50))]
        peaks = hooks.peaks() if SPAWNS else None
    bare, hook = _columns(one_by_one)
    reading, cover = _columns(with_cover)
    bare_16 = [1000 * seconds for burst, _ in together for seconds in burst]
    hook_16 = [1000 * seconds for _, burst in together for seconds in burst]
    rows = [
        Row("hook, median", median(hook), "ms", median(bare), RATIO_BAR),
        Row("hook, p95", p95(hook), "ms", p95(bare)),
        Row("hook with a 3 MB cover (floor: reading it)", median(cover), "ms", median(reading)),
        Row(f"{AT_ONCE} at once, p50", median(hook_16), "ms", median(bare_16)),
        Row(f"{AT_ONCE} at once, p95", p95(hook_16), "ms", p95(bare_16), AT_ONCE_BAR),
        Row(f"{AT_ONCE} at once, slowest", max(hook_16), "ms", max(bare_16)),
        Row(f"marks lost, of {hooks.acknowledged:,}", hooks.lost, "", None, Bar(0), must=True),
        Row("part of it: the durable write", 1000 * median(writes), "ms"),
    ]
    if peaks:
        rows[0] = replace(rows[0], peak_mb=peaks[1])
        rows.append(Row("memory of a hook, peak", peaks[1], "MB", peaks[0]))
    return rows


def _columns(pairs: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Pairs of seconds as two columns of milliseconds."""
    return [1000 * bare for bare, _ in pairs], [1000 * hook for _, hook in pairs]


def _durable_write_s(hooks: Hooks) -> float:
    at = perf_counter()
    inbox.put(hooks.data_dir, {"kind": "scene", "id": 1, "event": "Scene.Update.Post", "fields": ["title"]})
    hooks.acknowledged += 1
    return perf_counter() - at


if __name__ == "__main__":
    sys.exit(main(["hook", *sys.argv[1:]]))
