"""Whatever happens in Stash, Plex shows the right thing: one row for each thing that Stash does with or without hooks.

Each row acts on a scene of its own, which Plex shows already, and says what Plex shows in the end, and how that comes:
by a HOOK, by the SWEEP for a moved `updated_at`, as a LOSS of something of which no hook tells which scenes had it,
or, where Stash gives no sign at all, by the task RECONCILE; until then Plex shows what it showed. NOTHING: the item
is not touched, whatever Stash said. "#" stands for the row's number.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Optional

import pytest

from tests.processes import stash_happenings as happen
from tests.processes.conftest import opened
from tests.processes.living import cover
from tests.processes.stash_happenings import CREATE, Place, filled
from tests.processes.world import World, copy_of_plugin
from tests.waiting import until

HOOK, SWEEP, LOSS, NOTHING = "hook", "sweep", "loss", "nothing to find"
RECONCILE = "Reconcile Library (All)"
NEVER_SWEEPS, SWEEPS_OFTEN, SETTLES_SOON = "SWEEP_S = 86_400.0", "SWEEP_S = 0.5", "SETTLED_S = 0.5"

# What an item shows of a scene that holds `happen.SCENE`.
SHOWN = {
    "title": "Title #",
    "summary": "Details #",
    "studio": "Studio #",
    "collections": ["Studio #"],
    "actors": ["Ann #", "Bea #"],
    "genres": ["Blue #", "Green #"],
    "tagline": "",
    "originallyAvailableAt": "",
    "directors": [],
    "posters": "",
}
SEEN = {"summary": "Seen #"}


@dataclass(frozen=True)
class Row:
    """``shows`` is what the item shows in the end besides SHOWN, with a picture by its bytes.

    ``scene`` is what the scene holds besides SCENE, ``other`` the same for a second scene, if the row needs one.
    """

    what: str
    found: str
    act: Callable[[Place], Any]
    shows: dict[str, Any] = field(default_factory=dict)
    scene: dict[str, Any] = field(default_factory=dict)
    other: Optional[dict[str, Any]] = None


ROWS = [
    # scenes
    Row("sceneCreate takes a file over: its item shows the new scene", HOOK, happen.create_for_its_file,
        {"title": "Newborn", "summary": "New", "studio": "", "collections": [], "actors": [], "genres": []},
        {"studio": None}),
    Row("sceneCreate without a file: there is no item", NOTHING,
        lambda place: place.gql(CREATE, i={"title": "No file", "details": "d"})),
    Row("sceneUpdate of the whole form, as after a scrape: what is new is shown, what went is gone", HOOK,
        happen.save_whole_form,
        {"title": "New #", "summary": "New", "studio": "New studio #", "collections": ["New studio #"], "tagline": "C",
         "directors": ["Dee"], "originallyAvailableAt": "2024-05-01", "actors": ["Bea #", "Cleo #"],
         "genres": ["Red #"]}),
    Row("sceneUpdate with nulls: what was cleared is cleared", HOOK,
        lambda place: place.stash.save(place.id, studio_id=None, details=None, code=None),
        {"studio": "", "collections": [], "summary": ""}, {"code": "C"}),
    Row("sceneUpdate of the cover alone: the new cover is shown", HOOK,
        lambda place: place.stash.save(place.id, cover_image="data:image/jpeg;base64,/9j/4GFiYw=="),
        {"posters": b"\xff\xd8\xff\xe0abc"}),
    Row("sceneUpdate of rating and organized: nothing that is sent", NOTHING,
        lambda place: place.stash.save(place.id, rating100=40, organized=True)),
    Row("sceneUpdate of what Plex never shows", NOTHING,
        lambda place: place.stash.save(place.id, urls=["https://example.org"], groups=[], play_count=3)),
    Row("sceneUpdate that says what is so already", NOTHING,
        lambda place: place.stash.save(place.id, title=place.name("Title #"), details=place.name("Details #"))),
    Row("scenesUpdate: each scene's own changes", HOOK, happen.save_two,
        {"summary": "New", "tagline": "C"}, {}, {}),
    Row("bulkSceneUpdate: added to, and cleared by a null that only its name tells", HOOK, happen.save_in_bulk,
        {"studio": "", "collections": [], "tagline": "C", "genres": ["Blue #", "Green #", "Red #"]}, {}, {}),
    Row("bulkSceneUpdate: taken from lists, and lists emptied", HOOK, happen.take_from_list,
        {"genres": ["Green #"], "actors": []}),
    Row("sceneDestroy: the item stays as it is", NOTHING, lambda place: place.stash.destroy(place.id)),
    Row("scenesDestroy: the item stays as it is", NOTHING,
        lambda place: place.gql("mutation($i:ID!){scenesDestroy(input:{ids:[$i]})}", i=place.id)),
    Row("sceneMerge: the item of the scene that is left", SWEEP, happen.merge_scenes, {"summary": "Merged #"}, {}, {}),
    Row("sceneMerge: the item of the scene that went shows the one that is left", SWEEP, happen.merge_into_other,
        {"summary": "Merged #"}, {}, {}),
    Row("sceneAssignFile: the file's item shows its new scene", RECONCILE, happen.assign_file, {}, {}, {}),
    Row("plays, O, activity", NOTHING, happen.play),
    Row("sceneGenerateScreenshot: the new cover is shown", SWEEP, happen.film_anew, {"posters": cover("filmed")}),
    Row("scene markers", NOTHING, happen.mark_moments),
    Row("moveFiles: the item is still known, and shows the scene", RECONCILE, happen.move_files, SEEN),
    Row("deleteFiles of a further file: the item of the first stays as it is", NOTHING, happen.delete_second_file),
    Row("fileSetFingerprints", NOTHING, lambda place: place.gql(
        "mutation($i:ID!){fileSetFingerprints(input:{id:$i,fingerprints:[]})}", i=place.file_id())),
    # performers, studios, tags, and the rest
    Row("a performer renamed: the new name", HOOK,
        lambda place: place.stash.rename("performer", place.name("Ann #"), place.name("Anna #")),
        {"actors": ["Anna #", "Bea #"]}),
    Row("a studio renamed: the new name, and the collection of that name", HOOK,
        lambda place: place.stash.rename("studio", place.name("Studio #"), place.name("Studios #")),
        {"studio": "Studios #", "collections": ["Studios #"]}),
    Row("a tag renamed: the new name", HOOK,
        lambda place: place.stash.rename("tag", place.name("Blue #"), place.name("Bluish #")),
        {"genres": ["Bluish #", "Green #"]}),
    Row("a studio moved under another", NOTHING, happen.move_under_a_studio),
    Row("names created that no scene has", NOTHING, happen.create_names),
    Row("names edited in bulk, which leaves the names as they are", NOTHING, happen.edit_names_in_bulk),
    Row("tagsMerge: the destination in place of the source", HOOK,
        lambda place: place.stash.merge_tags([place.name("Blue #")], place.name("Green #")), {"genres": ["Green #"]}),
    Row("performerMerge: the destination in place of the source", RECONCILE, happen.merge_performers,
        {"actors": ["Ann #", "Cleo #"]}),
    Row("performerDestroy: shown no longer", LOSS, happen.destroy("performer", "Ann #"), {"actors": ["Bea #"]}),
    Row("performersDestroy: shown no longer", LOSS, happen.destroy("performer", "Ann #", True),
        {"actors": ["Bea #"]}),
    Row("studioDestroy: neither studio nor collection", LOSS, happen.destroy("studio", "Studio #"),
        {"studio": "", "collections": []}),
    Row("studiosDestroy: neither studio nor collection", LOSS, happen.destroy("studio", "Studio #", True),
        {"studio": "", "collections": []}),
    Row("tagDestroy: shown no longer", LOSS, happen.destroy("tag", "Blue #"), {"genres": ["Green #"]}),
    Row("tagsDestroy: shown no longer", LOSS, happen.destroy("tag", "Blue #", True), {"genres": ["Green #"]}),
    Row("groups, galleries, images", NOTHING, happen.touch_other_objects),
    # jobs
    Row("scan, new file: it has nothing to say yet, so its item stays as it is", NOTHING, happen.scan_new_file),
    Row("scan, file renamed: the item is still known, and shows the scene", HOOK, happen.scan_renamed_file, SEEN),
    Row("scan, file changed: the item is found by its new size", HOOK, happen.scan_changed_file, SEEN),
    Row("scan, rescan: every scene is looked at", HOOK, happen.seen_by_hook(happen.rescan), SEEN),
    Row("scan, rescan of what is as it was", NOTHING, happen.rescan),
    Row("scan, a copy of a scene's file: the copy's item shows the scene too", HOOK, happen.scan_copy),
    Row("scan, folder renamed: the item that Plex made of it shows the scene", RECONCILE, happen.scan_renamed_folder),
    Row("scan, cover after the hook, then auto-tag: who was recognized, and the cover", SWEEP, happen.scan_and_tag,
        {"title": "a file", "summary": "", "studio": "", "collections": [], "genres": [], "actors": ["Zoe Zed"],
         "posters": cover("scanned")}),
    Row("identify: everything found, cover included", HOOK, happen.identify,
        {"title": "Found", "studio": "Found studio #", "collections": ["Found studio #"],
         "originallyAvailableAt": "2023-01-02", "actors": ["Ann #", "Bea #", "Cleo #"], "posters": cover("found")}),
    Row("identify, nothing new", NOTHING, happen.identify_what_is_known),
    Row("identify, several matches: the tag for these", SWEEP, happen.identify_in_doubt,
        {"genres": ["Blue #", "Doubtful #", "Green #"]}),
    Row("clean, file gone: the item stays as it is", NOTHING, happen.clean_away),
    Row("clean, first of two files gone: the item of the other shows the scene", SWEEP, happen.clean_first_file, SEEN),
    Row("generate covers: the cover is shown", SWEEP, happen.generate_cover, {"posters": cover("generated")}),
    Row("importObjects: scenes that come with the dates of old", RECONCILE, happen.import_objects,
        {"title": "Imported #", "studio": "", "collections": [], "actors": [], "genres": []}),
    Row("batch tagging by stash-box: the names of there", RECONCILE, happen.rename_by_stash_box,
        {"actors": ["Anna #", "Bea #"], "studio": "Studios #", "collections": ["Studios #"]}),
]  # fmt: skip


class Lab:
    """A world in which some of the rows happen, all at once; ``failed`` are the acts that could not be done."""

    def __init__(self, world: World, rows: list[Row]) -> None:
        self.world, self.rows = world, rows
        self.failed: dict[str, str] = {}
        world.configure(poll_interval="0.1")
        self.fence = Place(world, 400)
        self.places = {row.what: Place(world, number, **row.scene) for number, row in enumerate(rows, 1)}
        for row, place in zip(rows, self.places.values()):
            if row.other is not None:
                place.other = Place(world, 500 + place.number, **row.other)
        world.stash.save(self.fence.id, code="C")
        self.run("Sync All Scenes")
        for place in self.places.values():
            place.look()

    def run(self, task: str) -> dict[str, Any]:
        ended = self.world.run_task(task)
        assert ended["error"] is None
        return dict(ended["output"])

    def act(self, *found: str) -> None:
        """Let everything happen that is found so."""
        for row in [row for row in self.rows if row.found in found]:
            try:
                row.act(self.places[row.what])
            except Exception as error:  # this row's test fails, and no other
                self.failed[row.what] = f"{type(error).__name__}: {error}"

    def wait(self, *found: str) -> None:
        """Until the rows found so show what they should; if they never will, their tests say so."""
        with contextlib.suppress(AssertionError):
            until(lambda: not any(self.wrong(*found).values()), 30)

    def wait_for_fence(self, text: str) -> None:
        """Until a change that is younger than all others has reached Plex."""
        until(lambda: self.world.plex.item(self.fence.key)["tagline"] == text, what="the last change")

    def wrong(self, *found: str) -> dict[str, str]:
        """By row: what its item shows and should not."""
        rows = [row for row in self.rows if row.found in found]
        return {row.what: self.failed.get(row.what) or self._wrong(row) for row in rows}

    def _wrong(self, row: Row) -> str:
        place = self.places[row.what]
        item = self.world.plex.item(place.key)
        item["posters"] = next((p["ratingKey"] for p in item["posters"] if p["selected"]), "")
        return differences(item, filled({**SHOWN, **row.shows}, place.number))

    def touched(self, *found: str) -> dict[str, str]:
        """By row: how its item is another than before."""
        rows = [(row, self.places[row.what]) for row in self.rows if row.found in found]
        return {
            row.what: self.failed.get(row.what) or differences(self.world.plex.item(place.key), place.untouched)
            for row, place in rows
        }


def differences(shown: dict[str, Any], wanted: dict[str, Any]) -> str:
    """Where an item is not as wanted; the order of lists does not count."""
    pairs = {name: (plain(shown[name]), plain(value)) for name, value in wanted.items()}
    return "; ".join(f"{name} is {one!r}, not {other!r}" for name, (one, other) in pairs.items() if one != other)


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "upload://posters/" + hashlib.sha1(value).hexdigest()
    return sorted(value, key=str) if isinstance(value, list) else value


def rows(*found: str) -> list[Row]:
    return [row for row in ROWS if row.found in found]


def each(found: str) -> Any:
    return pytest.mark.parametrize("what", [row.what for row in rows(found)])


@contextlib.contextmanager
def a_lab(folder: Any, rows: list[Row], sweep: str) -> Iterator[Lab]:
    with contextlib.ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("STASH_PLUGIN_DATA", "to be set")
        plugin = copy_of_plugin(folder / "plugins", worker__changes=sweep, reconcile__schedule=SETTLES_SOON)
        yield Lab(opened(stack, folder, plugin, data=folder / "data"), rows)


@pytest.fixture(scope="module")
def hooks_alone(tmp_path_factory: Any) -> dict[str, Any]:
    """All that hooks tell, or need not tell, to a worker that never sweeps."""
    with a_lab(tmp_path_factory.mktemp("hooks"), rows(HOOK, NOTHING), NEVER_SWEEPS) as lab:
        lab.act(HOOK, NOTHING)
        lab.world.stash.save(lab.fence.id, code="last")
        lab.wait_for_fence("last")
        lab.wait(HOOK)
        return {"wrong": lab.wrong(HOOK), "touched": lab.touched(NOTHING), "errors": lab.world.errors()}


@pytest.fixture(scope="module")
def no_hooks(tmp_path_factory: Any) -> dict[str, Any]:
    """All that no hook tells, before and after Reconcile; then what is lost, and an import."""
    with a_lab(tmp_path_factory.mktemp("sweeps"), rows(SWEEP, RECONCILE, LOSS), SWEEPS_OFTEN) as lab:
        lab.act(SWEEP, RECONCILE)
        lab.world.stash.change(lab.fence.id, code="last")
        lab.wait_for_fence("last")
        lab.wait(SWEEP)
        seen = {"touched": lab.touched(RECONCILE)}
        lab.run(RECONCILE)
        lab.wait(SWEEP, RECONCILE)
        seen.update(wrong=lab.wrong(SWEEP, RECONCILE), again=lab.run(RECONCILE)["gaps"])
        lab.act(LOSS)
        lab.wait(LOSS)
        seen["wrong"].update(lab.wrong(LOSS))
        return {**seen, "errors": lab.world.errors(), "import": what_an_import_does(lab)}


def what_an_import_does(lab: Lab) -> dict[str, Any]:
    """Metadata import: every id means another scene, or none, from one moment to the next, and nothing tells of it."""
    world, place = lab.world, lab.places["tagDestroy: shown no longer"]
    place.in_silence(details="Imported")
    place.ran(world.stash.gql("mutation{metadataImport}")["metadataImport"])
    world.stash.change(id_of_file(world, lab.fence.path), code="imported")
    lab.wait_for_fence("imported")
    items = {item["file"].rpartition("/")[2]: key for key, item in world.plex.items().items()}
    files = {id: scene["files"][0]["path"] for id, scene in world.stash.scenes().items() if scene["files"]}
    world.keys = {id: items[path.rpartition("/")[2]] for id, path in files.items()}
    before = world.differences()
    lab.run(RECONCILE)
    return {"wrong before": before, "wrong": world.differences(), "scenes": len(files)}


def id_of_file(world: World, path: str) -> str:
    return next(id for id, scene in world.stash.scenes().items() if [f["path"] for f in scene["files"]] == [path])


@each(HOOK)
def test_a_hook_tells(hooks_alone: dict[str, Any], what: str) -> None:
    assert hooks_alone["wrong"][what] == ""


@each(NOTHING)
def test_nothing_is_sent(hooks_alone: dict[str, Any], what: str) -> None:
    assert hooks_alone["touched"][what] == ""


@each(SWEEP)
def test_the_sweep_finds(no_hooks: dict[str, Any], what: str) -> None:
    assert no_hooks["wrong"][what] == ""


@each(RECONCILE)
def test_reconcile_mends_what_stash_gives_no_sign_of(no_hooks: dict[str, Any], what: str) -> None:
    assert no_hooks["touched"][what] == ""
    assert no_hooks["wrong"][what] == ""


@each(LOSS)
def test_what_is_deleted_disappears_by_itself(no_hooks: dict[str, Any], what: str) -> None:
    assert no_hooks["wrong"][what] == ""


def test_reconcile_finds_nothing_more_the_second_time(no_hooks: dict[str, Any]) -> None:
    assert no_hooks["again"] == {}


def test_only_scenes_without_a_file_are_given_up(hooks_alone: dict[str, Any], no_hooks: dict[str, Any]) -> None:
    errors = hooks_alone["errors"] + no_hooks["errors"]
    assert [error for error in errors if "the scene has no file in Stash" not in error] == []
    assert len(hooks_alone["errors"]) == 1


def test_an_import_that_gives_other_ids_to_all_scenes_confuses_nothing(no_hooks: dict[str, Any]) -> None:
    """Nothing tells of it: what it changed is found by Reconcile."""
    found = no_hooks["import"]
    assert [sentence for sentence in found["wrong before"] if "not 'Imported'" not in sentence] == []
    assert found["wrong"] == [] and found["scenes"] > 10
