"""All requests to Stash, over stashapp-tools' GraphQL transport with time-outs and typed errors.

Its own constructor is not used (full introspection, and the admin key is fetched unasked), nor its log (a text of
14 KB keeps its filter busy for 47 s).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
from stashapi.classes import GQLWrapper
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from stash import answers, covers, log, queries
from stash.answers import NotThisWay, StashAway
from stash.covers import Cover
from validation import scene
from validation.errors import Kind, Trouble

TIMEOUTS_S = (5.0, 60.0)
PAGE_SCENES = 500
BATCH_SCENES = 50
PLUGIN_ID = "Stash2Plex"
LAUNCHER_ID = "Stash2PlexLauncher"
REFUSED_KEY = "Stash refuses the key in setting stash_api_key; it is not used"

_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Configuration:
    """What Stash holds for us: our plugin's settings as they are, whether we are enabled, Stash's API key.

    ``launcher`` tells whether the launcher is enabled, None when it is not there. ``warning`` is a sentence about a key
    that Stash refused.
    """

    settings: dict[str, Any]
    enabled: bool
    api_key: str
    launcher: bool | None = None
    warning: str = ""


class StashClient(GQLWrapper):  # type: ignore[misc]
    """One Stash. Every method raises Trouble (Stash's kinds) and nothing else.

    ``cookies`` are session cookies to try in turn until one is accepted; an API key, once known, is used instead.
    """

    def __init__(self, url: str, cookies: Sequence[str] = (), api_key: str = "") -> None:
        super().__init__()
        self._root = url.rstrip("/")
        self.url = f"{self._root}/graphql"
        self.fragments: dict[str, str] = {}
        self.log = _Silent()
        self.requests = 0
        self._refused_keys: set[str] = set()
        self._cookies = [cookie for cookie in dict.fromkeys(map(answers.sendable, cookies)) if cookie]
        for cookie in self._cookies:
            log.hide(cookie)
        self.s = _Session(verify=urlsplit(url).scheme != "https")
        self.s.headers.update({"Content-Type": "application/json", "Accept": "application/json"})
        self.use(answers.sendable(api_key))

    def use(self, api_key: str) -> None:
        """Authenticate by this API key, or by the next cookie when it is empty."""
        log.hide(api_key)
        self.s.cookies.clear()
        self.s.headers.pop("ApiKey", None)
        if api_key:
            self.s.headers["ApiKey"] = api_key
        elif self._cookies:
            self.s.cookies.set("session", self._cookies[0])

    def configuration(self) -> Configuration:
        """Our settings and state as Stash keeps them; moves on to an API key: the one in our settings, else Stash's."""
        told = answers.told(self._ask(queries.CONFIGURATION, {"ids": [PLUGIN_ID]}), PLUGIN_ID)
        own = answers.sendable(told.settings.get("stash_api_key"))
        self._move_on_to(own, told.api_key)
        warning = REFUSED_KEY if own in self._refused_keys else ""
        in_use = str(self.s.headers.get("ApiKey", ""))
        enabled, launcher = told.enabled.get(PLUGIN_ID, True), told.enabled.get(LAUNCHER_ID)
        return Configuration(told.settings, enabled, in_use, launcher, warning)

    def configure(self, values: dict[str, Any]) -> None:
        """Add settings to those that Stash keeps for us; what it keeps already, perhaps only just, stays as it is."""
        kept = answers.kept(self._ask(queries.CONFIGURATION, {"ids": [PLUGIN_ID]}), PLUGIN_ID)
        merged = {**values, **{name: value for name, value in kept.items() if value is not None}}
        body = {"query": queries.CONFIGURE, "variables": {"id": PLUGIN_ID, "input": merged}}
        self._with_credentials(lambda: self._write(body))

    def version(self) -> str:
        """Stash's version, as it writes it."""
        return answers.version(self._ask(queries.VERSION, {}))

    def sample_files(self, limit: int) -> list[str]:
        """Paths of the first files of some scenes, the newest ones."""
        return answers.first_files(answers.rows(self._ask(queries.SAMPLE, {"size": limit})))

    def cover(self, scene: int, known: str = "") -> Cover | None:
        """The scene's cover, without its bytes when it still is the one that Stash named ``known``; None for none."""
        return self._with_credentials(lambda: self._read_cover(scene, answers.sendable(known)))

    def scenes(self, ids: Sequence[int]) -> dict[int, scene.Scene | Trouble]:
        """The scenes by id, one query per 50; absent ones are gone from Stash, an unreadable one is its Trouble."""
        found: dict[int, scene.Scene | Trouble] = {}
        for start in range(0, len(ids), BATCH_SCENES):
            found.update(self._batch(ids[start : start + BATCH_SCENES]))
        return found

    def _batch(self, ids: Sequence[int]) -> dict[int, scene.Scene | Trouble]:
        try:
            rows = answers.rows(self._ask(queries.SCENES, {"ids": [str(id) for id in ids]}))
        except NotThisWay:  # one of them is gone, or this Stash wants another argument
            answer = self._ask(queries.scenes_one_by_one(list(ids)), {})
            rows = [row for row in answer.values() if row is not None]
        return answers.scenes(rows)

    def scenes_after(
        self, id: int, size: int, by: str = "", after: str = ""
    ) -> tuple[dict[int, scene.Scene | Trouble], int]:
        """The next scenes above this id, whole and in the order of their ids, and how many there are from there on.

        With ``by``, the name of a date (``updated_at``, ``created_at``), only scenes for which it is later than the
        text ``after``, of Stash's own making. Deletions meanwhile shift nothing, as they would shift numbered pages.
        """
        wanted: dict[str, Any] = {"id": {"value": id, "modifier": "GREATER_THAN"}}
        if after:
            wanted[by] = {"value": after, "modifier": "GREATER_THAN"}
        answer = self._ask(queries.PAGE_WHOLE, {"filter": wanted, "size": size})
        return answers.scenes(answers.rows(answer)), answers.count(answer)

    def changed(self, after: str, size: int) -> list[tuple[int, str]]:
        """Scenes whose ``updated_at`` is later than this text of Stash's own making, the earliest first."""
        return answers.stamps(answers.rows(self._ask(queries.CHANGED, {"after": after, "size": size})))

    def newest(self) -> str:
        """The latest ``updated_at`` of any scene, "" in an empty library."""
        stamps = answers.stamps(answers.rows(self._ask(queries.NEWEST, {})))
        return stamps[0][1] if stamps else ""

    def page(self, number: int, scene_filter: dict[str, Any] | None = None) -> tuple[list[int], int]:
        """Page ``number`` (from 1) of scene ids in the order of their ids, and how many scenes there are in all."""
        answer = self._ask(queries.PAGE, {"page": number, "size": PAGE_SCENES, "filter": scene_filter})
        return answers.ids(answers.rows(answer)), answers.count(answer)

    def page_of(self, kind: str, id: int, after: int = 0) -> tuple[list[int], int]:
        """Ids of the next scenes with this performer, studio or tag, and the id to go on after; 0 when these are all.

        Only ids above ``after`` count (Stash knows that criterion since v0.22), so a deletion between two pages hides
        nothing.
        """
        name = {"performer": "performers", "studio": "studios", "tag": "tags"}[kind]
        above = {"value": after, "modifier": "GREATER_THAN"}
        wanted = {name: {"value": [str(id)], "modifier": "INCLUDES"}, "id": above}
        ids = answers.ids(answers.rows(self._ask(queries.AFTER, {"size": PAGE_SCENES, "filter": wanted})))
        last = max(ids, default=0)
        return ids, last if len(ids) >= PAGE_SCENES and last > after else 0

    def scenes_of(self, kind: str, id: int) -> Iterator[list[int]]:
        """Ids of all scenes with this performer, studio or tag, page by page."""
        ids, last = self.page_of(kind, id)
        yield ids
        while last:
            ids, last = self.page_of(kind, id, last)
            yield ids

    def launch_worker(self) -> None:
        """Ask the launcher for a worker and do not wait for its end, which is the worker's end."""
        body = {"query": queries.LAUNCH, "variables": {"id": LAUNCHER_ID}}
        try:
            self.s.post(self.url, json=body, timeout=(2.0, 0.5))
        except requests.Timeout:
            pass  # as it should be: the operation goes on
        except (requests.RequestException, OSError):
            raise StashAway("Stash cannot be reached") from None

    def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """One query, tried again after a moment when Stash does not answer: all of ours only read."""
        again = Retrying(
            stop=stop_after_attempt(2), wait=wait_fixed(0.2), retry=retry_if_exception_type(StashAway), reraise=True
        )
        answer: dict[str, Any] = again(lambda: self._ask_with_cookies(query, variables))
        return answer

    def _ask_with_cookies(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self._with_credentials(lambda: self._GQL(query, dict(variables)))
        return answer

    def _with_credentials(self, ask: Callable[[], _Answer]) -> _Answer:
        """Ask with what we have, from the API key to the last cookie, until one is accepted."""
        while True:
            try:
                self.requests += 1
                return ask()
            except Trouble as trouble:
                if trouble.kind is not Kind.STASH_REFUSED or "ApiKey" not in self.s.headers and len(self._cookies) < 2:
                    raise
                if "ApiKey" in self.s.headers:
                    self._refused_keys.add(str(self.s.headers["ApiKey"]))
                else:
                    self._cookies.pop(0)
                self.use("")
            except (requests.RequestException, OSError) as error:
                raise StashAway(f"Stash does not answer ({type(error).__name__})") from None

    def _move_on_to(self, *keys: str) -> None:
        """Use the first of these API keys that Stash did not refuse."""
        for key in keys:
            log.hide(key)
        key = next((key for key in keys if key and key not in self._refused_keys), "")
        if key and self.s.headers.get("ApiKey") != key:
            self.use(key)

    def _read_cover(self, scene: int, known: str) -> Cover | None:
        headers = {"Accept": "image/*", **({"If-None-Match": known} if known else {})}
        with self.s.get(f"{self._root}/scene/{scene}/screenshot", headers=headers, stream=True) as response:
            self._keep_cookie(response)
            return covers.read(response, known)

    def _write(self, body: dict[str, Any]) -> None:
        response = self.s.post(self.url, json=body)
        self._keep_cookie(response)
        answers.data(response, in_its_words=False)  # they may repeat what was sent, and that is the token too

    def _handle_GQL_response(self, response: requests.Response) -> dict[str, Any]:
        """Replaces the transport's own reading, which logs and raises a bare Exception."""
        self._keep_cookie(response)
        return answers.data(response)

    def _keep_cookie(self, response: requests.Response) -> None:
        """Stash re-issues the session cookie with each answer, which keeps it from running out after an hour."""
        fresh = response.cookies.get("session")
        if fresh and self._cookies and "ApiKey" not in self.s.headers:
            log.hide_renewed(fresh)
            self._cookies[0] = fresh
            self.use("")


class _Session(requests.Session):
    """Never by a proxy, never followed elsewhere, never without an end. Stash's own certificate is self-signed."""

    def __init__(self, verify: bool) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = verify

    def request(self, *args: Any, **options: Any) -> requests.Response:
        """Send, with our time-outs unless others are given."""
        options.setdefault("timeout", TIMEOUTS_S)
        options["allow_redirects"] = False
        return super().request(*args, **options)


class _Silent:
    """The transport's log: it would write whole queries and variables."""

    def __getattr__(self, level: str) -> Any:
        return lambda *texts: None
