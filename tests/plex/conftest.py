"""A client of ours for the Plex double, and a library with one item in it."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from plex import session
from plex.client import PlexClient
from tests.canaries import PLEX_TOKEN


@pytest.fixture
def connect():
    """Makes clients that are closed at the end; time-outs are generous unless a test waits for one."""
    made = []

    def connect(url, token=PLEX_TOKEN, timeouts=(10.0, 20.0), fingerprint=""):
        made.append(PlexClient(url, token, "test-identifier", timeouts, fingerprint))
        return made[-1]

    yield connect
    for client in made:
        client.close()


@pytest.fixture
def section(plex):
    return plex.add_section("Movies", ["/media"])


@pytest.fixture
def client(plex, connect):
    return connect(plex.url)


@pytest.fixture
def deadline(monkeypatch):
    """``with deadline(seconds)``: answers must end this soon inside; outside a loaded machine has its time."""

    @contextmanager
    def deadline(seconds):
        with monkeypatch.context() as patched:
            patched.setattr(session, "deadline_s", lambda timeouts: seconds)
            yield

    return deadline
