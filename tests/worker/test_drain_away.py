"""Plex or Stash away, busy or refusing us: nothing is held against any scene, and all of them arrive after."""

from __future__ import annotations

import email.utils
import time
from typing import Any

import pytest

from tests.canaries import PLEX_TOKEN, secret
from tests.worker.steps import Stage

# Name: the fault of the Plex double, None for a port that nobody listens on.
AWAY: dict[str, dict[str, Any] | None] = {
    "connection refused": None,
    "connection dropped": {"kind": "drop"},
    "connection reset": {"kind": "reset"},
    "no answer in time": {"kind": "hang", "seconds": 30},
    "HTTP 500": {"kind": "status", "status": 500},
    "HTTP 502": {"kind": "status", "status": 502},
    "HTTP 504": {"kind": "status", "status": 504},
    "HTTP 520": {"kind": "status", "status": 520},
    "HTTP 302 elsewhere": {"kind": "redirect"},
    "a login page with status 200": {"kind": "html"},
    "JSON in place of XML": {"kind": "json"},
    "another document": {"kind": "other_root"},
    "an empty answer": {"kind": "empty"},
    "a document cut off": {"kind": "truncated", "applied": False},
    "a body cut off": {"kind": "drop_body", "applied": False},
}
MINUTE_S = 60.0


def _answers_within(stage: Stage, seconds: float) -> None:
    """Waiting for an answer is the one thing here that takes real time: only while none will come it is cut short."""
    if stage.session.drain:
        stage.session.tools.plex._session._transport.timeouts = (5.0, seconds)


def _errors(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capfd.readouterr().err.splitlines() if line.startswith("\x01e\x02")]


def _break(stage: Stage, fault: dict[str, Any] | None) -> None:
    if fault is None:
        stage.plex.down()
    else:
        stage.plex.faults.add(times=None, **fault)
    if fault and fault["kind"] == "hang":
        stage.step()
        _answers_within(stage, 0.05)


def _mend(stage: Stage) -> None:
    _answers_within(stage, 30.0)
    stage.plex.faults.clear()
    stage.plex.up()


@pytest.mark.parametrize("fault", AWAY.values(), ids=AWAY)
@pytest.mark.parametrize("synced", [False, True], ids=["new", "known"])
def test_a_plex_that_is_away_costs_a_scene_nothing(stage: Stage, fault: dict[str, Any] | None, synced: bool) -> None:
    scenes = stage.scenes(3)
    if synced:
        stage.settle(*scenes)
    _break(stage, fault)
    stage.save(*scenes, title="Edited")
    stage.run_for(5 * MINUTE_S)
    assert stage.uncharged(*scenes)
    assert [stage.item(scene)["title"] == "Edited" for scene in scenes] == [False] * 3
    assert stage.session.state.startswith("Plex is away")

    _mend(stage)
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {} and stage.uncharged(*scenes)
    assert [outage["ended"] is not None for outage in stage.session.store.outages()] == [True]


def test_a_plex_whose_name_is_unknown_costs_a_scene_nothing(stage: Stage) -> None:
    scene = stage.scene()
    stage.configure(plex_url="http://plex.invalid:32400")
    stage.mark(scene)
    stage.run_for(10 * MINUTE_S)
    assert stage.uncharged(scene) and stage.session.state.startswith("Plex is away")

    stage.configure(plex_url=stage.plex.url)
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {} and stage.uncharged(scene)


@pytest.mark.parametrize("fault", ["drop_after", "drop_body", "reset", "drop"])
def test_a_write_of_which_only_the_answer_is_lost_is_harmless_when_repeated(either: Stage, fault: str) -> None:
    scene = either.scene(performers=["Ann"], tags=["A"])
    either.settle(scene)
    either.plex.faults.add(fault, method="PUT")
    either.save(scene, performers=["Bea"], tags=["B"], title="Edited")
    either.run()
    assert either.differing() == {} and either.uncharged(scene)


RETRY_AFTER = {
    "seconds": ("120", 120, 120),
    "nothing": (None, 30, 30),
    "nonsense": ("soon", 30, 30),
    "far too long": ("1000000000", 900, 900),
    "negative": ("-5", 5, 5),
    "zero": ("0", 5, 5),
    "a date in five minutes": (300.0, 100, 300),
    "a date in an hour": (3_600.0, 900, 900),
    "a date that is past": (-3_600.0, 5, 5),
}


