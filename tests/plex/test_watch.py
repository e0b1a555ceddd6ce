"""The thread that ends what never ends: it lives as long as its session is open, and cuts only what is late."""

from __future__ import annotations

import threading
import time

import pytest

from tests.waiting import until
from validation.errors import Trouble

SOON_S = 0.2


def watchers():
    return [thread for thread in threading.enumerate() if thread.name == "plex-watch"]


def drip(plex, client, deadline):
    """A read that would never end, until it is cut."""
    plex.faults.add("drip_headers", times=None, chunk=1, pause_s=0.05)
    with pytest.raises(Trouble), deadline(SOON_S):
        client.sections()
    plex.faults.clear()


def test_a_closed_client_leaves_no_thread_behind(client, deadline):
    before = len(watchers())
    client.machine()
    assert len(watchers()) == before + 1
    client.close()
    until(lambda: len(watchers()) == before, what="the end of the watching thread")


def test_a_client_that_was_closed_is_watched_again_when_it_is_used_again(plex, client, deadline):
    client.machine()
    client.close()
    assert client.machine() == plex.machine_id
    drip(plex, client, deadline)


def test_the_time_between_requests_does_not_count(plex, client, deadline):
    with deadline(SOON_S):
        plex.faults.add("drop", times=1)
        with pytest.raises(Trouble):
            client.identity()
    time.sleep(2 * SOON_S)
    assert client.sections() == []


def test_a_cut_request_does_not_cut_the_next_one(plex, client, deadline):
    client.machine()
    for _ in range(3):
        drip(plex, client, deadline)
        assert client.sections() == []
