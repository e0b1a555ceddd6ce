"""All that a drain needs, put together: databases, Stash, settings, Plex. Held by whoever holds the lease."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from plex.cache import Cache
from plex.rules import PathRules
from reconcile.schedule import NEVER
from stash import log
from stash.client import StashClient
from sync_queue import inbox, marks
from sync_queue.files import clock_of
from validation.errors import Kind, Trouble
from validation.scene import Scene
from validation.settings import Settings
from worker.changes import Changes
from worker.databases import open_both
from worker.drain import Drain, Step
from worker.executor import Executor
from worker.ingest import Ingest
from worker.presence import Presence
from worker.reconciler import Reconciler
from worker.scans import Scans
from worker.settings_reader import SettingsReader, kept_name
from worker.summary import Summary
from worker.tools import Tools, build

COMPONENT = "Worker"
IDENTIFIER = "client_identifier"
SHAPE = "settings_shape"
PURGED_AT = "purged_at"

SETTINGS_IDLE_S = 30.0
SETTINGS_BUSY_S = 5.0
STASH_AGAIN_S = 10.0
DAY_S = 86_400.0
SAMPLES = 50
SCENES_AT_ONCE = 50


class Session:
    """Opens the databases at once, reads the settings at the first step, and again every now and then.

    ``overrides`` are raw settings laid over those in Stash. ``tally`` counts settled scenes by result. ``tools`` is
    None while Plex's address or token is missing, ``drain`` also while the setting enabled is off. ``clock`` tells how
    long things take. With a ``presence`` saves are watched for and need no mark; without one changes are swept up every
    two minutes.
    """

    def __init__(
        self,
        data_dir: str,
        stash: StashClient,
        overrides: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
        presence: Presence | None = None,
    ) -> None:
        self.data_dir, self.stash = data_dir, stash
        self.store, self.queue, lost = open_both(data_dir)
        for aside in lost:
            log.error(COMPONENT, f"Database was damaged and set aside as {aside}; every scene is compared anew")
            self._compare_all()
        self.cache = Cache(os.path.join(data_dir, "cache"))
        self.ingest = Ingest(data_dir, self.queue, self.store, stash)
        self.changes = Changes(stash, self.store, self.queue, self.ingest, presence)
        self.reconciler = Reconciler(self.store, self.queue, stash)
        self.rules = PathRules.parse("")
        self.tally: Counter[str] = Counter()
        self.summary = Summary(self.store, self._readings, clock)
        self.silence = ""
        self.tools: Tools | None = None
        self.drain: Drain | None = None
        self._scans: Scans | None = None
        self._reader = SettingsReader(stash, self.store, overrides)
        self._applied: Settings | None = None
        self._read_again = True
        self._to_effect = False
        self._overridden = bool(overrides)  # for one run in a shell: no reason to compare all scenes, twice
        marks.sweep_leftovers(data_dir, clock_of(data_dir))

    def step(self, now: float, patient: bool = False) -> Step:
        """One step of everything: settings, marks, cursor sweep, then one job.

        ``patient`` leaves marks alone while they still pour in: the user waits for that bulk edit, and our reading,
        writing and syncing of files would slow it down by a fifth (measured in a real Stash).
        """
        # What marks and dates tell is taken together, and the first time before anything is sent: else it counts twice.
        pouring = patient and self.changes.looked and marks.burst(self.data_dir, now)
        try:
            try:
                self._read_settings(now)
            finally:
                if not pouring:
                    self.ingest.step(now)  # also while Stash is silent: a person may be waiting for an answer
            if self._to_effect:
                self._put_settings_into_effect(now)
            if not pouring and self.changes.step(now, self.settings.poll_interval):
                self.silence = ""
            self._scan(now)
        except Trouble as trouble:
            self.silence = trouble.message
            if self.drain is None or trouble.kind is Kind.STASH_REFUSED:
                return Step(0, STASH_AGAIN_S, trouble.message)
        if self.drain is None:
            return Step(0, SETTINGS_IDLE_S, self.state)
        step = self.drain.step(now, more=bool(self.reconciler.running))
        if self.tools is not None and not self.silence and not pouring:
            step = self.reconciler.beside(step, self.drain, self.tools, now, unasked=not self._overridden)
        self.summary.look(self.queue.scenes)
        self._say_asides()
        soon_s = 0.0 if self.ingest.expanding and not self.silence else marks.QUIET_S if pouring else step.rest_s
        return replace(step, rest_s=min(step.rest_s, soon_s))

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
        return self.settings.lacks or (self.drain.state if self.drain else "") or self.changes.trouble or self.silence

    @property
    def heard_at(self) -> float:
        """When Stash last answered, as Unix time; minus infinity for never."""
        return self._reader.read_at

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._reader.settings

    @property
    def enabled_in_stash(self) -> bool:
        """Whether the plugin is."""
        return self._reader.enabled_in_stash

    @property
    def refused(self) -> str:
        """The sentence with which Stash refused us, "" when it did not."""
        return self._reader.refused

    @property
    def quiet(self) -> bool:
        """Whether nothing can be done now."""
        nothing_ready = not self.queue.scenes and not self.ingest.requests and not marks.waiting(self.data_dir)
        return nothing_ready and not self.reconciler.running

    @property
    def idle(self) -> bool:
        """Whether nothing is queued, waiting, asked for or to come by itself."""
        if not self.quiet or self.settings.reconcile_interval != NEVER:
            return False
        return self.store.next_due() is None and not (self._scans and self._scans.pending)

    def statistics(self) -> dict[str, Any]:
        """The totals of all time, as `worker.statistics.totals` describes them."""
        return self.summary.totals()

    def close(self) -> None:
        """Sum up, close files and connections."""
        self.changes.close()
        self.summary.close()
        if self.tools:
            self.tools.plex.close()
        self.cache.close()
        self.queue.close()
        self.store.close()

    def clear_match_cache(self) -> None:
        """Forget where items are: every scene is looked for anew when its turn comes."""
        self.cache.clear()
        if self.tools:
            self.tools.index.forget()

    def purge_dead_letters(self, now: float) -> int:
        """Forget those that are older than the setting allows; returns how many."""
        return self.store.purge_dead_letters(now - self.settings.dlq_retention_days * DAY_S)

    # settings

    def read_settings_now(self) -> None:
        """A person just did something: read the settings at the next step, and try again what was paused."""
        self._read_again = True
        if self.drain:
            self.drain.resume()

    def _read_settings(self, now: float) -> None:
        patience = SETTINGS_BUSY_S if self.queue.scenes else SETTINGS_IDLE_S
        if 0 <= now - self._reader.read_at < patience and not self._read_again:
            return
        self._reader.read(now)
        self._read_again, self._to_effect, self.silence = False, True, ""
        if self.settings != self._applied:
            self._apply(self.settings)

    def _apply(self, settings: Settings) -> None:
        self.summary.meter()
        if self.tools:
            self.tools.plex.close()
        self.tools = self.drain = None
        self.rules = PathRules.parse(settings.path_rules)
        if self.rules:
            self.rules.check(self.stash.sample_files(SAMPLES))
        self._say_asides()
        if not settings.lacks:
            self.tools = build(
                settings, self.stash, self.store, self.rules, self.cache, kept_name(self.store, IDENTIFIER)
            )
        if self.tools and settings.enabled:
            self._connect(self.tools)
        if self.drain and self._applied and settings.plex_url != self._applied.plex_url:
            self.drain.resume()  # an outage at the old address says nothing about the new one
        self.summary.meter()
        self._applied = settings

    def _connect(self, tools: Tools) -> None:
        executor = Executor(self.stash, tools, self.store, self._compare_all, self.changes.read)
        self.drain = Drain(self.store, self.queue, executor, tools, self.tally, self.summary)
        if not tools.settings.trigger_plex_scan:
            self._scans = None
        elif self._scans is None:
            self._scans = Scans(tools.plex)
        else:
            self._scans.use(tools.plex)  # what it was asked for is still to be asked

    def _put_settings_into_effect(self, now: float) -> None:
        """What changed settings ask for beyond their use; only where something is sent, never for a mere look."""
        self._reader.write_defaults()
        shape, known = self.settings.shape, self.store.fact(SHAPE)
        if known != shape and self.drain and not self._overridden:
            if known is not None:
                log.info(COMPONENT, "Settings changed what is sent, or how items are found: all is compared anew")
                self._schedule("sync_changed")
            self.store.remember(SHAPE, shape)
        purged_at = self.store.fact(PURGED_AT)
        if not isinstance(purged_at, float) or not 0 <= now - purged_at < DAY_S:
            self.purge_dead_letters(now)
            self.store.remember(PURGED_AT, now)
        self._to_effect = False

    def _say_asides(self) -> None:
        """What those had to say that cannot log."""
        for sentence in (*self.rules.warnings(), self.cache.trouble()):
            if sentence:
                log.warning(COMPONENT, sentence)

    def _readings(self) -> tuple[int, int, int, int]:
        if self.tools is None:
            return 0, self.stash.requests, 0, 0
        index = self.tools.index
        return self.tools.plex.requests, self.stash.requests, index.hits, index.misses

    # truth

    def _scan(self, now: float) -> None:
        """Ask Plex to look at the folders of new scenes; what it does not take stays for the next time."""
        if self._scans is None or self.tools is None:
            self.ingest.created.clear()
            return
        new = self.ingest.created[:SCENES_AT_ONCE]
        if new:
            scenes = [scene for scene in self.stash.scenes(new).values() if isinstance(scene, Scene)]
            self._scans.want(self.rules.to_plex(file.path) for scene in scenes for file in scene.files)
            del self.ingest.created[: len(new)]
        if self._scans.pending and not (self.drain and self.drain.state):
            try:
                self._scans.step(self.tools.index.sections_now, now)
            except Trouble as trouble:
                log.debug(COMPONENT, f"Plex was not asked to scan: {trouble.message}")

    def _compare_all(self) -> None:
        """What we knew is void: Stash itself is the backup."""
        self._schedule("sync_all")

    def _schedule(self, operation: str) -> None:
        inbox.put(self.data_dir, {"kind": "request", "operation": operation, "reply": ""})
