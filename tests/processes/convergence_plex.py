"""What happens in Plex during a storm: people edit items, agents refresh them, and the disk changes under it.

Each happening takes the library and the random numbers of its own, and says in a few words what it did.
"""

from __future__ import annotations

from random import Random
from typing import Any
from urllib.parse import quote

from tests.doubles.plex_edits import Edit, apply_edit
from tests.doubles.plex_model import basename
from tests.processes.convergence_world import Library, in_plex

TEXTS = ("title", "summary", "tagline", "studio")
TAGGED = {"genre": "genres", "actor": "actors", "director": "directors"}


def some_item(library: Library, random: Random) -> str:
    with library.plex._state.lock:
        return str(random.choice(list(library.plex._state.items)))


def _by_hand(library: Library, key: str, *pairs: tuple[str, str]) -> None:
    """An edit as Plex's own pages send it."""
    with library.plex._state.lock:
        apply_edit(library.plex._state, library.plex._find(key), Edit(pairs), "append")


def write_text(library: Library, random: Random) -> str:
    key, field = some_item(library, random), random.choice(TEXTS)
    _by_hand(library, key, (f"{field}.value", f"By hand {random.random()}"), (f"{field}.locked", "1"))
    return f"item {key}: a person writes {field}"


def clear_text(library: Library, random: Random) -> str:
    key, field = some_item(library, random), random.choice(TEXTS[1:])
    _by_hand(library, key, (f"{field}.value", ""), (f"{field}.locked", "0"))
    return f"item {key}: a person clears {field}"


def add_tag(library: Library, random: Random) -> str:
    key, kind = some_item(library, random), random.choice(sorted(TAGGED))
    _by_hand(library, key, (f"{kind}[0].tag.tag", f"By hand {random.randint(1, 9)}"), (f"{kind}.locked", "1"))
    return f"item {key}: a person adds a {kind}"


def take_tag(library: Library, random: Random) -> str:
    key, kind = some_item(library, random), random.choice([*TAGGED, "collection"])
    item = library.plex.item(key)
    held = item[TAGGED.get(kind, "collections")]
    held = [name for name in held if (key, name) not in library.shelves]
    if not held:
        return add_tag(library, random)
    gone = random.choice(held)
    _by_hand(library, key, (f"{kind}[].tag.tag-", quote(gone, safe="")))
    return f"item {key}: a person takes {kind} {gone} away"


def put_on_shelf(library: Library, random: Random) -> str:
    key, name = some_item(library, random), f"Shelf {random.randint(1, 5)}"
    _by_hand(library, key, ("collection[0].tag.tag", name))
    library.shelves.add((key, name))
    return f"item {key}: a person puts it on {name}"


def unlock(library: Library, random: Random) -> str:
    key, field = some_item(library, random), random.choice([*TEXTS, *TAGGED, "collection"])
    _by_hand(library, key, (f"{field}.locked", "0"))
    return f"item {key}: a person unlocks {field}"


def rate(library: Library, random: Random) -> str:
    key = some_item(library, random)
    library.plex.rate_item(key, str(random.randint(1, 10)))
    return f"item {key}: a person rates it"


def choose_picture(library: Library, random: Random) -> str:
    key, kind = some_item(library, random), random.choice(["posters", "arts"])
    library.plex.give_picture(key, kind, f"of a person {random.random()}")
    return f"item {key}: a person gives it one of its {kind}"


def refresh(library: Library, random: Random) -> str:
    key = some_item(library, random)
    library.plex.refresh_item(key)
    return f"item {key}: Plex refreshes it"


def wipe(library: Library, random: Random) -> str:
    """Unlocked and refreshed: nothing of the scene is left."""
    key = some_item(library, random)
    shelves = [name for owner, name in library.shelves if owner == key]
    with library.plex._state.lock:
        library.plex._state.set_locks(library.plex._find(key), [])
        library.plex.refresh_item(key, title="wiped", summary="", tagline="", studio="", genres=[], actors=[],
                                  directors=[], collections=shelves, originallyAvailableAt="")  # fmt: skip
    return f"item {key}: wiped"


def remove_item(library: Library, random: Random) -> str:
    """Every other one comes back later, as another item."""
    with library.layout:
        key = some_item(library, random)
        item = library.plex.item(key)
        library.plex.remove_item(key)
        comes_back = random.random() < 0.5
        if comes_back:
            library.later.append(lambda: _scanned_anew(library, item))
    return f"item {key}: removed{' for a while' if comes_back else ''}"


def _scanned_anew(library: Library, item: dict[str, Any]) -> None:
    """What a scan makes of the files that are still there; nobody remembers what people did to the former item."""
    there = {in_plex(path): size for path, size in files_of(library).items()}
    for file in item["files"]:
        if file in there and not _shown(library, item["section"], file):
            library.plex.add_item(item["section"], file, there[file], title="scanned anew")


def item_arrives(library: Library, random: Random) -> str:
    """Plex gets one of the files that it lacked, without telling anybody."""
    with library.layout:
        lacking = {path: size for path, size in files_of(library).items() if not _showing(library, in_plex(path))}
        if not lacking:
            return "nothing is left to arrive"
        path = random.choice(sorted(lacking))
        file_arrives(library, path, lacking[path])
    return f"an item arrives for {path}"


def see_disk(library: Library, random: Random) -> str:
    """Plex scans its folders: it sees what was moved and what came."""
    with library.layout:
        due, library.later[:] = list(library.later), []
        for act in due:
            act()
    return f"Plex scans: {len(due)} changes"


# what others let happen here later


def files_of(library: Library) -> dict[str, int]:
    """Path and size of every file that a scene of Stash has."""
    with library.stash.core.lock:
        return {file.path: file.size for scene in library.stash.library.scenes.values() for file in scene.files}


def file_moved(library: Library, old: str, new: str, same_item: bool) -> None:
    """Plex sees that a file has another path now: the same item with a new part, or another item."""
    before, after = in_plex(old), in_plex(new)
    for item in _showing(library, before):
        if _shown(library, item["section"], after):
            library.plex.remove_item(item["key"])
        elif same_item or len(item["files"]) > 1:
            _part_moved(library, item["key"], before, after)
        else:
            library.plex.remove_item(item["key"])
            library.plex.add_item(item["section"], after, item["size"], title="in its new folder")


def _showing(library: Library, file: str) -> list[dict[str, Any]]:
    """The items that have this file."""
    state = library.plex._state
    with state.lock:
        named = [state.items[key] for one in state.sections.values() for key in one.basenames.get(basename(file), ())]
        return [library.plex.item(item.key) for item in named if any(each.file == file for each in item.files)]


def _shown(library: Library, section: str, file: str) -> bool:
    return any(item["section"] == section for item in _showing(library, file))


def _part_moved(library: Library, key: str, before: str, after: str) -> None:
    state = library.plex._state
    with state.lock:
        item = library.plex._find(key)
        item.section.unindex(item)
        for file in item.files:
            if file.file == before:
                file.file, file.id = after, next(state._media_ids)
        item.section.index(item)
        item.section.changes += 1


def file_arrives(library: Library, path: str, size: int) -> None:
    """Plex sees a new file."""
    if not _shown(library, library.sections[0], in_plex(path)):
        library.plex.add_item(library.sections[0], in_plex(path), size, title="new in Plex")


def file_gone(library: Library, path: str) -> None:
    """Plex sees that a file is gone: an item without files goes too."""
    for item in _showing(library, in_plex(path)):
        if len(item["files"]) == 1:
            library.plex.remove_item(item["key"])
