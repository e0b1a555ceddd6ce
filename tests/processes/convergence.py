"""The convergence storm: many happenings at once in Stash, in Plex and around them, from one seed, and then quiet.

Five lanes go side by side, each with a deck of happenings in a random order and random numbers of its own. A lane
plays its deck once in any case, and goes on at random until the time is over. What the seed decides is what happens in
which order in each lane; the machine decides how the lanes mesh.
"""

from __future__ import annotations

import http.client
import os
import re
import signal
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from random import Random
from typing import Any
from urllib.parse import unquote

from sync_queue import lease
from tests.doubles.stash_client import GraphQLFailed
from tests.doubles.stash_model import NotFound
from tests.processes import convergence_files as files
from tests.processes import convergence_plex as in_plex
from tests.processes import convergence_stash as in_stash
from tests.processes import convergence_trouble as trouble
from tests.processes.convergence_truth import Truth
from tests.processes.convergence_world import Library
from tests.processes.world import PLUGIN
from tests.waiting import until

STORM_S = 22.0  # for each thousand scenes, and for fewer
Happening = Callable[[Library, Random], str]

# How often each happens at least, by lane.
DECKS: Mapping[str, Mapping[Happening, int]] = {
    "Stash": {
        in_stash.save: 30, in_stash.save_cover: 4, in_stash.save_several: 4, in_stash.empty: 2,
        in_stash.change_unheard: 6, in_stash.import_unheard: 6, in_stash.generate_cover: 3, in_stash.identify: 3,
        in_stash.rename: 6, in_stash.rename_by_box: 3, in_stash.destroy: 3, in_stash.merge_tags: 3,
        in_stash.merge_performers: 3,
    },
    "bulk": {in_stash.bulk_save: 2, in_stash.bulk_save_cut_short: 6},
    "files": {
        files.rename_folder: 3, files.rename_file: 3, files.move_files: 3, files.assign_file: 4, files.merge_scenes: 4,
        files.destroy_scene: 3, files.clean: 3, files.scan_new: 8, files.scan_copy: 3,
    },
    "Plex": {
        in_plex.write_text: 6, in_plex.clear_text: 4, in_plex.add_tag: 5, in_plex.take_tag: 5, in_plex.put_on_shelf: 5,
        in_plex.unlock: 4, in_plex.rate: 2, in_plex.choose_picture: 4, in_plex.refresh: 4, in_plex.wipe: 5,
        in_plex.remove_item: 8, in_plex.item_arrives: 4, in_plex.see_disk: 6,
    },
    "trouble": {
        **{trouble.bad_answers(kind): 1 for kind in trouble.ANSWERS},
        trouble.plex_is_down: 2, trouble.plex_starts_slowly: 2, trouble.kill_worker: 5, trouble.kill_hooks: 3,
        trouble.clock_jumps: 4, trouble.stash_restarts: 2, trouble.click: 3,
    },
}  # fmt: skip
PAUSE_S = {"Stash": 0.15, "bulk": 0.5, "files": 0.3, "Plex": 0.3, "trouble": 0.4}  # at most, after each happening
# What a happening meets because something else happened at the same time: Stash was down, or a scene is gone.
MISSED = (OSError, http.client.HTTPException, GraphQLFailed, NotFound, KeyError, ValueError, StopIteration)


class Lane:
    """One of the lanes; ``done`` counts what happened, ``missed`` what could not."""

    def __init__(self, name: str, library: Library) -> None:
        self.name, self._library = name, library
        self._order = Random(f"{library.seed} {name}")
        self._deck = [happening for happening, times in DECKS[name].items() for _ in range(times)]
        self._order.shuffle(self._deck)
        self.done: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()

    def play(self, over: Callable[[], bool]) -> None:
        """The deck, and then whatever comes until ``over``."""
        for number, happening in enumerate(self._deck):
            self._let_happen(happening, number)
        number = len(self._deck)
        while not over():
            self._let_happen(self._order.choice(self._deck), number)
            number += 1

    def never(self) -> list[str]:
        """What happened less than half as often as its deck says: whatever was tried went wrong."""
        return [one.__name__ for one, times in DECKS[self.name].items() if 2 * self.done[one.__name__] < times]

    def _let_happen(self, happening: Happening, number: int) -> None:
        random, name = Random(f"{self._library.seed} {self.name} {number}"), happening.__name__
        began = time.time()
        try:
            text = self._guarded(happening, random)
            self.done[name] += 1
        except MISSED as error:
            text = f"{name} missed: {type(error).__name__} {error}"
            self.missed[name] += 1
        self._library.tell(f"{began:.2f}-{time.time():.2f} {self.name}: {text}")
        threading.Event().wait(random.uniform(0.0, PAUSE_S[self.name]))

    def _guarded(self, happening: Happening, random: Random) -> str:
        if self.name != "files":
            return happening(self._library, random)
        with self._library.layout:
            return happening(self._library, random)


