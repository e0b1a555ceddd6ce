"""The tag table of a Plex server: one row per kind and name, shared by all items."""

from __future__ import annotations

import itertools


class Tag:
    """One row of the shared tag table; every item with this tag points at the same row."""

    __slots__ = ("id", "kind", "name", "thumb")

    def __init__(self, tag_id: int, kind: str, name: str) -> None:
        self.id = tag_id
        self.kind = kind
        self.name = name
        self.thumb = ""


class TagTable:
    """Finds tags without regard to case: the spelling seen first is kept."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Tag] = {}
        self._ids = itertools.count(1)

    def put(self, kind: str, name: str) -> Tag:
        """Return the row for ``name``, made now if need be. Labels get a capital first letter."""
        found = self._rows.get((kind, name.casefold()))
        if found is None:
            spelled = name[:1].upper() + name[1:] if kind == "label" else name
            found = self._rows[kind, name.casefold()] = Tag(next(self._ids), kind, spelled)
        return found

    def rename(self, tag: Tag, name: str) -> None:
        """Give a row another name; all its items show it at once."""
        del self._rows[tag.kind, tag.name.casefold()]
        tag.name = name
        self._rows[tag.kind, name.casefold()] = tag
