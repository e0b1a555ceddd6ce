"""What the provider counts, for Prometheus: numbers by route, status and outcome; never a title, a path or an id.

Every label comes from a fixed set of ours, but for the unknown keys of match bodies: of these only names that look like
one are kept, and only the first UNKNOWN_KEYS different ones, since whoever asks chooses them.
"""

from __future__ import annotations

import re

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

REQUEST_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25)
STASH_BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ROUTES = ("guid", "path", "suffix", "hash", "title", "id", "none", "malformed")
UNKNOWN_KEYS = 50
OTHER = "other"

_KEY = re.compile(r"[A-Za-z][A-Za-z._-]{0,39}")  # no digits: a name with one may hold an id


class Metrics:
    """The counters of one process, in a registry of their own. Times are in seconds."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._matches = self._counter("matches", "Answered match requests, by what found the scene", "route")
        self._unknown = self._counter("unknown_keys", "Keys in match bodies that no contract names", "key")
        self._cache = self._counter("cache_reads", "Reads from the cache, by whether it knew the answer", "outcome")
        self._requests = Histogram(
            "stash2plex_request_seconds",
            "Time from a request's head to the end of its answer",
            ("route", "status"),
            buckets=REQUEST_BUCKETS_S,
            registry=self._registry,
        )
        self._stash = Histogram(
            "stash2plex_stash_query_seconds",
            "Time that Stash took for one query",
            ("outcome",),
            buckets=STASH_BUCKETS_S,
            registry=self._registry,
        )
        self._missing_in_stash = self._gauge("gaps_missing_in_stash", "Plex items whose file no scene in Stash has")
        self._missing_in_plex = self._gauge("gaps_missing_in_plex", "Scenes in Stash whose file no item in Plex has")
        self._healable = self._gauge("gaps_healable", "Plex items not matched to the scene that has their file")
        self._keys: set[str] = set()
        self._children: dict[tuple[str, int], Histogram] = {}
        # `labels` takes longer than the counting, so the counters that every request needs are looked up once.
        self._matched = {route: self._matches.labels(route) for route in (*ROUTES, OTHER)}
        self._hits, self._asked = self._cache.labels("hit"), self._cache.labels("miss")

    def matched(self, route: str) -> None:
        """One match request was answered; the route is one of ROUTES."""
        self._matched.get(route, self._matched[OTHER]).inc()

    def stash_asked(self, seconds: float, outcome: str) -> None:
        """One query to Stash ended; the outcome is a word from a fixed set."""
        self._stash.labels(outcome).observe(seconds)

    def cache(self, hit: bool) -> None:
        """One read from the cache."""
        (self._hits if hit else self._asked).inc()

    def request(self, route: str, status: int, seconds: float) -> None:
        """One request was answered; the route is a template such as ``/library/metadata/{id}``, never a path."""
        child = self._children.get((route, status))
        if child is None:
            child = self._children[route, status] = self._requests.labels(route, status)
        child.observe(seconds)

    def unknown_key(self, name: str) -> None:
        """A match body had this key, which the contract does not know."""
        known = name in self._keys
        if not known and (len(self._keys) >= UNKNOWN_KEYS or not _KEY.fullmatch(name)):
            name = OTHER
        elif not known:
            self._keys.add(name)
        self._unknown.labels(name).inc()

    def gaps(self, missing_in_stash: int, missing_in_plex: int, healable: int) -> None:
        """What the last whole comparison found; until there was one, these are not a number (NaN)."""
        self._missing_in_stash.set(missing_in_stash)
        self._missing_in_plex.set(missing_in_plex)
        self._healable.set(healable)

    def render(self) -> tuple[bytes, str]:
        """All of it in Prometheus' text format, and the content type of that."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, text: str, label: str) -> Counter:
        return Counter("stash2plex_" + name, text, (label,), registry=self._registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        gauge = Gauge("stash2plex_" + name, text, registry=self._registry)
        gauge.set(float("nan"))
        return gauge
