"""The life of a worker: one thread drains, the main thread minds life and inbox; then it leaves."""

from __future__ import annotations

import os
import sqlite3
import threading
import time

from stash import log
from stash.client import StashClient
from stash.connect import connect
from stash.protocol import Request
from sync_queue import lease, marks
from sync_queue.files import NewerVersion
from validation.errors import Trouble
from worker import resting
from worker.life import UPDATED, Life
from worker.loop import IDLE, REFUSED, Loop
from worker.presence import Presence
from worker.session import COMPONENT, Session

LOOK_S = 0.25
LAST_WORDS_S = 1.0
TIDY_END_S = 30.0
UNWRITABLE_S = 30.0
FAULT = "a fault ended it"
NICENESS = 5


def serve(request: Request, held: int, life: Life) -> str:
    """Drain until life is over and give the lease back; returns the reason.

    The lease is released first and the inbox looked at after, while a hook writes its mark first and tests the lease
    after: so no mark falls between the two.
    """
    life.listen_to_signals()
    _step_back()
    client = connect(request.connection, request.data_dir)
    presence = Presence(request.plugin_dir, request.data_dir)
    log.info(COMPONENT, "Worker started")
    while True:
        reason = _drain(request.data_dir, client, life, presence)
        log.info(COMPONENT, f"Worker ends: {reason}")
        lease.release(held)
        if reason == REFUSED:
            resting.rest(request.data_dir, reason)
        if reason == UPDATED:
            _launch_successor(client)
        again = lease.take(request.data_dir) if reason == IDLE and marks.waiting(request.data_dir) else None
        if again is None:
            return reason
        held, life.over = again, ""


def _drain(data_dir: str, client: StashClient, life: Life, presence: Presence) -> str:
    """Run the drain's thread until it ends or life is over; a thread that does not end takes the process with it."""
    thread = threading.Thread(target=_drain_thread, args=(data_dir, client, life, presence), name="drain", daemon=True)
    thread.start()
    while thread.is_alive() and not life.over:
        life.look(time.time())
        presence.beat()
        thread.join(LOOK_S)
    thread.join(TIDY_END_S if life.over == UPDATED else LAST_WORDS_S)
    if thread.is_alive():
        os._exit(0)  # it may still write: the lease must not be released before it, so both go at once
    return life.over or FAULT


def _drain_thread(data_dir: str, client: StashClient, life: Life, presence: Presence) -> None:
    said = ""
    while not life.over:
        try:
            session = Session(data_dir, client, presence=presence)
            try:
                Loop(session, life).run()
            finally:
                session.close()
        except (OSError, sqlite3.Error) as error:
            remedy = "" if isinstance(error, NewerVersion) else ": free some space or mend its permissions"
            sentence = f"Data folder {data_dir} cannot be used ({error}){remedy}"
            if sentence != said:
                log.error(COMPONENT, sentence)
            said = sentence
            life.changed.clear()
            life.changed.wait(UNWRITABLE_S)
        except Exception as error:  # noqa: BLE001 - the thread's border
            log.error(COMPONENT, f"Worker met a fault in Stash2Plex: {log.where(error)}")
            return


def _step_back() -> None:
    """On a busy machine the user's saves and Stash come first."""
    if hasattr(os, "nice"):
        os.nice(NICENESS)


def _launch_successor(client: StashClient) -> None:
    """The files of a newer version are on disk: let that one go on."""
    try:
        client.launch_worker()
    except Trouble as trouble:
        log.warning(COMPONENT, f"The new version was not started ({trouble.message}); the next change starts it")
