"""The watch against everything that Stash, the hooks and a kill can do between two of its steps: no save is lost.

A small Stash of rows stands on the other side, and `Rings` decides about each save as launcher.js does.
"""

from __future__ import annotations

import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconcile.sweep import sweep
from reconcile.watch import SETTLED_S, Watch
from validation.errors import Kind, Trouble
from validation.scene import Scene

NOW = 1_700_000_000.0
TURNED_BACK = datetime.datetime(2026, 10, 25, 1, 0, tzinfo=datetime.timezone.utc).timestamp()


def utc(at):
    return datetime.timezone.utc


def turning_back(at):
    """The zone of a place whose clocks go from 3 back to 2 at that time: later dates are smaller as text."""
    return datetime.timezone(datetime.timedelta(hours=2 if at < TURNED_BACK else 1))


def stamp(at, zone=utc):
    return datetime.datetime.fromtimestamp(int(at), zone(at)).isoformat().replace("+00:00", "Z")


class Stash:
    """Scenes with a date and a content; ``meanwhile`` holds what others do before and after each answer."""

    def __init__(self, rings, zone):
        self.rows, self.rings, self.zone, self.meanwhile, self.away = {}, rings, zone, [], False

    def changed(self, after, size):
        self._happen()
        rows = sorted((since, id) for id, (since, _) in self.rows.items() if since > after)
        self._happen()
        return [(id, since) for since, id in rows[:size]]

    def newest(self):
        return max((since for since, _ in self.rows.values()), default="")

    def scenes(self, ids):
        found = {id: Scene(id=id, title=str(self.rows[id][1])) for id in ids}
        self._happen()
        return found

    def _happen(self):
        if self.away:
            _away()
        save = self.meanwhile.pop(0) if self.meanwhile else None
        if save:
            self.rings.save(*save)


class Rings:
    """One installation: a Stash, a worker with a queue, and what was read last of each scene before it was sent."""

    def __init__(self, start, zone):
        self.now, self.stash = start, Stash(self, zone)
        self.queued, self.sent, self.cursor = {}, {}, ""
        self.marks = self.let_go = 0
        for id in range(1, 5):
            self.stash.rows[id] = (stamp(start - 100 - id, zone), 0)
            self.sent[id] = "0"
        self.start()

    def start(self):
        """A worker begins: it sweeps once, and watches from there."""
        self.announced = None
        self.cursor = sweep(self.stash, self.cursor, self.put, self.now)
        self.announce(self.cursor)
        self.watch = Watch(self.stash, self.cursor, self.put, self.announce)

    def announce(self, since):
        self.announced = since
        self.stash._happen()

    def put(self, ids):
        self.queued.update(dict.fromkeys(ids))

    def save(self, id, lag_s):
        """Commit a change whose date was taken some time ago; then its hook runs."""
        since = stamp(self.now - lag_s, self.stash.zone)
        self.stash.rows[id] = (since, self.stash.rows[id][1] + 1)
        if self.announced is not None and since > self.announced:
            self.let_go += 1
        else:
            self.marks += 1
            self.put([id])

    def look(self):
        self.watch.look(self.now, self.queued)
        self.go_on()

    def go_on(self):
        self.watch.go_on(self.now, self.queued)
        self.cursor = self.watch.cursor

    def drain(self):
        ids, self.queued = list(self.queued), {}
        if ids:
            found = self.stash.scenes(ids)
            self.watch.read(ids, found, self.now)
            self.sent.update((id, scene.title) for id, scene in found.items())

    def kill(self):
        self.start()

    def settle(self):
        """Nobody saves any more, and the worker goes on for some minutes."""
        self.stash.meanwhile = []
        for _ in range(4):
            self.now += SETTLED_S
            self.look()
            self.go_on()
            self.drain()

    def lost(self):
        return {id for id, (_, content) in self.stash.rows.items() if self.sent[id] != str(content)}


saves = st.tuples(st.integers(1, 4), st.sampled_from([0, 0, 0, 1, 2, 5, 40]))
acts = st.one_of(
    st.tuples(st.just("save"), saves),
    st.tuples(st.just("meanwhile"), st.one_of(st.none(), saves)),
    st.tuples(st.just("wait"), st.sampled_from([0.2, 0.7, 1.0, 3.5, 29.0, 31.0, 1800.0])),
    st.tuples(st.sampled_from(["look", "look", "go_on", "drain", "drain", "kill"])),
)


@settings(max_examples=400, deadline=None)
@example([("save", (1, 0)), ("look",), ("drain",), ("save", (1, 0))], NOW, utc)
@example(
    [("save", (1, 0)), ("look",), ("drain",), ("wait", 31.0), ("meanwhile", (2, 40)), ("look",), ("drain",)],
    NOW, utc,
)  # fmt: skip
@example(
    [("save", (1, 0)), ("look",), ("drain",), ("wait", 31.0), *[("meanwhile", None)] * 3, ("meanwhile", (2, 32)),
     ("look",)],
    NOW, utc,
)  # fmt: skip
@example(
    [("save", (3, 0)), ("wait", 58.0), ("look",), ("drain",), ("save", (3, 40)), ("look",)], NOW, utc
)  # a clock that stands still for a moment, as that of Windows does
@given(st.lists(acts, max_size=40), st.sampled_from([NOW, TURNED_BACK - 60, TURNED_BACK - 1800]),
       st.sampled_from([utc, turning_back]))  # fmt: skip
