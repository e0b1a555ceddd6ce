"""What an item holds, as a plain dict for tests."""

from __future__ import annotations

from typing import Any

from tests.doubles.plex_art import KINDS, ArtStore
from tests.doubles.plex_elements import thumb_path
from tests.doubles.plex_model import PLURALS, SCALARS, Item, tag_names


def snapshot(item: Item, art: ArtStore) -> dict[str, Any]:
    """Return scalars as strings ('' when unset), tags as lists of names, locks sorted, files and pictures."""
    made: dict[str, Any] = {name: getattr(item, name) for name in SCALARS}
    for kind, plural in PLURALS.items():
        made[plural] = list(tag_names(item, kind))
    made.update(
        key=str(item.key),
        section=item.section.key,
        guid=item.guid,
        updatedAt=item.updated_at,
        file=item.files[0].file,
        size=item.files[0].size,
        files=[each.file for each in item.files],
        locks=sorted(item.locks),
        roles={tag.name: (item.roles or {}).get(tag.id, "") for tag in item.actor},
    )
    for kind, (field, number, _) in KINDS.items():
        made[field] = thumb_path(item, field, getattr(item, number)) or ""
        made[kind] = _pictures(item, kind, art)
    return made


def _pictures(item: Item, kind: str, art: ArtStore) -> Any:
    uploads = (item.artwork or {}).get(kind)
    selected = art.selected(item, kind)
    return [{"ratingKey": key, "selected": key == selected} for key in (uploads.keys if uploads else ())]
