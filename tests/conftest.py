"""What all tests share: data folders of their own, no leftovers of this machine's environment, doubles on request."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.secret_net import no_secret_shows, pytest_runtest_call, pytest_runtest_makereport

__all__ = ["no_secret_shows", "pytest_runtest_call", "pytest_runtest_makereport"]  # for pytest, which finds them here
ROOT = Path(__file__).resolve().parents[1]

# Examples come from the code alone, so that a run can be repeated; and a loaded machine is no failure.
settings.register_profile(
    "stash2plex",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("stash2plex")

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_SETTINGS = ("PLEX_URL", "PLEX_TOKEN", "PLEX_LIBRARY")


@pytest.fixture(autouse=True)
def own_environment(tmp_path, monkeypatch):
    """Whatever a test starts keeps its data in the test's own folder and meets no proxy, and no settings of ours."""
    monkeypatch.setenv("STASH_PLUGIN_DATA", str(tmp_path / "data"))
    for name in (*_PROXIES, *_SETTINGS):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def data_dir(tmp_path):
    """An empty data folder that exists, as text."""
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    return str(folder)


@pytest.fixture
def plex():
    """A Plex server that remembers, in this process."""
    with PlexDouble() as double:
        yield double


@pytest.fixture
def stash(tmp_path):
    """A Stash that remembers, in this process, without plugins."""
    with StashDouble(python=sys.executable, config_dir=str(tmp_path / "stash")) as double:
        yield double
