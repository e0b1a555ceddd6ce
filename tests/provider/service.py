"""The provider as people run it: a real process, on a free port, asked over real sockets."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Optional

from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.waiting import until

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
MATCHES = "/library/metadata/matches"
# What the environment of a test run may bring along and a service of ours must not see.
OURS = ("S2P_", "PYTHON")


class Reply(NamedTuple):
    """What came back: the status, the headers with lower-case names, the body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def container(self) -> dict[str, Any]:
        return self.json["MediaContainer"]

    @property
    def items(self) -> list[dict[str, Any]]:
        return self.container["Metadata"]


class Service:
    """``python -m provider`` beside a Stash, and a Plex if there is one. ``env`` are settings without the prefix."""

    def __init__(self, tmp_path: Path, stash: StashDouble, plex: Optional[PlexDouble] = None, **env: str) -> None:
        self._out = tmp_path / f"provider-{id(self)}.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        settings = {"stash_url": stash.url, "stash_api_key": stash.api_key, "host": "127.0.0.1", "port": "0"}
        if plex is not None:
            settings.update(plex_url=plex.url, plex_token=plex.token)
        settings.update(env)
        self.secret = settings.get("secret", "")
        self.env = {**kept, **{f"S2P_{name.upper()}": value for name, value in settings.items() if value}}
        self.process: Optional[subprocess.Popen[bytes]] = None
        self.root = ""

    def __enter__(self) -> Service:
        self.start()
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it says where it listens."""
        with open(self._out, "ab") as out:
            command = [sys.executable, "-m", "provider"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.env, stdout=out, stderr=subprocess.STDOUT)
        until(lambda: ADDRESS.search(self.log()) or self.process.poll() is not None, 60)
        found = ADDRESS.search(self.log())
        assert found, self.log()
        self.root = f"http://127.0.0.1:{found[1]}"

    def stop(self) -> int:
        """End it as a container's engine does, and give its exit code."""
        assert self.process
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    @property
    def url(self) -> str:
        """The address that is registered at Plex."""
        return f"{self.root}/{self.secret}" if self.secret else self.root

    def log(self) -> str:
        """All it has written."""
        return self._out.read_text("utf-8", "replace") if self._out.exists() else ""

    def ask(self, path: str, method: str = "GET", body: Optional[bytes] = None, **headers: str) -> Reply:
        """One request; ``path`` is relative to the registered address, or begins with http."""
        url = path if path.startswith("http") else self.url + path
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(url, body, named, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return _reply(answer)
        except urllib.error.HTTPError as refusal:
            with refusal:
                return _reply(refusal)

    def match(self, **fields: Any) -> Reply:
        """A match request with these fields, for a movie unless told otherwise."""
        body = json.dumps({"type": 1, "title": "x", **fields}).encode()
        return self.ask(MATCHES, "POST", body, Content_Type="application/json")

    def matched(self, **fields: Any) -> list[str]:
        """The rating keys that a match request is answered with."""
        reply = self.match(**fields)
        assert reply.status == 200, reply
        return [item["ratingKey"] for item in reply.items]


def _reply(answer: Any) -> Reply:
    return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read())
