"""The cursor look: every changed scene is handed over before the cursor passes it."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconcile.sweep import PAGE_SCENES, SETTLING_S, sweep
from stash.client import StashClient
from tests.doubles.stash_server import StashDouble

NOW = 1_700_000_000.0


def stamp(seconds, offset_h=0):
    zone = datetime.timezone(datetime.timedelta(hours=offset_h))
    return datetime.datetime.fromtimestamp(seconds, zone).isoformat().replace("+00:00", "Z")


class Scenes:
    """Scenes with their stamps, asked as Stash is asked. ``sizes`` are the page sizes that were asked for."""

    def __init__(self, *seconds, offset_h=0):
        self.rows = [(id, stamp(at, offset_h)) for id, at in enumerate(seconds, 1)]
        self.sizes = []

    def changed(self, after, size):
        self.sizes.append(size)
        assert len(self.sizes) < 100, "it would never end"
        later = sorted((at, id) for id, at in self.rows if at > after)
        return [(id, at) for at, id in later[:size]]

    def newest(self):
        return max((at for _, at in self.rows), default="")


def swept(scenes, cursor, now=NOW):
    found = []
    moved = sweep(scenes, cursor, found.extend, now)
    return found, moved


def test_without_a_cursor_it_starts_at_the_newest_scene_and_hands_over_nothing():
    assert swept(Scenes(NOW - 50, NOW - 20), "") == ([], stamp(NOW - 20))


def test_in_an_empty_library_it_starts_at_now():
    assert swept(Scenes(), "") == ([], stamp(NOW - SETTLING_S))


def test_what_changed_after_the_cursor_is_handed_over_and_the_cursor_moves_to_it():
    scenes = Scenes(NOW - 50, NOW - 40, NOW - 30)
    assert swept(scenes, stamp(NOW - 45)) == ([2, 3], stamp(NOW - 30))
    assert swept(scenes, stamp(NOW - 30)) == ([], stamp(NOW - 30))


@pytest.mark.parametrize("age_s", [0, 1])
def test_a_scene_of_this_moment_is_handed_over_again_next_time(age_s):
    scenes = Scenes(NOW - 30, NOW - age_s)
    found, moved = swept(scenes, stamp(NOW - 40))
    assert (found, moved) == ([1, 2], stamp(NOW - 30))
    assert swept(scenes, moved, NOW + 60) == ([2], stamp(NOW - age_s))


def test_the_cursor_stays_when_handing_over_fails():
    def full(scenes):
        raise OSError("disk full")

    with pytest.raises(OSError):
        sweep(Scenes(NOW - 30), stamp(NOW - 40), full, NOW)


@pytest.mark.parametrize("count", [PAGE_SCENES - 1, PAGE_SCENES, PAGE_SCENES + 1, 3 * PAGE_SCENES + 7])
def test_several_pages_are_all_handed_over(count):
    scenes = Scenes(*[NOW - 5_000 + number for number in range(count)])
    found, moved = swept(scenes, stamp(NOW - 6_000))
    assert set(found) == set(range(1, count + 1)) and moved == stamp(NOW - 5_000 + count - 1)


@pytest.mark.parametrize("count", [PAGE_SCENES, PAGE_SCENES + 1, 5 * PAGE_SCENES])
def test_a_bulk_edit_with_one_stamp_for_thousands_is_got_past(count):
    scenes = Scenes(NOW - 70, *[NOW - 60] * count, NOW - 50)
    found, moved = swept(scenes, stamp(NOW - 80))
    assert set(found) == set(range(1, count + 3)) and moved == stamp(NOW - 50)


def test_after_the_clock_was_set_back_changes_are_found_again():
    scenes = Scenes(NOW - 1)
    cursor = stamp(NOW + 3600)
    found, moved = swept(scenes, cursor)
    assert found == [1] and moved < cursor


def test_the_cursor_stays_in_stash_s_own_offset():
    scenes = Scenes(NOW - 50, NOW - 30, offset_h=2)
    assert swept(scenes, stamp(NOW - 40, 2)) == ([2], stamp(NOW - 30, 2))
    assert swept(scenes, stamp(NOW + 60, 2))[1].endswith("+02:00")


@pytest.mark.parametrize("cursor", ["nonsense", "2024", "\ud800"])
def test_a_cursor_that_cannot_be_read_is_no_reason_to_stop(cursor):
    found, moved = swept(Scenes(NOW - 30), cursor)
    assert isinstance(moved, str) and (found == [1] or "2" < cursor)


def test_a_stamp_that_cannot_be_read_does_not_hold_up_the_others():
    scenes = Scenes(NOW - 30)
    scenes.rows.append((2, "9999-nonsense"))
    assert set(swept(scenes, stamp(NOW - 40))[0]) == {1, 2}


@given(st.lists(st.integers(-30, 5), max_size=30), st.integers(-35, 10), st.lists(st.integers(-5, 20), max_size=10))
def test_no_change_is_ever_missed_whatever_happens_between_two_looks(ages, cursor_age, later_ages):
    """What is under the cursor was handed over; what changes after the first look is found by the second."""
    scenes = Scenes(*[NOW + age for age in ages if age <= 0])
    cursor = stamp(NOW + min(cursor_age, 0))
    found, moved = swept(scenes, cursor)
    assert moved >= cursor and moved <= max(cursor, stamp(NOW - SETTLING_S))
    assert {id for id, at in scenes.rows if at > cursor} == set(found)
    fresh = [(100 + number, stamp(NOW + max(0, age))) for number, age in enumerate(later_ages)]
    scenes.rows += fresh
    assert {id for id, _ in fresh} <= set(swept(scenes, moved, NOW + 60)[0]) or cursor > stamp(NOW - 1)


def test_on_a_stash_the_changed_scenes_are_found(tmp_path):
    clock = [NOW]
    with StashDouble(clock=lambda: clock[0], config_dir=str(tmp_path / "stash")) as stash:
        ids = [stash.add_scene(path=f"/data/{n}.mp4") for n in range(3)]
        client = StashClient(stash.url)
        clock[0] += 100
        _, cursor = swept(client, "", clock[0])
        clock[0] += 100
        stash.change(ids[1], title="new")
        clock[0] += 100
        assert swept(client, cursor, clock[0])[0] == [int(ids[1])]
        _, cursor = swept(client, cursor, clock[0])
        assert swept(client, cursor, clock[0]) == ([], cursor)
        client.s.close()
