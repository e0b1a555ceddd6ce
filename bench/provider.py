"""How long Plex waits for the metadata provider: ``python -m bench.provider``. Memory and CPU time only on Linux.

The provider is the real process, Stash a double that takes 20 ms for each answer. Half of the requests are matches of
files, half are reads of metadata, and the cold ones are all for different scenes. There are two ways to ask. Bursts:
all connections at once, and again after a pause. Always: whoever has an answer asks the next question. The floor is a
bare server with one constant answer, asked the same over as many connections. At the end Stash dies and comes back.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from bench.doubles import scene, started, stash_with
from bench.load import Answers, Load, Request
from bench.parts import main
from bench.table import Bar, Row, median
from bench.usage import usage
from tests.doubles.stash_client import RemoteStashDouble
from tests.provider.service import Service

STASH_S, PAUSE_S = 0.02, 0.1
MATCH, READ = "match", "metadata"
COLD_BAR, WARM_BAR, MEMORY_BAR = Bar(250), Bar(50), Bar(150)
RIGHT, AWAY = ((MATCH, 200), (READ, 200)), ((MATCH, 503), (READ, 503))
HEADERS = (
    "Host: 127.0.0.1\r\nUser-Agent: PlexMediaServer/1.43.0.10467\r\nAccept: application/json\r\n"
    "Accept-Encoding: gzip\r\nX-Plex-Client-Identifier: bench\r\nX-Plex-Language: en-US\r\n"
)
QUICK = {"scenes": 120, "again": 60, "rounds": 1, "connections": 20, "many": 200, "away": 1}


class Run(NamedTuple):
    """Some requests: the answers, those of the floor, the provider's CPU seconds, and what Stash was asked."""

    answers: Answers
    floor: Answers
    cpu_s: float
    stash: int

    def rows(self, what: str, bar: Bar) -> list[Row]:
        """Times, then what a request took."""
        count = sum(self.answers.statuses.values())
        rows = [Row(f"{what} (floor: a bare server)", self.answers.per_second, "requests/s", self.floor.per_second)]
        for kind in (MATCH, READ):
            ours, floor = self.answers.times[kind], self.floor.times[kind]
            rows.append(Row(f"… {kind}, p50", median(ours) * 1e3, "ms", median(floor) * 1e3))
            rows.append(Row("… p99", p99(ours) * 1e3, "ms", p99(floor) * 1e3, bar))
        cpu = [Row("… CPU time per request", self.cpu_s / count * 1e3, "ms")] if self.cpu_s else []
        return [
            *rows,
            *cpu,
            Row("… Stash requests per request", self.stash / count, "", stash=self.stash),
            Row("… wrong answers", self.answers.other(*RIGHT), "", None, Bar(0), must=True),
        ]


class Provider:
    """A provider, the floor beside it, and the connections to both."""

    def __init__(self, service: Service, stash: RemoteStashDouble, load: Load, floor: Load) -> None:
        self._service, self._stash, self._load, self._floor = service, stash, load, floor

    def bursts(self, requests: Sequence[Request]) -> Run:
        """All connections at once, again and again."""
        return self._run(lambda load: load.bursts(requests, PAUSE_S))

    def always(self, requests: Sequence[Request]) -> Run:
        """All connections all the time."""
        return self._run(lambda load: load.always(requests))

    def peak_mb(self) -> float:
        """The most memory that it ever held; 0 where nobody can say."""
        used = self._used()
        return used.peak_mb if used else 0.0

    def _run(self, ask: Any) -> Run:
        before = self._used()
        self._stash.clear_requests()
        answers = ask(self._load)  # first: the provider closes a connection that says nothing for 10 s
        after, asked = self._used(), int(self._stash.count())
        return Run(answers, ask(self._floor), after.cpu_s - before.cpu_s if after and before else 0.0, asked)

    def _used(self) -> Any:
        assert self._service.process
        return usage(self._service.process.pid)


def measure(
    folder: Path,
    *,
    scenes: int = 10_000,
    again: int = 4_000,
    rounds: int = 5,
    connections: int = 200,
    many: int = 100_000,
    away: int = 10,
) -> list[Row]:
    """All rows: scenes asked for cold, the last of them ``rounds`` times again; many; Stash ``away`` for seconds."""
    rows, peaks = [], []
    asked = _asked(range(1, scenes + 1))
    with stash_with(scenes) as stash:
        stash.scenes()  # from now on it has them all
        stash.faults.latency_s = STASH_S
        for way in ("bursts", "always"):
            with _provider(folder, stash, connections) as provider:
                ask = getattr(provider, way)
                cold, warm = ask(asked), ask(asked[-again:] * rounds)
                peaks.append(provider.peak_mb())
            rows += [*cold.rows(f"cold, {way}", COLD_BAR), *warm.rows(f"warm, {way}", WARM_BAR)]
    memory = Row("memory, peak", max(peaks), "MB", None, MEMORY_BAR, peak_mb=max(peaks))
    return [*rows, memory, *_many(folder, many, connections), *_away(folder, scenes, connections, away)]


