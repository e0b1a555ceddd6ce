"""All listed items by the name of their files: packed small in memory, and in pieces in the cache for a restart."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

from plex import paths
from plex.cache import Cache
from plex.model import Listed, PlexFile

NAMES_PER_PIECE = 300
REMEMBERED_S = 7 * 86_400.0  # how large the library was is good to know even when the walk is too old to be trusted

_NEVER = float("-inf")


class Names:
    """What one walk through the libraries showed. Packed, an item takes about 400 bytes with its name.

    ``at`` is the time of that walk, minus infinity when there is none or a piece of it got lost; ``walked`` is how
    many names the last walk showed, however old.
    """

    def __init__(self, cache: Cache | None, space: str, keep_s: float) -> None:
        self._cache, self._space, self._keep_s = cache, space, keep_s
        self._packed: dict[str, bytes] = {}
        self._stamp = ""
        self._pieces = 0  # 0: nothing of this walk is in the cache
        self._loaded: set[int] = set()
        self.at, self.walked = _NEVER, 0
        self._recall()

    def get(self, name: str) -> list[Listed] | None:
        """The items with a file of this name key, None when the walk showed none."""
        piece = self._piece_of(name)
        if self._pieces and piece not in self._loaded:
            self._load(piece)
        packed = self._packed.get(name)
        try:
            return unpack(json.loads(packed)) if packed else None
        except ValueError:  # only what came from the cache can be wrong
            self.at = _NEVER
            return None

    def begin(self) -> None:
        """Forget the last walk: another one begins, and counts when it is finished."""
        self._packed, self._loaded, self._pieces, self.at = {}, set(), 0, _NEVER

    def add(self, items: Iterable[Listed]) -> set[str]:
        """Know these items too; returns the names that changed. Call `save` after."""
        return {name for item in items for name in _names(item) if self._add(name, item)}

    def replace(self, name: str, items: Sequence[Listed]) -> set[str]:
        """Know these items and no others under this name; returns the name if that changes anything."""
        before = self.get(name) or []
        self._put(name, items)
        return {name} if before != list(items) else set()

    def finish(self, now: float) -> None:
        """The walk is complete: all of it goes to the cache."""
        self.at, self.walked = float(now), len(self._packed)
        self._stamp, self._pieces = os.urandom(8).hex(), -(-self.walked // NAMES_PER_PIECE) or 1
        self._loaded = set(range(self._pieces))
        self._write(self._loaded)
        self._set("walk", [self._stamp, self.at, self._pieces, self.walked], REMEMBERED_S)

    def save(self, changed: Iterable[str]) -> None:
        """Write the pieces that hold these names."""
        self._write({self._piece_of(name) for name in changed})

    def forget(self) -> None:
        """Know nothing, here and in the cache."""
        self.begin()
        if self._cache:
            self._cache.delete(f"{self._space}:walk")

    def _add(self, name: str, item: Listed) -> bool:
        before = self.get(name) or []
        if item in before:
            return False
        self._put(name, [other for other in before if other.key != item.key] + [item])
        return True

    def _put(self, name: str, items: Sequence[Listed]) -> None:
        if items:
            self._packed[name] = _bytes(json.dumps(pack(items), ensure_ascii=False, separators=(",", ":")))
        else:
            self._packed.pop(name, None)

    def _piece_of(self, name: str) -> int:
        return zlib.crc32(_bytes(name)) % self._pieces if self._pieces else 0

    def _recall(self) -> None:
        head = self._cache.get(f"{self._space}:walk") if self._cache else None
        if isinstance(head, list) and [type(part) for part in head] == [str, float, int, int] and head[2] > 0:
            self._stamp, self.at, self._pieces, self.walked = head

    def _load(self, piece: int) -> None:
        """Names without their piece would look as if Plex lacked them: one that is lost voids the whole walk."""
        row = self._cache.get(f"{self._space}:{piece}") if self._cache else None
        if not (isinstance(row, list) and len(row) == 2 and row[0] == self._stamp and isinstance(row[1], dict)):
            self.begin()
            return
        packed = {name: _bytes(text) for name, text in row[1].items() if isinstance(text, str)}
        self._packed.update(packed)
        self._loaded.add(piece)

    def _write(self, pieces: set[int]) -> None:
        if not (self._cache and self._pieces and pieces):
            return
        rows: dict[int, dict[str, str]] = {piece: {} for piece in pieces & self._loaded}
        for name, packed in self._packed.items():
            piece = self._piece_of(name)
            if piece in rows:
                rows[piece][name] = packed.decode("utf-8", "surrogatepass")
        for piece, names in rows.items():
            self._set(str(piece), [self._stamp, names], self._keep_s)

    def _set(self, key: str, value: Any, keep_s: float) -> None:
        if self._cache:
            self._cache.set(f"{self._space}:{key}", value, keep_s)


def pack(items: Iterable[Listed]) -> list[Any]:
    """Items as JSON."""
    return [
        [item.key, item.section, item.title, item.added_at, [[file.path, file.size] for file in item.files]]
        for item in items
    ]


def unpack(rows: Any) -> list[Listed]:
    """The items that were packed; ValueError for anything else."""
    try:
        return [_item(*row) for row in rows]
    except (TypeError, ValueError):
        raise ValueError("these are no items") from None


def _item(key: Any, section: Any, title: Any, added_at: Any, files: Any) -> Listed:
    texts = (key, section, title, *(path for path, _ in files))
    numbers = (added_at, *(size for _, size in files))
    if not all(isinstance(text, str) for text in texts) or not all(type(number) is int for number in numbers):
        raise ValueError
    if not (key.isdigit() and section.isdigit()):
        raise ValueError
    return Listed(key, section, title, tuple(PlexFile(path, size) for path, size in files), added_at)


def _names(item: Listed) -> set[str]:
    return {paths.name_key(file.path) for file in item.files}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
