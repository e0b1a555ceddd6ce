"""What moves, merges, comes and goes in Stash during a storm; Plex sees it later, when it scans (`see_disk`).

Each happening takes the library and the random numbers of its own, and says in a few words what it did. Only one of
them runs at a time.
"""

from __future__ import annotations

from random import Random

from tests.processes.convergence_plex import file_arrives, file_gone, file_moved
from tests.processes.convergence_stash import edit
from tests.processes.convergence_world import Library


def _will_move(library: Library, random: Random, old: str, new: str) -> None:
    same_item = random.random() < 0.6
    library.later.append(lambda: file_moved(library, old, new, same_item))


def _first_file(library: Library, scene: str) -> tuple[str, str]:
    """Id and path."""
    with library.stash.core.lock:
        file = library.stash.library.scene(scene).files[0]
        return file.id, file.path


def _scan(library: Library) -> None:
    library.stash.wait_job(library.stash.scan())


def rename_folder(library: Library, random: Random) -> str:
    """Found by a scan, which tells no hook and moves no date."""
    with library.stash.core.lock:
        files = [file for scene in library.stash.library.scenes.values() for file in scene.files]
        old = random.choice(sorted({file.path.rpartition("/")[0] for file in files}))
        new = f"/data/renamed {library.number()}"
        inside = [file for file in files if file.path.rpartition("/")[0] == old]
        for file in inside:
            before, file.path = file.path, f"{new}/{file.basename}"
            _will_move(library, random, before, file.path)
    return f"folder {old}: renamed to {new}, with {[file.basename for file in inside]}"


def rename_file(library: Library, random: Random) -> str:
    """Found by a scan, which runs the scene's hook."""
    (scene,) = library.some_scenes(random, with_file=True)
    _, old = _first_file(library, scene)
    new = f"{old.rpartition('/')[0]}/renamed {library.number()}.mp4"
    library.stash.move_file(scene, new)
    _scan(library)
    _will_move(library, random, old, new)
    return f"scene {scene}: {old} renamed to {new}"


def move_files(library: Library, random: Random) -> str:
    """By Stash itself, without a hook."""
    (scene,) = library.some_scenes(random, with_file=True)
    file, old = _first_file(library, scene)
    folder = f"/data/moved {library.number()}"
    query = "mutation($i:[ID!]!,$f:String!){moveFiles(input:{ids:$i,destination_folder:$f})}"
    library.stash.gql(query, {"i": [file], "f": folder})
    _will_move(library, random, old, f"{folder}/{old.rpartition('/')[2]}")
    return f"scene {scene}: {old} moved to {folder}"


def assign_file(library: Library, random: Random) -> str:
    """Without a hook; the other scene may be left without a file."""
    scene, other = library.some_scenes(random, 2, with_file=True)
    file, path = _first_file(library, other)
    query = "mutation($s:ID!,$f:ID!){sceneAssignFile(input:{scene_id:$s,file_id:$f})}"
    library.stash.gql(query, {"s": scene, "f": file})
    return f"scene {scene}: got {path} from scene {other}"


def merge_scenes(library: Library, random: Random) -> str:
    """Without a hook."""
    target, *sources = library.some_scenes(random, random.randint(2, 3), with_file=True)
    query = "mutation($i:SceneMergeInput!){sceneMerge(input:$i){id}}"
    values = {"id": target, "details": f"Merged {random.random()}"} if random.random() < 0.5 else {"id": target}
    library.stash.gql(query, {"i": {"source": sources, "destination": target, "values": values}})
    return f"scene {target}: merged with scenes {sources}"


def destroy_scene(library: Library, random: Random) -> str:
    """Its file may go from Plex too, or stay there."""
    (scene,) = library.some_scenes(random, with_file=True)
    _, path = _first_file(library, scene)
    library.stash.destroy(scene)
    if random.random() < 0.5:
        library.later.append(lambda: file_gone(library, path))
    return f"scene {scene}: destroyed"


def clean(library: Library, random: Random) -> str:
    """A file is gone from the disk, and a job finds out."""
    (scene,) = library.some_scenes(random, with_file=True)
    _, path = _first_file(library, scene)
    library.stash.delete_file(path)
    library.stash.wait_job(library.stash.clean())
    library.later.append(lambda: file_gone(library, path))
    return f"scene {scene}: {path} cleaned away"


def scan_new(library: Library, random: Random) -> str:
    """A new file, which Plex has before, at once, later or never; somebody edits its scene, or nobody does."""
    number = library.number()
    path, size = library.path(number), 10_000 + number
    when = random.choice(["before", "at once", "later", "later", "never"])
    if when == "before":
        file_arrives(library, path, size)
    library.stash.add_file(path, size)
    _scan(library)
    if when == "at once":
        file_arrives(library, path, size)
    elif when == "later":
        library.later.append(lambda: file_arrives(library, path, size))
    scene = _owner(library, path)
    if random.random() < 0.8:
        library.stash.save(scene, **{"details": f"New {number}", **edit(library, random)})
    return f"scene {scene}: new, its item comes {when}"


def _owner(library: Library, path: str) -> str:
    with library.stash.core.lock:
        scenes = library.stash.library.scenes.values()
        return next(scene.id for scene in scenes if any(file.path == path for file in scene.files))


def scan_copy(library: Library, random: Random) -> str:
    """A second file of the same content in another folder, of which Plex makes an item or does not."""
    (scene,) = library.some_scenes(random, with_file=True)
    _, path = _first_file(library, scene)
    copy = f"/data/copies/copy {library.number()}.mp4"
    library.stash.copy_file(scene, copy)
    _scan(library)
    with library.stash.core.lock:
        size = library.stash.library.scene(scene).files[0].size
    if random.random() < 0.7:
        library.later.append(lambda: file_arrives(library, copy, size))
    return f"scene {scene}: got {copy}, a copy of {path}"
