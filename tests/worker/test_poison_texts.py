"""Whatever text Stash holds: nothing crashes or waits, nobody else is held up, and the same gives the same request."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import ROOT
from tests.validation.poison import POISON
from tests.worker.steps import FULL, Stage
from validation import text

MORE = {
    "twins": "é e\u0301 \u212b \u00c5 A\u030a",
    "isolates": "\u2066left\u2069 \u2067right\u2069 \u200f\u200e",
    "family": "👨‍👩‍👧‍👦🏿 ☝🏽 🇦🇶",
    "percent": "%00%zz%",
    "like an argument": "&id=&type=1&genre[].tag.tag-=x&title.locked=0",
}
TEXTS = {name: poison[:10_000] for name, poison in {**POISON, **MORE}.items()}
LISTS = ("performers", "tags")
LIMITS = {"title": 255, "tagline": 255, "studio": 255, "summary": 5_000}
# Other values that Stash may hold where it should not.
VALUES: dict[str, dict[str, Any]] = {
    "no date": {"date": "0000-00-00"},
    "a date of the future": {"date": "9999-12-31"},
    "a day that never was": {"date": "2023-02-30"},
    "a text for a date": {"date": "\u202e2024\x00"},
    "a rating beyond all": {"rating100": 2_147_483_647},
    "a rating below all": {"rating100": -2_147_483_648},
    "ten thousand tags": {"tags": [f"Tag {number:05} é,&" for number in range(10_000)]},
    "a thousand tags that are one": {"tags": ["tag" + " " * number for number in range(1_000)]},
    "a megabyte": {"details": "é\n" * 500_000, "title": "x" * 1_000_000},
    "a megabyte of nothing": {"details": "\u2028\n" * 500_000, "title": " " * 1_000_000},
    "long performers": {"performers": ["😀" * 300 + str(number) for number in range(30)]},
}
PATHS = (
    "/data/new\nline.mp4",
    "/data/nul\x00.mp4",
    "/data/bell\x07 \x1b[31m.mp4",
    "/data/lone\ud800.mp4",
    "/data/\u202ertl.mp4",
    "/data/%2e%2e&id=1,2.mp4",
    "/data/e\u0301.mp4",
    "/data/ .mp4",
    "/data/" + "x" * 4_000 + ".mp4",
    "C:\\data\\a:b?.mp4",
    "\\\\nas\\share\\a.mp4",
    "no folder.mp4",
    "/data/folder/",
    "/",
)


def fill(stage: Stage) -> tuple[list[int], list[int]]:
    """A library with each poison in every text of a scene, a good scene after each; the poisoned and the good."""
    poisoned, good = [], []
    for poison in TEXTS.values():
        texts = dict.fromkeys(("title", "details", "code", "director", "studio"), poison)
        poisoned.append(stage.scene(**texts, **{name: [poison, f"{poison} 2", "fine"] for name in LISTS}))
        good.append(stage.scene(**FULL))
    for values in VALUES.values():
        poisoned.append(stage.scene(**{**FULL, **values}))
        good.append(stage.scene(**FULL))
    return poisoned, good


def sent(stage: Stage) -> list[tuple[str, str, str]]:
    """Every request to Plex, as it was sent."""
    return [(request.method, request.path, request.query) for request in stage.plex.requests()]


def harmless(shown: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in shown)


def test_no_text_crashes_waits_or_holds_up_others(either: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    either.configure(sync_rating=True)
    poisoned, good = fill(either)
    assert either.settle(*poisoned, *good) < 10
    assert either.dead() == {} and either.next_due_s() is None and either.uncharged(*poisoned)
    assert either.differing(*good) == {}
    for scene in poisoned:
        item = either.item(scene)
        assert all(len(item[name]) <= limit and harmless(item[name]) for name, limit in LIMITS.items())
        tags = [*item["genres"], *item["actors"], *item["directors"], *item["collections"]]
        assert all(0 < len(tag) <= text.TAG_LENGTH and harmless(tag) for tag in tags)
        assert len(item["genres"]) <= either.session.settings.max_tags
    said = capfd.readouterr().err
    assert "met a fault" not in said and all(line.startswith("\x01") for line in said.splitlines())

    puts = either.puts()
    either.session.queue.put([*poisoned, *good], "test", either.clock.now, force=True)
    either.run()
    assert either.puts() == puts, "what Plex shows then is what is wanted"


def test_the_same_library_gives_the_same_requests(tmp_path: Path) -> None:
    runs = []
    for name in "ab":
        with Stage(str(tmp_path / name), sync_rating=True) as stage:
            scenes = fill(stage)
            stage.settle(*scenes[0], *scenes[1])
            runs.append(sent(stage))
    assert len(runs[0]) > 50 and runs[0] == runs[1]


SAME = """
import hashlib, sys
from plex import edits
from plex.model import PlexItem
from plex.projection import fingerprint, project
from tests.worker.test_poison_texts import TEXTS, VALUES
from validation.scene import parse
from validation.settings import Settings

