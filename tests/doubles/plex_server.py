"""A Plex server that remembers: for tests, the demo and the bench.

    with PlexDouble() as plex:
        section = plex.add_section("Movies", ["/media"])
        key = plex.add_item(section, file="/media/a.mp4", size=123, title="a")

As a process of its own: ``python -m tests.doubles.plex_server --port 32400``; see ``RemotePlexDouble``.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
import time
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, Callable, Optional

from tests import canaries
from tests.doubles.lazy import describer
from tests.doubles.plex_acts import LibraryActs
from tests.doubles.plex_agents import ProviderCall
from tests.doubles.plex_agents_routes import AgentRoutes
from tests.doubles.plex_art import ArtStore
from tests.doubles.plex_control import PREFIX, control
from tests.doubles.plex_edits import seed
from tests.doubles.plex_faults import KINDS, Delivery, FaultBook, whole
from tests.doubles.plex_http import Request, Response
from tests.doubles.plex_listener import Listener
from tests.doubles.plex_log import LogEntry, RequestLog
from tests.doubles.plex_model import Item, PlexState
from tests.doubles.plex_remote import RemotePlexDouble
from tests.doubles.plex_settings import PlexSettings
from tests.doubles.plex_snapshot import snapshot

__all__ = ["LogEntry", "PlexDouble", "ProviderCall", "RemotePlexDouble"]
_SWITCHES = frozenset(field.name for field in fields(PlexSettings))


class PlexDouble(PlexSettings, LibraryActs):
    """A Plex server on 127.0.0.1; the switches of ``PlexSettings`` are its attributes.

    With a ``tls`` context, which has the certificate, it speaks https.
    """

    def __init__(
        self,
        mode: str = "append",
        token: str = canaries.PLEX_TOKEN,
        port: int = 0,
        control_port: Optional[int] = None,
        now: Callable[[], float] = time.time,
        tls: Optional[ssl.SSLContext] = None,
        **switches: Any,
    ) -> None:
        super().__init__(mode=mode, token=token, **switches)
        self.faults = FaultBook()
        self._state = PlexState(now)
        self._art = ArtStore(self._state)
        self._routes = AgentRoutes(self._state, self, self._art)
        self._log = RequestLog()
        self._listener = Listener(port, self._answer, lambda: self.keep_alive_s, self.faults.cleared, tls)
        self._control: Optional[Listener] = None
        if control_port is not None:
            self._control = Listener(control_port, self._answer_control, lambda: 600.0, self.faults.cleared)

    def __enter__(self) -> PlexDouble:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Open the port, and the control port if there is one."""
        canaries.started.append(self)
        self._listener.start()
        if self._control:
            self._control.start()

    def stop(self) -> None:
        """Close everything and end what hangs."""
        self.faults.clear()
        self._listener.stop()
        if self._control:
            self._control.stop()
        self._routes.close()

    @property
    def running(self) -> bool:
        """Whether it listens."""
        return self._listener.running

    @property
    def url(self) -> str:
        """Return the address; it stays the same through ``down`` and ``up``."""
        return self._listener.url

    @property
    def control_url(self) -> Optional[str]:
        """Return the address of the control port, which ``down`` leaves open."""
        return self._control.url if self._control else None

    @property
    def connections(self) -> int:
        """Return how many connections were opened so far."""
        return self._listener.connections

    def down(self) -> None:
        """Close the port and all connections; the state is kept."""
        self._listener.stop()

    def up(self) -> None:
        """Open the same port again."""
        self._listener.start()

    def add_section(
        self,
        title: str,
        locations: Iterable[str],
        agent: str = "tv.plex.agents.none",
        type: str = "movie",
        agent_id: str = "",
    ) -> str:
        """Add a section and return its key. One of another type only shows in the list of sections.

        ``agent_id`` is that of an agent that is made of registered providers.
        """
        with self._state.lock:
            section = self._state.add_section(title, locations, agent)
            section.type = type
            self._routes.choose_agent(section, agent_id)
            return section.key

    def add_item(
        self,
        section: str,
        file: str,
        size: int = 0,
        versions: Iterable[dict[str, Any]] = (),
        **values: Any,
    ) -> str:
        """Add an item and return its rating key.

        ``versions`` are further files (dicts with ``file`` and ``size``; ``media`` and ``part`` add attributes).
        """
        with self._state.lock:
            first = {"file": file, "size": size, "media": values.pop("media", None), "part": values.pop("part", None)}
            item = self._state.add_item(self._state.sections[str(section)], [first, *versions])
            seed(self._state, item, values)
            return str(item.key)

    def add_items(self, section: str, items: Iterable[dict[str, Any]]) -> list[str]:
        """Add many items (each the arguments of ``add_item``) and return their rating keys."""
        return [self.add_item(section, **values) for values in items]

    def promise_items(self, section: str, count: int, described: str) -> None:
        """As if ``add_item`` were called so often, for the nth with what ``described`` (``module:function``) says of n.

        Each item is made when somebody looks at it. ``pictures`` (a text by kind) is as after ``give_picture``.
        """
        with self._state.lock:
            self._state.promise_items(self._state.sections[str(section)], count, describer(described), self._furnish)

    def _furnish(self, item: Item, values: dict[str, Any]) -> None:
        pictures = values.pop("pictures", {})
        seed(self._state, item, values)
        for kind, text in pictures.items():
            self._art.upload(item, kind, text.encode())

    def item(self, key: Any) -> dict[str, Any]:
        """Return what an item holds; KeyError when there is none."""
        with self._state.lock:
            return snapshot(self._find(key), self._art)

    def items(self) -> dict[str, dict[str, Any]]:
        """Return all items by rating key."""
        with self._state.lock:
            return {str(key): snapshot(item, self._art) for key, item in self._state.items.items()}

    def requests(self) -> list[LogEntry]:
        """Return the request log, oldest first."""
        return self._log.entries()

    def count(self, method: Optional[str] = None, path_contains: Optional[str] = None) -> int:
        """Count requests."""
        return self._log.count(method, path_contains)

    def clear_requests(self) -> None:
        """Empty the request log."""
        self._log.clear()

    def scans(self) -> list[dict[str, str]]:
        """Return the section refreshes asked for: section, path, force."""
        return list(self._routes.scans)

    def whole_section_edits(self) -> list[str]:
        """Return the targets of PUTs without ``id=``, each of which edited a whole section."""
        return list(self._routes.whole_section_edits)

    def uploads(self) -> dict[str, int]:
        """Return how many uploads came, and the files and bytes they left for ever."""
        return {"requests": self._art.uploads, "files": self._art.files, "bytes": self._art.stored_bytes}

    def get(self, name: str) -> Any:
        """Return a switch by name."""
        if name not in _SWITCHES:
            raise AttributeError(name)
        return getattr(self, name)

    def set(self, name: str, value: Any) -> None:
        """Change a switch by name."""
        if name not in _SWITCHES:
            raise AttributeError(name)
        setattr(self, name, value)

    def _answer_control(self, request: Request) -> Delivery:
        return control(self, request)

    def _answer(self, request: Request) -> Delivery:
        if request.path.startswith(PREFIX):
            return control(self, request)
        if self.latency_s:
            time.sleep(self.latency_s)
        delivery = self._deliver(request)
        self._log.add(
            LogEntry(
                request.method,
                request.path,
                request.query,
                delivery.status,
                request.bytes_in,
                sum(map(len, delivery.chunks)),
                time.time(),
                (request.number("X-Plex-Container-Start"), request.number("X-Plex-Container-Size")),
            )
        )
        return delivery

    def _deliver(self, request: Request) -> Delivery:
        fault = self.faults.take(request)
        if fault is None:
            return whole(request, self._routes.respond(request), self.keep_alive_s)
        response = self._routes.respond(request) if fault.applied else Response()
        return KINDS[fault.kind].deliver(fault, request, response)


def main() -> None:
    """Run a double until the process is ended; print one JSON line that tells its addresses."""
    parser = argparse.ArgumentParser(description="A Plex server that remembers.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--token", default=canaries.PLEX_TOKEN)
    parser.add_argument("--mode", choices=("append", "replace"), default="append")
    parser.add_argument("--until-stdin-closes", action="store_true", help="end with the process that started it")
    chosen = parser.parse_args()
    with PlexDouble(chosen.mode, chosen.token, chosen.port, chosen.control_port) as double:
        print(json.dumps({"url": double.url, "control": double.control_url, "token": double.token}), flush=True)
        while not chosen.until_stdin_closes:
            time.sleep(3600)
        sys.stdin.read()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
