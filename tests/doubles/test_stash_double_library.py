"""The Stash double's library changes and is found as Stash's is."""

import pytest

from tests.doubles.stash_server import GraphQLFailed, StashDouble


@pytest.fixture
def clocked():
    now = [1_700_000_000.0]
    with StashDouble(clock=lambda: now[0]) as double:
        double.add_scene("/d/a.mp4", tags=["t1", "t2"], performers=["p"], studio="s")
        double.add_scene("/d/b.mp4")
        now[0] += 60
        yield double


@pytest.mark.parametrize(
    "act, touched",
    [
        (lambda s: s.save(1, title="x"), True),
        (lambda s: s.bulk_save([1], rating100=5), True),
        (lambda s: s.change(1, title="x"), True),
        (lambda s: s.gql("mutation{sceneMerge(input:{source:[2],destination:1}){id}}"), True),
        (lambda s: s.gql("mutation{sceneAssignFile(input:{scene_id:1,file_id:2})}"), False),
        (lambda s: s.rename("tag", "t1", "new"), False),
        (lambda s: s.rename("studio", "s", "new"), False),
        (lambda s: s.merge_tags(["t1"], "t2"), False),
        (lambda s: s.gql("mutation{tagDestroy(input:{id:1})}"), False),
    ],
)
def test_only_edits_of_the_scene_itself_move_updated_at(clocked, act, touched):
    before = clocked.scene(1)["updated_at"]
    act(clocked)
    assert (clocked.scene(1)["updated_at"] != before) is touched
    newer = clocked.gql(
        "query($v:String!){findScenes(scene_filter:{updated_at:{value:$v,modifier:GREATER_THAN}}){count scenes{id}}}",
        {"v": before},
    )["findScenes"]
    assert newer == {"count": int(touched), "scenes": [{"id": "1"}] if touched else []}


def test_relations_follow_renames_merges_and_bulk_modes(clocked):
    clocked.rename("performer", "p", "P2")
    clocked.merge_tags(["t1"], "t2")
    clocked.create("tag", "t3")
    clocked.bulk_save([1, 2], tag_ids={"ids": [clocked.id_of("tag", "t3")], "mode": "ADD"}, studio_id=None)
    clocked.bulk_save([2], tag_ids={"ids": [clocked.id_of("tag", "t3")], "mode": "REMOVE"})
    assert clocked.scene(1)["tags"] == ["t2", "t3"]
    assert clocked.scene(1)["performers"] == ["P2"]
    assert clocked.scene(1)["studio"] is None
    assert clocked.scene(2)["tags"] == []
    found = clocked.gql(
        "query($i:[ID!]){findScenes(scene_filter:{tags:{value:$i,modifier:INCLUDES}}){count}}",
        {"i": [clocked.id_of("tag", "t2")]},
    )
    assert found["findScenes"]["count"] == 1


@pytest.mark.parametrize(
    "paging, ids",
    [
        ({"per_page": -1, "sort": "id"}, 30),
        ({"sort": "id"}, 25),
        ({"per_page": 0}, 0),
        ({"per_page": 20, "page": 2, "sort": "id"}, 10),
    ],
)
def test_pages_are_cut_as_stash_cuts_them(paging, ids):
    with StashDouble() as stash:
        for number in range(30):
            stash.add_scene(f"/d/{number}.mp4")
        found = stash.gql("query($f:FindFilterType){findScenes(filter:$f){count scenes{id}}}", {"f": paging})
        assert (found["findScenes"]["count"], len(found["findScenes"]["scenes"])) == (30, ids)


@pytest.mark.parametrize("modifier, left", [("GREATER_THAN", ["4", "5"]), ("LESS_THAN", ["1", "2"])])
def test_the_scenes_after_an_id_are_those_that_are_still_there_in_its_order(modifier, left):
    with StashDouble() as stash:
        for number in range(6):
            stash.add_scene(f"/d/{number}.mp4")
        stash.destroy(6)
        query = 'query($f:SceneFilterType){findScenes(scene_filter:$f,filter:{sort:"id"}){count scenes{id}}}'
        found = stash.gql(query, {"f": {"id": {"value": 3, "modifier": modifier}}})["findScenes"]
        assert (found["count"], [scene["id"] for scene in found["scenes"]]) == (2, left)


def test_an_unknown_sort_or_relation_is_an_error_and_changes_nothing(clocked):
    with pytest.raises(GraphQLFailed, match="invalid sort"):
        clocked.gql('{findScenes(filter:{sort:"nope"}){count}}')
    with pytest.raises(GraphQLFailed, match="tag with id 99 not found"):
        clocked.save(2, title="never", tag_ids=["99"])
    assert clocked.scene(2)["title"] == ""
