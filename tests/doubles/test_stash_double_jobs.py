"""Which hooks the Stash double fires for what, and what moves `updated_at`: as Stash's source and recordings say."""

import pytest

from tests.doubles.stash_server import GraphQLFailed, StashDouble

PICTURE = b"\xff\xd8\xffpicture"


@pytest.fixture
def clocked():
    """Scene 1 with everything, scene 2 with nothing; `fired` is [(trigger, id, input, names of fields)]."""
    now = [1_700_000_000.0]
    with StashDouble(clock=lambda: now[0]) as double:
        double.add_scene("/d/Ann Bea - first.mp4", tags=["t1", "t2"], performers=["p1", "p2"], studio="s")
        double.add_scene("/d/second.mp4")
        now[0] += 60
        double.fired = []
        double.plugins.fire = lambda trigger, number, given, fields, call: double.fired.append(
            (trigger, number, given, sorted(fields))
        )
        yield double


def ran(stash, job):
    assert stash.wait_job(job)["status"] == "FINISHED"


def scan(stash, **wanted):
    ran(stash, stash.scan(**wanted))


def scanned_with(stash, act):
    act(stash)
    scan(stash)


def identified(stash, **found):
    stash.let_box_know(1, **found)
    ran(stash, stash.identify([1, 2]))


def auto_tagged(stash):
    stash.create("performer", "ann bea")
    stash.fired.clear()
    ran(stash, stash.auto_tag())


def cleaned(stash, *paths):
    for path in paths:
        stash.delete_file(path)
    ran(stash, stash.clean())


def with_two_files(stash, act):
    stash.copy_file(1, "/d/copy.mp4")
    scan(stash)
    stash.library._clock = lambda: 1_700_000_200.0
    stash.fired.clear()
    before = stash.scene(1)["updated_at"]
    act(stash)
    return before


def merged_performers(stash):
    stash.gql("mutation{performerMerge(input:{source:[1],destination:2}){id}}")


def generated(stash):
    stash.film(1, PICTURE)
    ran(stash, stash.generate_covers([1, 2]))


def batch_tagged(stash):
    stash.let_box_name("performer", "p1", "P One")
    stash.let_box_name("studio", "s", "Studio S")
    for kind in ("Performer", "Studio"):
        query = "mutation{stashBoxBatch%sTag(input:{refresh:true,createParent:false})}" % kind
        ran(stash, stash.gql(query)[f"stashBoxBatch{kind}Tag"])


