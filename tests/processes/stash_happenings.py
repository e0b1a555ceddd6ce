"""What can happen in Stash: each a function that lets it happen to the scene of a place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional

from tests.processes.living import cover
from tests.processes.world import World

# What each scene holds before anything happens, besides the title "Title #"; "#" stands for the number of its place.
SCENE = {
    "details": "Details #",
    "studio": "Studio #",
    "performers": ["Ann #", "Bea #"],
    "tags": ["Blue #", "Green #"],
}
CREATE = "mutation($i:SceneCreateInput!){sceneCreate(input:$i){id}}"


def filled(value: Any, number: int) -> Any:
    """The same with the row's number for each "#"."""
    if isinstance(value, dict):
        return {key: filled(inner, number) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, number) for inner in value]
    return value.replace("#", str(number)) if isinstance(value, str) else value


class Place:
    """One scene with its item, where one row happens; ``key`` is the item, which a row may exchange."""

    def __init__(self, world: World, number: int, **fields: Any) -> None:
        self.world, self.stash, self.plex, self.number = world, world.stash, world.plex, number
        self.path, self.size = f"/data/scene {number}.mp4", 10_000 + number
        self.id = world.add(number, **filled({**SCENE, **fields}, number))
        self.key = world.keys[self.id]
        self.other: Optional[Place] = None
        self.untouched: dict[str, Any] = {}

    def name(self, text: str) -> str:
        return str(filled(text, self.number))

    def file_id(self) -> str:
        return str(self.stash.library.scene(self.id).files[0].id)

    def id_of(self, kind: str, text: str) -> str:
        return self.stash.id_of(kind, self.name(text))

    def gql(self, query: str, **variables: Any) -> Any:
        """A mutation; $id, $name and the like are declared by the caller."""
        return self.stash.gql(query, variables)

    def ran(self, job: str) -> None:
        assert self.stash.wait_job(job)["status"] == "FINISHED"

    def in_silence(self, **fields: Any) -> None:
        """A change that Stash tells nobody and that leaves no trace: whoever looks at the scene at all will see it."""
        self.stash.change(self.id, touch=False, **filled(fields, self.number))

    def use_item(self, path: str, size: int = 0) -> None:
        """Let Plex have this file as an item that only knows its name; from now on it is the one to look at."""
        self.key = self.plex.add_item(self.world._section, path, size or self.size, title="a file")
        self.look()

    def look(self) -> None:
        """Remember the item as it is now: as long as nothing is sent it stays so."""
        self.untouched = self.plex.item(self.key)


def seen_by_hook(act: Callable[[Place], Any]) -> Callable[[Place], None]:
    """A change in silence and then something that changes nothing itself: that it was noticed shows."""

    def both(place: Place) -> None:
        place.in_silence(details="Seen #")
        act(place)

    return both


def save_whole_form(place: Place) -> None:
    place.stash.save(
        place.id, title=place.name("New #"), code="C", details="New", director="Dee", date="2024-05", rating100=80,
        urls=[], groups=[], stash_ids=[], gallery_ids=[], organized=True,
        studio_id=place.stash.create("studio", place.name("New studio #")),
        performer_ids=[place.id_of("performer", "Bea #"), place.stash.create("performer", place.name("Cleo #"))],
        tag_ids=[place.stash.create("tag", place.name("Red #"))],
    )  # fmt: skip


def create_for_its_file(place: Place) -> None:
    place.gql(CREATE, i={"title": "Newborn", "details": "New", "file_ids": [place.file_id()]})


def save_two(place: Place) -> None:
    items = [{"id": place.other.id, "details": "Other"}, {"id": place.id, "details": "New", "code": "C"}]
    place.gql("mutation($i:[SceneUpdateInput!]!){scenesUpdate(input:$i){id}}", i=items)


def save_in_bulk(place: Place) -> None:
    red = place.stash.create("tag", place.name("Red #"))
    place.stash.bulk_save([place.other.id, place.id], studio_id=None, code="C", tag_ids={"ids": [red], "mode": "ADD"})


def take_from_list(place: Place) -> None:
    gone = {"ids": [place.id_of("tag", "Blue #")], "mode": "REMOVE"}
    place.stash.bulk_save([place.id], tag_ids=gone, performer_ids={"ids": [], "mode": "SET"})


def play(place: Place) -> None:
    for act in (
        "sceneAddPlay(id:$i){count}", "sceneDeletePlay(id:$i){count}", "sceneResetPlayCount(id:$i)",
        "sceneAddO(id:$i){count}", "sceneResetO(id:$i)", "sceneSaveActivity(id:$i,resume_time:9)",
        "sceneResetActivity(id:$i)",
    ):  # fmt: skip
        place.gql("mutation($i:ID!){%s}" % act, i=place.id)


