"""Items that lack their match get it from Plex itself, and nobody else's match is touched."""

from __future__ import annotations

import pytest

from provider import gaps
from provider.contract import guid
from provider.heal import GIVE_UP, IN_A_ROW, NO_AGENT, NOT_TAKEN, STASH_AWAY, Healer
from tests.provider.service import Service
from tests.provider.surveyed import AT_ONCE, library_with_our_agent, surveyed
from tests.waiting import until

LOCAL = "local://1"


@pytest.fixture
def section(plex):
    with library_with_our_agent(plex, "Movies", "/m") as key:
        yield key
        plex.agents_done()


def scenes(stash, count: int) -> list[int]:
    return [int(stash.add_scene(path=f"/m/{n}.mp4", title=f"T{n}")) for n in range(count)]


def items(plex, section, count: int, **values) -> list[str]:
    return [plex.add_item(section, file=f"/m/{n}.mp4", **values) for n in range(count)]


def guids(plex) -> list[str]:
    return [item["guid"] for item in plex.items().values()]


def puts(plex) -> int:
    return plex.count("PUT", "/match")


async def twice(one):
    return [(await one.survey.run()).compared for _ in range(2)]


def test_after_healing_nothing_is_left_to_heal(stash, plex, section):
    ids = scenes(stash, 40)
    items(plex, section, 40)
    plex._find("3").guid, plex._find("4").guid = guid(ids[7]), guid(9_999)
    first, second = surveyed(twice, stash, plex, heal=True)
    assert (first.found.count(gaps.UNMATCHED), first.healing.healed, first.healing.failed) == (40, 40, 0)
    assert (second.found.matched, second.found.reasons, second.healing) == (40, {}, None)
    assert guids(plex) == [guid(id) for id in ids]
    assert puts(plex) == 40


def test_nothing_is_healed_unless_that_is_wanted(stash, plex, section):
    scenes(stash, 2)
    items(plex, section, 2)
    _, second = surveyed(twice, stash, plex)
    assert (second.found.count(gaps.UNMATCHED), second.healing, puts(plex)) == (2, None, 0)


def test_what_others_matched_and_what_is_ambiguous_is_never_touched(stash, plex, section):
    ids = scenes(stash, 3)
    held = ["plex://movie/1", "imdb://tt2", "tv.plex.agents.custom.other://movie/3"]
    for number, one in enumerate(held):
        plex.add_item(section, file=f"/m/{number}.mp4", guid=one)
    stash.change(ids[0], title="T")
    stash.add_scene(path="/m/x1.mp4")
    stash.add_scene(path="/m/x2.mp4")
    plex.add_item(section, file="/m/x1.mp4", versions=[{"file": "/m/x2.mp4", "size": 1}], guid=LOCAL)
    before = guids(plex)
    first, _ = surveyed(twice, stash, plex, heal=True)
    assert (first.found.count(gaps.FOREIGN), first.found.count(gaps.AMBIGUOUS)) == (3, 1)
    assert (guids(plex), puts(plex)) == (before, 0)


def test_one_scene_in_two_libraries_is_left_to_people(stash, plex, section):
    scenes(stash, 1)
    items(plex, section, 1)
    items(plex, plex.add_section("More", ["/m"]), 1)
    first, _ = surveyed(twice, stash, plex, heal=True)
    assert first.found.reasons == {(gaps.AMBIGUOUS, gaps.SEVERAL_ITEMS): 2}
    assert puts(plex) == 0


def test_a_match_that_a_person_made_meanwhile_stays(stash, plex, section):
    ids = scenes(stash, 2)
    items(plex, section, 2)

    async def scene(one):
        sections = await one.library.sections()
        comparison, _ = await one.survey._compare(one.library, sections)
        plex._find("1").guid = "plex://movie/1"
        return await Healer(one.library, comparison, lambda: False, AT_ONCE).heal(sections)

    healing = surveyed(scene, stash, plex)
    assert (healing.healed, healing.failed) == (1, 0)
    assert guids(plex) == ["plex://movie/1", guid(ids[1])]


def test_an_item_that_plex_refuses_to_match_is_reported_and_the_others_are_healed(stash, plex, section):
    ids = scenes(stash, 4)
    keys = items(plex, section, 4)
    plex.faults.add("status", times=None, match=f"/metadata/{keys[1]}/match", status=400)
    first, second = surveyed(twice, stash, plex, heal=True)
    (failed,) = first.healing.examples
    assert (first.healing.healed, first.healing.failed, first.healing.stopped) == (3, 1, "")
    assert (failed.item, failed.scene, failed.title) == (keys[1], ids[1], "T1")
    assert "400" in failed.why
    assert second.found.count(gaps.UNMATCHED) == 1


