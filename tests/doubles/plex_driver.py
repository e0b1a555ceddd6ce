"""Plays Plex Media Server's part against a provider at a URL, in the order that was observed (provider.md 3).

    driver = PlexDriver("http://127.0.0.1:9090")
    seen = driver.scan("/media/Studio/a.mp4", ["/media"])
    assert seen.guid and seen.metadata["title"] == "A title"

Root with ``includePreferences``, match, metadata, extras, images, then GET and HEAD of each picture. Every JSON answer
is held against the strict schemas, and each has to be there within Plex's patience of 90 s. Any thread may use it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Optional

from tests.doubles.plex_agents_http import PATIENCE_S, ProviderCalls, Reply
from tests.doubles.plex_agents_scan import match_body
from tests.provider import schemas

IMAGE_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")
LARGEST_IMAGE = 20 * 1024 * 1024


@dataclass(frozen=True)
class Seen:
    """What a scan of one file ended with. No ``guid``: the item stays unmatched, and nothing else was asked.

    ``metadata`` is the one item of the metadata answer, ``images`` the list of the artwork picker, ``pictures`` the
    answers to GET by their address, without those that were not there (404).
    """

    file: str
    guid: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    images: tuple[dict[str, Any], ...] = ()
    pictures: dict[str, Reply] = field(default_factory=dict)


class PlexDriver:
    """One Plex Media Server without its library.

    ``paging`` is where GETs carry the page: ``query`` or ``headers``. ``calls`` are the bare requests, for what is to
    fail. ``slowest_s`` is about the longest that any answer has taken.
    """

    def __init__(
        self,
        url: str,
        paging: str = "query",
        language: str = "en-US",
        country: str = "US",
        patience_s: float = PATIENCE_S,
    ) -> None:
        self.calls = ProviderCalls(url, language=language, country=country, paging=paging, patience_s=patience_s)
        self.slowest_s = 0.0
        self._features: Optional[dict[str, str]] = None
        self._lock = threading.Lock()

    def __enter__(self) -> PlexDriver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.calls.close()

    def root(self) -> dict[str, Any]:
        """Ask who the provider is, and remember where its features are."""
        provider: dict[str, Any] = self._answer("root", self.calls.root())["MediaProvider"]
        self._features = {feature["type"]: feature["key"] for feature in provider["Feature"]}
        return provider

    def match(self, title: str = "", filename: str = "", manual: bool = False, **more: Any) -> list[dict[str, Any]]:
        """Ask for candidates, best first; ``more`` are further fields of the body (``year``, ``guid``, ``hash`` …)."""
        body = {"type": 1, "title": title, **({"filename": filename} if filename else {}), **more}
        return self.matched({**body, **({"manual": 1} if manual else {})})

    def matched(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """Ask for candidates with this body; without ``manual`` one at most may come."""
        answer = self._answer("match", self.calls.match(self.feature("match"), body))
        found: list[dict[str, Any]] = answer["MediaContainer"]["Metadata"]
        assert body.get("manual") or len(found) <= 1, f"{len(found)} candidates although nobody chooses"
        return found

    def metadata(self, key: str, **query: Any) -> dict[str, Any]:
        """Ask for one item by its rating key."""
        answer = self._answer("metadata", self.calls.get(self._path(key), **query))
        item: dict[str, Any] = answer["MediaContainer"]["Metadata"][0]
        assert item["ratingKey"] == key
        return item

    def below(self, key: str, what: str) -> dict[str, Any]:
        """Ask for ``extras``, ``children`` or ``grandchildren`` of an item: an empty container for a movie."""
        answer: dict[str, Any] = self._answer("empty", self.calls.get(f"{self._path(key)}/{what}"))
        return answer

    def images(self, key: str) -> list[dict[str, Any]]:
        """Ask what the artwork picker shows of an item."""
        answer = self._answer("images", self.calls.get(f"{self._path(key)}/images"))
        found: list[dict[str, Any]] = answer["MediaContainer"].get("Image", [])
        return found

    def picture(self, url: str, may_lack: bool = False) -> Reply:
        """Get a picture, and see that HEAD tells the same of it without its bytes; ``may_lack`` lets both be a 404."""
        got, head = self._timed(self.calls.image(url)), self._timed(self.calls.image(url, "HEAD"))
        if may_lack and got.status == head.status == 404:
            return got
        kind = got.headers.get("content-type", "").split(";")[0]
        assert got.status == 200 and kind in IMAGE_TYPES, f"a picture with status {got.status} and type {kind}"
        assert 0 < len(got.body) <= LARGEST_IMAGE
        assert (head.status, head.body) == (200, b""), f"HEAD with status {head.status} and {len(head.body)} bytes"
        assert head.headers.get("content-type") == got.headers.get("content-type")
        return got

    def refused(self, reply: Reply) -> Reply:
        """Let an answer of ``calls`` be a refusal, and see that it says so as it should."""
        assert reply.status >= 400, f"status {reply.status}"
        schemas.check_error(self._timed(reply).document)
        return reply

    def scan(self, file: str, locations: Iterable[str], form: str = "relative", **more: Any) -> Seen:
        """Let a new file appear below the folders of a library; ``form`` is one of `plex_agents_scan.FORMS`."""
        found = self.matched(match_body(file, locations, form, **more))
        return self.read(file, found[0]["guid"]) if found else Seen(file)

    def scan_all(self, files: Sequence[str], locations: Sequence[str], at_once: int = 8, **more: Any) -> list[Seen]:
        """Let many files appear: several are matched at the same time."""
        self.feature("match")
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(lambda file: self.scan(file, locations, **more), files))

    def read(self, file: str, guid: str) -> Seen:
        """Ask for all that a refresh and the artwork picker ask for. The key in the address is that of the guid."""
        key = guid.rpartition("/")[2]
        item = self.metadata(key)
        assert item["guid"] == guid
        self.below(item["ratingKey"], "extras")
        images = tuple(self.images(key))
        urls = [item.get("thumb"), item.get("art"), *(image["url"] for image in images)]
        pictures = {url: self.picture(url, may_lack=True) for url in dict.fromkeys(filter(None, urls))}
        return Seen(file, guid, item, images, {url: reply for url, reply in pictures.items() if reply.status == 200})

    def feature(self, name: str) -> str:
        """Return the address of a feature, below the registered one; the provider is asked once."""
        with self._lock:
            if self._features is None:
                self.root()
            assert self._features
            return self._features[name]

    def _path(self, key: str) -> str:
        return f"{self.feature('metadata')}/{key}"

    def _answer(self, kind: str, reply: Reply) -> Any:
        assert reply.status == 200, f"{kind}: status {reply.status}, {reply.body[:200]!r}"
        assert reply.headers.get("content-type", "").split(";")[0] == "application/json"
        return schemas.check(kind, self._timed(reply).document)

    def _timed(self, reply: Reply) -> Reply:
        self.slowest_s = max(self.slowest_s, reply.seconds)
        return reply
