"""One operation for a person who waits for it: by being the worker for a while, or through the living one."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable, Mapping
from typing import Any

from stash import log
from stash.client import StashClient
from sync_queue import lease, marks, replies
from sync_queue.marks import Mark
from sync_queue.snapshot import snapshot
from validation.errors import Trouble
from worker import operations, resting
from worker.operations import LOOKING, OPERATIONS
from worker.session import Session
from worker.tasks_base import Operation

LONGEST_REST_S = 1.0
HOOK_S = 5.0  # a hook that put its mark tests the lease within moments
NONE: Mapping[str, Any] = {}
COMPONENT = "Task"

Report = Callable[[float], object]


def carry_out(
    data_dir: str,
    connect: Callable[[], StashClient],
    operation: str,
    report: Report,
    args: Mapping[str, str] = NONE,
    overrides: Mapping[str, Any] = NONE,
) -> dict[str, Any]:
    """Here when no worker lives, else through it; when that one dies meanwhile, through the next, or here after all.

    ``args`` are the operation's own, ``overrides`` settings that count more than those in Stash; a living worker does
    not know them. Returns the operation's result, with the key ``error`` when it failed; ``report`` gets the fraction
    done, and may raise to leave. Raises OSError when the data folder cannot be used.
    """
    wrong = operations.problem(operation, args)
    if wrong:
        return {"error": wrong}
    asked = ""
    while True:
        held = lease.take(data_dir)
        if held is not None:
            return foreground(data_dir, connect(), held, operation, asked, report, args, overrides)
        if overrides and not asked:
            log.warning(
                COMPONENT, f"A worker is running and does the work with Stash's settings: {_ignored(overrides)}"
            )
        asked = asked or replies.ask(data_dir, operation, args)
        result = replies.follow(data_dir, asked, report)
        if result is not None:
            return result
        if asked not in marks.requests(data_dir):
            asked = ""  # taken up by a worker that is gone: the next one knows nothing of it


def foreground(
    data_dir: str,
    client: StashClient,
    held: int,
    operation: str,
    asked: str,
    report: Report,
    args: Mapping[str, str] = NONE,
    overrides: Mapping[str, Any] = NONE,
) -> dict[str, Any]:
    """Carry the operation out while holding the lease, give the lease back, and see that what is left has a worker.

    ``asked`` is the id of the request that a worker died over, "" without one; for the rest see `carry_out`. Hooks that
    came meanwhile took us for a worker, so whatever we do, a worker is launched for their marks.
    """
    came_at = time.time() - HOOK_S
    work = _Foreground(data_dir, client, overrides, asked, report)
    try:
        return work.look(operation, args) if operation in LOOKING else work.act(operation, args)
    except sqlite3.Error as error:
        raise OSError(errno.EIO, str(error)) from None
    finally:
        lease.release(held)
        if work.left or marks.come_since(data_dir, came_at):
            _launch(client)


class _Foreground:
    """One operation in this process. ``left`` tells whether there is work that wants a worker afterwards."""

    def __init__(
        self, data_dir: str, client: StashClient, overrides: Mapping[str, Any], asked: str, report: Report
    ) -> None:
        self._data_dir, self._client, self._overrides = data_dir, client, overrides
        self._asked, self._report = asked, report
        self.left = False

    def look(self, name: str, args: Mapping[str, str]) -> dict[str, Any]:
        """On a copy, so that nothing at all is changed; not even a note of a resting worker is removed."""
        with snapshot(self._data_dir) as copy:
            session = Session(copy, self._client, self._overrides)
            try:
                return self._at_once(session, name, args)
            finally:
                session.close()

    def act(self, name: str, args: Mapping[str, str]) -> dict[str, Any]:
        """On what we keep."""
        resting.wake_up(self._data_dir)
        session = Session(self._data_dir, self._client, self._overrides)
        drains = False
        try:
            operation = operations.begin(session, name, args)
            drains = operation.drains
            return self._drain(session, operation) if drains else self._at_once(session, name, args)
        finally:
            unsent = not session.idle and not session.settings.lacks
            self.left = drains and (unsent or marks.waiting(self._data_dir))
            session.close()

    def _at_once(self, session: Session, name: str, args: Mapping[str, str]) -> dict[str, Any]:
        """What needs no drain: settings, then step by step."""
        session.look(time.time())
        self._accept_asked(session)
        operation = operations.begin(session, name, args)
        while not operation.accepted:
            operation.advance(time.time())
            self._report(operation.fraction())
        return operations.told(operation)

    def _accept_asked(self, session: Session) -> None:
        """The mark of a request that we carry out ourselves must not be carried out a second time."""
        found, _ = marks.read(self._data_dir, marks.EVERY) if self._asked else ([], [])
        marks.remove(self._data_dir, [mark for mark in found if mark.reply == self._asked])

    def _drain(self, session: Session, operation: Operation) -> dict[str, Any]:
        session.look(time.time())
        session.read_settings_now()  # a person asks: what was paused is tried again
        scheduled: dict[Mark, Operation] = {}
        while True:
            step = session.step(time.time())
            self._take_up_scheduled(session, scheduled)
            for one in (operation, *scheduled.values()):
                one.advance(time.time())
            for request in [request for request, one in scheduled.items() if one.accepted]:
                session.ingest.accepted(request)
            self._report(operation.fraction())
            if all(one.finished(step) for one in (operation, *scheduled.values())):
                self._report(1.0)
                return operations.told(operation)
            at_work = bool(session.queue.scenes or session.reconciler.running) or not operation.accepted
            if step.rest_s > 0 and (step.state or not at_work):
                time.sleep(min(LONGEST_REST_S, step.rest_s))

    def _take_up_scheduled(self, session: Session, scheduled: dict[Mark, Operation]) -> None:
        """What we scheduled for ourselves, such as a comparison after damage; what others ask stays for a worker."""
        for request in list(session.ingest.requests):
            if self._asked and request.reply == self._asked:
                session.ingest.accepted(request)
            elif not request.reply and request.operation in OPERATIONS:
                scheduled[request] = operations.begin(session, request.operation, dict(request.args))
            else:
                continue
            session.ingest.requests.remove(request)


def _ignored(overrides: Mapping[str, Any]) -> str:
    names = ", ".join(f"--{name.replace('_', '-')}" for name in overrides)
    return f"{names} {'is' if len(overrides) == 1 else 'are'} not used"


def _launch(client: StashClient) -> None:
    try:
        client.launch_worker()
    except Trouble:
        pass  # the next hook launches one; what is left is durable
