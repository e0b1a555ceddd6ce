"""All that a drain needs, put together: databases, Stash, settings, Plex. Held by whoever holds the lease."""

from __future__ import annotations

import os
import uuid
from collections import Counter

from plex.client import PlexClient
from plex.index import PathIndex
from reconcile.sweep import sweep
from stash import log
from stash.client import StashClient
from sync_queue import inbox, marks
from sync_queue.files import check_not_emptied, open_or_set_aside
from sync_queue.queue import JobQueue
from sync_queue.store import Store
from validation import settings as user_settings
from validation.errors import Kind, Trouble
from validation.settings import Settings
from worker.drain import Drain, Step
from worker.executor import Executor
from worker.ingest import Ingest
from worker.sync import Sync

COMPONENT = "Worker"
CURSOR = "stash_updated_at"
IDENTIFIER = "client_identifier"

SETTINGS_IDLE_S = 30.0
SETTINGS_BUSY_S = 5.0
SWEEP_S = 120.0
SWEEP_AGAIN_S = 10.0


class Session:
    """Opens the databases at once, reads the settings at the first step, and again every now and then.

    ``tally`` counts settled scenes by result.
    """

    def __init__(self, data_dir: str, stash: StashClient) -> None:
        self.data_dir, self.stash = data_dir, stash
        self.store, self.queue = self._open()
        self.ingest = Ingest(data_dir, self.queue, self.store, stash)
        self.settings = Settings()
        self.drain: Drain | None = None
        self.enabled_in_stash = True
        self.refused = self.silence = ""
        self.tally: Counter[str] = Counter()
        self._plex: PlexClient | None = None
        self._said: list[str] = []
        self._read_at = self._swept_at = float("-inf")
        self._read_again = True
        marks.sweep_leftovers(data_dir, _now_for_files(data_dir))

    def step(self, now: float, patient: bool = False) -> Step:
        """One step of everything: settings, marks, cursor sweep, then one job.

        ``patient`` leaves marks alone while they still pour in: the user waits for that bulk edit, and our reading,
        writing and syncing of files would slow it down by a fifth (measured in a real Stash).
        """
        try:
            self._read_settings(now)
            if not (patient and marks.burst(self.data_dir, now)):
                self.ingest.step(now)
            self._sweep(now)
        except Trouble as trouble:
            self.silence = trouble.message
            if self.drain is None or trouble.kind is Kind.STASH_REFUSED:
                return Step(0, SWEEP_AGAIN_S, trouble.message)
        if self.drain is None:
            return Step(0, SETTINGS_IDLE_S, self.state)
        return self.drain.step(now)

    def look(self, now: float) -> None:
        """Read the settings, for the sake of `state`, and do nothing else."""
        try:
            self._read_settings(now)
        except Trouble as trouble:
            self.silence = trouble.message

    @property
    def state(self) -> str:
        """Why nothing is sent at the moment, "" when nothing is in the way."""
        if self.refused or (self.silence and self.drain is None):
            return self.refused or self.silence
        if not self.settings.enabled:
            return "Setting enabled is off: changes are kept and will be sent once it is on"
        return self.settings.lacks or (self.drain.state if self.drain else self.silence)

    @property
    def heard_at(self) -> float:
        """When Stash last answered, as Unix time; minus infinity for never."""
        return self._read_at

    @property
    def idle(self) -> bool:
        """Whether nothing is queued, waiting or asked for."""
        nothing_ready = not self.queue.scenes and not self.ingest.requests and not marks.waiting(self.data_dir)
        return nothing_ready and self.store.next_due() is None

    def close(self) -> None:
        """Close files and connections."""
        if self._plex:
            self._plex.close()
        self.queue.close()
        self.store.close()

    # settings

    def read_settings_now(self) -> None:
        """A person just did something: read the settings at the next step, and try again what was paused."""
        self._read_again = True
        if self.drain:
            self.drain.resume()

    def _read_settings(self, now: float) -> None:
        patience = SETTINGS_BUSY_S if self.queue.scenes else SETTINGS_IDLE_S
        if 0 <= now - self._read_at < patience and not self._read_again:
            return
        try:
            configuration = self.stash.configuration()
        except Trouble as trouble:
            self.refused = trouble.message if trouble.kind is Kind.STASH_REFUSED else ""
            raise
        self._read_at, self._read_again, self.refused, self.silence = now, False, "", ""
        self.enabled_in_stash = configuration.enabled
        log.hide(configuration.api_key)
        settings, warnings = user_settings.read(configuration.settings)
        log.hide(settings.plex_token)
        self._say_once(warnings + [settings.lacks] * bool(settings.lacks))
        if settings != self.settings or self.drain is None:
            self._apply(settings)

    def _apply(self, settings: Settings) -> None:
        self.settings = settings
        if self._plex:
            self._plex.close()
        self._plex = self.drain = None
        if settings.enabled and not settings.lacks:
            self._plex = PlexClient(settings.plex_url, settings.plex_token, self._identifier())
            index = PathIndex(self._plex, settings.plex_library)
            sync = Sync(self._plex, index, settings)
            executor = Executor(self.stash, self._plex, sync, self.store, self._compare_all)
            self.drain = Drain(self.store, self.queue, executor, self._plex, index, self.tally)

    def _say_once(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if sentence not in self._said:
                log.warning(COMPONENT, sentence)
        self._said = sentences

    def _identifier(self) -> str:
        known = self.store.fact(IDENTIFIER)
        if not isinstance(known, str):
            known = uuid.uuid4().hex
            self.store.remember(IDENTIFIER, known)
        return known

    # truth

    def _sweep(self, now: float) -> None:
        """Find what hooks lost; the cursor moves only when the scenes are queued."""
        if 0 <= now - self._swept_at < SWEEP_S:
            return
        self._swept_at = now - SWEEP_S + SWEEP_AGAIN_S  # if this raises, soon again
        cursor = self.store.fact(CURSOR)
        moved = sweep(
            self.stash,
            cursor if isinstance(cursor, str) else "",
            lambda scenes: self.ingest.queue_changed(scenes, "changed", now),
            now,
        )
        if moved != cursor:
            self.store.remember(CURSOR, moved)
        self._swept_at = now

    # files

    def _open(self) -> tuple[Store, JobQueue]:
        os.makedirs(self.data_dir, mode=0o700, exist_ok=True)
        path, folder = os.path.join(self.data_dir, "stash2plex.db"), os.path.join(self.data_dir, "queue")
        store, lost_store = open_or_set_aside(path, lambda: _open_store(path))
        queue, lost_queue = open_or_set_aside(folder, lambda: _open_queue(folder))
        for lost in filter(None, (lost_store, lost_queue)):
            log.error(COMPONENT, f"Database was damaged and set aside as {lost}; every scene is compared anew")
            self._compare_all()
        return store, queue

    def _compare_all(self) -> None:
        """What we knew is void: Stash itself is the backup."""
        inbox.put(self.data_dir, {"kind": "request", "operation": "sync_all", "reply": ""})


def _open_store(path: str) -> Store:
    check_not_emptied(path)
    return Store(path)


def _open_queue(folder: str) -> JobQueue:
    check_not_emptied(os.path.join(folder, "data.db"))
    return JobQueue(folder)


def _now_for_files(data_dir: str) -> float:
    """The file system's own time, against which the age of files is told."""
    probe = os.path.join(data_dir, ".clock")
    with open(probe, "w", encoding="utf-8"):
        pass
    return os.stat(probe).st_mtime
