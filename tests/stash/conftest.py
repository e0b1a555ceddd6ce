"""Clients of ours for the Stash double, and a Stash with a login and a clock that a test moves."""

from __future__ import annotations

import sys

import pytest

from stash.client import StashClient
from tests.canaries import LOGIN
from tests.doubles.stash_server import StashDouble


@pytest.fixture
def connect():
    made = []

    def connect(stash, cookies=(), api_key=""):
        made.append(StashClient(getattr(stash, "url", stash), cookies, api_key))
        return made[-1]

    yield connect
    for client in made:
        client.s.close()


@pytest.fixture
def client(stash, connect):
    return connect(stash)


@pytest.fixture
def clock():
    """A time that a test moves."""
    return [1_700_000_000.0]


@pytest.fixture
def locked(tmp_path, clock):
    """A Stash with a login."""
    made = StashDouble(
        python=sys.executable,
        credentials=LOGIN,
        clock=lambda: clock[0],
        config_dir=str(tmp_path / "locked"),
    )
    with made as double:
        double.add_scene(path="/data/a.mp4", title="A")
        yield double
