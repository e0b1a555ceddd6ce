"""The stand-ins for Stash and Plex as processes of their own, filled with a library, for whoever measures."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.doubles.plex_remote import RemotePlexDouble
from tests.doubles.stash_client import RemoteStashDouble

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "bench-token"
SEEDED_AT_ONCE = 500


@contextmanager
def stash_with(scenes: int) -> Iterator[RemoteStashDouble]:
    """A Stash that holds this many scenes, with ids from 1, and no plugins: nobody but us speaks to it."""
    with _process("tests.doubles.stash_server") as told:
        stash = RemoteStashDouble(told["url"])
        for start in range(0, scenes, SEEDED_AT_ONCE):
            numbers = range(start + 1, min(start + SEEDED_AT_ONCE, scenes) + 1)
            stash.batch([{"call": "add_scene", "options": scene(number)} for number in numbers])
        yield stash


@contextmanager
def plex_with(scenes: int) -> Iterator[RemotePlexDouble]:
    """A fresh Plex with one item per scene, which shows its file name only. The same call gives the same keys."""
    with _process("tests.doubles.plex_server", "--token", TOKEN) as told:
        plex = RemotePlexDouble(told["url"])
        section = plex.add_section("Movies", ["/media"])
        for start in range(0, scenes, SEEDED_AT_ONCE):
            numbers = range(start + 1, min(start + SEEDED_AT_ONCE, scenes) + 1)
            plex.add_items(section, [item(number) for number in numbers])
        yield plex


def scene(number: int) -> dict[str, Any]:
    """A scene with something in every field; performers, tags and studios are shared as in a real library."""
    return {
        "path": f"/data/clips/clip-{number:05}.mp4",
        "size": 1_000_000 + number,
        "title": f"Scene number {number}",
        "details": f"What happens in scene {number}. " * 8,
        "code": f"S2P-{number:05}",
        "date": f"20{number % 25:02}-{number % 12 + 1:02}-{number % 28 + 1:02}",
        "director": f"Director {number % 20}",
        "studio": f"Studio {number % 30}",
        "performers": [f"Performer {(number * step) % 200}" for step in (1, 7)],
        "tags": [f"Tag {(number * step) % 100}" for step in (1, 3, 7, 11, 13)],
    }


def item(number: int) -> dict[str, Any]:
    """What a scan in Plex made of the scene's file."""
    clip = scene(number)
    path = str(clip["path"]).replace("/data/", "/media/")
    return {"file": path, "size": clip["size"], "title": f"clip-{number:05}"}


@contextmanager
def _process(module: str, *arguments: str) -> Iterator[dict[str, Any]]:
    """Run a double until the block ends; gives what it printed about itself."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as running:
        assert running.stdout
        try:
            told: dict[str, Any] = json.loads(running.stdout.readline())
            yield told
        finally:
            running.terminate()
