"""What the provider asks of Stash, over real sockets of the double: few requests, exact answers, typed trouble."""

from __future__ import annotations

import asyncio
import unicodedata
from types import SimpleNamespace

import pytest

from provider.breaker import OPENS_AFTER
from provider.metrics import Metrics
from provider.upstream import Upstream
from tests import canaries
from tests.doubles.stash_server import StashDouble
from validation.errors import Kind, Trouble


@pytest.fixture
def stash():
    with StashDouble() as double:
        yield double


def asked(stash, scene, **options):
    """Run a coroutine function over an Upstream for this Stash."""

    async def begin():
        upstream = Upstream(stash.url, stash.api_key, Metrics(), **options)
        try:
            return await scene(upstream)
        finally:
            await upstream.close()

    return asyncio.run(begin())


def ids(entries):
    return [entry.id for entry in entries]


def test_scenes_asked_for_at_once_are_one_query(stash):
    wanted = [int(stash.add_scene(path=f"/data/{n}.mp4", title=f"T{n}")) for n in range(40)]
    stash.clear_requests()

    async def scene(upstream):
        return await asyncio.gather(*map(upstream.entry, wanted))

    assert [entry.title for entry in asked(stash, scene)] == [f"T{n}" for n in range(40)]
    assert stash.count("findScenes") == 1


def test_a_scene_that_is_gone_hides_none_of_those_asked_for_with_it(stash):
    first, second = (int(stash.add_scene(path=f"/data/{n}.mp4", title=f"T{n}")) for n in range(2))

    async def scene(upstream):
        return await asyncio.gather(*map(upstream.entry, (first, 999_999, second)))

    found = asked(stash, scene)
    assert [entry and entry.title for entry in found] == ["T0", None, "T1"]


def test_paths_asked_for_at_once_are_one_query_and_each_gets_its_own(stash):
    for n in range(30):
        stash.add_scene(path=f"/data/folder/scene {n}.mp4")
    stash.clear_requests()

    async def scene(upstream):
        return await asyncio.gather(*(upstream.at_path(f"/data/folder/scene {n}.mp4") for n in range(20)))

    assert [ids(found) for found in asked(stash, scene)] == [[n + 1] for n in range(20)]
    assert stash.count("findScenes") <= 2


@pytest.mark.parametrize("name", ["100%.mp4", "a_b.mp4", "a[b]{c}.mp4", "a'b\"c.mp4", "back\\slash.mp4", "🎬 ★.mp4"])
def test_a_path_is_found_exactly_whatever_its_name_means_to_a_database(stash, name):
    stash.add_scene(path="/data/x" + name)
    if "_" in name or "%" in name:
        stash.add_scene(path="/data/" + name.replace("_", "x").replace("%", "yy"))
    wanted = int(stash.add_scene(path="/data/" + name))

    async def scene(upstream):
        return await upstream.at_path("/data/" + name)

    assert ids(asked(stash, scene)) == [wanted]


@pytest.mark.parametrize("held", ["NFC", "NFD"])
@pytest.mark.parametrize("sent", ["NFC", "NFD"])
def test_a_path_is_found_in_any_unicode_form(stash, held, sent):
    path = "/data/Café Ñandú/Ångström.mp4"
    wanted = int(stash.add_scene(path=unicodedata.normalize(held, path)))

    async def scene(upstream):
        return await upstream.at_path(unicodedata.normalize(sent, path)), await upstream.named(
            unicodedata.normalize(sent, "Ångström.mp4")
        )

    exact, named = asked(stash, scene)
    assert ids(exact) == [wanted] and ids(named.entries) == [wanted]


def test_posix_paths_differ_in_case_and_windows_paths_do_not(stash):
    stash.add_scene(path="/data/A.mp4")
    wanted = int(stash.add_scene(path="D:\\media\\A.mp4"))

    async def scene(upstream):
        return await upstream.at_path("/data/a.mp4"), await upstream.at_path("d:/MEDIA/a.mp4")

    posix, windows = asked(stash, scene)
    assert ids(posix) == [] and ids(windows) == [wanted]


def test_files_of_one_name_are_found_wherever_they_are_and_no_longer_names_with_them(stash):
    held = ["/a/x.mp4", "/b/c/x.mp4", "D:\\m\\x.mp4", "/a/xx.mp4", "/a/not x.mp4"]
    for path in held:
        stash.add_scene(path=path)

    async def scene(upstream):
        return await upstream.named("x.mp4"), await upstream.named("x.mp4", ["c"])

    every, below = asked(stash, scene)
    assert ids(every.entries) == [1, 2, 3] and not every.more
    assert ids(below.entries) == [2]


