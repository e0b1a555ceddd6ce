"""One operation for a person who waits for it: by being the worker for a while, or through the living one."""

from __future__ import annotations

import errno
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from stash.client import StashClient
from sync_queue import lease, marks, replies
from sync_queue.marks import Mark
from validation.errors import Trouble
from worker import resting
from worker.operations import OPERATIONS, Operation
from worker.session import Session

LONGEST_REST_S = 1.0


def carry_out(
    data_dir: str, connect: Callable[[], StashClient], operation: str, report: Callable[[float], object]
) -> dict[str, Any]:
    """Here when no worker lives, else through it; when that one dies meanwhile, here after all.

    Returns the operation's result, with the key ``error`` when it failed; ``report`` gets the fraction done. Raises
    OSError when the data folder cannot be used.
    """
    asked = ""
    while True:
        held = lease.take(data_dir)
        if held is not None:
            return foreground(data_dir, connect(), held, operation, asked, report)
        asked = asked or replies.ask(data_dir, operation)
        result = replies.follow(data_dir, asked, report)
        if result is not None:
            return result


def foreground(
    data_dir: str,
    client: StashClient,
    held: int,
    operation: str,
    asked: str,
    report: Callable[[float], object],
) -> dict[str, Any]:
    """Carry the operation out while holding the lease, give the lease back, and see that what is left has a worker.

    ``asked`` is the id of the request that a worker died over, "" without one; ``report`` gets the fraction done.
    Raises OSError when the data folder cannot be used.
    """
    resting.wake_up(data_dir)
    try:
        session = Session(data_dir, client)
        try:
            result = _carry_out(session, OPERATIONS[operation](session), asked, report)
            left = not session.idle and not session.settings.lacks
        finally:
            session.close()
    except sqlite3.Error as error:
        raise OSError(errno.EIO, str(error)) from None
    finally:
        lease.release(held)
    if left or marks.waiting(data_dir):
        _launch(client)
    return result


def _carry_out(session: Session, operation: Operation, asked: str, report: Callable[[float], object]) -> dict[str, Any]:
    session.look(time.time())
    if not operation.drains:
        report(operation.fraction())
        return operation.result()
    session.read_settings_now()  # a person asks: what was paused is tried again
    scheduled: dict[Mark, Operation] = {}
    while True:
        step = session.step(time.time())
        _take_up_scheduled(session, asked, scheduled)
        for one in (operation, *scheduled.values()):
            one.advance(time.time())
        for request in [request for request, one in scheduled.items() if one.accepted]:
            session.ingest.accepted(request)
        report(operation.fraction())
        if all(one.finished(step) for one in (operation, *scheduled.values())):
            report(1.0)
            return operation.result()
        if step.rest_s > 0 and (operation.accepted or step.state):
            time.sleep(min(LONGEST_REST_S, step.rest_s))


def _take_up_scheduled(session: Session, asked: str, scheduled: dict[Mark, Operation]) -> None:
    """What we scheduled for ourselves, such as a comparison after damage; what other tasks ask stays for a worker."""
    for request in list(session.ingest.requests):
        if asked and request.reply == asked:
            session.ingest.accepted(request)
        elif not request.reply and request.operation in OPERATIONS:
            scheduled[request] = OPERATIONS[request.operation](session)
        else:
            continue
        session.ingest.requests.remove(request)


def _launch(client: StashClient) -> None:
    try:
        client.launch_worker()
    except Trouble:
        pass  # the next hook launches one; what is left is durable
