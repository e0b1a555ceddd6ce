"""Finding scenes: filter, sort and page, with the comparisons Stash makes in SQL."""

import bisect
import re
from collections.abc import Collection
from typing import Any, Callable, Optional

from tests.doubles.stash_model import Library, Scene
from tests.doubles.stash_places import like

Numbers = set[int]
SORTS: dict[str, Callable[[Scene], Any]] = {
    "id": lambda s: s.number,
    "title": lambda s: (s.title.casefold(), s.number),
    "path": lambda s: (s.files[0].path if s.files else "", s.number),
    "created_at": lambda s: (s.created_at, s.number),
    "updated_at": lambda s: (s.updated_at, s.number),
    "date": lambda s: (s.date or "", s.number),
    "rating": lambda s: (s.rating100 or 0, s.number),
    "organized": lambda s: (s.organized, s.number),
}


class BadFilter(Exception):
    """A filter that Stash would refuse."""


def select(library: Library, wanted: dict[str, Any]) -> Collection[int]:
    """The numbers of the scenes that a `SceneFilterType` lets through.

    For a walk from id to id that costs about the same in any library: it does not make a set of all that is left.
    """
    asked = {key: value for key, value in wanted.items() if value is not None}
    if list(asked) == ["id"] and asked["id"]["modifier"] == "GREATER_THAN":
        return _after(library, asked["id"]["value"])
    return _select(library, wanted)


def _select(library: Library, wanted: dict[str, Any]) -> Numbers:
    parts = [
        _criterion(library, key, value)
        for key, value in wanted.items()
        if value is not None and key not in ("AND", "OR", "NOT")
    ]
    found = set.intersection(*parts) if parts else set(library.scenes)
    if wanted.get("AND") is not None:
        found = found & _select(library, wanted["AND"])
    if wanted.get("OR") is not None:
        found = found | _select(library, wanted["OR"])
    if wanted.get("NOT") is not None:
        found = found - _select(library, wanted["NOT"])
    return found


def searched(library: Library, words: str) -> Numbers:
    """The scenes in whose title, details, path or hash each of the words is found; a quoted phrase is one word."""
    wanted = [(phrase or word).lower() for phrase, word in re.findall(r'"([^"]*)"|(\S+)', words)]

    def found(scene: Scene) -> bool:
        texts = [scene.title, scene.details, *(text for file in scene.files for text in (file.path, file.oshash))]
        return all(any(word in (text or "").lower() for text in texts) for word in wanted)

    return {scene.number for scene in library.scenes.values() if found(scene)}


def ordered(library: Library, numbers: Optional[Collection[int]], paging: dict[str, Any]) -> list[int]:
    """Numbers in the order asked for; None stands for all scenes."""
    sort, down = paging.get("sort") or "id", paging.get("direction") == "DESC"
    if sort not in SORTS:
        raise BadFilter(f"invalid sort: {sort}")
    if numbers is None and sort in ("id", "updated_at"):
        rows = list(library.scenes) if sort == "id" else [n for _, n in library.by_update]
        return rows[::-1] if down else rows
    key = SORTS[sort]
    chosen = library.scenes if numbers is None else numbers
    if sort == "id":
        rows = chosen if isinstance(chosen, list) else sorted(chosen)  # a list comes from a walk, in this order
        return rows[::-1] if down else rows
    return sorted(chosen, key=lambda n: key(library.scenes[n]), reverse=down)


def page(numbers: list[Any], paging: dict[str, Any]) -> list[Any]:
    """One page: 25 unless told, everything for a negative size, nothing for 0."""
    size = paging.get("per_page")
    size = 25 if size is None else size
    if size < 0:
        return numbers
    first = (max(paging.get("page") or 1, 1) - 1) * size
    return numbers[first : first + size]


def _criterion(library: Library, key: str, value: Any) -> Numbers:
    if key == "updated_at":
        return _updated(library, value)
    if key in ("studios", "performers", "tags"):
        return _related(library, key[:-1], value)
    if key == "id":
        return _numbered(library, value)
    if key == "path" and value["modifier"] == "EQUALS":
        return _at_path(library, value)
    test = _scene_test(key, value)
    return {scene.number for scene in library.scenes.values() if test(scene)}


def _scene_test(key: str, value: Any) -> Callable[[Scene], bool]:
    if key == "organized":
        return lambda s: s.organized is value
    if key == "is_missing":
        return _missing(value)
    if key == "created_at":
        test = _comparison(value)
        return lambda s: test(s.created_at)
    test = _text_test(value)
    if key in ("path", "oshash"):
        return lambda s: any(test(getattr(f, key)) for f in s.files)
    return lambda s: test(getattr(s, key))


def _at_path(library: Library, value: dict[str, Any]) -> Numbers:
    """As the others, but only of scenes that may have such a path, so that no more promised ones are made."""
    test = _scene_test("path", value)
    held = ((number, library.scenes.get(number)) for number in library.places.like(value["value"]))
    return {number for number, scene in held if scene is not None and test(scene)}


