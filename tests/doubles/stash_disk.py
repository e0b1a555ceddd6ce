"""What happened on the disk and is known at stash-box since Stash last looked: the next job finds it."""

from dataclasses import dataclass, field
from typing import Any, Optional


@dataclass
class Arrival:
    """Something that the next scan finds, by `what`.

    "new": a file with another fingerprint than all others, and the picture that a cover is made of. "copy": a file
    that is the same as one of the scene's. "moved", "folder", "modified": the scene's first file, elsewhere by itself,
    elsewhere because a folder above it was renamed, or with other bytes.
    """

    what: str
    path: str
    size: int = 0
    scene_id: Any = None
    picture: Optional[bytes] = None


@dataclass
class Disk:
    """`deleted` are paths that the next clean misses; `boxes` is what stash-box knows of scenes, by number.

    `renamed` are performers and studios that have another name there, by kind and number.
    """

    arrivals: list[Arrival] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)
    boxes: dict[int, dict[str, Any]] = field(default_factory=dict)
    renamed: dict[tuple[str, int], str] = field(default_factory=dict)
