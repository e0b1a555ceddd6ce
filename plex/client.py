"""All requests to Plex, and the only module that knows plexapi. Answers are copied into values of `plex.model`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode
from xml.etree.ElementTree import Element, ParseError

import plexapi
from plexapi.server import PlexServer
from plexapi.utils import parseXMLString
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_none

from plex.agents import Agents, Node, of_json, of_xml
from plex.exceptions import BrokenOff, not_plex
from plex.model import (
    BACKGROUND,
    POSTER,
    Listed,
    Picture,
    PlexItem,
    Section,
    number,
    read_item,
    read_listed,
    read_look,
    read_picture,
    read_section,
)
from plex.session import PlexSession
from validation.errors import Kind, Trouble

MOVIE = "1"  # Plex's number for the item type
PROBE_S = 5.0
PAGE_ITEMS = 1_000
BATCH_ITEMS = 100
ONE_PICTURE = {POSTER: "poster", BACKGROUND: "art"}  # by the name of the list of pictures
LIBRARY = "com.plexapp.plugins.library"
NAME_LENGTH = 20  # of what somebody else's document is called

_Page = tuple[list[Listed], int]


class PlexClient:
    """One Plex server. Connects at the first use; every method raises Trouble and nothing else.

    ``identifier`` names this installation to Plex; plexapi's default is the MAC address, which makes a new device
    of every container. ``timeouts`` are for connecting and for reading, in seconds. A ``fingerprint`` (SHA-256, 64
    lower-case hex digits) pins the certificate of an https address.

    `TimedOut` and `BrokenOff` are the troubles after which a write may have taken effect all the same.
    """

    def __init__(
        self,
        url: str,
        token: str,
        identifier: str,
        timeouts: tuple[float, float] = (5.0, 30.0),
        fingerprint: str = "",
    ) -> None:
        self._url, self._token = url, token
        self._session = PlexSession(timeouts, fingerprint)
        self._server: PlexServer | None = None
        self.agents = Agents(self._document)
        plexapi.BASE_HEADERS.update({"X-Plex-Client-Identifier": identifier, "X-Plex-Product": "Stash2Plex"})

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self._session.sent

    def close(self) -> None:
        """Close the connections; the client connects again at the next use."""
        self._session.close()
        self._server = None

    def identity(self) -> str:
        """The server's machine identifier, without the token: the health probe, over within 5 s."""
        response = self._session.ask(f"{self._url}/identity", PROBE_S)
        return _machine(_container(_parse(response.text)))

    def machine(self) -> str:
        """The server's machine identifier, as told to the holder of a good token; one request at the first use."""
        return str(self._connected().machineIdentifier)

    def version(self) -> str:
        """The version of the server's software; no request of its own once the server is known."""
        return str(self._connected().version or "")

    def certificate(self) -> str:
        """The SHA-256 fingerprint of the certificate shown at the address now, whoever signed it; "" for http.

        Looks on a connection of its own, and sends nothing over it.
        """
        return self._session.certificate(self._url)

    def sections(self) -> list[Section]:
        """All library sections."""
        return [read_section(row) for row in self._get("/library/sections").iterfind("Directory")]

    def items(self, keys: Sequence[str]) -> dict[str, PlexItem]:
        """Whole items by rating key, one request per 100; keys that Plex does not know are absent."""
        items: dict[str, PlexItem] = {}
        for start in range(0, len(keys), BATCH_ITEMS):
            for row in self._items_of(keys[start : start + BATCH_ITEMS]):
                item = read_item(row)
                items[item.key] = item
        return items

    def find_file(self, section: str, base_name: str) -> list[Listed]:
        """Items of the section that Plex says have a file of this name. Undocumented filter: verify ``files``."""
        return self._page(section, {"file": base_name}, 0)[0]

    def walk(self, section: str) -> Iterator[list[Listed]]:
        """All items of the section, page by page, the oldest first so that a scan cannot shift what was read."""
        start = 0
        while True:
            page, total = self._page(section, {"sort": "addedAt"}, start)
            yield page
            start += len(page)
            if not page or start >= total:
                return

    def looks(self, section: str, start: int) -> tuple[list[tuple[str, str]], int]:
        """A page of the section from this place on, each item by its key with a digest of all that listings show of it.

        The oldest come first. Returns the page and how many items the section has in all.
        """
        container, total = self._rows(section, {"sort": "addedAt"}, start, PAGE_ITEMS)
        return [(row.attrib["ratingKey"], read_look(row)) for row in container if row.attrib.get("ratingKey")], total

    def newest(self, section: str, limit: int = 50) -> list[Listed]:
        """The items that were added last."""
        return self._page(section, {"sort": "addedAt:desc"}, 0, limit)[0]

    def edit(self, section: str, key: str, arguments: str) -> None:
        """Change one item: one PUT with everything, ``arguments`` being URL-encoded already.

        Always names the item: without ``id`` Plex would edit the whole section.
        """
        path = f"/library/sections/{_digits(section)}/all?type={MOVIE}&id={_digits(key)}&{arguments}"
        self._act(path, self._session.put)

    def pictures(self, key: str, kind: str) -> list[Picture]:
        """The pictures that an item can choose from; ``kind`` is POSTER or BACKGROUND of `plex.model`."""
        return [read_picture(row) for row in self._get(_pictures(key, kind)).iterfind("Photo")]

    def upload(self, key: str, kind: str, content: bytes) -> None:
        """Give an item a picture, which Plex selects.

        Plex keeps every different picture for ever, and the same bytes once. An upload may take effect although
        its answer never comes: look at `pictures` before it is sent again.
        """
        self._act(_pictures(key, kind), self._session.post, data=content)

    def select(self, key: str, kind: str, picture_key: str) -> None:
        """Let an item show one of its pictures. Answered by the bare path of the picture, which is not XML."""
        path = f"/library/metadata/{_digits(key)}/{ONE_PICTURE[kind]}?url={_quoted(picture_key)}"
        server = self._connected()
        answer = self._session.put(server.url(path), headers=server._headers()).text.strip()
        if not answer.startswith("/library/metadata/"):
            _accept(_parse(answer))

    def rate(self, key: str, value: str) -> None:
        """Set the viewer's rating, "0" to "10" in half stars; "" takes it away."""
        if value and not (value.isdigit() and int(value) <= 10):
            raise Trouble(Kind.PERMANENT, "A rating for Plex is a whole number from 0 to 10")
        path = f"/:/rate?key={_digits(key)}&identifier={LIBRARY}&rating={value or '-1'}"
        self._act(path, self._session.put)

    def refresh(self, section: str, folder: str) -> None:
        """Let Plex look for new files in a folder of a section, named as Plex sees it. It answers before it looks."""
        self._act(f"/library/sections/{_digits(section)}/refresh?path={_quoted(folder)}", self._session.get)

    def rematch(self, key: str, guid: str, name: str) -> None:
        """Give an item this identity, as Fix Match does; Plex then asks the agent of the guid for what it knows.

        What a refresh never does: it reads by the guid that an item has. Answered before the agent was asked.
        """
        path = f"/library/metadata/{_digits(key)}/match?guid={_quoted(guid)}&name={_quoted(name)}"
        self._act(path, self._session.put)

    def _document(self, method: str, path: str) -> Node | None:
        """One request to where XML and JSON are both possible answers; None for an empty one."""
        server = self._connected()
        text = self._session.request(method, server.url(path), headers=server._headers()).text.lstrip()
        if not text:
            return None
        return of_json(text) if text.startswith("{") else of_xml(_container(_parse(text)))

    def _act(self, path: str, method: Callable[..., Any], **options: Any) -> None:
        """One request that changes something, never sent twice. Plex answers with nothing, or an empty container."""
        _accept(self._query(path, method=method, **options))

    def _items_of(self, keys: Sequence[str]) -> Iterable[Element]:
        try:
            return self._get(f"/library/metadata/{quote(','.join(keys), safe=',')}?skipRefresh=1").iterfind("Video")
        except Trouble as trouble:
            if trouble.kind is Kind.STALE_MATCH:
                return []
            raise

    def _page(self, section: str, filters: dict[str, str], start: int, size: int = PAGE_ITEMS) -> _Page:
        rows, total = self._rows(section, filters, start, size)
        return [read_listed(row, section) for row in rows if row.attrib.get("ratingKey")], total

    def _rows(self, section: str, filters: dict[str, str], start: int, size: int) -> tuple[list[Element], int]:
        headers = {"X-Plex-Container-Start": str(start), "X-Plex-Container-Size": str(size)}
        path = f"/library/sections/{section}/all?{urlencode({'type': MOVIE, **filters}, errors='replace')}"
        container = self._get(path, headers)
        rows = container.findall("Video")
        return rows, number(container.attrib.get("totalSize")) or len(rows)

    def _get(self, path: str, headers: dict[str, str] | None = None) -> Element:
        """One read; once more at once when a kept-alive connection turns out dead, as Plex drops them after 20 s."""
        again = Retrying(
            stop=stop_after_attempt(2), wait=wait_none(), retry=retry_if_exception_type(BrokenOff), reraise=True
        )
        return again(lambda: _container(self._query(path, headers=headers)))

    def _query(self, path: str, **options: Any) -> Element | None:
        server = self._connected()
        try:
            answer: Element | None = server.query(path, **options)
        except ParseError:
            raise not_plex("not XML, or cut off") from None
        return answer

    def _connected(self) -> PlexServer:
        if self._server is None:
            try:
                server = PlexServer(self._url, self._token, session=self._session)
                machine = server.machineIdentifier  # an empty answer shows only here
            except (ParseError, AttributeError, TypeError, ValueError):
                raise not_plex("no server document") from None
            if not machine:
                raise not_plex("a server without identity")
            self._server = server
        return self._server


def _digits(key: str) -> str:
    if not key.isdigit():
        raise Trouble(Kind.PERMANENT, "Plex named the item by something that is no number")
    return key


def _pictures(key: str, kind: str) -> str:
    return f"/library/metadata/{_digits(key)}/{kind}"


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _parse(text: str) -> Element | None:
    try:
        parsed: Element | None = parseXMLString(text)
    except ParseError:
        raise not_plex("not XML, or cut off") from None
    return parsed


def _container(answer: Element | None) -> Element:
    if answer is None or answer.tag != "MediaContainer":
        raise not_plex("empty" if answer is None else f"<{answer.tag[:NAME_LENGTH]}>")
    return answer


def _accept(answer: Element | None) -> None:
    if answer is not None:
        _container(answer)


def _machine(container: Element) -> str:
    machine = container.attrib.get("machineIdentifier", "")
    if not machine:
        raise not_plex("a server without identity")
    return machine
