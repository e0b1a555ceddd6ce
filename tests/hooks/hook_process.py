"""The hook role as Stash runs it: the real entry file in a process of its own, JSON on stdin."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional, Union

from tests.doubles.stash_plugins import base_python

ROOT = Path(__file__).resolve().parents[2]
ENTRY = ROOT / "Stash2Plex.py"
NOBODY = {"Scheme": "http", "Host": "127.0.0.1", "Port": 1}


@dataclass(frozen=True)
class Ended:
    """What a hook process left behind."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def answer(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.stdout)

    @property
    def errors(self) -> list[str]:
        """Its error lines, as Stash would show them."""
        return [line[3:].decode() for line in self.stderr.split(b"\n") if line.startswith(b"\x01e\x02")]


def event(trigger: str, id: int = 1, fields: Optional[list[str]] = None, **given: Any) -> dict[str, Any]:
    """A hook context; ``given`` is the input of the mutation."""
    context: dict[str, Any] = {"id": id, "type": trigger, "input": given or None}
    if fields is not None:
        context["inputFields"] = fields
    return context


def payload(context: Any, server: Optional[dict[str, Any]] = None) -> bytes:
    """What Stash writes on stdin for this hook context."""
    return json.dumps({"server_connection": server or NOBODY, "args": {"hookContext": context}}).encode()


def server_of(url: str, cookie: str = "") -> dict[str, Any]:
    """The server connection of the Stash at this address."""
    host, _, port = url.rpartition("/")[2].partition(":")
    session = {"Name": "session", "Value": cookie, "Path": "", "HttpOnly": False}
    return {"Scheme": "http", "Host": host, "Port": int(port), "SessionCookie": session}


def command(*before: str, entry: Path = ENTRY) -> list[str]:
    """How the manifest starts a hook, with the Python that a Stash would find."""
    return [*before, base_python(), "-I", "-S", str(entry)]


def run(stdin: bytes, data_dir: Union[str, Path], argv: Optional[list[str]] = None,
        before_exec: Optional[Callable[[], Any]] = None) -> Ended:  # fmt: skip
    """Run one hook process to its end."""
    environment = {**os.environ, "STASH_PLUGIN_DATA": str(data_dir)}
    done = subprocess.run(
        argv or command(), input=stdin, capture_output=True, env=environment, timeout=60, preexec_fn=before_exec
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def marks_in(data_dir: Union[str, Path]) -> list[dict[str, Any]]:
    """Every mark in the inbox, the oldest first; a worker may be taking them meanwhile."""
    found = []
    for path in sorted((Path(data_dir) / "inbox").glob("*.json")):
        with contextlib.suppress(FileNotFoundError):
            if not path.name.startswith("."):
                found.append(json.loads(path.read_bytes()))
    return found
