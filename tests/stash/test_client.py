"""What we read from Stash, in few queries."""

from __future__ import annotations

import pytest

from stash.client import PAGE_SCENES, PLUGIN_ID, Configuration
from tests.doubles.stash_server import StashDouble


def test_scenes_come_in_one_query(stash, client):
    ids = [
        int(stash.add_scene(path=f"/data/{n}.mp4", size=n, title=f"T{n}", studio="S", tags=["x"])) for n in range(30)
    ]
    scenes = client.scenes(ids)
    assert list(scenes) == ids and stash.count() == client.requests == 1
    assert (scenes[ids[3]].title, scenes[ids[3]].studio, scenes[ids[3]].tags) == ("T3", "S", ("x",))
    assert [(file.path, file.size) for file in scenes[ids[3]].files] == [("/data/3.mp4", 3)]


def test_a_scene_that_is_gone_does_not_hide_the_others(stash, client):
    ids = [int(stash.add_scene(path=f"/data/{n}.mp4", title=f"T{n}")) for n in range(3)]
    scenes = client.scenes([ids[0], 999, ids[2], 1000])
    assert {id: scene.title for id, scene in scenes.items()} == {ids[0]: "T0", ids[2]: "T2"}
    assert stash.count() == 2


def test_when_all_are_gone_nothing_is_left(stash, client):
    assert client.scenes([998, 999]) == {}


def test_changed_scenes_come_the_earliest_first(tmp_path, connect, clock):
    with StashDouble(clock=lambda: clock[0], config_dir=str(tmp_path / "config")) as stash:
        ids = [stash.add_scene(path=f"/data/{n}.mp4") for n in range(3)]
        for id in (ids[1], ids[2], ids[0]):
            clock[0] += 60
            stash.change(id, title="new")
        stamps = {int(id): scene["updated_at"] for id, scene in stash.scenes().items()}
        first, second, third = int(ids[1]), int(ids[2]), int(ids[0])
        client = connect(stash)
        assert client.changed(stamps[first], 10) == [(second, stamps[second]), (third, stamps[third])]
        assert [id for id, _ in client.changed("2000", 2)] == [first, second]
        assert client.newest() == stamps[third]


def test_an_empty_library_has_no_newest_scene(client):
    assert (client.newest(), client.changed("2024", 5), client.page(1)) == ("", [], ([], 0))


def test_pages_of_ids_see_every_scene_once(stash, client):
    ids = [int(stash.add_scene(path=f"/data/{n}.mp4")) for n in range(PAGE_SCENES + 3)]
    first, total = client.page(1)
    second, _ = client.page(2)
    assert (first + second, total, client.page(3)[0]) == (ids, len(ids), [])


@pytest.mark.parametrize("kind", ["performer", "studio", "tag"])
def test_the_scenes_of_a_name_are_those_that_have_it(stash, client, kind):
    field = kind if kind == "studio" else kind + "s"
    value = "N" if kind == "studio" else ["N"]
    with_name = [int(stash.add_scene(path=f"/data/{n}.mp4", **{field: value})) for n in range(PAGE_SCENES + 1)]
    stash.add_scene(path="/data/other.mp4")
    pages = list(client.scenes_of(kind, int(stash.id_of(kind, "N"))))
    assert [id for page in pages for id in page] == with_name and stash.count() == 2


def test_deletions_between_two_pages_of_a_name_hide_none_of_its_scenes(stash, client):
    ids = [int(stash.add_scene(path=f"/data/{n}.mp4", tags=["N"])) for n in range(PAGE_SCENES + 5)]
    tag = int(stash.id_of("tag", "N"))
    first, last = client.page_of("tag", tag)
    for id in ids[:100]:
        stash.library.destroy_scene(stash.library.scene(id))
    assert (first, last) == (ids[:PAGE_SCENES], ids[PAGE_SCENES - 1])
    assert client.page_of("tag", tag, last) == (ids[PAGE_SCENES:], 0)


def test_the_scenes_of_a_name_that_nobody_has_are_none(client):
    assert [id for page in client.scenes_of("tag", 999) for id in page] == []


def test_the_configuration_holds_our_settings_and_whether_we_are_enabled(tmp_path, connect):
    plugin = tmp_path / "plugins"
    plugin.mkdir()
    (plugin / f"{PLUGIN_ID}.yml").write_text("name: x\nexec: [python3]\n")
    with StashDouble(plugins=[str(plugin)], config_dir=str(tmp_path / "config")) as stash:
        stash.configure(PLUGIN_ID, {"plex_url": "http://plex"})
        stash.configure("Other", {"hush": 1})
        found = connect(stash).configuration()
        assert (found.settings, found.enabled, found.api_key) == ({"plex_url": "http://plex"}, True, "")
        stash.set_enabled(PLUGIN_ID, False)
        assert not connect(stash).configuration().enabled


def test_a_stash_that_never_heard_of_us_has_no_settings_for_us(client):
    assert client.configuration() == Configuration({}, True, "")
