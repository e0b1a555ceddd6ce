"""Steers a Plex double that runs in another process."""

from __future__ import annotations

import json
import urllib.request
from typing import Any, Callable
from urllib.error import HTTPError

from tests.doubles.plex_control import FAULTS, METHODS, PREFIX
from tests.doubles.plex_log import LogEntry


class _RemoteFaults:
    def __init__(self, owner: RemotePlexDouble) -> None:
        self._owner = owner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in FAULTS:
            raise AttributeError(name)
        return lambda *args, **named: self._owner.call(f"faults.{name}", *args, **named)


class RemotePlexDouble:
    """The same methods and switches as ``PlexDouble``, each one request to its control address.

    Made while the double is up, it goes on working after ``down()``.
    """

    def __init__(self, url: str) -> None:
        found = _ask(url.rstrip("/") + PREFIX + "/", None)
        set_here = super().__setattr__
        set_here("url", found["url"])
        set_here("control_url", found["control"] or found["url"])
        set_here("machine_id", found["machine_id"])
        set_here("faults", _RemoteFaults(self))

    def call(self, name: str, *args: Any, **named: Any) -> Any:
        """Run one call in the double and return its result."""
        return self._post({"call": name, "positional": list(args), "args": named})["result"]

    def call_many(self, calls: list[dict[str, Any]]) -> list[Any]:
        """Run many calls (``{"call": name, "args": {…}}``) in one request."""
        results: list[Any] = self._post(calls)["results"]
        return results

    def requests(self) -> list[LogEntry]:
        """Return the request log."""
        return [LogEntry(*entry) for entry in self.call("requests")]

    def _post(self, document: Any) -> Any:
        return _ask(self.control_url + PREFIX + "/", json.dumps(document).encode())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in METHODS:
            return lambda *args, **named: self.call(name, *args, **named)
        return self.call("get", name)

    def __setattr__(self, name: str, value: Any) -> None:
        self.call("set", name, value)


def _ask(url: str, body: Any) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(urllib.request.Request(url, data=body), timeout=120) as answer:
            return json.loads(answer.read())
    except HTTPError as problem:
        raise RuntimeError(json.loads(problem.read())["error"]) from None
