"""The double's metadata agents: providers that are really asked, at registration, by scans, matches and refreshes.

What is asked on behalf of an item happens after the answer, as in Plex: matches several at once, metadata one by one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, NamedTuple, Optional

from tests.doubles import plex_agents_items as metadata
from tests.doubles.plex_agents_http import ProviderAway, Reply
from tests.doubles.plex_agents_model import Agents, Provider
from tests.doubles.plex_agents_scan import guess, match_body
from tests.doubles.plex_answers import HttpError
from tests.doubles.plex_art import ArtStore
from tests.doubles.plex_http import Request, Response
from tests.doubles.plex_model import Item, PlexState
from tests.doubles.plex_settings import PlexSettings
from tests.doubles.plex_writes import Routes

AT_ONCE = 4
HASHES = ("hash", "openSubtitleHash")


class ProviderCall(NamedTuple):
    """One question to a provider: what for, of which body or path, and the status of its answer (0 for none)."""

    what: str
    asked: Any
    status: int


class AgentActs(Routes):
    """What the double asks of providers on behalf of items."""

    def __init__(self, state: PlexState, settings: PlexSettings, art: ArtStore) -> None:
        super().__init__(state, settings, art)
        self.agents = Agents()
        self.provider_calls: list[ProviderCall] = []
        self._matching: Optional[ThreadPoolExecutor] = None
        self._reading: Optional[ThreadPoolExecutor] = None
        self._begun: list[Future[None]] = []

    def done(self, timeout_s: float = 30.0) -> bool:
        """Wait until nothing is asked on behalf of an item any more; False when that takes too long."""
        end = time.monotonic() + timeout_s
        while self._begun:
            for each in wait(list(self._begun), max(0.0, end - time.monotonic())).done:
                self._begun.remove(each)
                each.result()
            if time.monotonic() > end:
                return not self._begun
        return True

    def close(self) -> None:
        """Begin nothing more, and forget what has not begun."""
        for pool in (self._matching, self._reading):
            if pool:
                pool.shutdown(wait=False, cancel_futures=True)
        self._matching = self._reading = None
        self._begun.clear()
        self.agents.close()

    def _appeared(self, item: Item) -> None:
        if self._primary(item):
            guessed = guess(item.files[0].file)
            item.title, item.year = item.title or guessed["title"], item.year or str(guessed.get("year", ""))
            self._matching = self._matching or ThreadPoolExecutor(AT_ONCE, "match")
            self._begun.append(self._matching.submit(self._match_file, item))

    def read(self, item: Item, anew: bool) -> None:
        """Ask for the item's metadata by its guid, later; ``anew`` when it has another guid than before."""
        self._reading = self._reading or ThreadPoolExecutor(1, "metadata")
        self._begun.append(self._reading.submit(self._read_item, item, anew))

    def _primary(self, item: Item) -> Optional[Provider]:
        """Return the provider that gives the items of this library their guid."""
        group = item.section.group
        found = self.agents.groups.get(int(group)) if group.isdigit() else None
        return found.primary if found else None

    def _owner(self, item: Item) -> tuple[Optional[Provider], str]:
        """Return whom to ask about the item, and by which key: nobody, when the guid is not one to be asked by."""
        guid = metadata.GUID.fullmatch(item.guid)  # without a type in it Plex asks nobody: provider.md 1.4
        group = self.agents.groups.get(int(item.section.group)) if item.section.group.isdigit() else None
        for _, provider in group.items if group and guid else ():
            if provider.identifier == guid[1]:
                return provider, guid[2]
        return None, ""

    def body(self, item: Item, **more: Any) -> dict[str, Any]:
        """Return what a match request says of the item."""
        file, settings = item.files[0], self.settings
        body = match_body(file.file, item.section.locations, settings.filename_form, **more)
        part = file.part or {}
        return {**body, **{name: part[name] for name in HASHES if settings.send_hashes and name in part}}

    def ask(self, provider: Provider, what: str, asked: Any, call: Callable[[], Reply]) -> Optional[Any]:
        """Ask a provider and return the JSON of its answer, None for any other."""
        status, document = 0, None
        try:
            reply = call()
            status, provider.online = reply.status, True
            document = reply.document if status == 200 else None
        except ProviderAway:
            provider.online = False
        except ValueError:
            pass
        self.provider_calls.append(ProviderCall(what, asked, status))
        return document

    def matches(self, provider: Provider, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Ask for candidates, best first; none from a provider that fails."""
        key = provider.features["match"]
        document = self.ask(provider, "match", body, lambda: provider.calls.match(key, body))
        try:
            return metadata.candidates(document) if document else []
        except metadata.Unreadable:
            return []

    def _match_file(self, item: Item) -> None:
        with self.state.lock:
            provider, body = self._primary(item), self.body(item)
        found = self.matches(provider, body) if provider else []
        with self.state.lock:
            if found and item.key in self.state.items:
                item.guid = found[0]["guid"]
                self.read(item, anew=True)

    def _read_item(self, item: Item, anew: bool) -> None:
        with self.state.lock:
            guid = item.guid
            provider, key = self._owner(item)
        row = self._described(provider, key) if provider else None
        if provider is None or row is None:
            return
        self._ask_path(provider, "extras", row["key"] + "/extras")
        pictures = self._fetched(provider, row)
        with self.state.lock:
            if item.guid == guid and item.key in self.state.items:
                if anew:
                    metadata.forget(self.state, item)
                metadata.copy(self.state, self.art, item, row, pictures)

    def _described(self, provider: Provider, key: str) -> Optional[dict[str, Any]]:
        document = self._ask_path(provider, "metadata", f"{provider.features['metadata']}/{key}")
        try:
            return metadata.one(document) if document else None
        except metadata.Unreadable:
            return None

    def _ask_path(self, provider: Provider, what: str, path: str) -> Optional[Any]:
        return self.ask(provider, what, path, lambda: provider.calls.get(path))

    def _fetched(self, provider: Provider, row: dict[str, Any]) -> dict[str, bytes]:
        """Fetch the poster and the background: both are copied at a refresh (provider.md 1.10)."""
        found = {}
        wanted = dict.fromkeys(metadata.picture_url(row, field) for field, _, _ in metadata.PICTURES)
        for url in filter(None, wanted):
            try:
                reply = provider.calls.image(url)
            except (ProviderAway, ValueError):
                continue
            self.provider_calls.append(ProviderCall("image", url, reply.status))
            if reply.status == 200:
                found[url] = reply.body
        return found

    def _refresh(self, request: Request, parts: list[str]) -> Any:
        """Read anew by the guid that the item has; a refresh never matches (provider.md 1.9)."""
        item = self.item(parts[2])
        if self._primary(item) is None:
            return super()._refresh(request, parts)
        self.read(item, anew=False)
        return Response()

    def set_identity(self, item: Item, guid: str) -> None:
        """Give an item a guid and ask for its metadata, later."""
        if not guid:
            raise HttpError(400)
        anew = item.guid != guid
        item.guid = guid
        self.state.touch(item)
        self.read(item, anew)
