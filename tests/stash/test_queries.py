"""Every text we send to Stash is valid, by Stash's own schema and by the double's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from graphql import GraphQLList, GraphQLNonNull, build_schema, parse, validate
from graphql.language import OperationDefinitionNode

from hooks import wake
from stash import queries
from tests.doubles.stash_graphql import SDL

REFERENCE = Path(os.environ.get("STASH2PLEX_REFERENCE") or Path(__file__).parents[2] / ".." / "shared" / "reference")
CONSTANTS = sorted(
    name for name, value in vars(queries).items() if name.isupper() and value.startswith(("query", "mut"))
)
# The provider's have a place for the fields of a scene.
WITH_GROUPS = queries.PROVIDER_FIELDS + queries.PROVIDER_GROUPS
TEXTS = {name: getattr(queries, name).replace("%s", WITH_GROUPS) for name in CONSTANTS}
TEXTS["scenes_one_by_one"] = queries.scenes_one_by_one([1, 2, 30])
TEXTS["scenes_one_by_one of one"] = queries.scenes_one_by_one([7])
TEXTS["hooks.wake.LAUNCH"] = wake.LAUNCH % (wake.LAUNCHER_ID, 0)


@pytest.fixture(scope="module")
def stash_schema():
    files = sorted((REFERENCE / "stash-schema").rglob("*.graphql"))
    if not files:
        pytest.skip(f"no Stash schema in {REFERENCE}; set STASH2PLEX_REFERENCE")
    return build_schema("\n".join(path.read_text("utf-8") for path in files))


@pytest.fixture(scope="module")
def double_schema():
    return build_schema(SDL.read_text("utf-8"))


def test_every_constant_is_found():
    assert {"SCENES", "CHANGED", "NEWEST", "PAGE", "CONFIGURATION", "LAUNCH"} <= set(CONSTANTS)


@pytest.mark.parametrize("schema", ["stash_schema", "double_schema"])
@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_valid(request, schema, name):
    assert validate(request.getfixturevalue(schema), parse(TEXTS[name])) == []


@pytest.mark.parametrize("name", [name for name in TEXTS if name not in ("LAUNCH", "CONFIGURE", "hooks.wake.LAUNCH")])
def test_what_is_sent_again_after_a_silence_only_reads(name):
    operations = [node for node in parse(TEXTS[name]).definitions if isinstance(node, OperationDefinitionNode)]
    assert [operation.operation.value for operation in operations] == ["query"]


def test_the_scene_query_asks_for_what_a_scene_is_made_of(double_schema):
    from validation.scene import Scene

    kind = double_schema.type_map["Scene"]
    for name in Scene.model_fields:
        assert name in queries.SCENE_FIELDS and name in kind.fields
    files = kind.fields["files"].type
    while isinstance(files, (GraphQLList, GraphQLNonNull)):
        files = files.of_type
    assert {"path", "size"} <= set(files.fields)