def test_a_name_that_very_many_have_is_not_read_to_the_end(stash):
    for n in range(250):
        stash.add_scene(path=f"/data/{n}/video.mp4")

    async def scene(upstream):
        return await upstream.named("video.mp4"), await upstream.named("video.mp4", ["249"])

    every, below = asked(stash, scene)
    assert every.more and len(every.entries) == 200
    assert ids(below.entries) == [250]


def test_words_are_looked_for_in_titles_and_in_paths_and_never_taken_for_the_signs_of_a_search(stash):
    wanted = int(stash.add_scene(path="/data/1.mp4", title='Rise OR Fall -not "this"'))
    stash.add_scene(path="/data/2.mp4", title="Rise")
    named = int(stash.add_scene(path="/data/Studio.2024-01-02.Some.Scene.mp4"))

    async def scene(upstream):
        return await upstream.titled('rise OR Fall -not "this"', 20), await upstream.titled("Studio 2024 01 Scene", 20)

    by_title, by_path = asked(stash, scene)
    assert ids(by_title) == [wanted] and ids(by_path) == [named]


def test_a_scene_by_its_hash(stash):
    for n in range(3):
        stash.add_scene(path=f"/data/{n}.mp4")
    oshash = stash.library.scenes[2].files[0].oshash

    async def scene(upstream):
        return await upstream.by_oshash(oshash)

    assert ids(asked(stash, scene)) == [2]


def test_all_paths_page_by_page(stash):
    for n in range(7):
        stash.add_scene(path=f"/data/{n}.mp4", title=f"T{n}")

    async def scene(upstream):
        first = await upstream.files_after(0, 5)
        return first, await upstream.files_after(first[-1].id, 5)

    first, last = asked(stash, scene)
    assert [(one.id, one.title, one.paths) for one in last] == [
        (6, "T5", ("/data/5.mp4",)),
        (7, "T6", ("/data/6.mp4",)),
    ]
    assert len(first) == 5


def test_a_connection_that_stash_dropped_is_no_trouble(stash):
    stash.add_scene(path="/data/1.mp4", title="T")
    stash.faults.drop()

    async def scene(upstream):
        return await upstream.entry(1)

    assert asked(stash, scene).title == "T"


def test_a_stash_that_answers_too_late_is_away(stash):
    stash.add_scene(path="/data/1.mp4")
    stash.faults.latency_s = 5.0

    async def scene(upstream):
        with pytest.raises(Trouble) as caught:
            await upstream.entry(1)
        return caught.value.kind

    assert asked(stash, scene, timeout_s=0.2) is Kind.STASH_AWAY
    stash.faults.clear()


def test_a_stash_that_is_away_is_left_alone_after_a_few_tries_and_found_again(stash):
    stash.add_scene(path="/data/1.mp4", title="T")
    now = [0.0]

    async def kind(upstream):
        try:
            await upstream.entry(1)
        except Trouble as trouble:
            return trouble.kind

    async def scene(upstream):
        stash.faults.status(502, times=OPENS_AFTER)
        away = [await kind(upstream) for _ in range(OPENS_AFTER + 10)]
        stash.clear_requests()
        now[0] += 60
        return away, upstream.open, await kind(upstream), upstream.open

    away, was_open, after, is_open = asked(stash, scene, clock=lambda: now[0])
    assert set(away) == {Kind.STASH_AWAY} and was_open
    assert after is None and not is_open


def test_a_wrong_key_is_named_by_its_setting_and_never_shown():
    with StashDouble(credentials=("user", "password")) as stash:
        stash.add_scene(path="/data/1.mp4")
        stash.api_key = canaries.API_KEY

        async def scene(upstream):
            with pytest.raises(Trouble) as caught:
                await upstream.entry(1)
            return caught.value

        trouble = asked(SimpleNamespace(url=stash.url, api_key="wrong"), scene)
        assert (
            trouble.kind is Kind.STASH_REFUSED and "S2P_STASH_API_KEY" in str(trouble) and "wrong" not in str(trouble)
        )
        assert "set S2P_STASH_API_KEY" in str(asked(SimpleNamespace(url=stash.url, api_key=""), scene))
