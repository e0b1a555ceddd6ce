"""The double writes and answers what a running Stash was seen to write and answer."""

import json
import os
from pathlib import Path

import pytest

from tests.doubles.stash_client import fetch
from tests.doubles.stash_server import StashDouble

REFERENCE = Path(os.environ.get("STASH2PLEX_REFERENCE") or Path(__file__).parents[2] / ".." / "shared" / "reference")
RECORDINGS = REFERENCE / "stash-recordings"

MANIFEST = """\
name: Recorder
version: "1.0"
exec: [python3, -I, -S, "{pluginDir}/record.py"]
hooks:
  - name: all
    triggeredBy: [Scene.Update.Post, Scene.Create.Post, Scene.Destroy.Post, Performer.Create.Post,
      Performer.Update.Post, Performer.Destroy.Post, Tag.Create.Post, Tag.Update.Post, Tag.Destroy.Post,
      Tag.Merge.Post, Studio.Update.Post, Studio.Destroy.Post, SceneMarker.Create.Post]
tasks:
  - name: Recorded Task
    description: t
    defaultArgs: {mode: recorded}
settings:
  s_bool: {displayName: b, type: BOOLEAN}
  s_number: {displayName: n, type: NUMBER}
  s_string: {displayName: s, type: STRING}
"""
RECORD = """\
import os, sys
text = sys.stdin.buffer.read()
name = os.path.join(os.path.dirname(__file__), "seen.jsonl")
with open(name, "ab") as seen:
    seen.write(text + b"\\n")
print('{"output": "recorded"}')
"""


def recorded(name):
    path = RECORDINGS / name
    return json.loads(path.read_text("utf-8")) if path.is_file() else []


STDIN = {row["operation"]: row for row in recorded("plugin-stdin.json")}
ANSWERS = {row["case"]: row for row in recorded("graphql-answers.json")}


def need(rows, key):
    if key not in rows:
        pytest.skip(f"no recordings in {RECORDINGS}; set STASH2PLEX_REFERENCE")
    return rows[key]


class Recorder:
    """A double with a plugin that keeps what it reads."""

    def __init__(self, folder):
        self.seen = folder / "seen.jsonl"
        (folder / "Recorder.yml").write_text(MANIFEST, "utf-8")
        (folder / "record.py").write_text(RECORD, "utf-8")
        self.stash = StashDouble([folder])

    def bodies(self):
        lines = self.seen.read_text("utf-8").splitlines() if self.seen.exists() else []
        return [json.loads(line) for line in lines]


@pytest.fixture
def recorder(tmp_path):
    folder = tmp_path / "secrets"  # it keeps the cookies that it reads
    folder.mkdir()
    made = Recorder(folder)
    with made.stash as stash:
        stash.hooks_enabled = False
        for number in range(1, 13):
            stash.add_scene(f"/data/media/Scene {number:03}.mp4", tags=["Tag A", "Tag B"] if number == 1 else [])
        stash.create("performer", "Performer A")
        stash.create("studio", "Studio A")
        stash.hooks_enabled = True
        yield made


