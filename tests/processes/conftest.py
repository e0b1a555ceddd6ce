"""Worlds for the tests in this folder."""

from __future__ import annotations

import contextlib
import os
import sys

import pytest

from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.processes.world import Clock, World, copy_of_plugin


def opened(stack, folder, plugin=None, python=sys.executable, data=None, **options):
    """A world that lives until the stack is left, all of it below ``folder``, its data where Stash's users have it.

    ``plugin`` is the folder of a copy of the plugin; with ``data`` elsewhere every save puts a mark. ``options`` are
    those of the Stash double.
    """
    plugin = plugin or copy_of_plugin(folder / "plugins")
    data = str(data or plugin / "data")
    if "STASH_PLUGIN_DATA" in os.environ:
        os.environ["STASH_PLUGIN_DATA"] = data  # for what a test starts from elsewhere; a fixture sets it back
    plex, clock = stack.enter_context(PlexDouble()), Clock()
    double = StashDouble(plugins=[plugin], python=python, config_dir=str(folder / "stash"), clock=clock, **options)
    return World(stack.enter_context(double), plex, data, clock)


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
