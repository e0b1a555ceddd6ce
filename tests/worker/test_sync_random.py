"""Whatever is edited in whatever order, Plex ends as the projection of Stash."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker.steps import Stage

NASTY = (
    "Comma, Inc.",
    "R&B",
    "a=b&c=d",
    'The "Quoted"',
    "it's",
    "quoted",
    "QUOTED",
    "Straße",
    "STRASSE",
    "É",
    "E\u0301",
    "100%",
    "%2C",
    "a+b c",
    "#hash",
    "a;b",
    "genre[0].tag.tag",
    "back\\slash/",
    "<b>",
    "👩‍🚀 crew",
    "日本",
    "trailing,",
    "-",
    "null",
)
TEXT = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), max_size=12)
LINE = st.one_of(st.sampled_from(NASTY), TEXT).map(lambda text: unicodedata.normalize("NFC", text).strip())
NAME = LINE.filter(bool)
NAMES = st.lists(NAME, max_size=5)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "title": LINE,
    "details": LINE,
    "code": LINE,
    "director": LINE,
    "studio": st.none() | NAME,
    "performers": NAMES,
    "tags": NAMES,
    "date": st.none() | st.sampled_from(["2024", "2024-02", "2024-02-29"]),
}
EDIT = st.fixed_dictionaries({}, optional=FIELDS)
# What happens after an edit: nothing yet, a drain, a worker killed, a write whose answer is lost.
THEN = st.sampled_from(["more", "drain", "drain", "kill", "drop_after", "truncated"])
SEQUENCE = st.lists(st.tuples(EDIT, THEN), min_size=1, max_size=6)


def _says_something(scene: dict[str, Any]) -> bool:
    return any(scene[name] for name in ("studio", "performers", "tags", "details", "date"))


def _expected(stage: Stage, scene: int, before: dict[str, Any]) -> dict[str, Any]:
    if not _says_something(stage.stash.scene(scene)):
        return before
    wanted = stage.wanted(scene)
    return {**wanted, "title": wanted["title"] or before["title"]}


@settings(max_examples=50)
@given(first=EDIT, edits=SEQUENCE)
def test_any_sequence_of_edits_ends_as_stash_has_it(
    either: Stage, first: dict[str, Any], edits: list[tuple[dict[str, Any], str]]
) -> None:
    either.clock.now += 700  # what was listed of Plex before this item came is too old to count
    scene = either.scene(**first)
    expected = _drained(either, scene, either.shown(scene))
    for edit, then in edits:
        either.save(scene, **edit)
        if then == "kill":
            either.session.ingest.step(either.clock.now)
            either.reopen()
        elif then != "more":
            if then != "drain":
                either.plex.faults.add(then, method="PUT")
            expected = _drained(either, scene, expected)
            either.plex.faults.clear()
    _drained(either, scene, expected)
    assert either.plex.whole_section_edits() == []


def _drained(stage: Stage, scene: int, before: dict[str, Any]) -> dict[str, Any]:
    stage.settle(scene)
    expected = _expected(stage, scene, before)
    assert stage.shown(scene) == expected and stage.uncharged(scene)
    return expected