def shape(value):
    """Key sets and types; lists by the shape of their first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return type(value).__name__


WHOLE_FORM = {
    "title": "A title",
    "code": "ABC-1",
    "details": "Text",
    "director": "D",
    "urls": ["https://example.org/1"],
    "date": "2024-05-06",
    "rating100": 80,
    "organized": True,
    "studio_id": "1",
    "gallery_ids": [],
    "performer_ids": ["1"],
    "groups": [],
    "tag_ids": ["1", "2"],
    "stash_ids": [],
}
COVER = "data:image/jpeg;base64,/9j/4AAQSkZJRg=="
TWO_ITEMS = [{"id": "2", "title": "x"}, {"id": "3", "details": "y", "organized": True}]


def scan_new(stash):
    for number in range(60):
        stash.add_file(f"/data/media/new {number}.mp4")
    stash.wait_job(stash.scan())


def cleaned(stash):
    stash.delete_file(stash.scene(10)["files"][0]["path"])
    stash.wait_job(stash.clean())


def renamed(stash, with_folder):
    stash.move_file(10, "/data/media/other.mp4", with_folder)
    stash.wait_job(stash.scan())


OPERATIONS = {
    "scan of new files (metadataScan)": scan_new,
    "tagCreate": lambda s: s.create("tag", "Tag C"),
    "performerCreate": lambda s: s.create("performer", "Performer B"),
    "studioCreate": lambda s: s.create("studio", "Studio B"),
    "sceneUpdate, whole form as the edit page sends it": lambda s: s.save(1, **WHOLE_FORM),
    "sceneUpdate, one field (rating)": lambda s: s.save(1, rating100=60),
    "sceneUpdate, fields cleared with null": lambda s: s.save(1, studio_id=None, date=None),
    "sceneUpdate, partial date": lambda s: s.save(1, date="2024", studio_id="1"),
    "sceneUpdate, cover as data URL (shortened here)": lambda s: s.save(1, cover_image=COVER),
    "scenesUpdate, two items": lambda s: s.gql(
        "mutation($i:[SceneUpdateInput!]!){scenesUpdate(input:$i){id}}", {"i": TWO_ITEMS}
    ),
    "bulkSceneUpdate of three": lambda s: s.bulk_save([4, 5, 6], studio_id="1", tag_ids={"ids": ["1"], "mode": "ADD"}),
    "bulkSceneUpdate, fields cleared with null": lambda s: s.bulk_save([4, 5], studio_id=None, date=None),
    "tagUpdate": lambda s: s.rename("tag", "Tag A", "Tag A2"),
    "performerUpdate": lambda s: s.rename("performer", "Performer A", "Performer A2"),
    "bulkPerformerUpdate": lambda s: s.gql('mutation{bulkPerformerUpdate(input:{ids:[1],details:"d"}){id}}'),
    "studioUpdate": lambda s: s.rename("studio", "Studio A", "Studio A2"),
    "tagsMerge": lambda s: s.merge_tags(["Tag B"], "Tag A"),
    "sceneMerge": lambda s: s.gql("mutation{sceneMerge(input:{source:[8],destination:9}){id}}"),
    "file renamed, then scan": lambda s: renamed(s, False),
    "folder renamed, then scan": lambda s: renamed(s, True),
    "performerDestroy": lambda s: s.gql("mutation{performerDestroy(input:{id:1})}"),
    "sceneDestroy": lambda s: s.gql("mutation{sceneDestroy(input:{id:11,delete_file:false})}"),
    "scenesDestroy of two": lambda s: s.gql("mutation{scenesDestroy(input:{ids:[11,12],delete_file:false})}"),
    "file deleted, then clean": cleaned,
    "generate covers": lambda s: s.wait_job(s.generate_covers([10])),
    "sceneAddPlay": lambda s: s.gql("mutation{sceneAddPlay(id:10){count}}"),
    "sceneAddO": lambda s: s.gql("mutation{sceneAddO(id:10){count}}"),
    "sceneSaveActivity": lambda s: s.gql("mutation{sceneSaveActivity(id:10,playDuration:1)}"),
    "sceneMarkerCreate": lambda s: s.gql(
        'mutation{sceneMarkerCreate(input:{title:"m",seconds:0.5,scene_id:9,primary_tag_id:1}){id}}'
    ),
    "runPluginTask with task_name and args_map": lambda s: s.wait_job(
        s.run_task("Recorder", "Recorded Task", {"extra": 1, "flag": True})
    ),
    "runPluginOperation": lambda s: s.operation("Recorder", {"mode": "op", "n": 1.5, "list": [1, "a"]}),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_plugins_read_what_stash_writes(recorder, operation):
    expected = need(STDIN, operation)
    OPERATIONS[operation](recorder.stash)
    bodies = recorder.bodies()
    assert len(bodies) == expected["processes"]
    for ours, real in zip(bodies, expected["stdin"]):
        assert shape(ours) == shape(real)
        assert sorted(ours["args"].get("hookContext", {}).get("inputFields", [])) == sorted(
            real["args"].get("hookContext", {}).get("inputFields", [])
        )


def test_a_rescan_fires_for_every_scene(recorder):
    expected = need(STDIN, "scan with rescan: true")
    recorder.stash.wait_job(recorder.stash.scan(rescan=True))
    assert len(recorder.bodies()) == 12
    assert shape(recorder.bodies()[0]) == shape(expected["stdin"][0])


# -- GraphQL answers -------------------------------------------------------


def ask(stash, row, headers):
    body = json.dumps({"query": row["query"], "variables": row["variables"]}) if row["query"] else "hello"
    return fetch(stash.url + "/graphql", "POST", body, headers)


@pytest.fixture
def library(recorder):
    stash = recorder.stash
    stash.hooks_enabled = False
    stash.save(1, **WHOLE_FORM)
    stash.configure("recorder", {"s_bool": True, "s_number": 5, "s_string": "text"})
    return stash


CASES = [
    "two scenes by ids",
    "ids with one missing",
    "findScene missing",
    "page sorted by id",
    "updated_at GREATER_THAN",
    "scenes of a tag",
    "plugin settings",
    "configuration",
    "version and status",
    "job queue empty",
    "plugin tasks",
    "unknown field",
    "syntax error",
    "not JSON",
    "unknown plugin operation",
    "unknown plugin task",
]
SAME_VALUES = {
    "ids with one missing",
    "findScene missing",
    "plugin settings",
    "job queue empty",
    "unknown field",
    "syntax error",
    "not JSON",
    "unknown plugin operation",
}


@pytest.mark.parametrize("case", CASES)
def test_queries_are_answered_as_stash_answers_them(library, case):
    row = need(ANSWERS, case)
    headers = {"Accept": "application/json", "Content-Type": "application/json" if row["query"] else "text/plain"}
    if case == "updated_at GREATER_THAN":
        row = {**row, "variables": {"v": "2999-01-01T00:00:00Z"}}
    status, sent, body = ask(library, row, headers)
    answer = json.loads(body)
    assert (status, sent["Content-Type"]) == (row["status"], row["content_type"])
    assert shape(answer) == shape(row["answer"]) or _only_lists_differ(answer, row["answer"])
    if case in SAME_VALUES:
        assert answer == row["answer"]


def _only_lists_differ(ours, real):
    """Relations that one side has and the other has not are no difference in shape."""
    if isinstance(ours, dict) and isinstance(real, dict):
        return ours.keys() == real.keys() and all(_only_lists_differ(ours[key], real[key]) for key in ours)
    if isinstance(ours, list) and isinstance(real, list):
        return not ours or not real or _only_lists_differ(ours[0], real[0])
    return type(ours) is type(real)


def test_path_equals_finds_the_one_scene(library):
    row = need(ANSWERS, "path EQUALS")
    row = {**row, "variables": {"v": "/DATA/media/scene 003.mp4"}}
    _, _, body = ask(library, row, {"Content-Type": "application/json"})
    found = json.loads(body)["data"]["findScenes"]
    assert (found["count"], found["scenes"][0]["id"]) == (1, "3")


def test_plugins_are_listed_as_stash_lists_them(library):
    row = need(ANSWERS, "plugins")
    _, _, body = ask(library, row, {"Content-Type": "application/json"})
    ours = json.loads(body)["data"]["plugins"]
    real = [plugin for plugin in row["answer"]["data"]["plugins"] if plugin["id"] == "recorder"]
    assert shape(ours) == shape(real)


def test_log_entries_look_like_stashs(library):
    row = need(ANSWERS, "logs")
    library.operation("Recorder", {"mode": "x"})
    library.log.append(("info", "Recorder", "a line"))
    _, _, body = ask(library, row, {"Content-Type": "application/json"})
    assert shape(json.loads(body)) == shape(row["answer"])


def test_a_wrong_api_key_is_refused_even_without_a_login(library):
    row = need(ANSWERS, "wrong API key")
    status, sent, body = ask(library, row, {"Content-Type": "application/json", "ApiKey": "wrong"})
    assert (status, body.decode(), sent.get("Content-Type")) == (row["status"], row["answer"], row["content_type"])
    assert sent["WWW-Authenticate"] == "FormBased"


def test_images_are_answered_as_stash_answers_them(library):
    rows = {row["case"]: row for row in need(ANSWERS, "images")["answers"]}
    cover = bytes.fromhex(rows["cover"]["first_bytes"])
    library.change(1, cover=cover)
    status, sent, body = fetch(library.url + "/scene/1/screenshot")
    assert (status, sent["Content-Type"], sent["Cache-Control"], body) == (200, "image/jpeg", "no-cache", cover)
    assert fetch(library.url + "/scene/1/screenshot", headers={"If-None-Match": sent["ETag"]})[0] == 304
    for case in ("missing scene", "preview not generated"):
        status, sent, body = fetch(library.url + rows[case]["path"])
        assert (status, sent["Content-Type"]) == (404, rows[case]["headers"]["Content-Type"])
        assert body == bytes.fromhex(rows[case]["first_bytes"])