def test_what_was_let_go_is_read_again_whatever_happens_in_which_order(done, start, zone):
    rings = Rings(start, zone)
    for act, *args in done:
        if act == "save":
            rings.save(*args[0])
        elif act == "meanwhile":
            rings.stash.meanwhile.append(args[0])
        elif act == "wait":
            rings.now += args[0]
        else:
            getattr(rings, act)()
    rings.settle()
    assert rings.lost() == set()
    assert rings.queued == {}


@pytest.fixture
def rings():
    return Rings(NOW, utc)


def test_a_save_is_let_go_and_queued_at_the_next_look(rings):
    rings.save(1, 0)
    assert (rings.let_go, rings.marks, list(rings.queued)) == (1, 0, [])
    rings.now += 1
    rings.look()
    assert list(rings.queued) == [1]


def test_a_save_whose_commit_took_so_long_that_its_date_was_passed_puts_a_mark(rings):
    rings.save(1, 0)
    rings.look()
    rings.drain()
    rings.now += SETTLED_S + 1
    rings.look()
    rings.save(2, SETTLED_S + 1)
    assert (rings.let_go, rings.marks) == (1, 1)


def test_a_scene_that_is_queued_once_is_not_queued_at_every_look(rings):
    rings.save(1, 0)
    rings.now += 1.1
    rings.look()
    rings.drain()
    for _ in range(100):
        rings.now += 1
        rings.look()
        assert rings.queued == {}


def test_what_is_saved_again_within_the_same_second_is_found_when_that_is_over(rings):
    rings.save(1, 0)
    rings.now += 0.3
    rings.look()
    rings.drain()
    rings.save(1, 0)
    rings.now += 1
    rings.look()
    assert list(rings.queued) == [1]


def test_two_saves_in_one_second_are_both_found_soon_however_seldom_is_looked(rings):
    rings.save(1, 0)
    rings.look()
    rings.drain()
    rings.save(2, 0)
    rings.now += 10
    rings.look()
    assert list(rings.queued) == [2]


def test_a_save_in_the_second_in_which_its_scene_was_read_is_found_by_the_next_look(rings):
    rings.put([1])
    rings.drain()
    rings.save(1, 0)
    rings.now += 0.4
    rings.look()
    assert list(rings.queued) == [1]


def test_what_was_read_for_a_mark_is_not_queued_again_because_of_its_date(rings):
    rings.save(1, 0)
    rings.put([1])
    rings.drain()
    rings.now += 0.4
    for _ in range(5):
        rings.look()
        assert rings.queued == {}
        rings.now += 1


def test_what_was_queued_and_settled_without_being_read_is_not_queued_again(rings):
    """The worker gives up a scene unread when it was killed by it three times."""
    rings.save(1, 0)
    rings.now += 1.1
    rings.look()
    rings.queued.clear()
    for _ in range(40):
        rings.now += 1
        rings.look()
        assert rings.queued == {}


def test_what_the_first_sweep_found_is_not_queued_by_the_first_look(rings):
    rings.save(1, 2)
    rings.queued.clear()
    rings.kill()
    rings.drain()
    rings.look()
    assert rings.queued == {}


def test_while_stash_is_away_nothing_is_taken_for_confirmed(rings):
    rings.save(1, 0)
    rings.look()
    rings.drain()
    rings.save(1, 0)
    rings.now += SETTLED_S
    rings.watch.look(rings.now, rings.queued)
    rings.drain()
    before, rings.stash.away = rings.cursor, True
    for _ in range(2):
        with pytest.raises(Trouble):
            rings.go_on()
    rings.stash.away = False
    assert rings.watch.cursor == before
    rings.settle()
    assert rings.lost() == set()


def test_a_confirmation_that_stash_does_not_answer_confirms_nothing(rings):
    rings.save(1, 0)
    rings.look()
    rings.drain()
    rings.now += SETTLED_S
    answer, rings.stash.changed = rings.stash.changed, lambda after, size: _away() if after == rings.cursor else []
    with pytest.raises(Trouble):
        rings.watch.look(rings.now, rings.queued)
    rings.go_on()
    assert rings.cursor < stamp(NOW)
    rings.stash.changed = answer
    rings.settle()
    assert rings.cursor == stamp(NOW)


def _away():
    raise Trouble(Kind.STASH_AWAY, "away")


def test_ten_thousand_scenes_of_one_bulk_edit_are_let_go_and_read_once_more_only_where_they_were_read_before(rings):
    for id in range(1, 10_001):
        rings.stash.rows[id] = (stamp(rings.now - 200), 0)
        rings.sent[id] = "0"
    rings.kill()
    for id in range(1, 10_001):
        rings.save(id, 0)
    assert (rings.let_go, rings.marks) == (10_000, 0)
    rings.now += 1.2
    rings.look()
    assert len(rings.queued) == 10_000
    rings.settle()
    assert rings.lost() == set()


def test_while_saves_go_on_for_ever_the_cursor_follows_and_little_is_kept_in_mind(rings):
    for id in range(1, 1_001):
        rings.stash.rows[id] = (stamp(rings.now - 200), 0)
        rings.sent[id] = "0"
    rings.kill()
    for id in range(1, 1_001):
        rings.now += 1
        rings.save(id, 0)
        rings.look()
        rings.drain()
        assert len(rings.watch._noted) <= 2 * SETTLED_S + 2
    assert rings.cursor >= stamp(rings.now - 2 * SETTLED_S - 2)
    assert rings.marks == 0
    rings.settle()
    assert rings.lost() == set()


def test_after_a_confirmation_the_cursor_stands_at_the_newest_date(rings):
    rings.save(1, 0)
    at = stamp(rings.now)
    rings.settle()
    assert (rings.cursor, rings.announced) == (at, at)