def mark_moments(place: Place) -> None:
    marker = {"title": "m", "seconds": 1, "scene_id": place.id, "primary_tag_id": place.id_of("tag", "Blue #")}
    made = place.gql("mutation($i:SceneMarkerCreateInput!){sceneMarkerCreate(input:$i){id}}", i=marker)
    place.gql("mutation($i:ID!){sceneMarkerDestroy(id:$i)}", i=made["sceneMarkerCreate"]["id"])


def touch_other_objects(place: Place) -> None:
    place.gql('mutation{groupCreate(input:{name:"g"}){id}}')
    place.gql('mutation{groupUpdate(input:{id:1,name:"h",director:"d"}){id}}')
    place.gql('mutation($i:ID!){galleryCreate(input:{title:"g",scene_ids:[$i]}){id}}', i=place.id)
    place.gql('mutation{galleryUpdate(input:{id:1,title:"h"}){id}}')
    place.gql('mutation{imageUpdate(input:{id:1,title:"i"}){id}}')


def create_names(place: Place) -> None:
    for kind in ("performer", "studio", "tag"):
        place.stash.create(kind, place.name("Nobody #"))


def edit_names_in_bulk(place: Place) -> None:
    for kind, text in (("performer", "Ann #"), ("studio", "Studio #"), ("tag", "Blue #")):
        change = "description" if kind == "tag" else "details"
        query = 'mutation($i:ID!){bulk%sUpdate(input:{ids:[$i],%s:"d"}){id}}' % (kind.capitalize(), change)
        place.gql(query, i=place.id_of(kind, text))


def move_under_a_studio(place: Place) -> None:
    parent = place.stash.create("studio", place.name("Parent #"))
    query = "mutation($i:ID!,$p:ID!){studioUpdate(input:{id:$i,parent_id:$p}){id}}"
    place.gql(query, i=place.id_of("studio", "Studio #"), p=parent)


def scan_new_file(place: Place) -> None:
    place.stash.add_file("/data/fresh.mp4", 77)
    place.use_item("/data/fresh.mp4", 77)
    place.ran(place.stash.scan())


def scan_renamed_file(place: Place) -> None:
    place.in_silence(details="Seen #")
    place.plex.move_item(place.key, place.name("/media/renamed #.mp4"))
    place.stash.move_file(place.id, place.name("/data/renamed #.mp4"))
    place.ran(place.stash.scan())


def scan_changed_file(place: Place) -> None:
    place.in_silence(details="Seen #")
    place.plex.remove_item(place.key)
    place.use_item(place.path.replace("/data", "/media"), 99_000 + place.number)
    place.stash.modify_file(place.id, 99_000 + place.number)
    place.ran(place.stash.scan())


def scan_copy(place: Place) -> None:
    copy = place.name("/data/copy #.mp4")
    place.use_item(copy)
    place.stash.copy_file(place.id, copy)
    place.ran(place.stash.scan())


def rescan(place: Place) -> None:
    place.ran(place.stash.scan(rescan=True, paths=[place.path]))


def identify(place: Place) -> None:
    place.stash.let_box_know(
        place.id, title="Found", studio=place.name("Found studio #"), performers=[place.name("Cleo #")],
        tags=[place.name("Blue #")], date="2023-01-02", cover=cover("found"),
    )  # fmt: skip
    place.ran(place.stash.identify([place.id]))


def identify_what_is_known(place: Place) -> None:
    place.stash.let_box_know(place.id, studio=place.name("Studio #"), tags=[place.name("Blue #")])
    place.ran(place.stash.identify([place.id]))


def clean_away(place: Place) -> None:
    place.stash.delete_file(place.path)
    place.ran(place.stash.clean())


def merge_scenes(place: Place) -> None:
    """The other scene's file comes over, and its item shows the scene that is left."""
    source = place.other
    values = {"id": place.id, "details": place.name("Merged #")}
    query = "mutation($i:SceneMergeInput!){sceneMerge(input:$i){id}}"
    place.gql(query, i={"source": [source.id], "destination": place.id, "values": values})


def merge_into_other(place: Place) -> None:
    """The same, and the place's own scene is the one that goes."""
    place.in_silence(title="Gone")
    query = "mutation($i:SceneMergeInput!){sceneMerge(input:$i){id}}"
    values = {"id": place.other.id, "details": place.name("Merged #"), "title": place.name("Title #")}
    values["studio_id"] = place.id_of("studio", "Studio #")
    values["performer_ids"] = [place.id_of("performer", text) for text in ("Ann #", "Bea #")]
    values["tag_ids"] = [place.id_of("tag", text) for text in ("Blue #", "Green #")]
    place.gql(query, i={"source": [place.id], "destination": place.other.id, "values": values})