chosen, digest = Settings(sync_rating=True, max_tags=50), hashlib.sha1()
lists = {"actor": ("Own",), "genre": ("One", "Two", "Three"), "director": (), "collection": ("a", "b")}
item = PlexItem("1", "1", "t", (), 0, "", dict.fromkeys(
    ("title", "studio", "summary", "tagline", "originallyAvailableAt"), ""), lists, frozenset())
for poison in TEXTS.values():
    texts = dict.fromkeys(("title", "details", "code", "director", "studio"), poison)
    scene = parse({"id": 1, "performers": [poison, "b", "a"], "tags": [poison, *"zyxwv"], **texts})
    wanted = project(scene, chosen)
    edit = edits.diff(wanted, item, frozenset({("collection", "a"), ("collection", "b")}), False)
    digest.update((edits.encode(edit) + fingerprint(scene, wanted, chosen.shape)).encode())
tags = project(parse({"id": 1, **VALUES["ten thousand tags"]}), chosen).lists["genre"]
digest.update(repr(tags).encode())
print(digest.hexdigest())
"""


def test_the_same_scene_gives_the_same_request_in_every_process() -> None:
    """Whatever the order of sets is in it."""
    found = set()
    for number in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": number, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            [sys.executable, "-c", SAME], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
        )
        assert run.returncode == 0, run.stderr
        found.add(run.stdout)
    assert len(found) == 1


def test_no_path_crashes_or_holds_up_others(stage: Stage, capfd: pytest.CaptureFixture[str]) -> None:
    poisoned = [int(stage.stash.add_scene(path=path, size=7, **FULL)) for path in PATHS]
    shown = [stage.give_plex(scene, file=path, size=8) for scene, path in zip(poisoned[:1], PATHS)]
    good = stage.scenes(3, **FULL)
    assert stage.settle(*poisoned, *good) < 10
    assert stage.differing(*good) == {} and stage.session.state == ""
    assert stage.plex.item(shown[0])["title"] == "A title", "a line break belongs to the name"
    assert {*stage.session.store.waits(poisoned)} | {*stage.dead()} | {poisoned[0]} == {*poisoned}
    stage.run_for(3 * 3_600)
    assert {*stage.dead()} == {*poisoned[1:]} and stage.session.state == ""
    said = capfd.readouterr().err
    assert "met a fault" not in said and all(line.startswith("\x01") for line in said.splitlines())


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_file_is_found_in_either_form_of_its_name(stage: Stage, form: str) -> None:
    other = {"NFC": "NFD", "NFD": "NFC"}[form]
    name = "/media/Čeněk Å\u0301 ﬁ.mp4"
    scene = int(stage.stash.add_scene(path=unicodedata.normalize(form, name), size=7, **FULL))
    stage.give_plex(scene, file=unicodedata.normalize(other, name), size=8)
    stage.settle(scene)
    assert stage.differing() == {}


ANY = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, categories=None), max_size=12)
NAMES = st.lists(ANY, max_size=4)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("title", "details", "code", "director", "studio"), ANY),
    **dict.fromkeys(LISTS, NAMES),
    "date": st.none() | ANY,
    "rating100": st.none() | st.integers(-(1 << 31), (1 << 31) - 1),
}


@settings(max_examples=8, phases=[Phase.generate])
@given(st.lists(st.fixed_dictionaries(FIELDS), min_size=25, max_size=25))
def test_any_scenes_arrive_and_a_second_look_finds_nothing(stage: Stage, rows: list[dict[str, Any]]) -> None:
    stage.clock.now += 4_000  # what was listed of Plex before these items came is too old to count
    scenes = [stage.scene(**row) for row in rows]
    stage.settle(*scenes)
    assert stage.dead() == {} and stage.uncharged(*scenes) and stage.next_due_s() is None
    puts = stage.puts()
    stage.session.queue.put(scenes, "test", stage.clock.now, force=True)
    stage.run()
    assert stage.puts() == puts
