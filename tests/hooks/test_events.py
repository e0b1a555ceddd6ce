"""What each event of Stash means: a mark, or nothing."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from hooks.events import TRIGGERS, HookEvent, decide
from sync_queue.marks import KINDS
from tests.hooks.hook_process import ROOT, event

REFERENCE = Path(os.environ.get("STASH2PLEX_REFERENCE", ROOT.parent / "shared" / "reference"))
RECORDINGS = REFERENCE / "stash-recordings" / "plugin-stdin.json"

# Operation on a real Stash -> the kind of mark that each of its hooks leaves, if it has hooks at all.
RECORDED = {
    "scan of new files (metadataScan)": "created",
    "tagCreate": None,
    "tagCreate (second)": None,
    "performerCreate": None,
    "sceneUpdate, whole form as the edit page sends it": "scene",
    "sceneUpdate, one field (rating)": "scene",
    "sceneUpdate, fields cleared with null": "scene",
    "sceneUpdate, partial date": "scene",
    "sceneUpdate, cover as data URL (shortened here)": "scene",
    "scenesUpdate, two items": "scene",
    "bulkSceneUpdate of three": "scene",
    "bulkSceneUpdate, fields cleared with null": "scene",
    "tagUpdate": "tag",
    "performerUpdate": "performer",
    "bulkPerformerUpdate": None,
    "studioUpdate": "studio",
    "tagsMerge": "tag",
    "sceneMarkerCreate": None,
    "file renamed, then scan": "scene",
    "scan with rescan: true": "scene",
    "performerDestroy": "any",
    "sceneDestroy": "destroyed",
    "scenesDestroy of two": "destroyed",
    "file deleted, then clean": "destroyed",
    "folder renamed, then scan": None,
    "generate covers": None,
    "sceneAddO": None,
    "sceneAddPlay": None,
    "sceneMerge": None,
    "sceneSaveActivity": None,
    "studioCreate": None,
}
NO_HOOKS = {"runPluginTask with task_name and args_map", "runPluginOperation"}


def recordings():
    return json.loads(RECORDINGS.read_text("utf-8")) if RECORDINGS.is_file() else []


def kind_of(context):
    mark = decide(HookEvent.parse(context))
    return mark and mark["kind"]


@pytest.mark.skipif(not RECORDINGS.is_file(), reason="the recordings of a real Stash are not beside this checkout")
def test_every_recorded_operation_is_in_the_table():
    assert {row["operation"] for row in recordings()} - NO_HOOKS == set(RECORDED)


@pytest.mark.skipif(not RECORDINGS.is_file(), reason="the recordings of a real Stash are not beside this checkout")
@pytest.mark.parametrize("operation", sorted(RECORDED))
def test_a_recorded_hook_leaves_the_mark_of_its_meaning(operation):
    row = next(row for row in recordings() if row["operation"] == operation)
    contexts = [stdin["args"]["hookContext"] for stdin in row["stdin"]]
    assert bool(contexts) == bool(row["processes"])
    assert [kind_of(context) for context in contexts] == [RECORDED[operation]] * len(contexts)
    for context in contexts:
        mark = decide(HookEvent.parse(context))
        assert mark is None or (mark["id"], mark["event"]) == (context["id"], context["type"])


@pytest.mark.parametrize(
    ("context", "kind"),
    [
        (event("Scene.Update.Post", fields=["id", "title"]), "scene"),
        (event("Scene.Update.Post", fields=["id", "play_count", "resume_time"]), None),
        (event("Scene.Update.Post", fields=["id", "o_counter"]), None),
        (event("Scene.Update.Post", fields=["id", "urls", "stash_ids", "gallery_ids", "groups", "movies"]), None),
        (event("Scene.Update.Post", fields=["id", "custom_fields"]), None),
        (event("Scene.Update.Post", fields=["id", "play_count", "date"]), "scene"),
        (event("Scene.Update.Post", fields=["id", "a_field_of_next_year"]), "scene"),
        (event("Scene.Update.Post", fields=["id"]), None),
        (event("Scene.Update.Post", fields=[]), None),
        (event("Scene.Update.Post", fields=["id", "primary_file_id"]), "scene"),
        (event("Scene.Update.Post", fields=["id", "organized"]), "scene"),
        (event("Scene.Create.Post", fields=["title"]), "created"),
        (event("Scene.Destroy.Post"), "destroyed"),
        (event("Scene.Merge.Post"), None),
        (event("Performer.Update.Post", fields=["id", "name"]), "performer"),
        (event("Performer.Update.Post", fields=["id", "image", "details"]), None),
        (event("Performer.Update.Post"), "performer"),
        (event("Performer.Create.Post", fields=["name"]), None),
        (event("Studio.Update.Post", fields=["id", "name", "url"]), "studio"),
        (event("Studio.Update.Post", fields=["id", "url"]), None),
        (event("Performer.Destroy.Post", fields=["id"]), "any"),
        (event("Studio.Destroy.Post"), "any"),
        (event("Tag.Destroy.Post"), "any"),
        (event("Group.Destroy.Post"), None),
        (event("Tag.Update.Post", fields=["id", "name"]), "tag"),
        (event("Tag.Update.Post", fields=["id", "aliases"]), None),
        (event("Tag.Merge.Post", source=["2"], destination="1"), "tag"),
        (event("Gallery.Update.Post", fields=["id", "title"]), None),
        (event("Image.Update.Post", fields=["id", "title"]), None),
        (event("Scene.Update.Post", id=0, fields=["title"]), None),
        (event("Scene.Update.Post", id=-4, fields=["title"]), None),
    ],
)
def test_an_event_leaves_the_mark_of_its_meaning(context, kind):
    assert kind_of(context) == kind


@pytest.mark.parametrize(
    "context",
    [
        {},
        {"type": None, "id": 1},
        {"type": ["Scene.Update.Post"], "id": 1},
        {"type": "Scene.Update.Post"},
        {"type": "Scene.Update.Post", "id": "1"},
        {"type": "Scene.Update.Post", "id": 1.5},
        {"type": "Scene.Update.Post", "id": None},
        {"type": "scene.update.post", "id": 1},
    ],
)
def test_a_context_of_another_shape_leaves_no_mark(context):
    assert kind_of(context) is None


@pytest.mark.parametrize("fields", ["title", {"title": 1}, 7, None, [None, 3]])
def test_unreadable_field_names_never_hide_a_change(fields):
    marked = kind_of({"type": "Scene.Create.Post", "id": 1, "inputFields": fields})
    assert marked == "created"


def test_the_manifest_asks_for_exactly_the_events_that_are_understood():
    manifest = yaml.safe_load((ROOT / "launcher" / "Stash2PlexLauncher.yml").read_text("utf-8"))
    asked = [trigger for hook in manifest["hooks"] for trigger in hook["triggeredBy"]]
    assert sorted(asked) == sorted(TRIGGERS)


@pytest.mark.parametrize("trigger", TRIGGERS)
def test_the_worker_knows_every_kind_of_mark_that_a_hook_writes(trigger):
    mark = decide(HookEvent(trigger, 1, None))
    assert mark is not None and mark["kind"] in KINDS
