"""Every setting that decides what is sent and to which item: real processes, two values, two end states.

All tests share one living worker that notices each change by itself. Nobody clicks anything: so each test also shows
that scenes which were synced before are synced anew.
"""

from __future__ import annotations

import contextlib

import pytest

from tests.processes.conftest import opened
from tests.processes.living import Living, quick_plugin
from tests.waiting import until
from validation.settings import SWITCHES

# Setting -> what of an item it changes.
FIELDS = {
    "sync_title": {"title"},
    "sync_studio": {"studio"},
    "sync_collection": {"collections"},
    "sync_summary": {"summary"},
    "sync_tagline": {"tagline"},
    "sync_date": {"originallyAvailableAt", "year"},
    "sync_performers": {"actors", "roles"},
    "sync_tags": {"genres"},
    "sync_director": {"directors"},
    "sync_rating": {"userRating"},
    "sync_poster": {"posters", "thumb"},
    "sync_background": {"arts", "art"},
}
ALL_OFF = dict.fromkeys(FIELDS, False)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The world of this module."""
    folder = tmp_path_factory.mktemp("living")
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STASH_PLUGIN_DATA", str(folder / "data"))
        yield Living(opened(stack, folder, quick_plugin(folder / "plugins", sync_queue__marks="QUIET_S = 0.0")))


@pytest.fixture
def living(shared, monkeypatch):
    """The same for one test; hooks that the test sets off find the data folder of this world."""
    monkeypatch.setenv("STASH_PLUGIN_DATA", shared.world.data)
    return shared


def proven(names):
    return [pytest.param(name, marks=pytest.mark.proves(f"setting:{name}")) for name in names]


def test_every_field_has_a_switch_here():
    assert set(FIELDS) == {name for name in SWITCHES if name.startswith("sync_")} - {"sync_master"}


@pytest.mark.parametrize("switch", proven(FIELDS))
def test_a_field_is_sent_when_its_switch_is_turned_on_and_no_other_field(living, switch):
    scene, key = living.scene()
    assert living.judge(scene, **ALL_OFF, lock_fields=False) == ["unchanged"]
    before = living.plex.item(key)
    assert living.judge(scene, **{**ALL_OFF, switch: True}, lock_fields=False) == ["synced"]
    after = living.plex.item(key)
    changed = {name for name in after if after[name] != before[name]} - {"updatedAt"}
    assert changed and changed <= FIELDS[switch]


@pytest.mark.proves("setting:sync_master")
def test_nothing_is_sent_while_the_master_switch_is_off(living):
    scene, key = living.scene()
    before = living.plex.item(key)
    assert living.judge(scene, sync_master=False) == ["skipped"]
    assert living.plex.item(key) == before
    assert living.judge(scene, sync_master=True) == ["synced"]
    assert living.plex.item(key)["summary"] == "Details"


@pytest.mark.proves("setting:organized_only")
def test_only_organized_scenes_are_sent_when_so_set(living):
    (plain, plain_key), (organized, organized_key) = living.scene(), living.scene(organized=True)
    assert living.judge(plain, organized, organized_only=True) == ["skipped", "synced"]
    assert [living.plex.item(key)["summary"] for key in (plain_key, organized_key)] == ["", "Details"]
    assert living.judge(plain, organized_only=False) == ["synced"]
    assert living.plex.item(plain_key)["summary"] == "Details"


@pytest.mark.proves("setting:max_tags")
def test_no_more_tags_are_sent_than_are_allowed(living):
    tags = [f"Tag {number:02}" for number in range(12)]
    scene, key = living.scene(tags=tags)
    for most in (10, 11, 500):
        assert living.judge(scene, max_tags=most) == ["synced"]
        assert living.plex.item(key)["genres"] == tags[:most]


@pytest.mark.proves("setting:tag_exclude")
def test_excluded_tags_are_not_sent_and_taken_away(living):
    scene, key = living.scene(tags=["Blue", "Private", "To do"])
    living.judge(scene, tag_exclude="")
    assert living.plex.item(key)["genres"] == ["Blue", "Private", "To do"]
    living.judge(scene, tag_exclude="private, TO DO")
    assert living.plex.item(key)["genres"] == ["Blue"]


@pytest.mark.proves("setting:lock_fields")
def test_fields_are_locked_when_so_set_and_then_survive_a_refresh(living):
    scene, key = living.scene()
    living.judge(scene, lock_fields=False)
    assert living.plex.item(key)["locks"] == []
    living.judge(scene, lock_fields=True)
    assert {"title", "genre", "thumb"} <= set(living.plex.item(key)["locks"])
    living.plex.refresh_item(key)
    assert living.plex.item(key)["title"] == living.stash.scene(scene)["title"]


@pytest.mark.proves("setting:preserve_plex_edits")
def test_what_people_wrote_in_plex_stays_only_while_it_is_preserved(living):
    scene, _ = living.scene("own/", in_plex=False)
    file = living.stash.scene(scene)["files"][0]
    own = {"summary": "Written by a person", "genres": ["Mine"]}
    key = living.plex.add_item(living.section, "/media/own/" + file["path"].rpartition("/")[2], file["size"], **own)
    living.judge(scene, preserve_plex_edits=True)
    item = living.plex.item(key)
    assert (item["summary"], sorted(item["genres"]), item["tagline"]) == (own["summary"], ["Blue", "Mine"], "CODE-1")
    living.judge(scene, preserve_plex_edits=False)
    item = living.plex.item(key)
    assert (item["summary"], item["genres"], item["tagline"]) == ("Details", ["Blue"], "CODE-1")


@pytest.mark.proves("setting:strict_matching")
def test_an_item_with_the_same_name_and_another_size_is_changed_only_when_matching_is_not_strict(living):
    scene, _ = living.scene(in_plex=False)
    name = living.stash.scene(scene)["files"][0]["path"].rpartition("/")[2]
    key = living.plex.add_item(living.section, f"/media/elsewhere/{name}", 7, title="a file")
    assert living.judge(scene, strict_matching=True) == ["is given up"]
    assert living.plex.item(key)["summary"] == ""
    assert living.judge(scene, strict_matching=False) == ["synced"]
    assert living.plex.item(key)["summary"] == "Details"


@pytest.mark.proves("setting:path_rules")
def test_a_path_rule_decides_between_two_files_of_the_same_name_and_size(living):
    scene, _ = living.scene("one/", in_plex=False)
    file = living.stash.scene(scene)["files"][0]
    name = file["path"].rpartition("/")[2]
    keys = [living.plex.add_item(living.section, f"/media/{folder}/{name}", file["size"]) for folder in ("a", "b")]
    assert living.judge(scene) == ["is given up"]
    assert living.judge(scene, path_rules="/data/one => /media/b") == ["synced"]
    assert [living.plex.item(key)["summary"] for key in keys] == ["", "Details"]


@pytest.mark.proves("setting:trigger_plex_scan")
def test_plex_is_asked_to_scan_the_folder_of_a_new_scene_only_when_so_set(living):
    for wanted in (False, True):
        living.judge("1", trigger_plex_scan=wanted, path_rules="/data => /media")
        file, known = f"new {wanted}/a.mp4", set(living.stash.scenes())
        living.plex.lay_file(living.section, f"/media/{file}", 9)
        living.stash.add_file(f"/data/{file}", 9)
        living.stash.wait_job(living.stash.scan())
        (scene,) = set(living.stash.scenes()) - known
        if wanted:
            until(living.plex.scans, what="Plex to be asked")
        else:
            living.judge(scene)
            until(lambda: not living.world.marks(), what="the mark to be taken")  # its date may have been quicker
    folders = {item["file"].rpartition("/")[0] for item in living.plex.items().values()}
    assert [scan["path"] for scan in living.plex.scans()] == ["/media/new True"]
    assert "/media/new True" in folders and "/media/new False" not in folders


BAD = {
    "max_tags": (7, "10 to 500"),
    "connect_timeout": ("soon", "1 to 30"),
    "sync_title": ("perhaps", "on or off"),
    "plex_tls_fingerprint": ("12:34", "64 hexadecimal digits"),
}


def test_a_bad_value_is_warned_of_once_and_its_default_is_used(living):
    scene, key = living.scene()
    start = len(living.stash.log)
    living.apply(**{name: value for name, (value, _) in BAD.items()})
    until(lambda: living.plex.item(key)["title"].startswith("Title"), what="the scene to be sent all the same")
    asked = living.stash.count("configuration")
    until(lambda: living.stash.count("configuration") > asked + 3, what="the settings to be read again and again")
    warned = [text for level, _, text in living.stash.log[start:] if level == "warning"]
    for name, (value, allowed) in BAD.items():
        (line,) = [text for text in warned if f"Setting {name}:" in text]
        assert repr(value) in line and allowed in line