# What is done -> (trigger and id of each hook, whether scene 1 is touched).
ACTS = {
    "scan, nothing new": (scan, [], False),
    "scan, rescan": (lambda s: scan(s, rescan=True), [("Scene.Update.Post", 1), ("Scene.Update.Post", 2)], False),
    "scan, rescan of one folder": (
        lambda s: scan(s, rescan=True, paths=["/d/second"]), [("Scene.Update.Post", 2)], False),
    "scan, file renamed": (
        lambda s: scanned_with(s, lambda s: s.move_file(1, "/d/x.mp4")), [("Scene.Update.Post", 1)], False),
    "scan, folder renamed": (lambda s: scanned_with(s, lambda s: s.move_file(1, "/e/x.mp4", True)), [], False),
    "scan, file modified": (
        lambda s: scanned_with(s, lambda s: s.modify_file(1, 7)), [("Scene.Update.Post", 1)], False),
    "scan, copy": (lambda s: scanned_with(s, lambda s: s.copy_file(1, "/d/x.mp4")), [("Scene.Update.Post", 1)], True),
    "identify": (lambda s: identified(s, title="T"), [("Scene.Update.Post", 1)], True),
    "identify, nothing changed": (lambda s: identified(s, studio="s", tags=["t1"]), [], False),
    "identify, several matches": (
        lambda s: (s.let_box_know(1, several=True), ran(s, s.identify([1], "1"))), [], False),
    "auto-tag": (auto_tagged, [], True),
    "clean, whole scene": (lambda s: cleaned(s, "/d/second.mp4"), [("Scene.Destroy.Post", 2)], False),
    "generate covers": (generated, [], True),
    "performers merged": (merged_performers, [], False),
    "batch tagged": (batch_tagged, [], False),
    "played": (lambda s: s.gql("mutation{sceneAddPlay(id:1){count}}"), [], False),
    "O": (lambda s: s.gql("mutation{sceneAddO(id:1){count}}"), [], False),
    "activity": (lambda s: s.gql("mutation{sceneSaveActivity(id:1,playDuration:3)}"), [], False),
    "files moved": (
        lambda s: s.gql('mutation{moveFiles(input:{ids:[1],destination_folder:"/e"})}'), [], False),
    "performers destroyed": (
        lambda s: s.gql("mutation{performersDestroy(ids:[1,2])}"),
        [("Performer.Destroy.Post", 1), ("Performer.Destroy.Post", 2)],
        False,
    ),
    "tags edited in bulk": (
        lambda s: s.gql('mutation{bulkTagUpdate(input:{ids:[1,2],description:"d"}){id}}'),
        [("Tag.Update.Post", 1), ("Tag.Update.Post", 2)],
        False,
    ),
    "group": (
        lambda s: s.gql('mutation{groupUpdate(input:{id:1,name:"g"}){id}}'),
        [("Movie.Update.Post", 1), ("Group.Update.Post", 1)],
        False,
    ),
    "gallery": (
        lambda s: s.gql('mutation{galleryUpdate(input:{id:1,title:"g"}){id}}'), [("Gallery.Update.Post", 1)], False),
    "image": (lambda s: s.gql('mutation{imageUpdate(input:{id:1,title:"i"}){id}}'), [("Image.Update.Post", 1)], False),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
def test_what_happens_fires_its_hooks_and_touches_what_stash_touches(clocked, name):
    act, hooks, touched = ACTS[name]
    before = clocked.scene(1)["updated_at"]
    act(clocked)
    assert [event[:2] for event in clocked.fired] == hooks
    assert (clocked.scene(1)["updated_at"] != before) is touched


def test_a_new_scene_has_no_cover_while_its_hook_runs_and_is_touched_when_it_gets_one(clocked):
    seen = []
    clocked.plugins.fire = lambda trigger, number, given, fields, call: seen.append(
        (trigger, given, clocked.library.scene(number).cover)
    )
    clocked.add_file("/d/new.mp4", picture=PICTURE)
    clocked.add_file("/d/blank.mp4")
    scan(clocked, covers=True)
    assert seen == [("Scene.Create.Post", None, None)] * 2
    assert (clocked.library.scene(3).cover, clocked.library.scene(4).cover) == (PICTURE, None)


def test_identify_tells_what_changed_and_creates_the_rest_in_silence(clocked):
    identified(clocked, title="T", studio="New", performers=["p1", "Newcomer"], tags=["t1"], cover=PICTURE)
    trigger, number, given, fields = clocked.fired[0]
    assert (trigger, number, len(clocked.fired)) == ("Scene.Update.Post", 1, 1)
    assert fields == ["cover_image", "id", "performer_ids", "studio_id", "title"]
    assert given["title"] == "T" and given["details"] is None and not given["cover_image"].startswith("data:")
    scene = clocked.scene(1)
    assert (scene["studio"], scene["performers"], scene["tags"]) == ("New", ["p1", "p2", "Newcomer"], ["t1", "t2"])
    assert clocked.library.scene(1).cover == PICTURE


def test_a_doubtful_scene_gets_the_tag_that_was_asked_for(clocked):
    clocked.create("tag", "doubtful")
    clocked.fired.clear()
    before = clocked.scene(2)["updated_at"]
    clocked.let_box_know(2, several=True)
    ran(clocked, clocked.identify([2], clocked.id_of("tag", "doubtful")))
    assert clocked.scene(2)["tags"] == ["doubtful"] and clocked.scene(2)["updated_at"] != before
    assert clocked.fired == []


def test_clean_says_no_id_in_its_input_and_keeps_a_scene_that_has_another_file(clocked):
    cleaned(clocked, "/d/second.mp4")
    assert clocked.fired[0][2]["id"] == "" and clocked.fired[0][2]["path"] == "/d/second.mp4"
    before = with_two_files(clocked, lambda s: cleaned(s, "/d/Ann Bea - first.mp4"))
    assert [file["path"] for file in clocked.scene(1)["files"]] == ["/d/copy.mp4"]
    assert clocked.scene(1)["updated_at"] != before and clocked.fired == []


def test_only_a_file_that_is_not_the_primary_one_can_be_deleted(clocked):
    with pytest.raises(GraphQLFailed, match="primary"):
        clocked.gql("mutation{deleteFiles(ids:[1])}")
    before = with_two_files(clocked, lambda s: s.gql("mutation{deleteFiles(ids:[3])}"))
    assert len(clocked.scene(1)["files"]) == 1
    assert clocked.scene(1)["updated_at"] == before and clocked.fired == []


def test_merged_performers_leave_the_one_and_its_scenes(clocked):
    merged_performers(clocked)
    assert clocked.scene(1)["performers"] == ["p2"]
    assert clocked.gql("{findPerformers{performers{id scene_count}}}")["findPerformers"]["performers"] == [
        {"id": "2", "scene_count": 1}
    ]


def test_an_import_gives_other_ids_to_the_same_library_and_keeps_its_times(clocked):
    before = clocked.scenes()
    ran(clocked, clocked.gql("mutation{metadataImport}")["metadataImport"])
    assert clocked.scenes() == {"1": before["2"], "2": before["1"]} and clocked.fired == []
    assert clocked.gql("{findTag(id:2){name}}") == {"findTag": {"name": "t1"}}
    assert clocked.save(2, title="x") and clocked.add_scene("/d/third.mp4") == "3"
    found = clocked.gql("{findScenes(scene_filter:{tags:{value:[1],modifier:INCLUDES}}){scenes{id}}}")
    assert found == {"findScenes": {"scenes": [{"id": "2"}]}}


def test_groups_markers_and_galleries_can_be_made(clocked):
    clocked.gql('mutation{groupCreate(input:{name:"g"}){id name}}')
    clocked.gql('mutation{galleryCreate(input:{title:"g"}){id}}')
    made = clocked.gql('mutation{sceneMarkerCreate(input:{title:"m",seconds:1,scene_id:1,primary_tag_id:1}){id}}')
    clocked.gql("mutation{sceneMarkerDestroy(id:%s)}" % made["sceneMarkerCreate"]["id"])
    assert [trigger for trigger, *_ in clocked.fired] == [
        "Movie.Create.Post", "Group.Create.Post", "Gallery.Create.Post", "SceneMarker.Create.Post",
        "SceneMarker.Destroy.Post",
    ]  # fmt: skip
