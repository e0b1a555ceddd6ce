"""What Plex should show of a scene, and the fingerprint of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace

from validation.scene import Scene

SHORT_SUMMARY = 500
FEW_TAGS = 30


@dataclass(frozen=True)
class Projection:
    """The wanted state of one item, in Plex's names. "" and () mean empty."""

    scalars: dict[str, str]
    lists: dict[str, tuple[str, ...]]


def project(scene: Scene) -> Projection:
    """Stash's studio code becomes the tagline: Stash has none, and that is what people show there."""
    return Projection(
        scalars={
            "title": scene.title,
            "studio": scene.studio,
            "summary": scene.details,
            "tagline": scene.code,
            "originallyAvailableAt": scene.date,
        },
        lists={
            "actor": scene.performers,
            "genre": scene.tags,
            "director": (scene.director,) if scene.director else (),
            "collection": (scene.studio,) if scene.studio else (),
        },
    )


def shrunk(projection: Projection) -> Projection:
    """A smaller version for a server that finds the request too long."""
    scalars = {**projection.scalars, "summary": projection.scalars["summary"][:SHORT_SUMMARY]}
    return replace(projection, scalars=scalars, lists={k: v[:FEW_TAGS] for k, v in projection.lists.items()})


def fingerprint(scene: Scene, projection: Projection, shape: str) -> str:
    """A digest of all that decides what is pushed where: projection, files, and the settings that shaped it."""
    files = sorted((file.path, file.size) for file in scene.files)
    text = json.dumps([projection.scalars, projection.lists, files, shape], sort_keys=True)
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
