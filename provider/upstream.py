"""All that the provider asks of Stash: one pooled client, read only, with limits, batches and a breaker.

The worker's `stash.client` waits for each answer; this one serves many questions at once. Both share the reading of
answers. What is found by a path is compared again here and never trusted, see `provider.like`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, NamedTuple, Optional

import httpx

from plex import paths
from provider import like, scene
from provider.batch import Batch
from provider.breaker import Breaker
from provider.metrics import Metrics
from provider.scene import Brief, Entry
from stash import answers, log, queries
from stash.answers import NotThisWay, StashAway
from validation.errors import Kind, Trouble

record = logging.getLogger("stash2plex.upstream")

ENTRIES_AT_ONCE, PATHS_AT_ONCE, QUERIES_AT_ONCE = 50, 40, 3
PICTURES_AT_ONCE = 12  # `provider.pictures` reads no more
MOST_ROWS = 200  # of one look-up by path: wildcards in a name may find more than was meant
REFUSED = "Stash refuses the key in S2P_STASH_API_KEY"
NEEDED = "Stash wants an API key: set S2P_STASH_API_KEY (Stash: Settings > Security > API Key)"
UNTRUSTED = "Stash's certificate is not trusted: correct it, or set S2P_STASH_VERIFY to false"


class Names(NamedTuple):
    """Scenes with a file of one base name; ``more`` tells that there are others that were not read."""

    entries: tuple[Entry, ...]
    more: bool


class Upstream:
    """One Stash. Methods raise `Trouble` (Stash's kinds) and nothing else.

    ``at_once`` bounds the queries under way (pictures have connections of their own), ``timeout_s`` each of them.
    ``with_groups`` asks for the scenes' groups too, if this Stash knows them (since v0.27).
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        metrics: Metrics,
        timeout_s: float = 10.0,
        at_once: int = 12,
        verify: bool = True,
        with_groups: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._at_once = url.rstrip("/"), at_once
        self._metrics, self._timeout_s = metrics, timeout_s
        self._breaker = Breaker(clock)
        self._has_key = bool(api_key)
        log.hide(api_key)
        self._client = httpx.AsyncClient(
            headers={"ApiKey": api_key} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(5.0, timeout_s), pool=None),
            limits=httpx.Limits(max_connections=at_once + PICTURES_AT_ONCE),
            follow_redirects=False,
            trust_env=False,
            verify=verify,
        )
        self._fields = queries.PROVIDER_FIELDS
        self._asks_for_groups = with_groups
        self._entries: Batch[int, Optional[Entry]] = Batch(self._read_entries, ENTRIES_AT_ONCE, QUERIES_AT_ONCE)
        self._paths: Batch[str, list[Entry]] = Batch(self._read_paths, PATHS_AT_ONCE, QUERIES_AT_ONCE)

    @cached_property
    def _turns(self) -> asyncio.Semaphore:
        """One for each query under way: to wait for a turn is no fault of Stash's. Python 3.9 ties it to its loop."""
        return asyncio.Semaphore(self._at_once)

    @property
    def open(self) -> bool:
        """Whether Stash is taken for away, so that nothing is asked until the next try is due."""
        return self._breaker.open

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def version(self) -> str:
        """Stash's version, as it writes it."""
        return answers.version(await self._ask(queries.VERSION, {}))

    async def entry(self, id: int) -> Entry | None:
        """One scene, None when Stash has none of this id; many asked for at once are one query."""
        return await self._entries.get(id)

    async def at_path(self, path: str) -> list[Entry]:
        """The scenes that have a file of exactly this path, in any Unicode form; on Windows in any case and slash."""
        return await self._paths.get(path)

    async def named(self, base_name: str, folders: Sequence[str] = ()) -> Names:
        """The scenes that have a file of this base name, wherever it is, or wherever there are these folders above."""
        found, count = await self._found(like.any_of(like.ends(base_name, folders)), MOST_ROWS)
        same = [entry for entry in found if any(paths.same_name(path, base_name) for path in entry.paths)]
        return Names(tuple(same), count > len(found))

    async def by_oshash(self, oshash: str) -> list[Entry]:
        """The scenes that have a file of this OpenSubtitles hash, 16 hexadecimal digits."""
        found, _ = await self._found({"oshash": {"value": oshash, "modifier": "EQUALS"}}, MOST_ROWS)
        return found

    async def titled(self, words: str, limit: int) -> list[Entry]:
        """The scenes that have these words, in this order, in their title or in the path of a file.

        Stash's own search took 2 s for 10,000 scenes and more than a minute for 100,000 (v0.30), this 15 and 150 ms.
        """
        found, _ = await self._found(like.holds(words), limit)
        return found

    async def files_after(self, id: int, size: int) -> list[Brief]:
        """The next scenes above this id, in the order of their ids, with their paths; fewer than ``size``: the end."""
        wanted = {"id": {"value": id, "modifier": "GREATER_THAN"}}
        rows = answers.rows(await self._ask(queries.PROVIDER_FILES, {"filter": wanted, "size": size}))
        return [scene.brief(row) for row in rows]

    async def changed(self, after: str, size: int) -> list[tuple[int, str]]:
        """The scenes whose ``updated_at`` is later than this text of Stash's own making, the earliest first."""
        return answers.stamps(answers.rows(await self._ask(queries.CHANGED, {"after": after, "size": size})))

    async def newest(self) -> str:
        """The latest ``updated_at`` of any scene, "" in an empty library."""
        stamps = answers.stamps(answers.rows(await self._ask(queries.NEWEST, {})))
        return stamps[0][1] if stamps else ""

    @asynccontextmanager
    async def stream(self, path: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        """An answer of Stash's below its root, for pictures; the body is not read yet. Redirects are a refusal."""
        request = self._client.build_request("GET", self._root + path, headers=dict(headers))
        async with self._guarded():
            response = await self._client.send(request, stream=True)
            if response.status_code in (401, 403) or response.has_redirect_location:
                await response.aclose()
                raise self._refused()
        try:
            yield response
        except httpx.HTTPError as error:
            raise StashAway(f"Stash stopped in the middle of an answer ({type(error).__name__})") from None
        finally:
            await response.aclose()

    async def _read_entries(self, ids: Sequence[int]) -> dict[int, Optional[Entry]]:
        text = await self._text(queries.PROVIDER_SCENES)
        try:
            rows = answers.rows(await self._ask(text, {"ids": [str(id) for id in ids]}))
        except NotThisWay:  # one of them is gone
            answer = await self._ask(queries.scenes_one_by_one(list(ids), self._fields), {})
            rows = [row for row in answer.values() if row is not None]
        found = {entry.id: entry for entry in self._readable(rows)}
        return {id: found.get(id) for id in ids}

    async def _read_paths(self, wanted: Sequence[str]) -> dict[str, list[Entry]]:
        forms = [form for path in wanted for form in like.forms(path)]
        found, count = await self._found(like.any_of(forms), MOST_ROWS)
        if count > len(found) and len(wanted) > 1:  # somebody's wildcards
            return {path: (await self._read_paths([path]))[path] for path in wanted}
        return {path: [entry for entry in found if like.has(entry, path)] for path in wanted}

    async def _found(self, wanted: dict[str, Any], limit: int) -> tuple[list[Entry], int]:
        text = await self._text(queries.PROVIDER_FIND)
        answer = await self._ask(text, {"filter": wanted, "size": limit})
        return self._readable(answers.rows(answer)), answers.count(answer)

    async def _text(self, query: str) -> str:
        """A query with the fields of a scene; at the first use Stash is asked what it knows, if that matters."""
        if self._asks_for_groups:
            answer = await self._ask(queries.PROVIDER_KNOWS, {})
            known = {row["name"] for row in (answer.get("__type") or {}).get("fields") or []}
            self._fields += queries.PROVIDER_GROUPS if "groups" in known else ""
            self._asks_for_groups = False
        return query % self._fields

    def _readable(self, rows: Iterable[Any]) -> list[Entry]:
        found = []
        for row in rows:
            try:
                found.append(scene.parse(row))
            except Trouble as trouble:  # the others can be read all the same
                record.warning("%s", trouble)
        return found

    async def _ask(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        body = {"query": query, "variables": variables}
        async with self._turns, self._guarded():
            response = await self._post(body)
            try:
                return answers.data(response)
            except Trouble as trouble:
                raise self._refused() if trouble.kind is Kind.STASH_REFUSED else trouble from None

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        """Once more at once when a kept-alive connection turns out dead: all of ours only reads."""
        try:
            return await self._send(body)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            return await self._send(body)

    async def _send(self, body: dict[str, Any]) -> httpx.Response:
        """Over in time even when the answer only drips; httpx itself times every piece alone."""
        try:
            return await asyncio.wait_for(self._client.post(f"{self._root}/graphql", json=body), self._timeout_s)
        except asyncio.TimeoutError:
            raise StashAway(f"Stash took longer than {self._timeout_s:g} s for an answer") from None

    def _refused(self) -> Trouble:
        return Trouble(Kind.STASH_REFUSED, REFUSED if self._has_key else NEEDED)

    @asynccontextmanager
    async def _guarded(self) -> AsyncIterator[None]:
        """Counts, times and types one exchange; refuses it while the breaker is open."""
        if not self._breaker.admits():
            raise StashAway("Stash does not answer; it is asked again in a moment")
        began, outcome = time.perf_counter(), "cancelled"
        try:
            yield
            outcome = "ok"
        except NotThisWay:
            outcome = "error"
            raise
        except Trouble as trouble:
            outcome = "refused" if trouble.kind is Kind.STASH_REFUSED else "away"
            raise
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            outcome = "away"
            raise StashAway(_words(error)) from None
        finally:
            self._metrics.stash_asked(time.perf_counter() - began, outcome)
            self._settle(outcome)

    def _settle(self, outcome: str) -> None:
        if outcome == "away":
            self._breaker.failed()
        elif outcome == "cancelled":
            self._breaker.given_up()
        else:
            self._breaker.succeeded()


def _words(error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return UNTRUSTED
    return f"Stash does not answer ({type(error).__name__})"
