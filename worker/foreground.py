"""One operation in the foreground: a task of Stash or the shell command is the worker for a while."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from stash.client import StashClient
from sync_queue import lease, marks
from validation.errors import Trouble
from worker import resting
from worker.operations import OPERATIONS, Operation
from worker.session import Session

LONGEST_REST_S = 1.0


def foreground(
    data_dir: str,
    client: StashClient,
    held: int,
    operation: str,
    asked: str,
    report: Callable[[float], object],
    overrides: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Carry the operation out while holding the lease, give the lease back, and see that what is left has a worker.

    ``asked`` is the id of the request that a worker died over, "" without one; ``report`` gets the fraction done.
    """
    resting.wake_up(data_dir)
    session = Session(data_dir, client, overrides)
    try:
        result = _carry_out(session, OPERATIONS[operation](session), asked, report)
        left = not session.idle and not session.settings.lacks
    finally:
        session.close()
        lease.release(held)
    if left or marks.waiting(data_dir):
        _launch(client)
    return result


def _carry_out(session: Session, operation: Operation, asked: str, report: Callable[[float], object]) -> dict[str, Any]:
    if not operation.drains:
        session.look(time.time())
        report(operation.fraction())
        return operation.result()
    while True:
        step = session.step(time.time())
        for request in list(session.ingest.requests):
            if asked and request.reply == asked:  # one without a reply is for the worker that comes after us
                session.ingest.accepted(request)
        operation.advance(time.time())
        report(operation.fraction())
        if operation.finished(step):
            return operation.result()
        if step.rest_s > 0 and (operation.accepted or step.state):
            time.sleep(min(LONGEST_REST_S, step.rest_s))


def _launch(client: StashClient) -> None:
    try:
        client.launch_worker()
    except Trouble:
        pass  # the next hook launches one; what is left is durable
