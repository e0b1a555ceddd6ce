"""Reading the inbox: what the holder of the lease does with the marks that others put."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Set
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from sync_queue.inbox import FOLDER, SUFFIX, TEMPORARY

LEFTOVER_S = 3600.0
QUIET_S = 0.4
BURST_S = 3.0
EVERY = 1 << 31
DAMAGED = ".damaged"
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
KINDS = frozenset(("scene", "created", "destroyed", "performer", "studio", "tag", "any", "request"))


@dataclass(frozen=True)
class Mark:
    """One event somebody reported: what changed, and the file that says so until the mark is ingested.

    ``kind`` is one of KINDS, else the file counts as damaged; a request carries ``operation``, ``reply`` and ``args``
    (pairs of name and value) instead of an id.
    """

    kind: str
    id: int
    file: str
    operation: str = ""
    reply: str = ""
    args: tuple[tuple[str, str], ...] = ()


def waiting(data_dir: str) -> bool:
    """Whether any mark waits; one folder listing."""
    return bool(_names(data_dir, 1))


def count(data_dir: str) -> int:
    """How many marks wait."""
    return len(_names(data_dir))


def come_since(data_dir: str, at: float) -> bool:
    """Whether a mark waits that was put after this Unix time; their names tell the time."""
    return any(_age_key(name)[0] / 1e9 >= at for name in _names(data_dir))


def asked_since(data_dir: str, at: float) -> bool:
    """Whether a request waits that was put after this Unix time; only marks that are younger are read."""
    young = [name for name in _names(data_dir) if _age_key(name)[0] / 1e9 >= at]
    return any(_is_request(data_dir, name) for name in young)


def requests(data_dir: str) -> set[str]:
    """The ids under which the requests that wait want their answers."""
    found = set()
    for name in _names(data_dir):
        with suppress(*UNREADABLE):
            mark = _read_one(data_dir, name)
            found |= {mark.reply} if mark and mark.kind == "request" else set()
    return found


def burst(data_dir: str, now: float) -> bool:
    """Whether marks still come one after the other, as in a bulk edit that somebody waits for.

    True while the newest is younger than QUIET_S and the oldest younger than BURST_S; their names tell the time.
    """
    ages = [now - _age_key(name)[0] / 1e9 for name in _names(data_dir)]
    return bool(ages) and 0 <= min(ages) < QUIET_S and max(ages) < BURST_S


def read(data_dir: str, limit: int, known: Set[str] = frozenset()) -> tuple[list[Mark], list[str]]:
    """The oldest marks, at most ``limit``, and the names of damaged files, which are set aside beside the others.

    Files in ``known`` were read before and wait for something: they are passed over.
    """
    found, damaged = [], []
    for name in sorted((name for name in _names(data_dir) if name not in known), key=_age_key)[:limit]:
        try:
            mark = _read_one(data_dir, name)
        except UNREADABLE:
            path = os.path.join(data_dir, FOLDER, name)
            os.replace(path, f"{path}{DAMAGED}-{int(time.time())}")
            damaged.append(name)
            continue
        if mark is not None:
            found.append(mark)
    return found, damaged


def remove(data_dir: str, marks: list[Mark]) -> None:
    """Forget these marks: what they asked for is durable elsewhere."""
    for mark in marks:
        try:
            os.unlink(os.path.join(data_dir, FOLDER, mark.file))
        except FileNotFoundError:
            pass


def sweep_leftovers(data_dir: str, now: float) -> int:
    """Delete the temporary files of writers that were killed over an hour ago; returns how many."""
    folder, swept = os.path.join(data_dir, FOLDER), 0
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        path = os.path.join(folder, name)
        if name.endswith(TEMPORARY) and now - os.stat(path).st_mtime > LEFTOVER_S:
            os.unlink(path)
            swept += 1
    return swept


def _names(data_dir: str, limit: int = 0) -> list[str]:
    names = []
    try:
        with os.scandir(os.path.join(data_dir, FOLDER)) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX) and not entry.name.startswith("."):
                    names.append(entry.name)
                    if len(names) == limit:
                        break
    except FileNotFoundError:
        pass
    return names


def _age_key(name: str) -> tuple[int, str]:
    digits = name.partition("-")[0]
    return (int(digits) if digits.isdigit() else 0, name)


def _read_one(data_dir: str, name: str) -> Mark | None:
    try:
        with open(os.path.join(data_dir, FOLDER, name), "rb") as file:
            return _parse(json.loads(file.read()), name)
    except FileNotFoundError:
        return None


def _is_request(data_dir: str, name: str) -> bool:
    try:
        mark = _read_one(data_dir, name)
    except UNREADABLE:
        return False  # set aside when its turn comes
    return mark is not None and mark.kind == "request"


def _parse(raw: Any, name: str) -> Mark:
    kind, id = raw["kind"], raw.get("id", 0)
    if kind not in KINDS or type(id) is not int or not 0 <= id < 1 << 63:
        raise TypeError(name)
    return Mark(kind, id, name, str(raw.get("operation", "")), str(raw.get("reply", "")), _args(raw.get("args", [])))


def _args(raw: Any) -> tuple[tuple[str, str], ...]:
    """Texts of the form ``name=value`` as pairs."""
    if not isinstance(raw, list):
        raise TypeError(raw)
    parted = [text.partition("=") for text in raw]
    return tuple((name, value) for name, _, value in parted)
