"""What is remembered of Stash, and how soon a change shows."""

from __future__ import annotations

import asyncio

import pytest

from provider.catalogue import EMPTY_S, LOOK_S, MOST_CHANGED, STALE_S, Catalogue
from provider.metrics import Metrics
from provider.upstream import Upstream
from tests.doubles.stash_server import StashDouble
from validation.errors import Kind, Trouble


class Clock:
    now = 1_000.0

    def __call__(self):
        return self.now


class World:
    """A catalogue over a Stash; time only passes when it is told to."""

    def __init__(self, stash):
        self.stash, self.clock = stash, Clock()
        self.upstream = Upstream(stash.url, stash.api_key, Metrics())
        self.catalogue = Catalogue(self.upstream, 300.0, Metrics(), self.clock)

    async def title(self, id=1):
        entry = await self.catalogue.entry(id)
        return entry and entry.title

    async def ids(self, path):
        return [entry.id for entry in await self.catalogue.at_path(path)]


@pytest.fixture
def played():
    """Runs a coroutine function over a world with five scenes."""
    with StashDouble() as stash:
        for n in range(1, 6):
            stash.add_scene(path=f"/data/{n}.mp4", title=f"T{n}", performers=["Ann"])

        def play(scene):
            async def begin():
                world = World(stash)
                try:
                    await scene(world)
                finally:
                    await world.catalogue.close()
                    await world.upstream.close()

            asyncio.run(begin())

        yield play


def test_what_was_read_is_not_asked_for_again(played):
    async def scene(world):
        await world.title(2)
        world.stash.clear_requests()
        assert [await world.title(2) for _ in range(20)] == ["T2"] * 20
        assert world.stash.requests == []

    played(scene)


def test_what_changed_last_in_stash_is_looked_at_now_and_then_and_nobody_waits_for_it_under_load(played):
    async def scene(world):
        for id in (1, 2, 3):
            await world.title(id)
        world.stash.clear_requests()
        world.clock.now += LOOK_S
        world.stash.change(1, title="New")
        assert await world.title(1) == "T1"
        assert await world.title(2) == "T2"
        await world.catalogue.looked()
        assert world.stash.count() == 1
        assert await world.title(1) == "New"

    played(scene)


def test_a_changed_scene_shows_at_the_next_look(played):
    async def scene(world):
        assert await world.title() == "T1"
        world.stash.change(1, title="New")
        world.clock.now += STALE_S
        assert await world.title() == "New"

    played(scene)


def test_a_second_change_within_the_same_second_shows_too(played):
    async def scene(world):
        world.stash.library._clock = lambda: 2_000_000_000.0
        for title in ("A", "B", "C"):
            world.stash.change(1, title=title)
            world.clock.now += STALE_S
            assert await world.title() == title

    played(scene)


def test_a_bulk_edit_of_more_scenes_than_a_look_shows_is_seen_whole(played):
    async def scene(world):
        everyone = range(1, MOST_CHANGED + 50)
        for n in everyone[5:]:
            world.stash.add_scene(path=f"/data/{n}.mp4", title=f"T{n}")
        await asyncio.gather(*map(world.title, everyone))
        world.stash.library._clock = lambda: 2_000_000_000.0
        for n in everyone:
            world.stash.change(n, title=f"N{n}")
        for _ in range(2):
            world.clock.now += STALE_S
            titles = await asyncio.gather(*map(world.title, everyone))
        assert titles == [f"N{n}" for n in everyone]

    played(scene)


def test_a_renamed_performer_shows_when_the_time_has_passed(played):
    async def scene(world):
        assert (await world.catalogue.entry(1)).people[0].name == "Ann"
        world.stash.library.rename(world.stash.library.find_name("performer", "Ann"), "Eve")
        world.clock.now += 301
        assert (await world.catalogue.entry(1)).people[0].name == "Eve"

    played(scene)


def test_a_file_that_stash_has_just_scanned_is_found_although_it_was_asked_for_before(played):
    async def scene(world):
        assert await world.ids("/data/new.mp4") == []
        world.stash.add_scene(path="/data/new.mp4")
        world.clock.now += EMPTY_S
        assert await world.ids("/data/new.mp4") == [6]

    played(scene)


def test_a_scene_that_is_gone_is_gone_here_too(played):
    async def scene(world):
        assert await world.ids("/data/1.mp4") == [1]
        world.stash.library.destroy_scene(world.stash.library.scene(1))
        world.clock.now += 301
        assert await world.ids("/data/1.mp4") == []
        assert await world.title(1) is None

    played(scene)


def test_while_stash_is_away_what_is_remembered_is_told_and_the_rest_is_trouble(played):
    async def scene(world):
        await world.title(1)
        await world.ids("/data/1.mp4")
        world.stash.stop()
        world.clock.now += 10_000
        assert await world.title(1) == "T1"
        assert await world.ids("/data/1.mp4") == [1]
        with pytest.raises(Trouble) as caught:
            await world.title(2)
        assert caught.value.kind is Kind.STASH_AWAY

    played(scene)


def test_a_path_and_its_scene_are_one_question(played):
    async def scene(world):
        world.stash.clear_requests()
        assert await world.ids("/data/3.mp4") == [3]
        assert await world.title(3) == "T3"
        assert world.stash.count() == 2  # the look and the path

    played(scene)
