"""The double's schema promises nothing that Stash's own schema does not have."""

import os
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
)

from tests.doubles.stash_graphql import SDL

REFERENCE = Path(os.environ.get("STASH2PLEX_REFERENCE") or Path(__file__).parents[2] / ".." / "shared" / "reference")
OURS = build_schema(SDL.read_text("utf-8"))
TYPES = sorted(name for name in OURS.type_map if not name.startswith("__"))


@pytest.fixture(scope="module")
def theirs():
    files = sorted((REFERENCE / "stash-schema").rglob("*.graphql"))
    if not files:
        pytest.skip(f"no Stash schema in {REFERENCE}; set STASH2PLEX_REFERENCE")
    return build_schema("\n".join(path.read_text("utf-8") for path in files))


@pytest.mark.parametrize("name", TYPES)
def test_every_type_of_the_double_is_part_of_stash(theirs, name):
    assert name in theirs.type_map
    ours, real = OURS.type_map[name], theirs.type_map[name]
    assert type(ours) is type(real)
    if isinstance(ours, GraphQLEnumType):
        assert set(ours.values) <= set(real.values)
    elif not isinstance(ours, GraphQLScalarType):
        assert _differences(ours, real) == []


def _differences(ours, real):
    assert isinstance(ours, (GraphQLObjectType, GraphQLInputObjectType, GraphQLInterfaceType))
    found = [f"{name} is unknown to Stash" for name in ours.fields if name not in real.fields]
    for name in set(ours.fields) & set(real.fields):
        found += _field_differences(name, ours.fields[name], real.fields[name])
    return found + _left_out(ours, real)


def _field_differences(name, ours, real):
    found = [] if str(ours.type) == str(real.type) else [f"{name}: {ours.type} is {real.type} in Stash"]
    our_args, real_args = getattr(ours, "args", {}), getattr(real, "args", {})
    for arg in our_args:
        if arg not in real_args or str(our_args[arg].type) != str(real_args[arg].type):
            found.append(f"{name}({arg}: {our_args[arg].type})")
    needed = {arg for arg, given in real_args.items() if str(given.type).endswith("!")}
    return found + [f"{name} lacks the argument {arg}" for arg in needed - set(our_args)]


def _left_out(ours, real):
    """An input that Stash insists on must not be optional here by being absent."""
    if not isinstance(ours, GraphQLInputObjectType):
        return []
    needed = {name for name, field in real.fields.items() if str(field.type).endswith("!")}
    return [f"lacks {name}" for name in needed - set(ours.fields)]
