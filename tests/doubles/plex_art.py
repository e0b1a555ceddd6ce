"""Posters and backgrounds: uploads that stay for ever, selection, and the number in ``thumb`` (plex.md A.6)."""

from __future__ import annotations

import hashlib
import time
import urllib.request
from typing import Any, Optional

from tests.doubles.plex_model import Item, PlexState

# picture list -> (attribute of the item, its number, folder of uploads)
KINDS = {"posters": ("thumb", "thumb_n", "posters"), "arts": ("art", "art_n", "art")}
_FETCH_S = 10


class Gallery:
    """The pictures of one kind that an item can choose from."""

    __slots__ = ("keys", "selected")

    def __init__(self, first: str) -> None:
        self.keys: list[str] = [first]
        self.selected: Optional[str] = first


class ArtStore:
    """Uploaded bytes, and how many files and bytes the uploads have cost so far."""

    def __init__(self, state: PlexState) -> None:
        self._state = state
        self._blobs: dict[str, bytes] = {}
        self.files = 0
        self.stored_bytes = 0
        self.uploads = 0

    def gallery(self, item: Item, kind: str) -> Gallery:
        """Return the item's pictures of a kind; at first there is one taken from the file."""
        item.artwork = item.artwork or {}
        if kind not in item.artwork:
            item.artwork[kind] = Gallery(f"media://{item.key}.bundle/Contents/{kind}/1.jpg")
        found: Gallery = item.artwork[kind]
        return found

    def upload(self, item: Item, kind: str, data: bytes) -> str:
        """Store and select a picture; bytes the item already has are not stored again."""
        key = f"upload://{KINDS[kind][2]}/{hashlib.sha1(data).hexdigest()}"
        gallery = self.gallery(item, kind)
        self.uploads += 1
        if key not in gallery.keys:
            gallery.keys.append(key)
            self._blobs[key] = data
            self.files += 1
            self.stored_bytes += len(data)
        self.select(item, kind, key)
        return key

    def offer(self, item: Item, kind: str, url: str, data: bytes) -> None:
        """Let an item choose a picture that came from this address."""
        gallery = self.gallery(item, kind)
        if url not in gallery.keys:
            gallery.keys.append(url)
        self._blobs[url] = data

    def select(self, item: Item, kind: str, key: str) -> bool:
        """Select a picture by its key; False when the item has no such picture."""
        gallery = self.gallery(item, kind)
        if key not in gallery.keys:
            return False
        if gallery.selected != key:
            gallery.selected = key
            self._renumber(item, kind)
        return True

    def reset_unlocked(self, item: Item) -> None:
        """Go back to the pictures taken from the file, as an agent may do where nothing is locked."""
        for kind, (field, _, _) in KINDS.items():
            if kind in (item.artwork or {}) and field not in item.locks:
                self.select(item, kind, self.gallery(item, kind).keys[0])

    def remove(self, item: Item, kind: str) -> None:
        """Go back to no picture and lock the field; the uploads stay."""
        self.gallery(item, kind).selected = None
        field, number, _ = KINDS[kind]
        setattr(item, number, 0)
        self._state.set_locks(item, item.locks | {field})
        self._state.touch(item)

    def _renumber(self, item: Item, kind: str) -> None:
        number = KINDS[kind][1]
        setattr(item, number, max(self._state.seconds(), getattr(item, number) + 1))
        self._state.touch(item)

    def data(self, key: str) -> bytes:
        """Return the bytes of an upload; a stand-in for pictures that were never uploaded."""
        return self._blobs.get(key, b"\xff\xd8\xff\xe0picture")

    def selected(self, item: Item, kind: str) -> Optional[str]:
        """Return the key of the selected picture."""
        gallery: Any = (item.artwork or {}).get(kind)
        return gallery.selected if gallery else None


def fetch(url: str) -> Optional[bytes]:
    """Fetch a picture by URL, as the server does for ``?url=``; None when that fails."""
    deadline = time.monotonic() + _FETCH_S
    try:
        with urllib.request.urlopen(url, timeout=_FETCH_S) as answer:
            data: bytes = answer.read()
    except (OSError, ValueError):
        return None
    return data if data and time.monotonic() < deadline else None