def _missing(what: str) -> Callable[[Scene], bool]:
    tests: dict[str, Callable[[Scene], bool]] = {
        "cover": lambda s: s.cover is None,
        "date": lambda s: not s.date,
        "studio": lambda s: s.studio is None,
        "performers": lambda s: not s.performers,
        "tags": lambda s: not s.tags,
        "title": lambda s: not s.title,
        "details": lambda s: not s.details,
    }
    if what not in tests:
        raise BadFilter(f"is_missing {what} is not part of this double")
    return tests[what]


def _updated(library: Library, value: dict[str, Any]) -> Numbers:
    """Text comparison on the sorted index, so a look for news costs nothing."""
    index, low, modifier = library.by_update, value["value"], value["modifier"]
    from_low, after_low = bisect.bisect_left(index, (low, -1)), bisect.bisect_left(index, (low, 1 << 62))
    if modifier == "GREATER_THAN":
        return {n for _, n in index[after_low:]}
    if modifier == "LESS_THAN":
        return {n for _, n in index[:from_low]}
    if modifier == "EQUALS":
        return {n for _, n in index[from_low:after_low]}
    test = _comparison(value)
    return {n for text, n in index if test(text)}


def _numbered(library: Library, value: dict[str, Any]) -> Numbers:
    if value["modifier"] == "GREATER_THAN":
        return set(_after(library, value["value"]))
    test = _comparison(value)
    return {n for n in library.scenes if test(n)}


def _after(library: Library, number: int) -> list[int]:
    """Scenes are held in the order of their ids."""
    ids = list(library.scenes)
    return ids[bisect.bisect_right(ids, number) :]


def _comparison(value: dict[str, Any]) -> Callable[[Any], bool]:
    low, high = value["value"], value.get("value2")
    tests: dict[str, Callable[[Any], bool]] = {
        "EQUALS": lambda x: x == low,
        "NOT_EQUALS": lambda x: x != low,
        "GREATER_THAN": lambda x: x > low,
        "LESS_THAN": lambda x: x < low,
        "BETWEEN": lambda x: low <= x <= high,
        "NOT_BETWEEN": lambda x: not low <= x <= high,
        "IS_NULL": lambda x: x is None,
        "NOT_NULL": lambda x: x is not None,
    }
    return _pick(tests, value["modifier"])


def _pick(tests: dict[str, Any], modifier: str) -> Any:
    if modifier not in tests:
        raise BadFilter(f"unsupported modifier {modifier}")
    return tests[modifier]


def _text_test(value: dict[str, Any]) -> Callable[[str], bool]:
    text = value["value"]
    equals, words = like(text), _words(text)
    tests: dict[str, Callable[[str], Any]] = {
        "EQUALS": equals,
        "NOT_EQUALS": lambda x: not equals(x),
        "INCLUDES": lambda x: any(w in x.lower() for w in words),
        "EXCLUDES": lambda x: not any(w in x.lower() for w in words),
        "MATCHES_REGEX": lambda x: re.search(text, x),
        "NOT_MATCHES_REGEX": lambda x: not re.search(text, x),
        "IS_NULL": lambda x: not x,
        "NOT_NULL": lambda x: bool(x),
    }
    test = _pick(tests, value["modifier"])
    return lambda x: bool(test(x))


def _words(text: str) -> list[str]:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return [text[1:-1].lower()]
    return text.lower().split() or [""]


def _related(library: Library, kind: str, value: dict[str, Any]) -> Numbers:
    field = "studio" if kind == "studio" else kind + "s"
    modifier, everything = value["modifier"], set(library.scenes)
    if modifier in ("IS_NULL", "NOT_NULL"):
        bare = {n for n, s in library.scenes.items() if not getattr(s, field)}
        return bare if modifier == "IS_NULL" else everything - bare
    groups = [_scenes_of(library, kind, i, value.get("depth") or 0) for i in value.get("value") or []]
    tests = {
        "INCLUDES": lambda: set().union(*groups) if groups else everything,
        "INCLUDES_ALL": lambda: set.intersection(everything, *groups),
        "EXCLUDES": lambda: everything.difference(*groups),
    }
    found: Numbers = _pick(tests, modifier)()
    for excluded in value.get("excludes") or []:
        found = found - _scenes_of(library, kind, excluded, value.get("depth") or 0)
    return found


def _scenes_of(library: Library, kind: str, number: Any, depth: int) -> Numbers:
    named = library.named[kind].get(int(number))
    if named is None:
        return set()
    found = set(named.scene_ids)
    if depth != 0:
        for child in library.named[kind].values():
            if child.parent_studio is named:
                found |= _scenes_of(library, kind, child.number, depth - 1)
    return found
