"""The stand-ins for Stash and Plex as processes of their own, filled with a library, for whoever measures."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import gmtime, strftime
from typing import Any

from tests.doubles.plex_remote import RemotePlexDouble
from tests.doubles.stash_client import RemoteStashDouble

ROOT = Path(__file__).resolve().parent.parent
TOKEN = "bench-token"
FIRST_SAVED, SAVED_EVERY_S = 1_600_000_000, 600  # a library that grew over years, so that few scenes are recent


@contextmanager
def stash_with(scenes: int, pictures: bool = False, port: int = 0) -> Iterator[RemoteStashDouble]:
    """A Stash that holds this many scenes, with ids from 1, and no plugins: nobody but us speaks to it.

    With ``pictures`` each has a cover of its own. It listens on this port, or on any that is free.
    """
    with started("tests.doubles.stash_server", "--port", str(port)) as told:
        stash = RemoteStashDouble(told["url"])
        stash.promise_scenes(scenes, f"bench.doubles:{'covered_scene' if pictures else 'scene'}")
        yield stash


@contextmanager
def plex_with(scenes: int, described: str = "bench.doubles:item") -> Iterator[RemotePlexDouble]:
    """A fresh Plex with one item per scene. The same call gives the same keys.

    An item shows its file's name only, or what ``described`` says: `synced_item`, `covered_item` or another function.
    """
    with started("tests.doubles.plex_server", "--token", TOKEN) as told:
        plex = RemotePlexDouble(told["url"])
        plex.promise_items(plex.add_section("Movies", ["/media"]), scenes, described)
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
        "updated_at": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(FIRST_SAVED + number * SAVED_EVERY_S)),
    }


def covered_scene(number: int) -> dict[str, Any]:
    """The same with a cover."""
    return {**scene(number), "cover": base64.b64encode(picture(number)).decode("ascii")}


def picture(number: int) -> bytes:
    """A scene's cover; as small as can be, since only its digest counts."""
    return f"GIF89a of scene {number}".encode("ascii")


def item(number: int) -> dict[str, Any]:
    """What a scan in Plex made of the scene's file."""
    clip = scene(number)
    path = str(clip["path"]).replace("/data/", "/media/")
    return {"file": path, "size": clip["size"], "title": f"clip-{number:05}"}


def synced_item(number: int) -> dict[str, Any]:
    """What Plex shows of a scene that was synced: every field has its value, and is locked."""
    clip = scene(number)
    shown = {
        "title": clip["title"],
        "studio": clip["studio"],
        "summary": clip["details"].strip(),
        "tagline": clip["code"],
        "originallyAvailableAt": clip["date"],
        "actor": clip["performers"],
        "genre": clip["tags"],
        "director": [clip["director"]],
        "collection": [clip["studio"]],
    }
    return {**item(number), **shown, "locks": list(shown)}


def covered_item(number: int) -> dict[str, Any]:
    """The same with the scene's cover as poster and background."""
    shown, cover = synced_item(number), picture(number).decode("ascii")
    return {**shown, "locks": [*shown["locks"], "thumb", "art"], "pictures": {"posters": cover, "arts": cover}}


@contextmanager
def started(module: str, *arguments: str, env: dict[str, str] | None = None) -> Iterator[dict[str, Any]]:
    """Run a module until the block ends; gives what it printed about itself, and its ``pid``."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE) as running:
        assert running.stdout
        try:
            yield {**json.loads(running.stdout.readline()), "pid": running.pid}
        finally:
            running.terminate()
