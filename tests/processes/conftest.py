"""Worlds for the tests in this folder."""

from __future__ import annotations

import contextlib
import sys

import pytest

from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.processes.world import ROOT, Clock, World


@pytest.fixture
def build(tmp_path):
    """A function that makes a world, with another plugin folder or other options of the Stash double."""
    with contextlib.ExitStack() as stack:

        def make(plugin=ROOT, python=sys.executable, **options):
            plex = stack.enter_context(PlexDouble())
            folder, clock = str(tmp_path / "stash"), Clock()
            double = StashDouble(plugins=[plugin], python=python, config_dir=folder, clock=clock, **options)
            return World(stack.enter_context(double), plex, str(tmp_path / "data"), clock)

        yield make


@pytest.fixture
def world(build):
    """A world with 10 scenes in both and nothing synced yet."""
    made = build()
    made.seed(10)
    return made