def film_anew(place: Place) -> None:
    place.stash.film(place.id, cover("filmed"))
    place.gql("mutation($i:ID!){sceneGenerateScreenshot(id:$i)}", i=place.id)


def generate_cover(place: Place) -> None:
    place.stash.film(place.id, cover("generated"))
    place.ran(place.stash.generate_covers([place.id]))


def scan_and_tag(place: Place) -> None:
    """A new file whose cover comes after its hook, and that auto-tag knows somebody of."""
    place.stash.create("performer", "Zoe Zed")
    place.stash.add_file("/data/zoe.zed.mp4", 78, cover("scanned"))
    place.use_item("/data/zoe.zed.mp4", 78)
    place.ran(place.stash.scan(covers=True))
    place.ran(place.stash.auto_tag())


def identify_in_doubt(place: Place) -> None:
    place.stash.let_box_know(place.id, several=True)
    tag = place.stash.create("tag", place.name("Doubtful #"))
    place.ran(place.stash.identify([place.id], tag))


def clean_first_file(place: Place) -> None:
    """Of two files the first one goes, in Plex too; the item of the other one shows the scene."""
    second = place.name("/data/second #.mp4")
    with place.stash.core.lock:
        place.stash.library.new_file(place.stash.library.scene(place.id), second, 88_000)
    place.in_silence(details="Seen #")
    place.plex.remove_item(place.key)
    place.use_item(second, 88_000)
    place.stash.delete_file(place.path)
    place.ran(place.stash.clean())


def assign_file(place: Place) -> None:
    """The file of another scene becomes this one's; the other is left without."""
    other = place.other
    place.key = other.key
    place.look()
    query = "mutation($s:ID!,$f:ID!){sceneAssignFile(input:{scene_id:$s,file_id:$f})}"
    place.gql(query, s=place.id, f=other.file_id())


def delete_second_file(place: Place) -> None:
    with place.stash.core.lock:
        second = place.stash.library.new_file(place.stash.library.scene(place.id), place.name("/data/b #.mp4"), 9)
    place.gql("mutation($i:ID!){deleteFiles(ids:[$i])}", i=second.id)


def move_files(place: Place) -> None:
    place.in_silence(details="Seen #")
    place.plex.move_item(place.key, place.path.replace("/data", "/media/moved"))
    place.look()
    query = 'mutation($i:[ID!]!){moveFiles(input:{ids:$i,destination_folder:"/data/moved"})}'
    place.gql(query, i=[place.file_id()])


def scan_renamed_folder(place: Place) -> None:
    """Plex takes the files of the renamed folder for new ones."""
    place.plex.remove_item(place.key)
    moved = place.path.replace("/data", "/data/renamed")
    place.use_item(moved.replace("/data", "/media"))
    place.stash.move_file(place.id, moved, with_folder=True)
    place.ran(place.stash.scan())


def merge_performers(place: Place) -> None:
    query = "mutation($s:ID!,$d:ID!){performerMerge(input:{source:[$s],destination:$d}){id}}"
    place.gql(query, s=place.id_of("performer", "Bea #"), d=place.stash.create("performer", place.name("Cleo #")))


def destroy(kind: str, text: str, plural: bool = False) -> Callable[[Place], None]:
    one, many = "%sDestroy(input:{id:$i})" % kind, "%ssDestroy(ids:[$i])" % kind
    query = "mutation($i:ID!){%s}" % (many if plural else one)
    return lambda place: place.gql(query, i=place.id_of(kind, text))


def import_objects(place: Place) -> None:
    """What it leaves: scenes that nobody was told of, changed last before they came."""
    number = place.number + 700
    imported = place.world.add(number, details=place.name("Details #"))
    place.stash.change(imported, touch=False, title=place.name("Imported #"))
    place.key = place.world.keys[imported]
    place.look()


def rename_by_stash_box(place: Place) -> None:
    place.stash.let_box_name("performer", place.name("Ann #"), place.name("Anna #"))
    place.stash.let_box_name("studio", place.name("Studio #"), place.name("Studios #"))
    for kind in ("Performer", "Studio"):
        field = f"stashBoxBatch{kind}Tag"
        place.ran(place.gql("mutation{%s(input:{refresh:true,createParent:false})}" % field)[field])
