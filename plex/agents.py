"""Plex's metadata agents, as values of our own: the providers that it knows, and the agents made of them.

Plex's API calls an agent a "metadata agent provider group". Both kinds of document are read: PMS answers in XML unless
JSON is asked for, and its API description shows these documents in JSON only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element

from plex.exceptions import not_plex

PROVIDERS = "/media/providers/metadata"
AGENTS = PROVIDERS + "/group"
REFRESH = "/media/providers/refresh"
Node = Mapping[str, Any]
Ask = Callable[[str, str], Optional[Node]]
_TRUE = ("1", "true")


@dataclass(frozen=True)
class Provider:
    """A metadata provider that Plex knows; ``online`` is whether it answered when Plex last asked.

    ``types`` are Plex's numbers of what it has metadata for: 1 is a movie.
    """

    id: str
    identifier: str
    title: str
    uri: str
    types: tuple[int, ...]
    online: bool


@dataclass(frozen=True)
class Agent:
    """What a library can be set to. Its ``primary`` is the identifier of the provider that gives items their guid.

    ``members`` are the ids of its providers in their order.
    """

    id: str
    title: str
    primary: str
    members: tuple[str, ...]


class Agents:
    """What Plex is asked about its agents; every method raises Trouble and nothing else.

    ``ask`` sends one request (method, path) and gives the container of its answer, None for an empty one. A Plex older
    than 1.43 knows none of this, which is a STALE_MATCH.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def providers(self) -> list[Provider]:
        """The metadata providers that Plex knows."""
        return [_provider(row) for row in _rows(self._read(PROVIDERS), "MetadataAgentProvider")]

    def add_provider(self, uri: str) -> None:
        """Register the provider at this address. Plex asks it first, and refuses (PERMANENT) what is none."""
        self._ask("POST", f"{PROVIDERS}?{_query(uri=uri)}")

    def change_provider(self, provider_id: str, uri: str) -> None:
        """Let a provider be somewhere else. Plex asks it there first."""
        self._ask("PUT", f"{PROVIDERS}/{quote(provider_id, safe='')}?{_query(uri=uri)}")

    def refresh_providers(self) -> None:
        """Let Plex ask all its providers anew who they are."""
        self._ask("POST", REFRESH)

    def all(self) -> list[Agent]:
        """The agents that are made of providers."""
        return [_agent(row) for row in _rows(self._read(AGENTS), "MetadataAgentProviderGroup")]

    def add(self, title: str, primary: str) -> None:
        """Make an agent of the provider with this identifier."""
        self._ask("POST", f"{AGENTS}?{_query(title=title, primaryIdentifier=primary)}")

    def _read(self, path: str) -> Node:
        container = self._ask("GET", path)
        if container is None:
            raise not_plex("empty")
        return container


def of_json(text: str) -> Node:
    """The container of a JSON document; raises Trouble for what is none of Plex's."""
    try:
        container = json.loads(text)["MediaContainer"]
    except (ValueError, KeyError, TypeError, RecursionError):
        container = None
    if not isinstance(container, dict):
        raise not_plex("JSON without a container")
    return container


def of_xml(element: Element) -> Node:
    """The same of an XML document: attributes, and lists of children by their names."""
    node: dict[str, Any] = dict(element.attrib)
    for child in element:
        node.setdefault(child.tag, []).append(of_xml(child))
    return node


def _query(**arguments: str) -> str:
    return urlencode(arguments, quote_via=quote, errors="replace")


def _provider(row: Node) -> Provider:
    types = (_text(each, "type") for each in _rows(row, "MetadataType"))
    numbers = tuple(int(number) for number in types if number.isdigit())
    online = _text(row, "online").lower() in _TRUE
    return Provider(_text(row, "id"), _text(row, "identifier"), _text(row, "title"), _text(row, "uri"), numbers, online)


def _agent(row: Node) -> Agent:
    # The API description names the list in two ways, one in its schema and one in its examples.
    items = [*_rows(row, "MetadataAgentProviderGroupItem"), *_rows(row, "MetadataAgentGroupItem")]
    members = tuple(_text(item, "metadataAgentProviderId") for item in sorted(items, key=_order))
    return Agent(_text(row, "id"), _text(row, "title"), _text(row, "primaryIdentifier"), members)


def _order(item: Node) -> float:
    try:
        return float(_text(item, "order") or 0)
    except ValueError:
        return 0.0


def _rows(node: Node, name: str) -> Iterable[Node]:
    rows = node.get(name)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(node: Node, name: str) -> str:
    value = node.get(name)
    return "" if value is None or isinstance(value, (dict, list)) else str(value)
