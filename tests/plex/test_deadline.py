"""One connection, kept alive as long as it is of use: what is late is cut, what was idle too long is not trusted."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from plex import client as plex_client
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


@pytest.mark.parametrize("fault", ["drip_headers", "drip_body", "hang", "drip_headers, on a connection kept alive"])
def test_the_health_probe_has_a_limit_of_its_own_in_all(plex, client, monkeypatch, fault):
    monkeypatch.setattr(plex_client, "PROBE_S", SOON_S)
    if "kept alive" in fault:
        client.sections()
    options = {"seconds": 30} if fault == "hang" else {"chunk": 1, "pause_s": 0.05}
    plex.faults.add(fault.partition(",")[0], **options)
    with pytest.raises(Trouble, match="did not end within|in time"):
        client.identity()
    plex.faults.clear()
    assert client.sections() == []


def test_the_limit_of_the_health_probe_holds_while_it_connects(connect, monkeypatch):
    """The port listens and takes the connection, but nobody speaks https there, and its name has many addresses."""
    monkeypatch.setattr(plex_client, "PROBE_S", SOON_S)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        many = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))] * 200
        monkeypatch.setattr(transport.socket, "getaddrinfo", lambda *_, **__: many)
        seen = []
        monkeypatch.setattr(transport.socket, "create_connection", lambda address, limit_s: _late(seen, limit_s))
        with pytest.raises(Trouble, match="in time"):
            connect(f"http://plex.example:{port}").identity()
    assert len(seen) < len(many) and max(seen) <= SOON_S


def test_the_limit_of_the_health_probe_holds_while_https_is_agreed_upon(connect, monkeypatch):
    monkeypatch.setattr(plex_client, "PROBE_S", SOON_S)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Trouble, match="in time"):
        connect(f"https://127.0.0.1:{silent.getsockname()[1]}", timeouts=(100.0, 100.0)).identity()


def _late(seen, limit_s):
    """An address that does not answer in its time."""
    seen.append(limit_s)
    time.sleep(min(limit_s, 0.02))
    raise socket.timeout


def test_a_drip_costs_no_thread(plex, client, deadline):
    before = threading.active_count()
    drip(plex, client, deadline)
    assert sum(1 for thread in threading.enumerate() if "plex" in thread.name.lower()) == 0
    assert threading.active_count() <= before + 1  # the double's own thread for the connection