@pytest.mark.parametrize(("asked", "least_s", "most_s"), RETRY_AFTER.values(), ids=RETRY_AFTER)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_plex_is_left_alone_for_as_long_as_it_asks_within_reason(
    stage: Stage, status: int, asked: str | float | None, least_s: float, most_s: float
) -> None:
    value = email.utils.formatdate(time.time() + asked, usegmt=True) if isinstance(asked, float) else asked
    scene = stage.scene()
    stage.plex.faults.add("status", status=status, **({} if value is None else {"retry_after": value}))
    stage.mark(scene)
    pause = stage.run_until(lambda step: step.rest_s > 0, within_s=1).rest_s
    assert least_s <= pause <= most_s and stage.uncharged(scene)

    before = stage.plex.count()
    stage.run_for(pause - 1)
    assert stage.plex.count() == before
    stage.run_for(2)
    assert stage.differing() == {} and stage.uncharged(scene)
    assert stage.session.store.outages() == [] and stage.session.state == ""


def test_a_plex_that_takes_long_to_start_up_costs_a_scene_nothing(stage: Stage) -> None:
    scenes = stage.scenes(3)
    stage.plex.maintenance = True
    stage.mark(*scenes)
    stage.run_for(20 * MINUTE_S)
    assert stage.uncharged(*scenes)
    assert stage.plex.count() <= 20 * MINUTE_S / 30 + 1

    stage.plex.maintenance = False
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {}


@pytest.mark.parametrize("cured_by", ["a new token", "the old token working again"])
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_token_pauses_all_with_one_error_and_no_dead_letter(
    stage: Stage, capfd: pytest.CaptureFixture[str], status: int, cured_by: str
) -> None:
    scenes = stage.scenes(60)
    _refuse(stage, status)
    stage.mark(*scenes)
    stage.run_for(20 * MINUTE_S)
    assert stage.uncharged(*scenes) and stage.puts() == 0
    errors = _errors(capfd)
    assert len(errors) == 1 and "token" in errors[0]

    if cured_by == "a new token":
        stage.plex.faults.clear()
        stage.plex.token = secret("fresh")
        stage.configure(plex_token=secret("fresh"))
    else:
        stage.plex.faults.clear()
        stage.plex.token = PLEX_TOKEN
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {} and _errors(capfd) == []


def _refuse(stage: Stage, status: int) -> None:
    if status == 401:
        stage.plex.token = secret("another")
    else:
        stage.plex.faults.add("status", times=None, status=403)


def test_a_token_that_may_read_but_not_write_pauses_all(stage: Stage) -> None:
    scenes = stage.scenes(3)
    stage.configure(plex_token=stage.plex.guest_token)
    stage.mark(*scenes)
    stage.run_for(10 * MINUTE_S)
    assert stage.uncharged(*scenes) and "token" in stage.session.state

    stage.configure(plex_token=stage.plex.token)
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {}


def test_a_library_name_that_plex_lacks_pauses_all_and_names_the_libraries(stage: Stage) -> None:
    stage.plex.add_section("Concerts", ["/concerts"])
    scene = stage.scene()
    stage.configure(plex_library="Films")
    stage.mark(scene)
    stage.run_for(10 * MINUTE_S)
    assert stage.uncharged(scene) and stage.puts() == 0
    assert "Movies" in stage.session.state and "Concerts" in stage.session.state

    stage.configure(plex_library="movies")
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {}


@pytest.mark.parametrize("failure", [503, 200, "drop"])
def test_a_stash_that_does_not_answer_costs_a_scene_nothing(stage: Stage, failure: int | str) -> None:
    scene = stage.scene()
    stage.run()
    if failure == "drop":
        stage.stash.faults.drop(times=5)
    else:
        stage.stash.faults.status(int(failure), times=5)
    stage.save(scene, title="Edited")
    stage.run(within_s=10 * MINUTE_S)
    assert stage.differing() == {} and stage.uncharged(scene)
    assert stage.session.store.outages() == []


def test_a_stash_that_is_gone_while_scenes_are_queued_costs_them_nothing(stage: Stage) -> None:
    scenes = stage.scenes(3)
    stage.run()
    stage.mark(*scenes)
    stage.stash.kill()
    stage.run_for(10)
    assert stage.uncharged(*scenes) and stage.session.state.startswith("Stash does not answer")

    stage.stash.start()
    stage.run(within_s=2 * MINUTE_S)
    assert stage.differing() == {} and stage.session.state == ""
