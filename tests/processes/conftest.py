"""Worlds for the tests in this folder."""

from __future__ import annotations

import contextlib
import sys

import pytest

from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.processes.world import ROOT, Clock, World


def opened(stack, folder, plugin=ROOT, python=sys.executable, **options):
    """A world that lives until the stack is left, all of it below ``folder``; its data folder is for the caller to set.

    ``options`` are those of the Stash double.
    """
    plex, clock = stack.enter_context(PlexDouble()), Clock()
    double = StashDouble(plugins=[plugin], python=python, config_dir=str(folder / "stash"), clock=clock, **options)
    return World(stack.enter_context(double), plex, str(folder / "data"), clock)


@pytest.fixture
def build(tmp_path):
    """A function that makes a world, with another plugin folder or other options of the Stash double."""
    with contextlib.ExitStack() as stack:
        yield lambda *plugin, **options: opened(stack, tmp_path, *plugin, **options)


@pytest.fixture
def world(build):
    """A world with 10 scenes in both and nothing synced yet."""
    made = build()
    made.seed(10)
    return made