class Storm:
    """The library in a storm, and what is looked at after it."""

    def __init__(self, library: Library) -> None:
        self.library, self.world = library, library.world
        self.lanes = [Lane(name, library) for name in DECKS]
        self._began = time.monotonic()

    def time_s(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def rage(self) -> None:
        """All lanes until the time is over, and each deck at least once."""
        end = time.monotonic() + STORM_S * max(1.0, self.library.scenes / 1_000)
        with ThreadPoolExecutor(len(self.lanes)) as pool:
            for future in [pool.submit(lane.play, lambda: time.monotonic() > end) for lane in self.lanes]:
                future.result()

    def quiet(self) -> None:
        """All faults off, the clock is right, and Plex has seen what there is on the disk."""
        self.library.plex.faults.clear()
        self.library.shift(0.0, of_stash_too=True)
        in_plex.see_disk(self.library, Random(0))
        self.drain()

    def drain(self) -> dict[str, Any]:
        """Until nothing is ready any more; what Process Queue says then."""
        return until(self._drained, 120, "the queue to be drained")

    def _drained(self) -> dict[str, Any]:
        said = self.task("Process Queue")
        return said if said["state"] == "ok" and not said["queued"] and not self.world.marks() else {}

    def task(self, name: str) -> dict[str, Any]:
        """Run a task to its end; what it says."""
        ended = self.library.stash.wait_job(self.library.stash.run_task(PLUGIN, name), 300)
        assert ended["error"] is None, f"{name}: {ended['error']}"
        output: dict[str, Any] = ended["output"]
        return output

    def left_over(self) -> list[dict[str, set[int]]]:
        """The scenes that wait, and those that were given up, each by kind. The worker is ended to read them."""
        for record in self.world.living:
            os.kill(record.pid, signal.SIGTERM)
        until(lambda: not lease.held(self.world.data), what="the worker to leave")
        with closing(sqlite3.connect(os.path.join(self.world.data, "stash2plex.db"))) as db:
            return [_by_kind(db.execute(f"SELECT scene, kind FROM {name}")) for name in ("waiting", "dead_letters")]

    def truth(self) -> Truth:
        """Both sides as they are now."""
        return Truth(self.library)

    def history(self, sentences: list[str]) -> str:
        """What happened to the first scenes and items that these sentences name, and what the log says of them."""
        named = list(dict.fromkeys(re.findall(r"(?:scene|item) \d+", " ".join(sentences))))[:4]
        pattern = re.compile("|".join(rf"\b{name.split()[1]}\b" for name in named) or "^$")
        told = [line for line in self.library.told if pattern.search(line)]
        logged = [text for _, _, text in self.library.stash.log if pattern.search(text)]
        sent = [
            f"{entry.at:.2f} {entry.method} {entry.path} {entry.status} {unquote(entry.query)}"
            for entry in self.library.plex.requests()
            if entry.method != "GET" and pattern.search(f"{entry.path} {entry.args.get('id', '')}")
        ]
        return "\n".join([*sentences[:30], "", *told[-60:], "", *logged[-60:], "", *sent[-40:]])

    def happened(self) -> str:
        """How much, in one line."""
        done, missed = Counter[str](), Counter[str]()
        for lane in self.lanes:
            done, missed = done + lane.done, missed + lane.missed
        log = self.library.stash.log
        said = f"{sum(done.values())} happenings, {sum(missed.values())} missed, {len(self.world.workers)} workers"
        return f"{said}, {len(log)} lines in the log; {dict(done)}; missed {dict(missed)}"


def _by_kind(rows: Iterable[tuple[int, str]]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for scene, kind in rows:
        found.setdefault(kind, set()).add(scene)
    return found
