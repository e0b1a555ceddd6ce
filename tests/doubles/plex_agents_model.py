"""The metadata providers and agents that the double knows, and how Plex judges what a provider says of itself."""

from __future__ import annotations

import itertools
import re
from typing import Any, Optional

from tests.doubles.plex_agents_http import ProviderAway, ProviderCalls
from tests.doubles.plex_answers import HttpError

CUSTOM = re.compile(r"tv\.plex\.agents\.custom\.[a-zA-Z0-9.]+")
TYPES = (1, 2, 3, 4)  # movie, show, season, episode; others were seen refused (provider.md 1.2)
NEEDED = ("metadata", "match")


class Provider:
    """A registered provider: what it said of itself, where it is, and whether it answered last time."""

    def __init__(self, id: int, calls: ProviderCalls, said: dict[str, Any]) -> None:
        self.id = id
        self.online = True
        self.take(calls, said)

    def take(self, calls: ProviderCalls, said: dict[str, Any]) -> None:
        """Believe another root document."""
        self.calls = calls
        self.identifier: str = said["identifier"]
        self.title: str = said["title"]
        self.types: list[int] = [each["type"] for each in said["Types"]]
        self.features: dict[str, str] = {each["type"]: each["key"] for each in said["Feature"]}


class Group:
    """An agent: the primary provider gives items their guid, the others fill what it leaves out."""

    def __init__(self, id: int, title: str, primary: Provider) -> None:
        self.id = id
        self.title = title
        self.primary = primary
        self.items: list[tuple[int, Provider]] = []


class Agents:
    """All of them. Whoever calls holds the lock of the double, except for what asks a provider."""

    def __init__(self) -> None:
        # Number 1 is what sections have that never heard of these agents.
        self._ids = itertools.count(2)
        self.providers: dict[int, Provider] = {}
        self.groups: dict[int, Group] = {}
        self.refusals: list[str] = []
        self._calls: list[ProviderCalls] = []

    def ask(self, uri: str) -> tuple[ProviderCalls, dict[str, Any]]:
        """Ask who lives at an address; ends with 400 when that is no provider."""
        calls = ProviderCalls(uri)
        self._calls.append(calls)
        try:
            reply = calls.root()
            reasons, said = judge(reply.document if reply.status == 200 else f"status {reply.status}")
        except (ProviderAway, ValueError) as problem:
            reasons, said = [f"no answer, or none in JSON: {problem}"], {}
        if reasons:
            self.refusals.append("; ".join(reasons))
            raise HttpError(400)
        return calls, said

    def add(self, calls: ProviderCalls, said: dict[str, Any]) -> Provider:
        """Remember a provider; ends with 409 when there is one of its identifier."""
        if self.named(said["identifier"]):
            raise HttpError(409)
        made = Provider(next(self._ids), calls, said)
        self.providers[made.id] = made
        return made

    def change(self, provider: Provider, calls: ProviderCalls, said: dict[str, Any]) -> None:
        """Let a provider be what answers at another address."""
        if self.named(said["identifier"]) not in (None, provider):
            raise HttpError(409)
        provider.take(calls, said)
        provider.online = True

    def remove(self, provider: Provider) -> None:
        """Forget a provider; ends with 403 while an agent has it."""
        if any(provider in (item for _, item in group.items) for group in self.groups.values()):
            raise HttpError(403)
        del self.providers[provider.id]

    def look(self, provider: Provider) -> None:
        """Ask a provider anew; one that does not answer is offline, and stays what it was."""
        try:
            provider.take(*self.ask(provider.calls.url))
            provider.online = True
        except HttpError:
            provider.online = False

    def add_group(self, title: str, primary: Optional[Provider]) -> Group:
        """Make an agent; ends with 400 without a title, or without the provider that is to be its first."""
        if not title or primary is None:
            raise HttpError(400)
        made = Group(next(self._ids), title, primary)
        self.groups[made.id] = made
        self.join(made, primary)
        return made

    def join(self, group: Group, provider: Provider) -> None:
        """Put a provider at the end of an agent, if it is not in there."""
        if provider not in (item for _, item in group.items):
            group.items.append((next(self._ids), provider))

    def named(self, identifier: str) -> Optional[Provider]:
        """Return the provider of this identifier."""
        return next((each for each in self.providers.values() if each.identifier == identifier), None)

    def close(self) -> None:
        """Close all connections to providers."""
        for calls in self._calls:
            calls.close()


def judge(document: Any) -> tuple[list[str], dict[str, Any]]:
    """Return why Plex would refuse this root document (nothing when it would not), and what it says."""
    said = document.get("MediaProvider") if isinstance(document, dict) else None
    if not isinstance(said, dict):
        return [f"no MediaProvider in {str(document)[:80]}"], {}
    reasons = [*_names(said), *_types(said), *_features(said)]
    return reasons, said


def _names(said: dict[str, Any]) -> list[str]:
    found = []
    if not CUSTOM.fullmatch(str(said.get("identifier"))):
        found.append("the identifier is not tv.plex.agents.custom. and letters, digits and dots")
    if not (isinstance(said.get("title"), str) and said["title"]):
        found.append("there is no title")
    return found


def _types(said: dict[str, Any]) -> list[str]:
    found, types = [], _rows(said, "Types")
    if not types:
        found.append("there are no Types")
    for each in types:
        if each.get("type") not in TYPES:
            found.append(f"type {each.get('type')!r} is not supported")
        if [row.get("scheme") for row in _rows(each, "Scheme")] != [said.get("identifier")]:
            found.append("the scheme is not the identifier")
    return found


def _features(said: dict[str, Any]) -> list[str]:
    rows = _rows(said, "Feature")
    keys = {row.get("type"): row.get("key") for row in rows}
    return [
        f"there is no feature {name}, or it has no key that begins with a slash"
        for name in NEEDED
        if not (isinstance(keys.get(name), str) and keys[name].startswith("/"))
    ]


def _rows(node: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = node.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
