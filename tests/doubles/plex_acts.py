"""What happens to a library without our asking: people, agents, scans and moved files."""

from __future__ import annotations

from typing import Any

from tests.doubles.plex_art import ArtStore
from tests.doubles.plex_edits import refresh, set_scalar
from tests.doubles.plex_model import Item, PlexState
from tests.doubles.plex_writes import Routes


class LibraryActs:
    """The part of the double that plays everybody else."""

    _state: PlexState
    _art: ArtStore
    _routes: Routes

    def _find(self, key: Any) -> Item:
        return self._state.items[int(key)]

    def remove_item(self, key: Any) -> None:
        """Remove an item, as after a deleted file and an emptied trash."""
        with self._state.lock:
            self._state.remove_item(self._find(key))

    def move_item(self, key: Any, new_file: str) -> None:
        """Let the item's file be somewhere else."""
        with self._state.lock:
            self._state.move_item(self._find(key), new_file)

    def refresh_item(self, key: Any, **values: Any) -> None:
        """Overwrite unlocked fields as an agent would: with ``values``, else with the bare file name and picture."""
        with self._state.lock:
            refresh(self._state, self._find(key), values)
            if not values:
                self._art.reset_unlocked(self._find(key))

    def lay_file(self, section: str, file: str, size: int = 0, **values: Any) -> None:
        """Put a file on disk that Plex does not know yet: a scan of its folder makes the item (see ``add_item``)."""
        with self._state.lock:
            self._routes.unscanned.append({"section": str(section), "file": file, "size": size, **values})

    def rate_item(self, key: Any, value: str) -> None:
        """Let the viewer rate an item, "0" to "10", "" for no rating."""
        with self._state.lock:
            set_scalar(self._find(key), "userRating", value)

    def give_picture(self, key: Any, kind: str, text: str) -> str:
        """Let a person give an item a picture (of ``posters`` or ``arts``); the text is its bytes. Returns its key."""
        with self._state.lock:
            return self._art.upload(self._find(key), kind, text.encode())

    def select_picture(self, key: Any, kind: str, picture_key: str) -> bool:
        """Let a person select a picture that the item has; False when it has none of this key."""
        with self._state.lock:
            return self._art.select(self._find(key), kind, picture_key)

    def set_refreshing(self, section: str, refreshing: bool = True) -> None:
        """Let a section say that a scan is running."""
        with self._state.lock:
            self._state.sections[str(section)].refreshing = refreshing
