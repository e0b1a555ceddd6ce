"""What Plex does with a provider's metadata: it reads all of it or none, and copies it onto the item."""

from __future__ import annotations

import re
from typing import Any, Optional

from tests.doubles.plex_art import ArtStore
from tests.doubles.plex_edits import refresh, set_scalar
from tests.doubles.plex_elements import element_name
from tests.doubles.plex_model import Item, PlexState

GUID = re.compile(r"([\w.]+)://movie/([A-Za-z0-9_-]+)")
# What a provider's scalars are called here: all the same.
TEXTS = (
    "title",
    "titleSort",
    "originalTitle",
    "summary",
    "tagline",
    "studio",
    "contentRating",
    "originallyAvailableAt",
)
TAGS = ("genre", "actor", "director", "writer", "producer", "country", "collection", "similar")
NEEDED = ("ratingKey", "key", "guid", "type", "title")
KINDS = {
    **dict.fromkeys((*TEXTS, *NEEDED), str),
    "year": int,
    "duration": int,
    "isAdult": bool,
    "Children": dict,
    **dict.fromkeys(map(element_name, TAGS), list),
}
RATINGS = {"critic": "rating", "audience": "audienceRating"}
PICTURES = (("thumb", "posters", "coverPoster"), ("art", "arts", "background"))


class Unreadable(ValueError):
    """Metadata that Plex rejects as a whole."""


def candidates(document: Any) -> list[dict[str, Any]]:
    """Return the items of a match answer, those that Plex can use; raises Unreadable."""
    return [row for row in _metadata(document) if all(isinstance(row.get(name), str) for name in ("guid", "title"))]


def one(document: Any) -> dict[str, Any]:
    """Return the one item of a metadata answer; raises Unreadable for what Plex could not use."""
    rows = _metadata(document)
    if len(rows) != 1:
        raise Unreadable(f"{len(rows)} items where one was asked for")
    _check(rows[0])
    return rows[0]


def _metadata(document: Any) -> list[dict[str, Any]]:
    container = document.get("MediaContainer") if isinstance(document, dict) else None
    rows = container.get("Metadata", []) if isinstance(container, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unreadable("no container of metadata")
    return rows


def _check(row: dict[str, Any]) -> None:
    missing = [name for name in NEEDED if not row.get(name)]
    # An array of Children, or an isAdult that is no boolean, was seen to spoil everything: provider.md 1.4, pitfall 6.
    wrong = [name for name, kind in KINDS.items() if name in row and type(row[name]) is not kind]
    rows = [] if wrong else [(kind, each) for kind in TAGS for each in row.get(element_name(kind), [])]
    wrong += [kind for kind, each in rows if not (isinstance(each, dict) and isinstance(each.get("tag"), str))]
    if missing or wrong:
        raise Unreadable(f"missing: {missing}, of a wrong type: {wrong}")


def copy(state: PlexState, art: ArtStore, item: Item, row: dict[str, Any], pictures: dict[str, bytes]) -> None:
    """Put what a provider sent onto the item: locked fields stay, what it left out stays, tags are only added.

    ``pictures`` are the bytes behind its addresses. A picture that a person selected stays.
    """
    for name in TEXTS:
        if row.get(name) and name not in item.locks:
            set_scalar(item, name, row[name])
    if row.get("year") and "originallyAvailableAt" not in item.locks:
        item.year = str(row["year"])
    item.duration = row.get("duration", item.duration)
    for kind in TAGS:
        if kind not in item.locks:
            _add_tags(state, item, kind, row.get(element_name(kind), []))
    for rating in row.get("Rating", []):
        setattr(item, RATINGS.get(rating.get("type"), "rating"), str(rating.get("value", "")))
    for field, kind, _ in PICTURES:
        _show(art, item, field, kind, picture_url(row, field), pictures)
    state.touch(item)


def _add_tags(state: PlexState, item: Item, kind: str, rows: list[dict[str, Any]]) -> None:
    # Tags that a provider stops sending are not removed: provider.md 1.9.
    state.set_tags(item, kind, [*getattr(item, kind), *(state.tags.put(kind, row["tag"]) for row in rows)])
    for row in rows:
        tag = state.tags.put(kind, row["tag"])
        tag.thumb = row.get("thumb", tag.thumb)
        if kind == "actor" and row.get("role"):
            item.roles = {**(item.roles or {}), tag.id: row["role"]}


def picture_url(row: dict[str, Any], field: str) -> Optional[str]:
    """Return the address of a picture: of its own field, or of the image of its type."""
    kind = next(kind for name, _, kind in PICTURES if name == field)
    images = {image.get("type"): image.get("url") for image in row.get("Image", [])}
    found: Optional[str] = row.get(field) or images.get(kind)
    return found


def _show(art: ArtStore, item: Item, field: str, kind: str, url: Optional[str], pictures: dict[str, bytes]) -> None:
    gallery = art.gallery(item, kind)
    if not url or url not in pictures:
        return
    art.offer(item, kind, url, pictures[url])
    if field not in item.locks and not (gallery.selected or "").startswith("upload:"):
        art.select(item, kind, url)


def forget(state: PlexState, item: Item) -> None:
    """Go back to what the file says, where nothing is locked: before another identity, or without one."""
    roles = item.roles
    refresh(state, item)
    if "collection" not in item.locks:
        state.set_tags(item, "collection", ())
    item.roles = roles if "actor" in item.locks else None
