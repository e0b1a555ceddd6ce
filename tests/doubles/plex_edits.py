"""Edits: the arguments of a PUT, read as Plex reads them and applied to items."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Optional
from urllib.parse import unquote

from tests.doubles.plex_model import ARTWORK, EDITABLE, PLURALS, TAG_KINDS, Collection, Item, PlexState, basename

_TAG = re.compile(r"(\w+)\[(\d*)\]\.(.+)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBERS = ("addedAt", "rating", "audienceRating", "userRating")
_AGENT_TAGS = ("genre", "actor", "director", "writer", "producer", "country")


class EditError(Exception):
    """An edit the server refuses with ``status``."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class TagEdit:
    """What one PUT says about one kind of tags."""

    __slots__ = ("names", "roles", "thumbs", "removed", "clear")

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self.roles: dict[str, str] = {}
        self.thumbs: dict[str, str] = {}
        self.removed: list[str] = []
        self.clear = False


class Edit:
    """A whole PUT, checked: nothing is applied when one argument is refused."""

    __slots__ = ("values", "locks", "tags")

    def __init__(
        self, pairs: Iterable[tuple[str, str]], claimed: bool = True, refused_fields: Iterable[str] = ()
    ) -> None:
        self.values: dict[str, str] = {}
        self.locks: dict[str, bool] = {}
        self.tags: dict[str, TagEdit] = {}
        for name, value in pairs:
            self._read(name, value)
        self._check(claimed)
        if not {*self.values, *self.tags}.isdisjoint(refused_fields):
            raise EditError(400, "a refused field")

    def _read(self, name: str, value: str) -> None:
        if name.endswith((".value", ".locked")):
            self._read_scalar(name, value)
        elif "[" in name:
            self._read_tag(name, value)

    def _read_scalar(self, name: str, value: str) -> None:
        field, _, what = name.rpartition(".")
        if what == "value" and field in EDITABLE:
            self.values[field] = value
        elif what == "locked" and (field in EDITABLE or field in PLURALS or field in ARTWORK):
            self.locks[field] = value == "1"
        else:
            raise EditError(400, f"unknown field {name}")

    def _read_tag(self, name: str, value: str) -> None:
        found = _TAG.fullmatch(name)
        if not found or found[1] not in PLURALS:
            raise EditError(400, f"unknown field {name}")
        kind, index, what = found.groups()
        edit = self.tags.setdefault(kind, TagEdit())
        if index:
            _read_indexed(edit, index, what, value)
        elif what == "tag.tag-":
            # Quoted twice, and a repeated argument counts once: plex.md A.5, "Quoting of -=".
            edit.removed = [unquote(part) for part in value.split(",") if part]
        elif what == "tag":
            edit.clear = True
        else:
            raise EditError(400, f"unknown field {name}")

    def _check(self, claimed: bool) -> None:
        if self.values.get("editionTitle") and not claimed:
            raise EditError(400, "editionTitle needs a subscription")
        date = self.values.get("originallyAvailableAt")
        if date and not _DATE.fullmatch(date):
            raise EditError(500, f"bad date {date}")
        for field in _NUMBERS:
            if self.values.get(field) and not _is_number(self.values[field]):
                raise EditError(500, f"bad number for {field}")


def _read_indexed(edit: TagEdit, index: str, what: str, value: str) -> None:
    if what == "tag.tag":
        if value:
            edit.names.append((index, value))
    elif what == "tagging.text":
        edit.roles[index] = value
    elif what == "tag.thumb":
        edit.thumbs[index] = value
    else:
        raise EditError(400, f"unknown field [{index}].{what}")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def apply_edit(state: PlexState, item: Item, edit: Edit, mode: str) -> None:
    """Apply an edit to one item; ``mode`` is ``append`` or ``replace`` for added tags."""
    for field, value in edit.values.items():
        set_scalar(item, field, value)
    for kind, tag_edit in edit.tags.items():
        _apply_tags(state, item, kind, tag_edit, mode)
    if edit.locks:
        _apply_locks(state, item, edit.locks)
    # Pure tag edits leave updatedAt alone: plex.md F, "updatedAt".
    if edit.values or any(field in ARTWORK for field in edit.locks):
        state.touch(item)


def set_scalar(item: Item, field: str, value: str) -> None:
    """Set one scalar; the year follows the date."""
    setattr(item, field, value)
    if field == "originallyAvailableAt":
        item.year = value[:4]


def _apply_locks(state: PlexState, item: Item, locks: dict[str, bool]) -> None:
    on = {name for name, locked in locks.items() if locked}
    off = {name for name, locked in locks.items() if not locked}
    state.set_locks(item, (item.locks | on) - off)


def _apply_tags(state: PlexState, item: Item, kind: str, edit: TagEdit, mode: str) -> None:
    added = [state.tags.put(kind, name) for _, name in edit.names]
    forget = edit.clear or (mode == "replace" and bool(added))
    kept = [] if forget else list(getattr(item, kind))
    # A tag on both sides is lost: the order is unknown (plex.md G.2), so the double takes the worse one.
    dropped = {name.casefold() for name in edit.removed}
    state.set_tags(item, kind, [tag for tag in kept + added if tag.name.casefold() not in dropped])
    _apply_roles(item, edit, added)


def _apply_roles(item: Item, edit: TagEdit, added: list[Any]) -> None:
    for (index, _), tag in zip(edit.names, added):
        if edit.thumbs.get(index):
            tag.thumb = edit.thumbs[index]
        if index in edit.roles:
            item.roles = dict(item.roles or {})
            item.roles[tag.id] = edit.roles[index]


def apply_to_collection(state: PlexState, collection: Collection, edit: Edit) -> None:
    """Edit a collection: a new title renames the tag on its items, a taken one is a 409."""
    title = edit.values.get("title", collection.tag.name)
    for other in collection.section.collections.values():
        if other is not collection and other.tag.name.casefold() == title.casefold():
            raise EditError(409, f"collection {title} exists")
    if title and title != collection.tag.name:
        state.tags.rename(collection.tag, title)
    collection.summary = edit.values.get("summary", collection.summary)


def seed(state: PlexState, item: Item, fields: dict[str, Any]) -> None:
    """Set fields and tag lists by name, without locks: what a test puts there beforehand."""
    for name, value in fields.items():
        kind = next((kind for kind in TAG_KINDS if name in (PLURALS[kind], kind)), None)
        if kind:
            state.set_tags(item, kind, [state.tags.put(kind, str(each)) for each in value])
        elif name == "locks":
            state.set_locks(item, value)
        elif name in ("guid", "slug", "duration"):
            setattr(item, name, value)
        elif name in item.__slots__ and (name in EDITABLE or name == "year"):
            set_scalar(item, name, "" if value is None else str(value))
        else:
            raise ValueError(f"an item has no field {name}")


def refresh(state: PlexState, item: Item, fields: Optional[dict[str, Any]] = None) -> None:
    """Overwrite unlocked fields as an agent would: with ``fields``, or the file's name and nothing else."""
    found = dict(fields) if fields else _agent_finds(item)
    singular = {plural: kind for kind, plural in PLURALS.items()}
    seed(state, item, {name: value for name, value in found.items() if singular.get(name, name) not in item.locks})
    state.touch(item)


def _agent_finds(item: Item) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(EDITABLE - {"addedAt", "userRating", "editionTitle"}, "")
    found.update({PLURALS[kind]: [] for kind in _AGENT_TAGS})
    found["title"] = basename(item.files[0].file).rsplit(".", 1)[0]
    return found
