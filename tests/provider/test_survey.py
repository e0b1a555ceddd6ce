"""Both sides are read page by page over real sockets, and what is found is exactly what differs."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest

from provider import gaps
from provider.contract import guid
from provider.misses import AWAY
from provider.settings import Settings
from provider.survey import CHUNK, main
from tests.provider.surveyed import Surveyed, library_with_our_agent, surveyed
from validation.errors import Trouble

MANY, APART = 10_000, 100
PLAIN_RULE = "/data => D:\\Media"
# A browser's own.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def name(number: int) -> str:
    return f"Studio {number % 50}/Some title {number}"


def many_scenes(number: int) -> dict:
    return {"path": f"/data/{name(number)}.mp4", "size": 1, "title": f"Title {number}"}


def many_items(number: int) -> dict:
    """The first hundred scenes have no item, and the last hundred items no scene; every hundredth is not matched."""
    scene = number + APART
    held = f"local://{number}" if number % 100 == 0 else guid(scene)
    folder, _, file = name(scene).partition("/")
    return {"file": f"D:\\Media\\{folder}\\{file.upper()}.MP4", "guid": held, "title": f"Item {number}"}


@pytest.fixture
def section(plex):
    with library_with_our_agent(plex, "Movies", "/m") as key:
        yield key
        plex.agents_done()


def pair(stash, plex, section, number: int = 1, **values) -> tuple[int, str]:
    """A scene and its item."""
    scene = stash.add_scene(path=f"/m/{number}.mp4", title=f"T{number}")
    return int(scene), plex.add_item(section, file=f"/m/{number}.mp4", **values)


async def run(one: Surveyed):
    return await one.survey.run()


@pytest.fixture
def windows_section(plex):
    with library_with_our_agent(plex, "Movies", "d:/media") as key:
        yield key
        plex.agents_done()


@pytest.mark.slow
def test_of_ten_thousand_on_either_side_exactly_those_that_differ_are_reported_and_healed(stash, plex, windows_section):
    stash.promise_scenes(MANY, f"{__name__}:many_scenes")
    plex.promise_items(windows_section, MANY, f"{__name__}:many_items")

    async def scene(one):
        first, second = await one.survey.run(), await one.survey.run()
        return first.compared, second.compared, one.metrics.render()[0].decode()

    first, second, metrics = surveyed(scene, stash, plex, PLAIN_RULE, heal=True)
    found, left = first.found, second.found
    assert (found.scenes, found.items, found.matched) == (MANY, MANY, MANY - APART - 99)
    lacking = {(gaps.NOT_IN_STASH, gaps.UNKNOWN_FILE): APART, (gaps.NOT_IN_PLEX, gaps.NOT_FOUND): APART}
    assert found.reasons == {**lacking, (gaps.UNMATCHED, gaps.NEVER_MATCHED): 99}
    absent = [gap.scenes[0] for gap in found.examples[gaps.NOT_IN_PLEX]]
    unknown = [int(gap.title.split()[1]) for gap in found.examples[gaps.NOT_IN_STASH]]
    unmatched = [gap.scenes[0] for gap in found.examples[gaps.UNMATCHED]]
    assert absent == list(range(1, APART + 1))
    assert unknown == list(range(MANY - APART + 1, MANY + 1))
    assert unmatched == list(range(2 * APART, MANY + 1, 100))
    assert (first.healing.healed, left.matched, left.reasons) == (99, MANY - APART, lacking)
    for gauge, number in (("missing_in_stash", APART), ("missing_in_plex", APART), ("healable", 0)):
        assert f"stash2plex_gaps_{gauge} {float(number)}" in metrics


def test_the_metrics_tell_what_can_be_healed(stash, plex, section):
    pair(stash, plex, section)

    async def scene(one):
        await one.survey.run()
        return one.metrics.render()[0].decode()

    assert "stash2plex_gaps_healable 1.0" in surveyed(scene, stash, plex)


def test_a_library_is_read_in_pages(stash, plex, section):
    for number in range(1_100):
        pair(stash, plex, section, number)
    plex.clear_requests()
    stash.clear_requests()
    surveyed(run, stash, plex)
    assert stash.count("findScenes") == 3
    assert plex.count("GET", f"/library/sections/{section}/all") == 2


def test_only_the_chosen_library_is_compared(stash, plex, section):
    pair(stash, plex, section)
    plex.add_item(plex.add_section("Others", ["/o"]), file="/o/x.mp4")
    found = surveyed(run, stash, plex, plex_library="Movies").compared.found
    assert (found.items, found.count(gaps.NOT_IN_STASH)) == (1, 0)


def test_a_library_that_does_not_exist_is_no_empty_one(stash, plex, section):
    pair(stash, plex, section)
    report = surveyed(run, stash, plex, plex_library="Moveis")
    assert report.compared is None
    assert "S2P_PLEX_LIBRARY" in report.failure.why


def test_two_who_want_a_run_at_once_get_the_same_one(stash, plex, section):
    pair(stash, plex, section)

    async def scene(one):
        return await asyncio.gather(one.survey.run(), one.survey.run())

    first, second = surveyed(scene, stash, plex)
    assert first.compared is second.compared
    assert plex.count("GET", f"/library/sections/{section}/all") == 1


@pytest.mark.parametrize("side", ["stash", "plex", "plex half way"])
def test_a_run_that_fails_leaves_the_last_report_in_place_and_says_why(side, stash, plex, section):
    for number in range(1_050):
        pair(stash, plex, section, number, guid=guid(number + 1))

    def break_it():
        if side == "stash":
            stash.kill()
        else:
            plex.faults.add("status", times=None, match="/all?", skip=int(side == "plex half way"))

    async def scene(one):
        complete = (await one.survey.run()).compared
        break_it()
        one.clock.now += 60
        failed = await one.survey.run()
        plex.faults.clear()
        return complete, failed

    complete, failed = surveyed(scene, stash, plex)
    assert complete.found.matched == 1_050
    assert failed.compared is complete
    assert failed.failure.at == complete.began_at + 60
    assert side[:4].casefold() in failed.failure.why.casefold()
    assert failed.running is None


def test_a_run_after_a_failed_one_is_complete_again(stash, plex, section):
    pair(stash, plex, section)

    async def scene(one):
        plex.down()
        failed = await one.survey.run()
        plex.up()
        return failed, await one.survey.run()

    failed, healthy = surveyed(scene, stash, plex)
    assert failed.compared is None
    assert healthy.compared.found.items == 1


def test_others_have_their_turn_after_every_few_rows_of_a_run(stash, plex, section):
    for number in range(1_000):
        pair(stash, plex, section, number)

    async def scene(one):
        done, task = [0], asyncio.ensure_future(one.survey.run())
        while not task.done():
            running = one.survey.report().running
            done.append(running.done if running else 0)
            await asyncio.sleep(0)
        return done

    done = surveyed(scene, stash, plex)
    assert max(done) == 1_000
    assert max(after - before for before, after in zip(done, done[1:])) <= CHUNK


# on a schedule


def test_a_service_compares_by_itself_soon_after_its_start_and_then_once_an_hour(stash, plex, section):
    pair(stash, plex, section)

    async def scene(one):
        seen = []
        for seconds in (240, 120, 3_600, 3_600):
            await one.run_for(seconds)
            seen.append(plex.count("GET", f"/library/sections/{section}/all"))
        return seen

    assert surveyed(scene, stash, plex, gaps_interval="hourly") == [0, 1, 2, 3]


def test_nothing_is_compared_by_itself_when_that_is_left_to_people(stash, plex, section):
    async def scene(one):
        await one.run_for(10_000)
        return one.survey.report()

    report = surveyed(scene, stash, plex, gaps_interval="manual")
    assert (report.compared, report.failure, report.next_at) == (None, None, None)


@pytest.mark.parametrize("interval", ["manual", "weekly"])
def test_what_was_scanned_while_stash_was_away_is_healed_soon_after_it_is_back(interval, stash, plex, section):
    scene_id, key = pair(stash, plex, section, title="1")

    async def scene(one):
        await one.survey.run()
        plex.item(key)
        plex._find(key).guid = f"local://{key}"  # a scan made the item anew
        one.misses.record("/1.mp4", AWAY)
        await one.run_for(120)
        healed = plex.item(key)["guid"]
        before = len(plex.requests())
        await one.run_for(600)
        return healed, len(plex.requests()) - before

    assert surveyed(scene, stash, plex, heal=True, gaps_interval=interval) == (guid(scene_id), 0)


def test_nothing_is_begun_for_an_outage_that_goes_on(stash, plex, section):
    pair(stash, plex, section)

    async def scene(one):
        stash.stop()
        while not one.upstream.open:
            with contextlib.suppress(Trouble):
                await one.upstream.version()
        one.misses.record("/1.mp4", AWAY)
        await one.run_for(300)
        away = one.survey.report()
        stash.start()
        while one.upstream.open:
            await asyncio.sleep(0.05)
            with contextlib.suppress(Trouble):
                await one.upstream.version()
        await one.run_for(300)
        return away, one.survey.report()

    away, back = surveyed(scene, stash, plex, heal=True, gaps_interval="manual")
    assert (away.failure, away.compared) == (None, None)
    assert back.compared.healing.healed == 1


def test_an_outage_changes_no_plan_without_healing(stash, plex, section):
    pair(stash, plex, section)

    async def scene(one):
        one.misses.record("/1.mp4", AWAY)
        await one.run_for(120)
        return one.survey.report()

    assert surveyed(scene, stash, plex, gaps_interval="manual").compared is None


# what people see


def asked(one: Surveyed, *requests: tuple, **headers: str):
    """Answers to several requests, one after the other."""

    async def scene():
        async with one.client() as client:
            return [await client.request(*request, headers=headers) for request in requests]

    return scene()


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (BROWSER, "text/html"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("application/json, text/html;q=0.5", "application/json"),
        ("text/html;q=0.4, application/json;q=0.3", "text/html"),
        ("text/html;q=x", "application/json"),
    ],
)
def test_a_browser_gets_a_page_and_anybody_else_json(accept, kind, stash):
    (answer,) = surveyed(lambda one: asked(one, ("GET", "/gaps"), accept=accept), stash)
    assert answer.headers["content-type"].startswith(kind)


def test_the_report_is_json_with_counts_reasons_and_examples(stash, plex, section):
    pair(stash, plex, section)
    stash.add_scene(path="/elsewhere/x.mp4", title="X")

    async def scene(one):
        one.misses.record("/a.mp4", "no scene in Stash has a file of that name")
        await one.survey.run()
        return (await asked(one, ("GET", "/gaps")))[0].json()

    told = surveyed(scene, stash, plex, gaps_interval="manual")
    assert told["last_run"]["counts"] == {
        "not_in_stash": 0,
        "not_in_plex": 1,
        "unmatched": 1,
        "matched_by_others": 0,
        "ambiguous": 0,
        "matched": 0,
    }
    assert told["last_run"]["reasons"]["not_in_plex"] == {"not_covered": 1}
    assert told["last_run"]["examples"]["unmatched"][0] | {"guid": ""} == {
        "title": "1.mp4",
        "path": "/m/1.mp4",
        "item": "1",
        "library": "Movies",
        "guid": "",
        "scenes": [1],
        "reason": "never_matched",
        "why": "No agent has matched it",
    }
    assert told["misses"]["newest"][0]["asked"] == "/a.mp4"
    assert (told["running"], told["next_run"], told["last_failure"]) == (False, None, None)


def test_without_plex_the_misses_are_shown_with_what_is_needed_for_more(stash):
    async def scene(one):
        one.misses.record("/a.mp4", "no scene")
        answers = await asked(one, ("GET", "/gaps"), ("POST", "/gaps/run"))
        return answers, await asked(one, ("GET", "/gaps"), ("POST", "/gaps/run"), accept=BROWSER)

    (told, refused), (shown, back) = surveyed(scene, stash)
    assert told.json()["misses"]["total"] == 1
    assert not told.json()["comparison_possible"]
    for text in (told.text, refused.text, shown.text):
        assert "S2P_PLEX_URL" in text and "S2P_PLEX_TOKEN" in text
    assert (refused.status_code, back.status_code) == (409, 303)
    assert "/a.mp4" in shown.text


def test_a_run_is_begun_by_a_request_and_only_once(stash, plex, section):
    pair(stash, plex, section)

    async def scene(one):
        stash.faults.latency_s = 0.3  # so that it is under way long enough
        begun, again = await asked(one, ("POST", "/gaps/run"), ("POST", "/gaps/run"))
        meanwhile = (await asked(one, ("GET", "/gaps")))[0].json()
        await one.survey.run()
        return begun, again, meanwhile, (await asked(one, ("GET", "/gaps")))[0].json()

    begun, again, meanwhile, after = surveyed(scene, stash, plex)
    assert (begun.status_code, again.status_code) == (202, 200)
    assert begun.json() == again.json() == {"running": True}
    assert meanwhile["running"]["stage"]
    assert after["last_run"]["items"] == 1


def test_the_button_leads_back_to_the_page_wherever_that_lies(stash, plex, section):
    async def scene(one):
        (answer,) = await asked(one, ("POST", "/gaps/run"), accept=BROWSER)
        await one.survey.run()
        return answer

    answer = surveyed(scene, stash, plex)
    assert (answer.status_code, answer.headers["location"]) == (303, "../gaps")


def test_another_sites_page_begins_no_run(stash, plex, section):
    async def scene(one):
        (answer,) = await asked(one, ("POST", "/gaps/run"), **{"sec-fetch-site": "cross-site"})
        return answer.status_code, one.survey.report().running

    assert surveyed(scene, stash, plex) == (403, None)


# the command


def settings(stash, plex, **more) -> Settings:
    return Settings(stash_url=stash.url, plex_url=plex.url, plex_token=plex.token, **more)


def test_the_command_prints_what_is_missing_without_titles_and_ends_well(stash, plex, section, capsys):
    pair(stash, plex, section)
    stash.add_scene(path="/elsewhere/x.mp4", title="Secretive")
    assert asyncio.run(main(settings(stash, plex), ["Something odd"])) == 0
    out, err = capsys.readouterr()
    assert "1  In Stash, not shown by Plex" in out
    assert "Secretive" not in out
    assert err == "Something odd\n"


def test_the_command_can_print_json(stash, plex, section, capsys):
    pair(stash, plex, section)
    assert asyncio.run(main(settings(stash, plex), [], as_json=True)) == 0
    assert json.loads(capsys.readouterr().out)["last_run"]["counts"]["unmatched"] == 1


@pytest.mark.parametrize("side", ["stash", "plex", "no plex"])
def test_the_command_fails_when_a_side_cannot_be_read(side, stash, plex, section, capsys):
    known = settings(stash, plex) if side != "no plex" else Settings(stash_url=stash.url)
    if side == "stash":
        stash.kill()
    else:
        plex.down()
    assert asyncio.run(main(known, [])) == 1
    assert side[-4:].casefold() in capsys.readouterr().out.casefold()
