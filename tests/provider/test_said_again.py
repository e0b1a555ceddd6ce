"""What was found out once is said again without asking or making it anew, and only for as long as it is true."""

from __future__ import annotations

import asyncio

import pytest

from provider.catalogue import EMPTY_S, Catalogue
from provider.metrics import Metrics
from provider.upstream import Upstream
from tests.doubles.stash_server import StashDouble
from tests.provider.service import Service
from tests.waiting import until


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


def test_paths_that_may_be_meant_together_are_asked_for_and_remembered_together():
    async def play(stash):
        clock, upstream = Clock(), Upstream(stash.url, stash.api_key, Metrics())
        catalogue = Catalogue(upstream, 300.0, Metrics(), clock)
        try:
            paths = ["/data/nothing.mp4", "/data/2.mp4", "/data/nowhere.mp4"]
            assert [entry.id for entry in await catalogue.at_path(*paths)] == [2]
            clock.now += EMPTY_S + 1
            stash.clear_requests()
            assert [entry.id for entry in await catalogue.at_path(*paths)] == [2]
            return stash.count()
        finally:
            await upstream.close()

    with StashDouble() as stash:
        for number in (1, 2):
            stash.add_scene(path=f"/data/{number}.mp4")
        assert asyncio.run(play(stash)) <= 2  # what changed last, and the scene itself: no path


@pytest.fixture
def service(tmp_path):
    with StashDouble() as stash:
        stash.add_scene(path="/data/1.mp4", title="Before")
        with Service(tmp_path, stash) as running:
            yield running, stash


def said(service, host="one:1"):
    """The title that a match and a read of the metadata show, and the pictures' addresses."""
    match = service.match(filename="/data/1.mp4").items[0]
    read = service.ask("/library/metadata/1", Host=host).items[0]
    return match["title"], read["title"], read["thumb"]


def test_an_answer_is_made_anew_when_its_scene_changed(service):
    running, stash = service
    assert {said(running)[:2] for _ in range(3)} == {("Before", "Before")}
    stash.save(1, title="After")
    until(lambda: said(running)[:2] == ("After", "After"))


def test_each_name_by_which_the_provider_is_reached_has_its_own_addresses_of_pictures(service):
    running, _ = service
    thumbs = [said(running, host)[2].partition("/images")[0] for host in ("one:1", "two:2", "one:1")]
    assert thumbs == ["http://one:1", "http://two:2", "http://one:1"]
