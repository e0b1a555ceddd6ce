"""What the provider asks of Plex: folders, items and identities, without ever waiting long for one that is away."""

from __future__ import annotations

import asyncio
import threading

import pytest

from provider.library import AGAIN_S, REMEMBERED_S, Library, connect, identifier
from provider.settings import Settings
from tests.canaries import PLEX_TOKEN
from tests.doubles.plex_agents_stub import StubProvider
from validation.errors import Kind, Trouble


def settings(plex, **values):
    given = {"stash_url": "http://stash:9999", "plex_url": plex.url, "plex_token": PLEX_TOKEN, **values}
    return Settings(**given)


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def using(plex, clock):
    """Runs what is done with a library, and closes it."""

    def using(act, **values):
        async def run():
            chosen = settings(plex, **values)
            library = Library(connect(chosen), chosen.plex_library, clock)
            try:
                return await act(library)
            finally:
                await library.close()

        return asyncio.run(run())

    return using


async def roots_until(library, wanted):
    """Newer roots are read while the older ones are shown."""
    for _ in range(1_000):
        if await library.roots() == wanted:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(await library.roots())


@pytest.fixture
def libraries(plex):
    plex.add_section("Films", ["/a", "/b"])
    plex.add_section("Series", ["/c"], type="show")
    plex.add_section("More", ["/d", "/a"])


@pytest.mark.parametrize("lacking", ["plex_url", "plex_token"])
def test_without_an_address_or_a_token_there_is_no_library(plex, lacking):
    assert Library.of(settings(plex, **{lacking: ""})) is None
    assert Library.of(settings(plex)) is not None


@pytest.mark.parametrize(
    ("wanted", "roots"),
    [("", ("/a", "/b", "/d")), ("films", ("/a", "/b")), ("3", ("/d", "/a")), ("Series", ()), ("None", ())],
)
def test_the_roots_are_the_folders_of_the_movie_libraries_that_are_meant(libraries, using, wanted, roots):
    assert using(lambda library: library.roots(), plex_library=wanted) == roots


def test_roots_are_remembered_and_read_anew_after_ten_minutes(plex, libraries, using, clock):
    async def act(library):
        await library.roots()
        plex.add_section("New", ["/new"])
        assert [await library.roots() for _ in range(3)] == [("/a", "/b", "/d")] * 3
        assert plex.count("GET", "/library/sections") == 1
        clock.now += REMEMBERED_S
        await roots_until(library, ("/a", "/b", "/d", "/new"))

    using(act)


def test_many_who_want_the_roots_at_once_are_one_question(plex, libraries, using):
    async def act(library):
        assert set(await asyncio.gather(*(library.roots() for _ in range(50)))) == {("/a", "/b", "/d")}

    using(act)
    assert plex.count("GET", "/library/sections") == 1


def test_while_plex_is_away_the_last_roots_are_shown_and_it_is_asked_again_after_a_while(plex, libraries, using, clock):
    async def act(library):
        await library.roots()
        plex.add_section("New", ["/new"])
        plex.maintenance = True
        clock.now += REMEMBERED_S
        before = plex.count()
        for _ in range(20):
            assert await library.roots() == ("/a", "/b", "/d")
            await asyncio.sleep(0.01)
        assert plex.count() - before <= 1
        plex.maintenance = False
        clock.now += AGAIN_S
        await roots_until(library, ("/a", "/b", "/d", "/new"))

    using(act)


def test_a_plex_that_was_never_reached_has_no_roots_and_raises_nothing(plex, using):
    plex.down()
    assert using(lambda library: library.roots()) == ()


def test_who_gives_up_waiting_for_the_roots_spoils_them_for_nobody(plex, libraries, using):
    async def act(library):
        impatient = asyncio.ensure_future(library.roots())
        await asyncio.sleep(0)
        impatient.cancel()
        assert await library.roots() == ("/a", "/b", "/d")

    using(act)


def test_a_walk_sees_every_item_with_its_files_and_its_identity(plex, libraries, using):
    keys = plex.add_items("1", [{"file": f"/a/{n}.mp4", "guid": f"x://movie/{n}"} for n in range(25)])
    plex.page_cap = 10

    async def act(library):
        films = (await library.sections())[0]
        return [page async for page in library.walk(films)]

    pages = using(act)
    assert [len(page) for page in pages] == [10, 10, 5]
    items = [item for page in pages for item in page]
    assert [item.key for item in items] == keys
    assert {(item.files[0].path, item.guid) for item in items} == {(f"/a/{n}.mp4", f"x://movie/{n}") for n in range(25)}


def test_an_item_gets_its_identity_and_then_its_metadata(plex, using):
    with StubProvider() as stub:
        section = plex.add_section("Movies", ["/m"], agent_id=plex.register(stub.url))
        key = plex.add_item(section, file="/m/a.mp4")
        guid = stub.add("5", title="Five")
        using(lambda library: library.match(key, guid, "Five"))
        assert plex.agents_done()
        assert (plex.item(key)["guid"], plex.item(key)["title"]) == (guid, "Five")


def test_what_plex_refuses_is_a_trouble(plex, libraries, using):
    with pytest.raises(Trouble) as raised:
        using(lambda library: library.sections(), plex_token="a-wrong-one")
    assert raised.value.kind is Kind.REFUSED


def test_plex_is_asked_one_thing_after_the_other(plex, libraries, using):
    seen, most, lock = [0], [0], threading.Lock()
    inner = plex._routes.respond

    def respond(request):
        with lock:
            seen[0] += 1
            most[0] = max(most[0], seen[0])
        try:
            return inner(request)
        finally:
            with lock:
                seen[0] -= 1

    plex._routes.respond = respond

    async def act(library):
        await asyncio.gather(*(library.sections() for _ in range(20)))

    using(act)
    assert most == [1]


def test_closing_waits_for_no_answer(plex, libraries, using):
    plex.latency_s = 30

    async def act(library):
        asked = asyncio.ensure_future(library.sections())
        await asyncio.sleep(0.05)
        asked.cancel()

    using(act)  # would last as long as the answer


def test_the_name_given_to_plex_stays_the_same_and_is_another_for_another_provider(plex):
    one = settings(plex, base_url="http://here:9090")
    assert identifier(one) == identifier(settings(plex, base_url="http://here:9090", plex_token="another"))
    assert identifier(one) != identifier(settings(plex, base_url="http://there:9090"))
    assert identifier(settings(plex)) == identifier(settings(plex))


def test_libraries_with_our_agent_are_told_from_others(plex, libraries, using):
    with StubProvider() as stub, StubProvider(identifier="tv.plex.agents.custom.other") as other:
        plex.choose_agent("1", plex.register(stub.url))
        plex.choose_agent("3", plex.register(other.url))

        async def act(library):
            return [section.title for section in await library.with_our_agent(await library.sections())]

        assert using(act) == ["Films"]
        plex.version = "1.42.0.1-a"
        assert using(act) == []
