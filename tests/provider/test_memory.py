"""What is remembered, for how long, and what an old answer is still good for."""

from __future__ import annotations

import asyncio

import pytest

from provider.memory import Memory
from provider.metrics import Metrics
from validation.errors import Kind, Trouble


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class World:
    """A memory over a source of numbers: each time it is asked it gives the next one."""

    def __init__(self, most=10):
        self.clock, self.asked, self.trouble = Clock(), 0, None
        self.memory = Memory(lambda value: 5.0 if value < 0 else 60.0, most, Metrics(), self.clock)

    async def ask(self, key):
        self.asked += 1
        await asyncio.sleep(0)
        if self.trouble:
            raise Trouble(self.trouble, "no")
        return key * self.asked

    def get(self, key=1):
        return asyncio.run(self.memory.get(key, self.ask))


def test_an_answer_counts_for_its_time_and_is_asked_for_again_after_it():
    world = World()
    assert [world.get(), world.get()] == [1, 1]
    world.clock.now += 61
    assert world.get() == 2


def test_an_empty_answer_counts_for_a_shorter_time():
    world = World()
    assert world.get(-1) == -1
    world.clock.now += 6
    assert world.get(-1) == -2


def test_an_old_answer_is_handed_out_while_stash_is_away_and_no_longer():
    world = World()
    world.get()
    world.clock.now += 10_000
    world.trouble = Kind.STASH_AWAY
    assert world.get() == 1
    world.trouble = None
    assert world.get() == 3


@pytest.mark.parametrize("kind", [Kind.STASH_AWAY, Kind.STASH_REFUSED])
def test_without_an_old_answer_the_trouble_is_told(kind):
    world = World()
    world.trouble = kind
    with pytest.raises(Trouble):
        world.get()


def test_a_refusal_is_told_although_there_is_an_old_answer():
    world = World()
    world.get()
    world.clock.now += 100
    world.trouble = Kind.STASH_REFUSED
    with pytest.raises(Trouble):
        world.get()


def test_who_asks_for_the_same_at_once_shares_one_question():
    world = World()

    async def many():
        return await asyncio.gather(*(world.memory.get(1, world.ask) for _ in range(20)))

    assert asyncio.run(many()) == [1] * 20
    assert world.asked == 1


def test_a_doubted_answer_is_asked_for_again_and_still_helps_while_stash_is_away():
    world = World()
    world.get()
    world.memory.doubt(1)
    world.trouble = Kind.STASH_AWAY
    assert world.get() == 1
    world.trouble = None
    assert world.get() == 3
    world.memory.doubt_all()
    assert world.get() == 4


def test_only_so_many_answers_are_kept():
    world = World(most=3)
    for key in range(1, 6):
        world.get(key)
    world.asked = 0
    for key in (3, 4, 5):
        world.get(key)
    assert world.asked == 0
    world.get(1)
    assert world.asked == 1
