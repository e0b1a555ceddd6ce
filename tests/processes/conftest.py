"""Worlds for the tests in this folder."""

from __future__ import annotations

import contextlib
import sys

import pytest

from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.processes.world import ROOT, World


@pytest.fixture
def build(tmp_path):
    """A function that makes a world, with another plugin folder or other options of the Stash double."""
    with contextlib.ExitStack() as stack:

        def make(plugin=ROOT, python=sys.executable, **options):
            plex = stack.enter_context(PlexDouble())
            folder = str(tmp_path / "stash")
            stash = stack.enter_context(StashDouble(plugins=[plugin], python=python, config_dir=folder, **options))
            return World(stash, plex, str(tmp_path / "data"))

        yield make


@pytest.fixture
def world(build):
    """A world with 10 scenes in both and nothing synced yet."""
    made = build()
    made.seed(10)
    return made
