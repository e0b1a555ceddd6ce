"""What people and jobs do in Stash during a storm, one by one: edits, names, and what has no hook at all.

Each happening takes the library and the random numbers of its own, and says in a few words what it did.
"""

from __future__ import annotations

import base64
from random import Random
from typing import Any

from tests.processes.convergence_world import Library, random_fields
from tests.processes.living import cover

KINDS = ("tag", "performer", "studio")


def some_ids(library: Library, random: Random, kind: str, most: int) -> list[str]:
    with library.stash.core.lock:
        held = [one.id for one in library.stash.library.named[kind].values()]
    return random.sample(held, min(random.randint(0, most), len(held)))


def edit(library: Library, random: Random) -> dict[str, Any]:
    """Some fields as they are sent to Stash."""
    fields = {key: value for key, value in random_fields(random).items() if key not in ("studio", "performers", "tags")}
    fields["studio_id"] = next(iter(some_ids(library, random, "studio", 1)), None)
    fields["performer_ids"] = some_ids(library, random, "performer", 3)
    fields["tag_ids"] = some_ids(library, random, "tag", 6)
    fields["title"] = random.choice(["", f"Saved {random.randrange(1_000_000)}"])
    chosen = random.sample(sorted(fields), random.randint(1, len(fields)))
    return {name: fields[name] for name in chosen}


def save(library: Library, random: Random) -> str:
    (scene,) = library.some_scenes(random)
    fields = edit(library, random)
    library.stash.save(scene, **fields)
    return f"scene {scene}: saved {sorted(fields)}"


def save_cover(library: Library, random: Random) -> str:
    (scene,) = library.some_scenes(random)
    picture = cover(f"saved {random.random()}")
    library.stash.save(scene, cover_image="data:image/jpeg;base64," + base64.b64encode(picture).decode())
    return f"scene {scene}: saved another cover"


def save_several(library: Library, random: Random) -> str:
    scenes = library.some_scenes(random, 3)
    items = [{"id": scene, **edit(library, random)} for scene in scenes]
    library.stash.gql("mutation($i:[SceneUpdateInput!]!){scenesUpdate(input:$i){id}}", {"i": items})
    return f"scenes {scenes}: saved together"


def empty(library: Library, random: Random) -> str:
    """Nothing is left to say, and Plex keeps what it has."""
    (scene,) = library.some_scenes(random)
    library.stash.save(scene, details="", date=None, studio_id=None, performer_ids=[], tag_ids=[])
    return f"scene {scene}: emptied"


def change_unheard(library: Library, random: Random) -> str:
    """As auto-tag does: no hook, only the date moves."""
    (scene,) = library.some_scenes(random)
    library.stash.change(scene, details=f"Unheard {random.random()}", tags=random.sample(["red a", "New by job"], 1))
    return f"scene {scene}: changed without a hook"


def import_unheard(library: Library, random: Random) -> str:
    """Not even the date moves: only a comparison finds it."""
    (scene,) = library.some_scenes(random)
    library.stash.change(scene, touch=False, code=f"silent {random.random()}")
    return f"scene {scene}: changed in silence"


def generate_cover(library: Library, random: Random) -> str:
    (scene,) = library.some_scenes(random, with_file=True)
    with library.layout:
        library.stash.film(scene, cover(f"filmed {random.random()}"))
        library.stash.wait_job(library.stash.gql("mutation($i:ID!){sceneGenerateScreenshot(id:$i)}", {"i": scene})[
            "sceneGenerateScreenshot"])  # fmt: skip
    return f"scene {scene}: another cover was generated"


def identify(library: Library, random: Random) -> str:
    (scene,) = library.some_scenes(random)
    with library.layout:
        library.stash.let_box_know(scene, title="Found", tags=["Found tag"], date="2020-02-02")
        library.stash.wait_job(library.stash.identify([scene]))
    return f"scene {scene}: identified"


# performers, studios, tags


def rename(library: Library, random: Random) -> str:
    kind = random.choice(KINDS)
    old, new = library.some_named(random, kind), library.name(kind)
    library.stash.rename(kind, old, new)
    return f"{kind} {old}: renamed to {new}"


def rename_by_box(library: Library, random: Random) -> str:
    """The batch tagger: no hook."""
    kind = random.choice(("performer", "studio"))
    old, new = library.some_named(random, kind), library.name(kind)
    field = f"stashBoxBatch{kind.capitalize()}Tag"
    with library.layout:
        library.stash.core.disk.renamed.clear()
        library.stash.let_box_name(kind, old, new)
        library.stash.wait_job(
            library.stash.gql("mutation{%s(input:{refresh:true,createParent:false})}" % field)[field]
        )
    return f"{kind} {old}: renamed to {new} by stash-box"


def destroy(library: Library, random: Random) -> str:
    kind = random.choice(KINDS)
    name = library.some_named(random, kind)
    query = "mutation($i:ID!){%sDestroy(input:{id:$i})}" % kind
    library.stash.gql(query, {"i": library.stash.id_of(kind, name)})
    return f"{kind} {name}: destroyed"


def merge_tags(library: Library, random: Random) -> str:
    source, target = library.some_named(random, "tag"), library.some_named(random, "tag")
    if source == target:
        return rename(library, random)
    library.stash.merge_tags([source], target)
    return f"tag {source}: merged into {target}"


def merge_performers(library: Library, random: Random) -> str:
    """No hook."""
    source, target = library.some_named(random, "performer"), library.some_named(random, "performer")
    if source == target:
        return rename(library, random)
    query = "mutation($s:ID!,$d:ID!){performerMerge(input:{source:[$s],destination:$d}){id}}"
    ids = {"s": library.stash.id_of("performer", source), "d": library.stash.id_of("performer", target)}
    library.stash.gql(query, ids)
    return f"performer {source}: merged into {target}"


# bulk edits


def bulk_fields(library: Library, random: Random) -> dict[str, Any]:
    mode = random.choice(["ADD", "REMOVE", "SET"])
    fields = {
        "studio_id": next(iter(some_ids(library, random, "studio", 1)), None),
        "code": f"bulk {random.randrange(1_000)}",
        "tag_ids": {"ids": some_ids(library, random, "tag", 3), "mode": mode},
        "performer_ids": {"ids": some_ids(library, random, "performer", 2), "mode": mode},
    }
    return {name: fields[name] for name in random.sample(sorted(fields), random.randint(1, 4))}


def bulk_save(library: Library, random: Random) -> str:
    scenes = library.some_scenes(random, random.randint(5, 25))
    library.stash.bulk_save(scenes, **bulk_fields(library, random))
    return f"scenes {scenes}: saved in bulk"


def bulk_save_cut_short(library: Library, random: Random) -> str:
    """The browser's tab is closed: the hook that runs is killed, those that would follow never start."""
    scenes, after_s = library.some_scenes(random, random.randint(10, 40)), random.uniform(0.0, 0.6)
    fields = {"ids": scenes, **bulk_fields(library, random)}
    query = "mutation($i:BulkSceneUpdateInput!){bulkSceneUpdate(input:$i){id}}"
    library.stash.gql(query, {"i": fields}, drop_after=after_s)
    return f"scenes {scenes}: saved in bulk, the client left after {after_s:.2f} s"