def _many(folder: Path, many: int, connections: int) -> list[Row]:
    """Far more scenes than anybody remembers."""
    with stash_with(many) as stash, _provider(folder, stash, connections) as provider:
        wrong = provider.always(_asked(range(1, many + 1))).answers.other(*RIGHT)
        peak = provider.peak_mb()
    return [
        Row(f"… after {many:,} scenes", peak, "MB", None, MEMORY_BAR, peak_mb=peak),
        Row("… wrong answers", wrong, "", None, Bar(0), must=True),
    ]


def _away(folder: Path, scenes: int, connections: int, seconds: float) -> list[Row]:
    """Stash dies while it is asked, is away, and comes back; nobody starts the provider again."""
    third = scenes // 3
    known, asked, new = (_asked(range(first, first + third)) for first in (1, 1 + third, 1 + 2 * third))
    with ExitStack() as first, ExitStack() as rest:
        stash = first.enter_context(stash_with(scenes))
        service = rest.enter_context(_service(folder, stash, cache_s="1"))
        load = rest.enter_context(Load(_port(service.root), connections))
        wrong = load.always(known).other(*RIGHT)
        death = threading.Timer(0.2, first.close)
        death.start()
        while death.is_alive():
            wrong += load.always(asked).other(*RIGHT, *AWAY)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            wrong += load.bursts(known[-connections:], PAUSE_S).other(*RIGHT)
            wrong += load.bursts(new[-connections:], PAUSE_S).other(*AWAY)
        rest.enter_context(stash_with(scenes, port=_port(stash.url)))
        back_s = _until_answered(load, new[-1])
        wrong += load.always(new).other(*RIGHT)
    return [
        Row("Stash dies: wrong answers", wrong, "", None, Bar(0), must=True),
        Row("… from its return to the first answer", back_s, "s"),
    ]


@contextmanager
def _provider(folder: Path, stash: RemoteStashDouble, connections: int) -> Iterator[Provider]:
    with ExitStack() as stack:
        service = stack.enter_context(_service(folder, stash))
        load = stack.enter_context(Load(_port(service.root), connections))
        service.match(filename="/nowhere.mp4")  # from now on Stash, too, knows what to look where
        floor = stack.enter_context(started("bench.constant", str(len(service.ask("/library/metadata/1").body))))
        yield Provider(service, stash, load, stack.enter_context(Load(floor["port"], connections)))


def _service(folder: Path, stash: RemoteStashDouble, **env: str) -> Service:
    """With a path rule and a library root whose name Plex repeats: three paths may be meant by a file name."""
    return Service(folder, stash, library_roots="/plex/clips", path_rules="/data => /plex", **env)  # type: ignore[arg-type]


def _asked(ids: Sequence[int]) -> list[Request]:
    """A match of every other scene's file, and a read of the others' metadata."""
    return [_match(id) if id % 2 else _read(id) for id in ids]


def _match(id: int) -> Request:
    path = str(scene(id)["path"]).replace("/data", "")
    asked = {"type": 1, "title": f"clip {id}", "filename": path, "manual": 0, "includeAdult": 1}
    body = json.dumps(asked).encode()
    head = f"POST /library/metadata/matches HTTP/1.1\r\n{HEADERS}Content-Type: application/json\r\n"
    return Request(MATCH, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


def _read(id: int) -> Request:
    return Request(READ, f"GET /library/metadata/{id} HTTP/1.1\r\n{HEADERS}\r\n".encode())


def _until_answered(load: Load, request: Request) -> float:
    """Seconds until Stash's own answer comes through again."""
    began = time.perf_counter()
    while load.always([request]).other(*RIGHT):
        time.sleep(0.02)
    return time.perf_counter() - began


def _port(url: str) -> int:
    return urlsplit(url).port or 0


def p99(values: Sequence[float]) -> float:
    """The value that 99 of 100 do not exceed (nearest rank)."""
    return sorted(values)[math.ceil(0.99 * len(values)) - 1]


if __name__ == "__main__":
    sys.exit(main(["provider", *sys.argv[1:]]))
