"""What happens to a library without our asking: people, agents, scans and moved files."""

from __future__ import annotations

from typing import Any

from tests.doubles.plex_agents import ProviderCall
from tests.doubles.plex_agents_routes import AgentRoutes
from tests.doubles.plex_art import ArtStore
from tests.doubles.plex_edits import refresh, set_scalar
from tests.doubles.plex_model import Item, PlexState


class LibraryActs:
    """The part of the double that plays everybody else."""

    _state: PlexState
    _art: ArtStore
    _routes: AgentRoutes

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

    def register(self, uri: str, title: str = "Stash2Plex") -> str:
        """Let a person add the provider at this address and an agent made of it; returns the agent's id."""
        agents = self._routes.agents
        found = agents.ask(uri)
        with self._state.lock:
            return str(agents.add_group(title, agents.add(*found)).id)

    def choose_agent(self, section: str, agent_id: str) -> None:
        """Let a person set a library to an agent that is made of providers."""
        with self._state.lock:
            self._routes.choose_agent(self._state.sections[str(section)], str(agent_id))

    def agents_done(self, timeout_s: float = 30.0) -> bool:
        """Wait until no provider is asked on behalf of an item any more."""
        return self._routes.done(timeout_s)

    def provider_calls(self) -> list[ProviderCall]:
        """Return what was asked of providers on behalf of items, oldest first."""
        return list(self._routes.provider_calls)

    def provider_refusals(self) -> list[str]:
        """Return why root documents were refused."""
        return list(self._routes.agents.refusals)