def test_a_match_that_plex_accepts_and_does_not_show_has_failed(stash, plex, section):
    scenes(stash, 2)
    keys = items(plex, section, 2)
    plex.faults.add("empty", times=None, match=f"/metadata/{keys[0]}/match")
    first, _ = surveyed(twice, stash, plex, heal=True)
    assert (first.healing.healed, [failed.why for failed in first.healing.examples]) == (1, [NOT_TAKEN])


def test_after_some_failures_in_a_row_the_rest_waits_for_another_run(stash, plex, section):
    scenes(stash, 20)
    items(plex, section, 20)
    plex.faults.add("status", times=None, match="/match", status=500)

    async def scene(one):
        failed = await one.survey.run()
        plex.faults.clear()
        return failed, await one.survey.run()

    failed, healed = surveyed(scene, stash, plex, heal=True)
    assert puts(plex) == GIVE_UP + 20
    assert (failed.compared.healing.failed, failed.compared.healing.stopped) == (GIVE_UP, IN_A_ROW)
    assert "Healing stopped" in failed.failure.why
    assert failed.compared.found.count(gaps.UNMATCHED) == 20
    assert healed.compared.healing.healed == 20


def test_nothing_is_matched_while_stash_is_away(stash, plex, section):
    """Plex would ask for its metadata at once, and get none."""
    scenes(stash, 3)
    items(plex, section, 3)

    async def scene(one):
        sections = await one.library.sections()
        comparison, _ = await one.survey._compare(one.library, sections)
        comparison.finish()
        return await Healer(one.library, comparison, lambda: True, AT_ONCE).heal(sections)

    healing = surveyed(scene, stash, plex)
    assert (healing.stopped, healing.healed, puts(plex)) == (STASH_AWAY, 0, 0)


def test_a_plex_that_goes_away_in_the_middle_leaves_the_comparison_as_it_is(stash, plex, section):
    scenes(stash, 3)
    items(plex, section, 3)
    plex.faults.add("status", times=None, match="?skipRefresh=1")

    async def scene(one):
        return await one.survey.run()

    report = surveyed(scene, stash, plex, heal=True)
    assert report.compared.found.count(gaps.UNMATCHED) == 3
    assert report.compared.healing.healed == 0
    assert "Healing stopped" in report.failure.why


def test_a_library_that_has_another_agent_is_left_alone(stash, plex, section):
    ids = scenes(stash, 2)
    plex.add_item(section, file="/m/0.mp4")
    plex.add_item(plex.add_section("Others", ["/m"]), file="/m/1.mp4", guid=LOCAL)
    _, second = surveyed(twice, stash, plex, heal=True)
    assert guids(plex) == [guid(ids[0]), LOCAL]
    assert (second.found.matched, second.found.count(gaps.UNMATCHED)) == (1, 1)


def test_without_any_library_that_has_our_agent_the_report_says_so(stash, plex):
    scenes(stash, 1)
    items(plex, plex.add_section("Others", ["/m"]), 1)

    async def scene(one):
        return await one.survey.run()

    report = surveyed(scene, stash, plex, heal=True)
    assert (report.compared.healing.stopped, report.failure, puts(plex)) == (NO_AGENT, None, 0)


def run_over(service: Service) -> bool:
    told = service.ask("/gaps").json
    return not told["running"] and told["last_run"] is not None


def test_a_scan_during_an_outage_is_healed_and_plex_then_shows_what_stash_holds(tmp_path, stash, plex):
    ids = scenes(stash, 12)
    section = plex.add_section("Movies", ["/m"])
    with Service(tmp_path, stash, plex, heal="true", gaps_interval="manual", secret="a-secret-segment") as service:
        plex.choose_agent(section, plex.register(service.url))
        stash.stop()
        items(plex, section, 12)
        assert plex.agents_done()
        assert all(held.startswith("local://") for held in guids(plex))
        stash.start()
        until(lambda: service.match(filename="/nothing.mp4").status == 200, what="Stash to be asked again")
        shown = service.ask("/gaps/run", "POST", b"", Accept="text/html")
        until(lambda: run_over(service), what="the end of the run")
        assert plex.agents_done()
        first = service.ask("/gaps").json["last_run"]
        service.ask("/gaps/run", "POST")
        until(lambda: service.ask("/gaps").json["last_run"]["counts"]["matched"] == 12, what="the second run")
        second = service.ask("/gaps").json["last_run"]
    assert shown.body.startswith(b"<!doctype html>")
    assert shown.headers["content-security-policy"].startswith("default-src 'none'")
    assert (first["counts"]["unmatched"], first["healing"]["healed"]) == (12, 12)
    assert guids(plex) == [guid(id) for id in ids]
    assert [item["title"] for item in plex.items().values()] == [f"T{n}" for n in range(12)]
    assert (second["counts"]["unmatched"], second["healing"], puts(plex)) == (0, None, 12)
