"""The difference between what Plex should show and what it shows, and how to say it to Plex. Pure.

Tag writes are right whether the server appends or replaces (the evidence conflicts): the whole wanted list is sent
and what is dropped is named, never the same tag on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Optional
from urllib.parse import quote

from plex.model import PlexItem
from plex.projection import Projection
from validation.text import folded

URL_BYTES = 4_000
OURS_ONLY = ("collection",)  # of these we take away only what we added; people sort by them

Owned = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Edit:
    """What one PUT has to say, and ``rating``, which has a request of its own (None: leave it as it is).

    ``owned`` are the tags that are ours afterwards, as (kind, tag).
    """

    scalars: dict[str, str] = field(default_factory=dict)
    wanted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: dict[str, tuple[str, ...]] = field(default_factory=dict)
    locks: tuple[str, ...] = ()
    owned: Owned = frozenset()
    rating: Optional[str] = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing for a PUT to say."""
        return not (self.scalars or self.wanted or self.dropped or self.locks)

    @property
    def fields(self) -> list[str]:
        """The names of what changes, for the log."""
        return sorted({*self.scalars, *self.wanted, *self.dropped} | ({"rating"} if self.rating is not None else set()))

    def with_locks(self, names: Iterable[str]) -> Edit:
        """The same edit, which locks these fields too."""
        return replace(self, locks=(*self.locks, *names))


def diff(projection: Projection, item: PlexItem, owned: Owned, preserve: bool, lock: bool = True) -> Edit:
    """What must be sent so that the item shows the projection.

    With ``preserve`` only empty fields are filled, locked ones are left alone, and tags are taken away only where we
    added them. Without it Stash wins, and with ``lock`` every field that we set is locked, so that a refresh in Plex
    cannot undo it.
    """
    scalars = {n: v for n, v in projection.scalars.items() if _scalar_differs(n, v, item, preserve)}
    wanted: dict[str, tuple[str, ...]] = {}
    dropped: dict[str, tuple[str, ...]] = {}
    still = {pair for pair in owned if pair[0] not in projection.lists}  # switched off, and ours all the same
    for kind, want in projection.lists.items():
        have = item.lists[kind]
        ours = {folded(tag) for owner, tag in owned if owner == kind}
        present = _folds(have)
        left_alone = preserve and kind in item.locks
        keep, away = (have, ()) if left_alone else _tags(kind, want, have, ours, preserve)
        if away or len(keep) != len(have):
            wanted[kind], dropped[kind] = keep, away
        added = set() if left_alone else _folds(want) - present
        still.update((kind, tag) for tag in want if folded(tag) in ours | added)
    locks = tuple(_locks(projection, item, {*scalars, *wanted})) if lock and not preserve else ()
    return Edit(scalars, wanted, dropped, locks, frozenset(still), _rating(projection, item, preserve))


def encode(edit: Edit) -> str:
    """The edit as one URL-encoded argument string."""
    return "&".join(_all_arguments(edit))


def pieces(edit: Edit, limit: int = URL_BYTES) -> list[str]:
    """The edit as argument strings that keep to the limit where they can; one string whenever all fits.

    Several pieces are right only where the server appends: whoever sends them must look at the result.
    """
    parts: list[str] = []
    for argument in _all_arguments(edit):
        if parts and len(parts[-1]) + len(argument) < limit:
            parts[-1] += "&" + argument
        else:
            parts.append(argument)
    return parts


def apart(edit: Edit) -> dict[str, Edit]:
    """The edit field by field, for a server that refuses it as a whole."""
    parts = {name: Edit(scalars={name: value}) for name, value in edit.scalars.items()}
    for kind, tags in edit.wanted.items():
        parts[kind] = Edit(wanted={kind: tags}, dropped={kind: edit.dropped.get(kind, ())})
    for name in edit.locks:
        parts[name] = parts.get(name, Edit()).with_locks((name,))
    return parts


def left_of(edit: Edit, item: PlexItem) -> Edit:
    """What of a sent edit the item does not show: of the tags whole lists, as they were sent."""
    scalars = {name: value for name, value in edit.scalars.items() if item.scalars[name] != value}
    wanted = {kind: tags for kind, tags in edit.wanted.items() if _folds(tags) != _folds(item.lists[kind])}
    dropped = {kind: edit.dropped[kind] for kind in wanted}
    locks = tuple(name for name in edit.locks if name not in item.locks)
    return Edit(scalars, wanted, dropped, locks, edit.owned)


def _scalar_differs(name: str, value: str, item: PlexItem, preserve: bool) -> bool:
    current = item.scalars[name]
    if value == current or (name == "title" and not value):
        return False
    return not preserve or (not current and name not in item.locks)


def _rating(projection: Projection, item: PlexItem, preserve: bool) -> Optional[str]:
    wanted = projection.rating
    return None if wanted is None or wanted == item.rating or (preserve and item.rating) else wanted


def _tags(
    kind: str, want: tuple[str, ...], have: tuple[str, ...], ours: set[str], preserve: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The whole list to send, in Plex's own spelling where it has one, and the tags to take away."""
    only_ours = preserve or kind in OURS_ONLY
    target, present = _folds(want), _folds(have)
    away = tuple(t for t in have if folded(t) not in target and (folded(t) in ours or not only_ours))
    gone = _folds(away)
    kept = tuple(t for t in have if folded(t) not in gone)
    # A tag that we added and a person took away stays away while people's edits are preserved.
    new = tuple(t for t in want if folded(t) not in present and not (preserve and folded(t) in ours))
    return kept + new, away


def _locks(projection: Projection, item: PlexItem, changed: set[str]) -> Iterable[str]:
    for name, value in {**projection.scalars, **projection.lists}.items():
        if (value or name in changed) and name not in item.locks:
            yield name


def _all_arguments(edit: Edit) -> Iterable[str]:
    for name in edit.locks:
        yield f"{name}.locked=1"
    for name, value in edit.scalars.items():
        yield f"{name}.value={quote(value, safe='')}"
    for kind, tags in edit.dropped.items():
        if tags:
            # Each tag encoded on its own, joined by commas, the whole encoded again: else a comma in a tag splits it.
            joined = ",".join(_quoted(tag) for tag in tags)
            yield f"{kind}%5B%5D.tag.tag-={quote(joined, safe='')}"
    for kind, tags in edit.wanted.items():
        for number, tag in enumerate(tags):
            yield f"{kind}%5B{number}%5D.tag.tag={_quoted(tag)}"


@lru_cache(maxsize=4_096)
def _quoted(tag: str) -> str:
    return quote(tag, safe="")


def _folds(tags: Iterable[str]) -> set[str]:
    return {folded(tag) for tag in tags}
