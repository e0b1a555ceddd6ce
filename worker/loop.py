"""The worker's own thread: steps of the session, requests of tasks between them, and the decision to leave."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from stash import log
from sync_queue import marks, replies
from sync_queue.marks import Mark
from worker.drain import Step
from worker.life import Life
from worker.operations import begin, problem
from worker.session import Session
from worker.tasks_base import Operation

COMPONENT = "Worker"
IDLE_S = 600.0
FOLLOWED_S = 0.2
LISTEN_S = 1.0
STASH_SILENT_S = 90.0
REFUSED_S = 60.0

IDLE = "nothing to do"
DISABLED = "the plugin is disabled"
SILENT = "Stash does not answer"
REFUSED = "Stash refuses our session"


class Loop:
    """Runs until the life is over. ``clock`` is `time.time` outside tests."""

    def __init__(self, session: Session, life: Life, clock: Callable[[], float] = time.time) -> None:
        self._session, self._life, self._clock = session, life, clock
        self._following: list[_Followed] = []
        self._busy_at = self._started_at = clock()
        self._refused_at: float | None = None
        replies.take_over(session.data_dir, clock())

    def run(self) -> None:
        """Step until told to leave."""
        while not self._life.over:
            now = self._clock()
            try:
                rest_s = self.step(now)
            except (OSError, sqlite3.Error):
                self._give_up()
                raise
            if rest_s > 0:
                self._rest(min(self._session.settings.poll_interval, rest_s), now)

    def _rest(self, rest_s: float, since: float) -> None:
        """Until something happens or the time is over; a person who asks for a task does not wait for that."""
        end = time.monotonic() + rest_s
        while not self._life.changed.wait(max(0.0, min(LISTEN_S, end - time.monotonic()))):
            if time.monotonic() >= end or marks.asked_since(self._session.data_dir, since):
                break
            since = self._clock() - 2 * LISTEN_S  # a mark shows a moment after the time in its name
        self._life.changed.clear()

    def step(self, now: float) -> float:
        """One round; returns how long to rest."""
        step = self._session.step(now, patient=not self._following)
        for followed in list(self._following):
            self._follow(followed, step, now)
        self._take_up_requests()
        self._consider_leaving(step, now)
        return self._rest_s(step)

    def _rest_s(self, step: Step) -> float:
        """A person who follows an operation wants to see it move; one that still has work of its own never rests."""
        if any(not followed.operation.accepted for followed in self._following) and not step.state:
            return 0.0
        return min(step.rest_s, FOLLOWED_S) if self._following else step.rest_s

    def _take_up_requests(self) -> None:
        ingest = self._session.ingest
        while ingest.requests:
            mark = ingest.requests.pop(0)
            args = dict(mark.args)
            wrong = problem(mark.operation, args)
            if wrong:
                self._refuse(mark, wrong)
                continue
            self._session.changes.soon()
            operation = begin(self._session, mark.operation, args)
            if operation.drains:
                self._session.read_settings_now()
            self._following.append(_Followed(mark, operation))

    def _follow(self, followed: _Followed, step: Step, now: float) -> None:
        operation = followed.operation
        try:
            operation.advance(now)
            done = operation.finished(step)
        except (OSError, sqlite3.Error):
            raise  # the data folder's: the session begins anew, and the request is still in the inbox
        except Exception as error:  # noqa: BLE001 - a fault of ours in one task must not end the worker
            log.error(COMPONENT, f"Task {followed.mark.operation} met a fault in Stash2Plex: {log.where(error)}")
            self._refuse(followed.mark, f"a fault in Stash2Plex: {log.where(error)}")
            self._following.remove(followed)
            return
        content = {"done": True, "progress": 1.0, "output": operation.result()} if done else {}
        self._reply(followed.mark, content or {"done": False, "progress": operation.fraction()})
        if (operation.accepted or done) and not followed.told:  # the other way round a kill leaves nobody who answers
            self._session.ingest.accepted(followed.mark)
            followed.told = True
        if done:
            self._following.remove(followed)

    def _give_up(self) -> None:
        """The session begins anew: whoever follows an operation whose mark is gone would wait for ever."""
        for followed in self._following:
            if followed.told:
                with suppress(OSError):
                    self._reply(followed.mark, {"done": True, "error": "The data folder cannot be used, see the log"})

    def _refuse(self, mark: Mark, why: str) -> None:
        self._reply(mark, {"done": True, "error": why})
        self._session.ingest.accepted(mark)

    def _reply(self, mark: Mark, content: dict[str, Any]) -> None:
        replies.write(self._session.data_dir, mark.reply, log.shown(content))

    def _consider_leaving(self, step: Step, now: float) -> None:
        session = self._session
        if step.settled or not session.quiet or self._following:
            self._busy_at = now
            session.changes.wake()
        self._refused_at = (self._refused_at or now) if session.refused else None
        if not session.enabled_in_stash:
            self._life.leave(DISABLED)
        elif self._refused_at is not None and now - self._refused_at > REFUSED_S:
            self._life.leave(REFUSED)
        elif not self._life.sees_stash and now - max(session.heard_at, self._started_at) > STASH_SILENT_S:
            self._life.leave(SILENT)
        elif now - self._busy_at > IDLE_S:
            self._rest_or_leave(now)

    def _rest_or_leave(self, now: float) -> None:
        """Nothing has been done for long. Whoever still has something to wait for stays, and asks Stash seldom."""
        session = self._session
        if not session.idle:
            session.changes.doze(now)
        elif session.changes.withdraw(now) and session.idle:  # a save that was let go before it, was found by this
            self._life.leave(IDLE)


class _Followed:
    """A request that is being carried out, and whether its mark was told so."""

    def __init__(self, mark: Mark, operation: Operation) -> None:
        self.mark, self.operation, self.told = mark, operation, False
