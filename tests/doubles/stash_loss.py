"""What a lost database, and a full import into a new one, leave of a library."""

import bisect

from tests.doubles.stash_model import Library


def lose(library: Library) -> None:
    """What is left when the database file is: nothing."""
    library.scenes.clear()
    library.files.clear()
    library.places.clear()
    library.by_update.clear()
    library._by_name.clear()
    for held in library.named.values():
        held.clear()
    library.renumbered(0)


def import_anew(library: Library) -> None:
    """What a full import leaves: the same library with ids from 1 on, here in the opposite order."""
    scenes = list(library.scenes.values())[::-1]
    library.scenes.clear()
    library.files.clear()
    library.places.clear()
    library.by_update.clear()
    for held in library.named.values():
        named = list(held.values())[::-1]
        held.clear()
        for number, one in enumerate(named, 1):
            one.number, one.id, one.scene_ids = number, str(number), set()
            held[number] = one
    for number, scene in enumerate(scenes, 1):
        scene.number, scene.id = number, str(number)
        library.scenes[number] = scene
        library.locate(scene)
        bisect.insort(library.by_update, (scene.updated_at, number))
        for one in scene.related():
            one.scene_ids.add(number)
    for number, file in enumerate([file for scene in scenes for file in scene.files], 1):
        file.id = str(number)
        library.files[number] = file
    library.renumbered(len(scenes))
