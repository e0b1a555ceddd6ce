"""The provider beside a real Stash. ``STASH_BINARY`` names its program; without it there is nothing to run."""

from __future__ import annotations

import base64
import os
import shutil
import sys
import unicodedata
from types import SimpleNamespace

import pytest

from tests.provider import schemas
from tests.provider.service import Service
from tests.waiting import until

NAMES = (
    "Studio A/one.mp4",
    "Studio A/100% [a] (b)_c.mp4",
    "Café/Ångström é.mp4",
    "part 1/Twice.mp4",
    "part 2/Twice.mp4",
    "x 'y' \"z\" ★🎬.mp4",
)
PICTURE = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8
KEY = "mutation{generateAPIKey(input:{clear:false})}"
CHANGE = "mutation($i:SceneUpdateInput!){sceneUpdate(input:$i){id}}"


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    if not os.environ.get("STASH_BINARY"):
        pytest.skip("STASH_BINARY is not set: it names the program of a Stash")
    if not (sys.platform == "linux" and shutil.which("ffmpeg")):
        pytest.skip("a real Stash is run on Linux only, and needs ffmpeg")
    from bench.real_stash import make_videos, real_stash

    folder = tmp_path_factory.mktemp("real")
    videos, made = folder / "videos", folder / "made"
    make_videos(made, len(NAMES))
    for source, name in zip(sorted(made.iterdir()), NAMES):
        (videos / name).parent.mkdir(parents=True, exist_ok=True)
        source.rename(videos / name)
    with real_stash(folder / "stash", login=True) as stash:
        stash.take_in(videos)
        ids = {path[len(str(videos)) + 1 :]: id for id, (path, _) in stash.files(100).items()}
        address = SimpleNamespace(url=stash.url, api_key=stash.gql(KEY)["generateAPIKey"])
        rules = f"{videos} => /plex/Library"
        with Service(folder, address, library_roots="/plex/Library", path_rules=rules, collections="true") as service:
            yield SimpleNamespace(stash=stash, service=service, ids=ids)


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_matched_to_its_scene_however_plex_names_it(world, name):
    spellings = {
        form(name)
        for form in (
            lambda name: name,
            lambda name: "/Library/" + name,
            lambda name: "/plex/Library/" + name,
            lambda name: unicodedata.normalize("NFD", name),
            lambda name: unicodedata.normalize("NFC", name),
        )
    }
    for spelling in spellings:
        assert world.service.matched(filename=spelling) == [world.ids[name]], spelling


def test_a_name_that_two_scenes_have_is_none_of_them(world):
    assert world.service.matched(filename="Twice.mp4") == []
    found = world.service.matched(filename="Twice.mp4", title="", manual=1)
    assert set(found) == {world.ids["part 1/Twice.mp4"], world.ids["part 2/Twice.mp4"]}


def test_a_scene_by_its_hash_and_by_its_title(world):
    id = world.ids["Studio A/one.mp4"]
    query = "query($i:ID!){findScene(id:$i){files{fingerprints{type value}}}}"
    prints = world.stash.gql(query, {"i": id})["findScene"]["files"][0]["fingerprints"]
    oshash = next(one["value"] for one in prints if one["type"] == "oshash")
    assert world.service.matched(filename="unknown.mp4", hash=oshash) == [id]
    world.stash.gql(CHANGE, {"i": {"id": id, "title": 'Rise - OR "fall"'}})
    assert world.service.matched(filename="", title='rise - or "fall"', manual=1) == [id]


def test_metadata_and_picture_and_a_change_that_shows_at_once(world):
    id = world.ids["part 1/Twice.mp4"]
    cover = "data:image/jpeg;base64," + base64.b64encode(PICTURE).decode()
    people = [world.stash.gql('mutation{performerCreate(input:{name:"Ann"}){id}}')["performerCreate"]["id"]]
    studio = world.stash.gql('mutation{studioCreate(input:{name:"S"}){id}}')["studioCreate"]["id"]
    fields = {"date": "2024-05", "details": "D", "performer_ids": people, "studio_id": studio, "cover_image": cover}
    world.stash.gql(CHANGE, {"i": {"id": id, "title": "T", **fields}})

    def item():
        reply = world.service.ask(f"/library/metadata/{id}")
        schemas.check_metadata(reply.json)
        return reply.items[0]

    until(lambda: item()["title"] == "T", what="the change to show")
    found = item()
    assert (found["year"], found["summary"], found["duration"]) == (2024, "D", 1_000)
    assert (found["Role"], found["Studio"]) == ([{"tag": "Ann", "order": 1}], [{"tag": "S"}])
    assert found["Collection"] == [{"tag": "S"}] and "originallyAvailableAt" not in found
    reply = world.service.ask(found["thumb"])
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, "image/jpeg", PICTURE)
    assert world.service.ask(found["thumb"], If_None_Match=reply.headers["etag"]).status == 304


def test_a_scene_or_picture_that_is_not_there(world):
    assert world.service.ask("/library/metadata/424242").status == 404
    assert world.service.ask("/images/scene/424242").status == 404
    assert world.service.ask(f"/images/scene/{world.ids['part 2/Twice.mp4']}").status == 404  # only a placeholder


def test_stash_goes_away_and_comes_back(world):
    known = world.ids["Studio A/one.mp4"]
    assert world.service.ask(f"/library/metadata/{known}").status == 200
    world.stash.stop()
    assert world.service.ask(f"/library/metadata/{known}").status == 200
    assert world.service.match(filename="never asked for.mp4").status == 503
    world.stash._configure = lambda: None  # the login and the key are in its file by now
    world.stash.start()
    until(lambda: world.service.match(filename="never asked for.mp4").status == 200, what="Stash to be found again")
