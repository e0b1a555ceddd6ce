"""One connection, kept alive as long as it is of use: what is late is cut, what was idle too long is not trusted."""

from __future__ import annotations

import threading
import time

import pytest

from plex import transport
from validation.errors import Trouble

SOON_S = 0.2


def connections(plex, monkeypatch):
    """The addresses from which requests come, as the double sees them: one for each connection."""
    seen = []
    plain = transport._connection

    def counted(*arguments):
        seen.append(arguments)
        return plain(*arguments)

    monkeypatch.setattr(transport, "_connection", counted)
    return seen


def drip(plex, client, deadline):
    """A read that would never end, until it is cut."""
    plex.faults.add("drip_headers", times=None, chunk=1, pause_s=0.05)
    with pytest.raises(Trouble), deadline(SOON_S):
        client.sections()
    plex.faults.clear()


def test_all_requests_go_over_one_connection(plex, client, section, monkeypatch):
    opened = connections(plex, monkeypatch)
    key = plex.add_item(section, file="/media/a.mp4")
    for _ in range(5):
        client.edit(section, key, "title.value=x")
        assert client.items([key])
    assert len(opened) == 1


def test_a_connection_that_was_idle_as_long_as_plex_keeps_one_is_not_used_again(plex, client, monkeypatch):
    opened = connections(plex, monkeypatch)
    client.machine()
    monkeypatch.setattr(transport, "IDLE_S", 0.0)
    time.sleep(0.01)
    assert client.sections() == []
    assert len(opened) == 2


def test_a_closed_client_connects_again_when_it_is_used_again(plex, client):
    client.machine()
    client.close()
    assert client.machine() == plex.machine_id


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


def test_a_drip_costs_no_thread(plex, client, deadline):
    before = threading.active_count()
    drip(plex, client, deadline)
    assert sum(1 for thread in threading.enumerate() if "plex" in thread.name.lower()) == 0
    assert threading.active_count() <= before + 1  # the double's own thread for the connection
