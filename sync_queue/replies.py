"""Asking the living worker: a request goes into the inbox, its progress and answer come back in a file."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from sync_queue import inbox, lease, marks
from sync_queue.files import read_json, write_json

FOLDER = "replies"
KEPT_S = 3_600.0
LOOK_S = 0.1


def ask(data_dir: str, operation: str, args: Mapping[str, str] = {}) -> str:
    """Put a request for the worker; returns the id under which its answer will come."""
    reply = uuid.uuid4().hex
    mark: dict[str, object] = {"kind": "request", "operation": operation, "reply": reply}
    if args:
        mark["args"] = [f"{name}={value}" for name, value in args.items()]
    inbox.put(data_dir, mark)
    return reply


def follow(data_dir: str, reply: str, report: Callable[[float], object]) -> dict[str, Any] | None:
    """Wait for the answer, reporting progress at each look; None when the worker is gone without one.

    Another worker may have taken its place meanwhile; it says so where nobody would answer any more.
    """
    fraction = 0.0
    while True:
        alone = not lease.held(data_dir)  # looked at before the file: the last act of a worker is to write it
        content = read_json(_file(data_dir, reply))
        if isinstance(content, dict):
            fraction = content.get("progress") or fraction
        report(fraction)
        if isinstance(content, dict):
            if content.get("done"):
                os.unlink(_file(data_dir, reply))
                return dict(content.get("output") or {"error": content.get("error", "no answer")})
        if alone or isinstance(content, dict) and content.get("left"):
            return None
        time.sleep(LOOK_S)


def write(data_dir: str, reply: str, content: dict[str, Any]) -> None:
    """Write progress or answer, whole and private; without an id nobody wants one."""
    if reply:
        os.makedirs(os.path.join(data_dir, FOLDER), mode=0o700, exist_ok=True)
        write_json(_file(data_dir, reply), content)


def take_over(data_dir: str, now: float) -> None:
    """A worker begins: say of what the last one left that it is left, and delete what nobody fetched for an hour.

    What still has its mark will be carried out by us.
    """
    folder, asked = os.path.join(data_dir, FOLDER), marks.requests(data_dir)
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        path, reply = os.path.join(folder, name), os.path.splitext(name)[0]
        if now - os.stat(path).st_mtime > KEPT_S:
            os.unlink(path)
            continue
        content = read_json(path)
        if isinstance(content, dict) and not content.get("done") and reply not in asked:
            write(data_dir, reply, {**content, "left": True})


def _file(data_dir: str, reply: str) -> str:
    return os.path.join(data_dir, FOLDER, f"{os.path.basename(reply)}.json")
