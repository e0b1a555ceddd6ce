"""Which items a listing holds: filters, order and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, NamedTuple, Optional

from tests.doubles.lazy import Chosen
from tests.doubles.plex_model import TAG_KINDS, Item, Section, basename

_CONTAINS = ("title", "studio", "summary", "tagline", "originalTitle")
_NUMBERS: dict[str, Callable[[Item], int]] = {
    "year": lambda item: int(item.year or 0),
    "addedAt": lambda item: int(item.addedAt or 0),
    "updatedAt": lambda item: item.updated_at,
}
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "": lambda left, right: left == right,
    "!": lambda left, right: left != right,
    ">>": lambda left, right: left > right,
    "<<": lambda left, right: left < right,
    ">": lambda left, right: left >= right,
    "<": lambda left, right: left <= right,
}


class Page(NamedTuple):
    """One page of a listing; ``start`` is None when the client did not ask for pages."""

    items: Sequence[Any]
    total: int
    start: Optional[int]


def select(section: Section, args: dict[str, str], comma_means_or: bool) -> Sequence[Item]:
    """Return the items that the filters in ``args`` leave, in the order that ``sort`` names."""
    found: Sequence[Item]
    if "file" in args:
        found = _by_file(section, args["file"], comma_means_or)
    elif "id" in args:
        found = [section.items[key] for key in ids(args["id"]) if key in section.items]
    else:
        found = ordered(section, args.get("sort", ""))
    for test in _tests(args):
        found = [item for item in found if test(item)]
    return found


def ids(text: str) -> list[int]:
    """Read a comma-joined list of rating keys, dropping what is no number."""
    return [int(part) for part in text.split(",") if part.isdigit()]


def _by_file(section: Section, value: str, comma_means_or: bool) -> list[Item]:
    names = value.split(",") if comma_means_or else [value]
    found: dict[int, Item] = {}
    for name in names:
        if basename(name) == name:
            found.update((key, section.items[key]) for key in section.basenames.get(name, ()))
        else:
            # A full path was reported to match the folder: plex.md C.
            found.update((item.key, item) for item in _in_folder(section, name))
    return list(found.values())


def _in_folder(section: Section, path: str) -> list[Item]:
    folder = path[: len(path) - len(basename(path))]
    return [
        item
        for item in section.items.values()
        if any(each.file.startswith(folder) and basename(each.file) == each.file[len(folder) :] for each in item.files)
    ]


def ordered(section: Section, sort: str) -> Sequence[Item]:
    """Return all items in order; kept until the section changes, so that pages cost no sorting."""
    version, found = section.orders.get(sort, (0, []))
    if version != section.changes:
        found = _sorted(section, sort)
        section.orders = {sort: (section.changes, found)}
    return Chosen(section.items, found)


def _sorted(section: Section, sort: str) -> list[int]:
    keys = list(section.items)
    for part in reversed([part for part in sort.split(",") if part]):
        name, _, direction = part.partition(":")
        field = name.rsplit(".", 1)[-1]
        keys.sort(key=lambda key: (_sort_value(section, key, field), key), reverse=direction.startswith("desc"))
    return keys


def _sort_value(section: Section, key: int, field: str) -> Any:
    if field == "addedAt":
        return int(section.items.known(key, field) or 0)
    item = section.items[key]
    if field in _NUMBERS:
        return _NUMBERS[field](item)
    if field == "titleSort":
        return str(item.titleSort or item.title).casefold()
    return str(getattr(item, field, "")).casefold()


def _tests(args: dict[str, str]) -> list[Callable[[Item], bool]]:
    made = (_test(name, value) for name, value in args.items())
    return [test for test in made if test]


def _test(name: str, value: str) -> Optional[Callable[[Item], bool]]:
    field = name.rstrip("!=<>")
    sign = name[len(field) :]
    if field in TAG_KINDS and value:
        wanted = set(ids(value))
        return lambda item: bool(wanted & {tag.id for tag in getattr(item, field)}) == (sign != "!")
    if field in _NUMBERS and value.isdigit() and sign in _COMPARE:
        return lambda item: _COMPARE[sign](_NUMBERS[field](item), int(value))
    if field in _CONTAINS:
        return _text_test(field, sign, value.casefold())
    return None


def _text_test(field: str, sign: str, value: str) -> Callable[[Item], bool]:
    def test(item: Item) -> bool:
        text = str(getattr(item, field)).casefold()
        if sign in ("=", "!="):
            return (text == value) == (sign == "=")
        return (value in text) == (sign != "!")

    return test


def page(
    items: Sequence[Any],
    start: Optional[int],
    size: Optional[int],
    limit: Optional[int],
    cap: Optional[int],
) -> Page:
    """Cut one page out of ``items``; without ``start`` and ``size`` the whole list is the page."""
    total = len(items) if limit is None else min(limit, len(items))
    if start is None and size is None and cap is None:
        return Page(items[:total], total, None)
    first = start or 0
    length = total if size is None else size
    if cap is not None:
        length = min(length, cap)
    return Page(items[first : min(first + length, total)], total, first)
