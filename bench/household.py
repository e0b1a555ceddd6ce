"""Where a save is measured: a Stash with the plugin as people install it, its neighbour without, and a Plex.

With the environment variable STASH_BINARY both are a real Stash, otherwise the double. Both hold the same scenes with
the same configuration, and Plex has an item for each of their files.
"""

from __future__ import annotations

import os
import signal
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Callable

from bench.doubles import TOKEN, plex_with
from bench.real_stash import BINARY, RealStash, make_videos, multiply, real_stash
from bench.visited import PLUGIN, VisitedStash, double_in
from sync_queue import lease
from tests.doubles.plex_remote import RemotePlexDouble
from tests.waiting import until
from tools import plugin_zip

SHOWN_AS = {"title": "title", "details": "summary"}
ARRIVES_WITHIN_S = 120.0
VIDEOS = 300  # more scenes than that are copies of the first one in Stash's database


class Side:
    """One Stash and what a person does there; each save writes something that was never there before."""

    def __init__(self, stash: VisitedStash, scenes: Sequence[str]) -> None:
        self.stash, self.scenes = stash, scenes
        self.wanted: dict[str, dict[str, str]] = defaultdict(dict)
        self._saves = 0

    def save(self, scene: str) -> float:
        """Save one scene; returns the seconds until Stash answered."""
        return self._timed([scene], lambda title: self.stash.save(scene, title=title), "title")

    def edit(self, scenes: Sequence[str]) -> float:
        """The same for a bulk edit, all scenes together."""
        return self._timed(scenes, lambda details: self.stash.bulk_save(scenes, details=details), "details")

    def settle(self) -> None:
        """Wait until nothing is under way any more."""

    def rest(self) -> None:
        """Be without a worker."""

    def _timed(self, scenes: Sequence[str], act: Callable[[str], Any], field: str) -> float:
        self._saves += 1
        value = f"Save {self._saves} of {len(scenes)}"
        at = time.perf_counter()
        act(value)
        took = time.perf_counter() - at
        for scene in scenes:
            self.wanted[scene][field] = value
        return took


class Household(Side):
    """The side with the plugin. ``keys`` leads from a scene's id to its item in Plex, ``data`` is the data folder."""

    def __init__(self, stash: VisitedStash, plex: RemotePlexDouble, keys: dict[str, str]) -> None:
        super().__init__(stash, list(keys))
        self.plex, self.keys = plex, keys
        self.data = stash.data

    def lost(self) -> list[str]:
        """The scenes that Plex does not show as they were saved."""
        asked = [{"call": "item", "args": {"key": self.keys[scene]}} for scene in self.wanted]
        shown = dict(zip(self.wanted, self.plex.call_many(asked)))
        return [
            scene
            for scene, wanted in self.wanted.items()
            if any(shown[scene][SHOWN_AS[field]] != value for field, value in wanted.items())
        ]

    def settle(self) -> None:
        """Wait until Plex shows all that was saved; what does not come in time is counted as `lost` in the end."""
        with suppress(AssertionError):
            until(lambda: not self.lost(), ARRIVES_WITHIN_S)

    def arrival_s(self, scene: str) -> float:
        """Save a scene; returns the seconds until Plex answered the write, or all patience when it never came."""
        self.plex.clear_requests()
        at = time.time()
        self.save(scene)
        title = self.wanted[scene]["title"]

        def written() -> list[float]:
            puts = [entry for entry in self.plex.requests() if entry.method == "PUT"]
            return [entry.at for entry in puts if entry.args.get("title.value") == title]

        with suppress(AssertionError):
            return until(written, ARRIVES_WITHIN_S)[0] - at
        return ARRIVES_WITHIN_S

    def worker(self) -> int:
        """The process id of the living worker, waited for."""

        def alone() -> int:
            pids = self.stash.worker_pids()
            return pids[0] if len(pids) == 1 and lease.held(self.data) else 0

        return until(alone, what="a worker that holds the lease")

    def rest(self) -> None:
        """Ask the worker to end, and see that nobody starts another one."""
        os.kill(self.worker(), signal.SIGTERM)
        until(lambda: not self.stash.worker_pids(), what="the worker to end")
        if lease.held(self.data):
            raise RuntimeError("a worker that was asked to end was replaced")


@contextmanager
def household(folder: Path, scenes: int, login: bool = False) -> Iterator[Household]:
    """The side with the plugin alone."""
    with ExitStack() as stack:
        stash, _ = _stashes(stack, folder, scenes, login, pair=False)
        yield _furnished(stack, stash, scenes)


@contextmanager
def neighbours(folder: Path, scenes: int, login: bool = False) -> Iterator[tuple[Household, Side]]:
    """Both sides: with the plugin and without."""
    with ExitStack() as stack:
        stash, other = _stashes(stack, folder, scenes, login, pair=True)
        home = _furnished(stack, stash, scenes)
        yield home, Side(other or stash, home.scenes)


def _furnished(stack: ExitStack, stash: VisitedStash, scenes: int) -> Household:
    if isinstance(stash, RealStash):
        files = stash.files(min(scenes, VIDEOS))
        plex = stack.enter_context(plex_with(0))
        section = plex.add_section("Videos", [os.path.dirname(path) for path, _ in list(files.values())[:1]])
        made = plex.add_items(section, [{"file": path, "size": size} for path, size in files.values()])
        keys = dict(zip(files, made))  # the copies are in no Plex
    else:
        plex = stack.enter_context(plex_with(scenes))
        keys = {str(number): str(number) for number in range(1, scenes + 1)}
    stash.configure({"plex_url": plex.url, "plex_token": TOKEN})
    return Household(stash, plex, keys)


def _stashes(
    stack: ExitStack, folder: Path, scenes: int, login: bool, pair: bool
) -> tuple[VisitedStash, VisitedStash | None]:
    ours, plain = folder / "with", folder / "without"
    _install(ours / "plugins" / PLUGIN)
    if BINARY not in os.environ:
        double = stack.enter_context(double_in(ours, scenes, login))
        return double, stack.enter_context(double_in(plain, scenes, login)) if pair else None
    videos = min(scenes, VIDEOS)
    make_videos(folder / "videos", videos)
    with real_stash(plain, login=False) as first:
        first.take_in(folder / "videos")
    multiply(first, scenes - videos)
    real = stack.enter_context(real_stash(ours, login, same_as=first))
    return real, stack.enter_context(real_stash(plain, login)) if pair else None


def _install(folder: Path) -> None:
    """The zip as people get it, unpacked where Stash would."""
    folder.mkdir(parents=True)
    with zipfile.ZipFile(plugin_zip.build(folder=folder.parents[1]).zip_path) as archive:
        archive.extractall(folder)
