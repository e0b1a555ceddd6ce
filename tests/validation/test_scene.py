"""Scenes as read from Stash's answer: clean when readable, a permanent trouble when not, nothing in between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.validation.poison import POISON
from validation import text
from validation.errors import Kind, Trouble
from validation.scene import Scene, parse

FULL = {
    "id": "7",
    "title": " A  title ",
    "code": "S-1",
    "details": "one\r\ntwo",
    "director": "D",
    "date": "2024-02",
    "organized": True,
    "updated_at": "2024-02-03T04:05:06Z",
    "studio": {"name": "Studio"},
    "performers": [{"name": "B"}, {"name": "A"}, {"name": "b"}],
    "tags": [{"name": "t,1"}, {"name": ""}, {"name": "T,1"}],
    "files": [{"path": "/data/a.mp4", "size": 12}],
}
NULLS = {"id": "7", **dict.fromkeys(("title", "code", "details", "director", "date", "studio"))}


def test_a_full_scene_is_read():
    scene = parse(FULL)
    assert (scene.id, scene.title, scene.details, scene.date) == (7, "A title", "one\ntwo", "2024-02-01")
    assert (scene.studio, scene.performers, scene.tags) == ("Studio", ("B", "A"), ("t,1",))
    assert [(file.path, file.size) for file in scene.files] == [("/data/a.mp4", 12)]


def test_what_stash_leaves_null_is_empty():
    scene = parse(NULLS)
    assert scene == Scene(id=7) and scene.says_nothing


@pytest.mark.parametrize("field", ["studio", "performers", "tags", "details", "date"])
def test_one_of_these_fields_is_enough_to_say_something(field):
    assert not parse({"id": "7", field: FULL[field]}).says_nothing


@pytest.mark.parametrize("field", ["title", "code", "director", "organized"])
def test_these_fields_alone_say_nothing(field):
    assert parse({"id": "7", field: FULL[field]}).says_nothing


@pytest.mark.parametrize("field", ["title", "code", "details", "director"])
@pytest.mark.parametrize("name", POISON)
def test_a_poisonous_text_makes_a_scene_all_the_same(field, name):
    scene = parse({"id": "7", field: POISON[name]})
    getattr(scene, field).encode()
    assert len(getattr(scene, field)) <= text.SUMMARY_LENGTH


@pytest.mark.parametrize("name", POISON)
def test_poisonous_names_make_a_scene_all_the_same(name):
    rows = [{"name": POISON[name]}, {"name": "fine"}]
    scene = parse({"id": "7", "studio": rows[0], "performers": rows, "tags": rows})
    assert "fine" in scene.tags and "fine" in scene.performers
    assert all(0 < len(tag) <= text.TAG_LENGTH for tag in scene.tags)


@pytest.mark.parametrize("field", ["title", "details", "date", "studio", "performers", "tags"])
@pytest.mark.parametrize("value", [5, [], {}, True, [1, None, {"x": 1}]])
def test_a_field_of_the_wrong_type_counts_as_empty(field, value):
    assert not getattr(parse({"id": "7", field: value}), field)


@pytest.mark.parametrize(
    "raw",
    [None, [], "text", 5, {}, {"id": None}, {"id": "x"}, {**FULL, "files": [{"size": 1}]}, {**FULL, "files": "x"}],
)
def test_what_is_no_scene_is_a_permanent_trouble(raw):
    with pytest.raises(Trouble) as raised:
        parse(raw)
    assert raised.value.kind is Kind.PERMANENT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "path", "size"]), inner),
    max_leaves=8,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FULL, JSON)))
def test_any_answer_is_a_scene_or_a_permanent_trouble(raw):
    try:
        scene = parse(raw)
    except Trouble as trouble:
        assert trouble.kind is Kind.PERMANENT
    else:
        assert parse({**raw, "title": scene.title}).title == scene.title
