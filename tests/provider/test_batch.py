"""Many questions at once become few, and nobody spoils an answer for another."""

from __future__ import annotations

import asyncio

import pytest

from provider.batch import Batch
from validation.errors import Kind, Trouble


class Asked:
    """Answers with ten times the key, once it is let go; remembers which keys were asked for together."""

    def __init__(self):
        self.groups, self.go, self.trouble = [], asyncio.Event(), None

    async def __call__(self, keys):
        self.groups.append(list(keys))
        await self.go.wait()
        if self.trouble:
            raise self.trouble
        return {key: 10 * key for key in keys}


def run(scene):
    """Run a coroutine function that is given a fresh `Asked`."""

    async def begin():
        await scene(Asked())

    asyncio.run(begin())


def test_a_lonely_question_leaves_at_once_and_the_next_ones_together():
    async def scene(asked):
        batch = Batch(asked, most=50, at_once=1)
        first = asyncio.ensure_future(batch.get(1))
        await asyncio.sleep(0.01)
        others = [asyncio.ensure_future(batch.get(key)) for key in (2, 3, 4)]
        await asyncio.sleep(0.01)
        assert asked.groups == [[1]]
        asked.go.set()
        assert await asyncio.gather(first, *others) == [10, 20, 30, 40]
        assert asked.groups == [[1], [2, 3, 4]]

    run(scene)


def test_questions_of_one_moment_are_one_group_and_no_group_is_too_large():
    async def scene(asked):
        asked.go.set()
        batch = Batch(asked, most=4, at_once=8)
        assert await asyncio.gather(*map(batch.get, range(10))) == [10 * key for key in range(10)]
        assert [len(group) for group in asked.groups] == [4, 4, 2]

    run(scene)


def test_the_same_key_is_asked_for_once_while_it_is_under_way():
    async def scene(asked):
        batch = Batch(asked, most=50, at_once=8)
        tasks = [asyncio.ensure_future(batch.get(7)) for _ in range(5)]
        await asyncio.sleep(0.01)
        tasks += [asyncio.ensure_future(batch.get(7)) for _ in range(5)]
        asked.go.set()
        assert await asyncio.gather(*tasks) == [70] * 10
        assert asked.groups == [[7]]

    run(scene)


def test_a_caller_that_goes_away_takes_nothing_from_the_others():
    async def scene(asked):
        batch = Batch(asked, most=50, at_once=8)
        leaver, stayer = (asyncio.ensure_future(batch.get(7)) for _ in range(2))
        await asyncio.sleep(0.01)
        leaver.cancel()
        asked.go.set()
        assert await stayer == 70

    run(scene)


def test_trouble_reaches_all_of_its_group_and_the_next_question_is_asked_anew():
    async def scene(asked):
        batch = Batch(asked, most=50, at_once=1)
        asked.trouble = Trouble(Kind.STASH_AWAY, "away")
        asked.go.set()
        ended = await asyncio.gather(batch.get(1), batch.get(2), return_exceptions=True)
        assert ended == [asked.trouble] * 2
        asked.trouble = None
        assert await batch.get(1) == 10

    run(scene)


def test_a_fault_that_nobody_foresaw_leaves_nobody_waiting():
    async def scene(asked):
        async def broken(keys):
            raise KeyError("a bug")

        batch = Batch(broken, most=50, at_once=1)
        with pytest.raises(KeyError):
            await asyncio.wait_for(batch.get(1), 5)

    run(scene)
