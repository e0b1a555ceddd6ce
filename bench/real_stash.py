"""A real Stash in a folder of its own, with a library of tiny videos. Only on Linux; scanning needs ffmpeg and ffprobe.

The environment variable STASH_BINARY names its program. Its whole state is in the folder, and it is ended with
SIGTERM as a service would be; a second one can be given the first one's database, so that both hold the same.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import secrets
import shutil
import socket
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.visited import HOME, VisitedStash, ended
from tests.waiting import until

BINARY = "STASH_BINARY"
ENDS_WITHIN_S = 30.0
SCANS_WITHIN_S = 600.0
COPIES = 1_000_000  # the ids of copies begin above
TESTED_CODECS = "[InitHWSupport] Supported HW codecs"  # until then each start of Stash runs ffmpeg some times


class RealStash(VisitedStash):
    """One Stash process at a time in ``folder``; ``ended_after_s`` is how long the last one took to end."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        super().__init__(f"http://127.0.0.1:{self._port}", folder / "plugins")
        self.folder, self.ended_after_s = folder, 0.0
        self._process: subprocess.Popen[bytes] | None = None
        self.plugins.mkdir(parents=True, exist_ok=True)

    def start(self) -> None:
        """Start it and wait until it has nothing more to do."""
        self._configure()
        self._log.touch()
        written = self._log.stat().st_size
        command = [os.environ[BINARY], "--config", str(self.folder / "config.yml")]
        with open(self.folder / "console.txt", "ab") as console:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=HOME, stdin=subprocess.DEVNULL, stdout=console, stderr=console
            )
        self.pid = self._process.pid
        until(lambda: TESTED_CODECS in self._logged(written) and self._answers(), 60, "Stash to start")
        self.name = "Stash " + str(self.gql("{version{version}}")["version"]["version"])

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that does not end it."""
        self.leave()
        running, began = self._process, time.monotonic()
        if running is None or running.poll() is not None:
            return
        running.terminate()
        try:
            running.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        self.ended_after_s = time.monotonic() - began

    def log_in(self) -> None:
        """Set a login and log in."""
        user, password = "bench", secrets.token_hex(16)
        query = "mutation($i:ConfigGeneralInput!){configureGeneral(input:$i){username}}"
        self.gql(query, {"i": {"username": user, "password": password}})
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/login", urlencode({"username": user, "password": password}), form)
        given = connection.getresponse().headers.get("Set-Cookie", "")
        self.cookie = given.partition("session=")[2].partition(";")[0]
        connection.close()

    def take_in(self, videos: Path) -> None:
        """Scan a folder of videos, without making covers and the like."""
        job = self.gql("mutation($i:ScanMetadataInput!){metadataScan(input:$i)}", {"i": {"paths": [str(videos)]}})
        asked = {"i": job["metadataScan"]}
        query = "query($i:ID!){findJob(input:{id:$i}){status}}"
        ended = (None, "FINISHED", "CANCELLED", "FAILED")
        until(lambda: (self.gql(query, asked)["findJob"] or {}).get("status") in ended, SCANS_WITHIN_S, "the scan")

    def files(self, count: int) -> dict[str, tuple[str, int]]:
        """Path and size in bytes of the first so many scenes' files, by the scene's id, in the order of the paths."""
        query = "query($f:FindFilterType){findScenes(filter:$f){scenes{id files{path size}}}}"
        found = self.gql(query, {"f": {"per_page": count, "sort": "path"}})["findScenes"]["scenes"]
        return {scene["id"]: (scene["files"][0]["path"], int(scene["files"][0]["size"])) for scene in found}

    def worker_pids(self) -> list[int]:
        """Its children that run our entry file. A hook or task is one, too, for as long as it takes."""
        found = []
        for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
            with suppress(OSError, IndexError):
                about = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if int(about[1]) == self.pid and b"Stash2Plex.py" in command:
                    found.append(pid)
        return found

    def errors(self) -> list[str]:
        """See above; that there may be a newer Stash which cannot be asked for is none of ours."""
        lines = [line for line in self._logged().splitlines() if "level=error" in line or "level=fatal" in line]
        return [line for line in lines if "latest version" not in line]

    @property
    def _log(self) -> Path:
        return self.folder / "stash.log"

    def _logged(self, after: int = 0) -> str:
        return self._log.read_bytes()[after:].decode("utf-8", "replace")

    def _answers(self) -> bool:
        assert self._process
        if self._process.poll() is not None:
            raise RuntimeError(f"Stash ended: {(self.folder / 'console.txt').read_text()[-2000:]}")
        with suppress(OSError):
            return bool(self.gql("{systemStatus{status}}")["systemStatus"]["status"] == "OK")
        self.leave()
        return False

    def _configure(self) -> None:
        """JSON is YAML, too."""
        folders = {name: self.folder / name for name in ("generated", "cache")}
        for made in folders.values():
            made.mkdir(exist_ok=True)
        text = json.dumps({**{name: str(made) for name, made in folders.items()}, **self._settings()})
        (self.folder / "config.yml").write_text(text, encoding="utf-8")

    def _settings(self) -> dict[str, Any]:
        return {
            "host": "127.0.0.1",
            "port": self._port,
            "nobrowser": True,
            "database": str(self.folder / "stash.sqlite"),
            "blobs_storage": "DATABASE",
            "logfile": str(self._log),
            "loglevel": "Info",
            "parallel_tasks": os.cpu_count() or 1,
            "plugins_path": str(self.plugins),
            "python_path": sys.executable,
            "stash": [{"path": str(self.folder.parent / "videos"), "excludeimage": True}],
        }


@contextmanager
def real_stash(folder: Path, login: bool, same_as: RealStash | None = None) -> Iterator[RealStash]:
    """One that runs, empty or with the library of another, which must not run meanwhile."""
    stash = RealStash(folder)
    if same_as is not None:
        shutil.copy(same_as.folder / "stash.sqlite", folder / "stash.sqlite")
    try:
        stash.start()
        if login:
            stash.log_in()
        yield stash
    finally:
        with ended(stash):
            stash.stop()


def make_videos(folder: Path, count: int) -> None:
    """Videos of a second that Stash takes for different ones: one picture, and behind it a box of noise each."""
    folder.mkdir(parents=True)
    made = folder / "made.mp4"
    source = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=1"]
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", *source, "-c:v", "mpeg4", str(made)], check=True)
    picture = made.read_bytes()
    made.unlink()
    for number in range(1, count + 1):
        noise = hashlib.sha256(str(number).encode()).digest() + bytes(number)
        box = struct.pack(">I4s", 8 + len(noise), b"free") + noise
        (folder / f"{number:06}.mp4").write_bytes(picture + box)


def multiply(stash: RealStash, count: int) -> None:
    """Add so many copies of the first scene to the database of a Stash that does not run; no two changed at once.

    Whatever columns a table has, all but these are copied: so it does not matter how old or new that Stash is.
    """
    number = f"{COPIES} + n"
    minute = "strftime('%Y-%m-%dT%H:%M:%SZ', '2020-01-01', n || ' minutes')"
    tables = {
        "files": ("id", {"id": number, "basename": "'copy-' || n || '.mp4'"}),
        "video_files": ("file_id", {"file_id": number}),
        "files_fingerprints": ("file_id", {"file_id": number, "fingerprint": "n || fingerprint"}),
        "scenes": ("id", {"id": number, "updated_at": minute}),
        "scenes_files": ("scene_id", {"scene_id": number, "file_id": number}),
    }
    with closing(sqlite3.connect(stash.folder / "stash.sqlite")) as database, database:
        for table, (key, other) in tables.items():
            columns = [row[1] for row in database.execute(f"PRAGMA table_info({table})")]
            database.execute(
                f"WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count}) "
                f"INSERT INTO {table} ({', '.join(f'`{name}`' for name in columns)}) "
                f"SELECT {', '.join(other.get(name, f'`{name}`') for name in columns)} FROM {table}, numbers "
                f"WHERE {key} = 1 AND {count} > 0"
            )
