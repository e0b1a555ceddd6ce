"""A small world of real processes: a Stash with our plugin, a Plex, a library in both."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Optional

from sync_queue import lease
from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.hooks.hook_process import marks_in
from tests.processes.projection import differences
from tests.waiting import until
from worker.presence import ALIVE

ROOT = Path(__file__).resolve().parents[2]
PLUGIN = "Stash2Plex"
SHIPPED = ("hooks", "launcher", "plex", "reconcile", "stash", "sync_queue", "validation", "worker")
SHIPPED_FILES = ("Stash2Plex.py", "Stash2Plex.yml", "process_queue.py", "requirements.txt", "requirements.lock")


def copy_of_plugin(folder: Path, **appended: str) -> Path:
    """A copy of the plugin that a test may change; ``worker__loop="IDLE_S = 1.0"`` adds a line to a module of it."""
    made = folder / PLUGIN
    for name in SHIPPED:
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("*.pyc.*", ALIVE, "data"))
    for name in SHIPPED_FILES:
        shutil.copy2(ROOT / name, made / name)
    for module, text in appended.items():
        with open(made / (module.replace("__", "/") + ".py"), "a", encoding="utf-8") as file:
            file.write(f"\n\n{text}\n")
    return made


class Clock:
    """The time as Stash sees it."""

    behind_s = 0.0

    def __call__(self) -> float:
        return time.time() - self.behind_s


class World:
    """Both doubles, and ``keys``: the Plex item of each scene. ``data`` is the plugin's data folder."""

    def __init__(self, stash: StashDouble, plex: PlexDouble, data: str, clock: Clock) -> None:
        self.stash, self.plex, self.data, self._clock = stash, plex, data, clock
        self.keys: dict[str, str] = {}
        self._section = plex.add_section("Movies", ["/media"])

    def seed(self, count: int) -> list[str]:
        """That many scenes in both, which have been there for a while."""
        start = len(self.keys)
        made = [self.add(number, details=f"Details {number}") for number in range(start + 1, start + count + 1)]
        self.configure()
        return made

    def add(self, number: int, in_plex: bool = True, **fields: Any) -> str:
        """One scene, and its item unless ``in_plex`` is off."""
        size = 10_000 + number
        self._clock.behind_s = 3_000.0
        id = self.stash.add_scene(path=f"/data/scene {number}.mp4", size=size, title=f"Title {number}", **fields)
        self._clock.behind_s = 0.0
        if in_plex:
            self.keys[id] = self.plex.add_item(self._section, f"/media/scene {number}.mp4", size, title="a file")
        return id

    def configure(self, **settings: Any) -> None:
        """The plugin's settings; those that are not named lead to our Plex."""
        wanted = {"plex_url": self.plex.url, "plex_token": self.plex.token, **settings}
        self.stash.configure(PLUGIN, {name: value for name, value in wanted.items() if value is not None})

    # what can be seen from outside

    @property
    def workers(self) -> list[Any]:
        """The records of all processes that were started as a worker."""
        return [record for record in self.stash.processes if (record.kind, record.trigger) == ("operation", "worker")]

    @property
    def living(self) -> list[Any]:
        """The records of those that live; more than one only while a surplus one is about to leave."""
        return [record for record in self.workers if record.exit_code is None]

    def worker(self) -> Any:
        """The record of the one living worker, once it holds the lease."""
        until(lambda: len(self.living) == 1 and lease.held(self.data), what="a worker that holds the lease")
        return self.living[0]

    def logged(self, part: str) -> list[str]:
        """The lines of Stash's log that contain this."""
        return [text for _, _, text in list(self.stash.log) if part in text]

    def errors(self) -> list[str]:
        """The error lines that our processes wrote."""
        return [text for level, plugin, text in list(self.stash.log) if level == "error" and plugin]

    def differences(self, only: Any = None) -> list[str]:
        """See `projection.differences`."""
        return differences(self.stash, self.plex, self.keys, only)

    def synced(self, only: Any = None, timeout_s: float = 60.0) -> None:
        """Wait until Plex equals the projection of Stash."""
        try:
            until(lambda: not self.differences(only), timeout_s, "Plex to show what Stash holds")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.differences(only)[:5]}; {self.errors()[-5:]}") from None

    # what can be done to it

    def kill_worker(self, number: int = signal.SIGKILL) -> Any:
        """Send the living worker a signal and see it end."""
        record = self.worker()
        os.kill(record.pid, number)
        return until(lambda: record.exit_code is not None and record, what="the worker to end")

    def run_task(self, name: Optional[str], **args: Any) -> dict[str, Any]:
        """Run a task to its end."""
        return self.stash.wait_job(self.stash.run_task(PLUGIN, name, args), 60)

    def status(self) -> dict[str, Any]:
        """What View Queue Status says."""
        ended = self.run_task("View Queue Status")
        assert ended["error"] is None
        return ended["output"]

    def shell(self, *arguments: str, cwd: Optional[Path] = None) -> tuple[int, str, str]:
        """Run process_queue.py against this world; exit code, stdout, stderr."""
        command = [sys.executable, str(ROOT / "process_queue.py"), "--stash-url", self.stash.url, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd)
        return done.returncode, done.stdout, done.stderr

    def rows(self, table: str) -> list[Any]:
        """A table of the store, read while nobody has it open."""
        assert not lease.held(self.data)
        with closing(sqlite3.connect(os.path.join(self.data, "stash2plex.db"))) as db:
            return db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()

    def queued_rows(self) -> list[Any]:
        """The rows of the queue, read while nobody has it open."""
        assert not lease.held(self.data)
        with closing(sqlite3.connect(os.path.join(self.data, "queue", "data.db"))) as db:
            return db.execute("SELECT * FROM ack_queue_default ORDER BY 1").fetchall()

    def marks(self) -> list[dict[str, Any]]:
        """What lies in the inbox."""
        return marks_in(self.data)
