"""Random edits in Stash, people at work in Plex, and everything that may go wrong: what the random tests play.

A play has four scenes and five rounds. In a round people edit in Stash and in Plex, then a worker runs, perhaps into a
fault or a kill. STASH2PLEX_SEED chooses other plays than the usual ones; with STASH2PLEX_SHRINK a play that fails is
made as small as can be, which takes minutes (give pytest ``--timeout=0``).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any
from unittest import mock

from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from reconcile.scan import ALL
from tests.doubles.plex_edits import seed as write
from tests.worker.expected import PLURALS, SCALARS, Expected, folds, look
from tests.worker.steps import Killed, Stage
from worker.reconciler import RECONCILED
from worker.sync import Sync

SEED = int(os.environ.get("STASH2PLEX_SEED", "20240229"))
PHASES = (Phase.generate, *((Phase.shrink,) if os.environ.get("STASH2PLEX_SHRINK") else ()))
PLAYS, SCENES, ROUNDS, EDITS = 50, 4, 5, 8
ASKED = 2_000

# fmt: off
NASTY = (
    "Comma, Inc.", "R&B", "a=b&c=d", 'The "Quoted"', "it's", "quoted", "QUOTED", "Straße", "STRASSE", "É", "E\u0301",
    "100%", "%2C", "a+b c", "#hash", "a;b", "genre[0].tag.tag", "back\\slash/", "<b>", "👩‍🚀 crew", "日本", "trailing,",
    "-", "null", "\u202eright to left", "zero\u200bwidth", "a\tb",
)
# fmt: on
TEXT = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=8)
LINE = st.sampled_from(NASTY) | st.sampled_from(("", *NASTY)) | TEXT.map(str.strip)
NAME = st.sampled_from(NASTY) | TEXT.map(str.strip).filter(bool)
NAMES = st.lists(NAME, max_size=4)
COVERS = tuple(b"\xff\xd8\xff\xe0" + name.encode() * 50 for name in "abc")
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": LINE,
    "details": LINE,
    "code": LINE,
    "director": LINE,
    "studio": st.none() | NAME,
    "performers": NAMES,
    "tags": NAMES,
    "date": st.sampled_from([None, "2024", "2024-02", "2024-02-29", "0000-00-00"]),
    "rating100": st.none() | st.integers(0, 101),
    "cover": st.sampled_from((None, *COVERS)),
    "organized": st.sampled_from([True, True, True, False]),
}
ONE_FIELD = st.one_of(*(st.tuples(st.just(name), values) for name, values in FIELDS.items()))
# One scene, or several at once.
WHICH = st.sampled_from([(0,), (1,), (2,), (3,), (0,), (1,), (0, 1), (1, 2, 3), (0, 1, 2, 3)])
EDIT = st.tuples(WHICH, st.lists(ONE_FIELD, min_size=1, max_size=4).map(dict))

LOCKABLE = (*SCALARS, *PLURALS)
PERSON = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(sorted(PLURALS)), NAME),
    st.tuples(st.just("take"), st.sampled_from(sorted(PLURALS)), st.integers(0, 3)),
    st.tuples(st.just("write"), st.sampled_from(SCALARS[:4]), LINE),
    st.tuples(st.just("lock"), st.sampled_from((*LOCKABLE, "thumb", "art")), st.just("")),
    st.tuples(st.just("unlock"), st.sampled_from(LOCKABLE), st.just("")),
    st.tuples(st.just("rate"), st.just("userRating"), st.sampled_from(["", "1", "7", "10"])),
    st.tuples(st.just("picture"), st.sampled_from(["posters", "arts"]), st.sampled_from(["own", "other"])),
)
PEOPLE = st.lists(st.tuples(st.integers(0, SCENES - 1), PERSON), max_size=3)

NO_FAULT: tuple[str, dict[str, Any]] = ("", {})
FAULTS = (
    ("drop_after", {"method": "PUT"}),
    ("drop_after", {"method": "PUT", "skip": 1}),
    ("drop_after", {"method": "POST"}),
    ("drop", {"method": "PUT"}),
    ("drop", {"method": "POST", "skip": 1}),
    ("reset", {"times": 2}),
    ("drop_body", {}),
    ("truncated", {}),
    ("truncated", {"method": "PUT"}),
    ("html", {}),
    ("status", {"status": 500}),
    ("status", {"status": 500, "method": "PUT", "skip": 1}),
    ("status", {"status": 400, "method": "PUT"}),
    ("status", {"status": 400, "method": "POST"}),
    ("status", {"status": 400, "method": "PUT", "match": "/:/rate"}),
    ("status", {"status": 404, "method": "PUT"}),
    ("status", {"status": 413, "method": "PUT"}),
    ("status", {"status": 418, "method": "PUT"}),
    ("maintenance", {"times": 3}),
    ("rate_limit", {"retry_after": 30}),
    ("status", {"status": 401}),
    ("status", {"status": 401, "method": "PUT"}),
)
ROUND = st.fixed_dictionaries(
    {
        "edits": st.lists(EDIT, min_size=EDITS, max_size=EDITS),
        "people": PEOPLE,
        "fault": st.just(NO_FAULT) | st.sampled_from(FAULTS),
        # How the worker runs: through, killed before it starts, or killed just before or after the n-th write.
        "death": st.sampled_from(["", "", "", "first", "before 0", "before 1", "after 0", "after 1", "after 2"]),
        "all": st.booleans(),
    }
)
START = st.lists(st.lists(PERSON, max_size=3), min_size=SCENES, max_size=SCENES)
PLAY = st.tuples(START, st.lists(ROUND, min_size=ROUNDS, max_size=ROUNDS))

Check = Callable[[dict[str, Any], dict[str, Any], Expected], None]


def play_all(stage: Stage, number: int, preserve: bool, check: Check) -> None:
    """Play them all on one stage, 2,000 edits at least. ``check`` sees each scene before and after a run.

    ``number`` tells the runs of one suite apart: each has its own plays.
    """
    counts: Counter[str] = Counter()

    @seed(SEED + number)
    @settings(max_examples=PLAYS, phases=PHASES)
    @given(PLAY)
    def play(script: Any) -> None:
        _Play(stage, preserve, check, counts).perform(*script)

    play()
    counts["writes"], counts["uploads"] = stage.puts(), stage.plex.uploads()["requests"]
    print(f"seed {SEED + number}: {dict(counts)}")
    assert counts["edits"] >= ASKED


class _Play:
    """Four scenes of their own on a stage that has seen other plays."""

    def __init__(self, stage: Stage, preserve: bool, check: Check, counts: Counter[str]) -> None:
        self._stage, self._check, self._counts = stage, check, counts
        stage.plex.faults.clear()
        stage.clock.now += 700  # what was listed of Plex before these items came is too old to count
        self._scenes = [stage.scene(organized=True) for _ in range(SCENES)]
        self._expected = {scene: Expected(look(stage, scene), preserve) for scene in self._scenes}

    def perform(self, start: Any, rounds: Any) -> None:
        """All rounds; after the last one everything is compared once more, without trouble."""
        for scene, acts in zip(self._scenes, start):
            for act in acts:
                self._person(scene, *act)
        for number, one in enumerate(rounds):
            self._round(number == len(rounds) - 1, **one)

    def _round(self, last: bool, edits: Any, people: Any, fault: Any, death: str, all: bool) -> None:
        self._stage.clock.now += 5
        for which, fields in edits:
            scenes = [self._scenes[number] for number in which]
            for scene in scenes:
                self._stage.stash.change(scene, **fields)
            self._counts.update({"edits": 1, "scenes saved": len(scenes)})
        for number, act in people:
            self._person(self._scenes[number], *act)
        touched = {self._scenes[number] for which, _ in edits for number in which}
        self._stage.mark(*sorted(touched))
        self._run(touched, all, fault, death)
        if last:
            self._run(set(), True, NO_FAULT, "")
        assert self._stage.plex.whole_section_edits() == []

    def _run(self, touched: set[int], all: bool, fault: Any, death: str) -> None:
        """Let a worker do what there is to do, and hold what Plex shows then against what it should."""
        stage, before = self._stage, {scene: look(self._stage, scene) for scene in self._scenes}
        stage.session.store.remember(RECONCILED, {ALL: stage.clock.now})  # nothing is compared that nobody asked for
        if all:
            stage.session.queue.put(self._scenes, "test", stage.clock.now, force=True)
        kind, options = fault
        if kind:
            stage.plex.faults.add(kind, **options)
        self._survive(death)
        stage.plex.faults.clear()
        assert stage.uncharged(*self._scenes)
        self._counts.update({"runs": 1, "faults": bool(kind), "kills": bool(death)})
        for scene in self._scenes:
            expected, shown = self._expected[scene], look(stage, scene)
            if all or scene in touched:
                expected.push(stage, scene, force=all)
            wrong = {name: (shown[name], value) for name, value in expected.shown.items() if shown[name] != value}
            assert not wrong, f"scene {scene} shows, and should show: {wrong}"
            self._check(before[scene], shown, expected)

    def _survive(self, death: str) -> None:
        if death == "first":
            self._stage.session.ingest.step(self._stage.clock.now)
            self._stage.reopen()
        elif death:
            when, number = death.split()
            with mock.patch.object(Sync, "apply", deadly(when, int(number))):
                try:
                    self._run_out()
                except Killed:
                    self._stage.reopen()
        self._run_out()

    def _run_out(self) -> None:
        """Until nothing waits for a later time either."""
        self._stage.run()
        while (due := self._stage.next_due_s()) is not None:
            self._stage.run_for(max(due, 0.0) + 1)
            self._stage.run()

    def _person(self, scene: int, act: str, field: str, value: Any) -> None:
        """Somebody edits an item in Plex, and what they see then is what we expect from here on."""
        plex, key, shown = self._stage.plex, self._stage.keys[scene], self._stage.item(scene)
        with plex._state.lock:
            item = plex._find(key)
            if act in ("add", "take"):
                self._retag(scene, item, act, field, value)
            elif act in ("lock", "unlock"):
                locks = {*shown["locks"], field} if act == "lock" else {*shown["locks"]} - {field}
                write(plex._state, item, {"locks": locks})
            elif act == "picture":
                plex.give_picture(key, field, f"{value} {scene}")
            else:
                write(plex._state, item, {field: value})
        self._expected[scene].shown = look(self._stage, scene)
        self._counts["by people"] += 1

    def _retag(self, scene: int, item: Any, act: str, kind: str, value: Any) -> None:
        tags, expected = list(self._stage.item(scene)[PLURALS[kind]]), self._expected[scene]
        if act == "add":
            expected.by_people.update((kind, name) for name in folds([value]) - folds(tags) - expected.ours[kind])
            tags.append(value)
        elif tags:
            gone = tags.pop(value % len(tags))
            expected.by_people -= {(kind, name) for name in folds([gone])}
        write(self._stage.plex._state, item, {PLURALS[kind]: tags})


def deadly(when: str, number: int) -> Any:
    """A `Sync.apply` in which the worker dies at its n-th call."""
    send, calls = Sync.apply, iter(range(1_000))

    def apply(sync: Sync, push: Any, force: bool) -> Any:
        if next(calls) != number:
            return send(sync, push, force)
        if when == "after":
            send(sync, push, force)
        raise Killed

    return apply
