"""What Plex should show of a scene, and the fingerprint of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Optional

from plex.model import BACKGROUND, POSTER
from validation.scene import Scene
from validation.settings import Settings
from validation.text import folded

SHORT_SUMMARY = 500
FEW_TAGS = 30

# Plex's name of a field -> the setting that switches it.
SCALAR_SWITCHES = {
    "title": "sync_title",
    "studio": "sync_studio",
    "summary": "sync_summary",
    "tagline": "sync_tagline",
    "originallyAvailableAt": "sync_date",
}
LIST_SWITCHES = {
    "actor": "sync_performers",
    "genre": "sync_tags",
    "director": "sync_director",
    "collection": "sync_collection",
}
PICTURE_SWITCHES = {POSTER: "sync_poster", BACKGROUND: "sync_background"}


@dataclass(frozen=True)
class Projection:
    """The wanted state of one item, in Plex's names. "" and () mean empty; a field that is not there is left alone.

    ``rating`` is "1" to "10" in half stars, "" for none, None to leave it alone; ``pictures`` the kinds that the
    scene's cover becomes.
    """

    scalars: dict[str, str]
    lists: dict[str, tuple[str, ...]]
    rating: Optional[str] = None
    pictures: tuple[str, ...] = ()


def project(scene: Scene, settings: Settings) -> Projection:
    """Stash's studio code becomes the tagline: Stash has none, and that is what people show there."""
    scalars = {
        "title": scene.title,
        "studio": scene.studio,
        "summary": scene.details,
        "tagline": scene.code,
        "originallyAvailableAt": scene.date,
    }
    lists = {
        "actor": scene.performers,
        "genre": genres(scene.tags, settings),
        "director": (scene.director,) if scene.director else (),
        "collection": (scene.studio,) if scene.studio else (),
    }
    return Projection(
        {name: value for name, value in scalars.items() if getattr(settings, SCALAR_SWITCHES[name])},
        {name: value for name, value in lists.items() if getattr(settings, LIST_SWITCHES[name])},
        half_stars(scene.rating100) if settings.sync_rating else None,
        tuple(kind for kind, switch in PICTURE_SWITCHES.items() if getattr(settings, switch)),
    )


def genres(tags: tuple[str, ...], settings: Settings) -> tuple[str, ...]:
    """The tags that are sent, in Stash's order. Too many are cut by the alphabet, so that always the same ones stay."""
    left_out = {folded(name) for name in settings.tag_exclude}
    sent = [tag for tag in tags if not left_out or folded(tag) not in left_out]
    if len(sent) > settings.max_tags:
        kept = set(sorted(sent, key=folded)[: settings.max_tags])
        sent = [tag for tag in sent if tag in kept]
    return tuple(sent)


def half_stars(rating100: Optional[int]) -> str:
    """Stash's 1 to 100 in Plex's half stars, "1" to "10"; "" for none."""
    return "" if rating100 is None else str(max(1, (rating100 + 5) // 10))


def shrunk(projection: Projection) -> Projection:
    """A smaller version for a server that finds the request too long."""
    scalars = {name: value[:SHORT_SUMMARY] for name, value in projection.scalars.items()}
    return replace(projection, scalars=scalars, lists={k: v[:FEW_TAGS] for k, v in projection.lists.items()})


def fingerprint(scene: Scene, projection: Projection, shape: str) -> str:
    """A digest of all that decides what is pushed where: projection, files, and the settings that shaped it."""
    files = sorted((file.path, file.size) for file in scene.files)
    wanted = [projection.scalars, projection.lists, projection.rating, projection.pictures]
    text = json.dumps([wanted, files, shape], sort_keys=True)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
