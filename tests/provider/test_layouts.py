"""Every layout of files that people have leads to its scene, or says why not: first in memory, then by the service."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plex import paths
from provider.match import Matcher
from provider.question import Question
from provider.rules import Rules
from provider.scene import Entry
from provider.settings import RuleText
from provider.upstream import Names
from tests.doubles.stash_server import StashDouble
from tests.provider.layouts import GROUPS, Case, Group
from tests.provider.service import Service

EVERY = [(group, case) for group in GROUPS for case in group.cases]


def files(group: Group, scene: int) -> tuple[str, ...]:
    found = group.scenes[scene]
    return (found,) if isinstance(found, str) else found


def entries(group: Group) -> list[Entry]:
    rows = {scene: [{"path": path} for path in files(group, scene)] for scene in group.scenes}
    return [Entry.model_validate({"id": scene, "files": found}) for scene, found in rows.items()]


def rule_texts(group: Group) -> list[RuleText]:
    return [RuleText(rule=one) if isinstance(one, str) else RuleText(**one) for one in group.rules]


class Shelf:
    """The scenes of a group in memory, found as `Catalogue` finds them in Stash."""

    def __init__(self, group: Group) -> None:
        self._entries = entries(group)

    async def at_path(self, *wanted: str) -> list[Entry]:
        return [entry for entry in self._entries if any(paths.same(own, one) for own in entry.paths for one in wanted)]

    async def named(self, base_name: str, folders: tuple[str, ...] = ()) -> Names:
        found = [entry for entry in self._entries if any(paths.same_name(own, base_name) for own in entry.paths)]
        return Names(tuple(found), False)


class Pure:
    """The way from a name to a scene without a service."""

    def __init__(self, group: Group) -> None:
        self.rules = Rules.of(rule_texts(group))

        async def roots() -> tuple[str, ...]:
            return (*group.roots, *self.rules.roots)

        self._matcher = Matcher(Shelf(group), self.rules, roots)

    def matched(self, filename: str) -> tuple[list[int], str]:
        """The scenes that are named unasked, and why there is none."""
        outcome = asyncio.run(self._matcher.match(Question(type=1, title="x", filename=filename)))
        return [entry.id for entry, _ in outcome.ranked], outcome.why


@pytest.fixture(scope="module")
def pure() -> dict[str, Pure]:
    return {group.name: Pure(group) for group in GROUPS}


def named(case: Case) -> list[str]:
    """The names that Plex may send for a file, in each Unicode form, and with and without a leading slash."""
    given = [name for name in (case.filename, case.absolute) if name]
    if isinstance(case.found, str):
        return given
    turned = case.filename[1:] if case.filename.startswith("/") else "/" + case.filename
    given += [] if case.filename.startswith("//") or "\\" in case.filename else [turned]
    return list(dict.fromkeys(unicodedata.normalize(form, name) for form in ("NFC", "NFD") for name in given))


def test_there_are_as_many_layouts_as_promised():
    assert len({(group.name, case.filename) for group, case in EVERY}) == len(EVERY) >= 50


@pytest.mark.parametrize(("group", "case"), EVERY, ids=lambda one: one.name)
def test_a_file_is_found_or_it_is_said_why_not(pure: dict[str, Pure], group: Group, case: Case):
    for filename in named(case):
        found, why = pure[group.name].matched(filename)
        if isinstance(case.found, int):
            assert found == [case.found], (filename, why)
        else:
            assert found == [] and case.found in why, (filename, why)


@pytest.mark.parametrize("group", GROUPS, ids=lambda one: one.name)
def test_no_file_that_stash_lost_is_taken_for_another_scene(group: Group):
    """Each file once more, after its scene was deleted in Stash: then it has none, whatever looks like it."""
    for case in group.cases:
        if isinstance(case.found, int):
            left = {scene: path for scene, path in group.scenes.items() if scene != case.found}
            without = Pure(Group(group.name, group.roots, group.rules, left, ()))
            for filename in named(case):
                assert without.matched(filename)[0] == [], (case.name, filename)


NAMES = st.text(st.sampled_from("aAbß é\u0301İ.=>|$(^'%[日🎬"), min_size=1, max_size=6).filter(
    lambda name: name.strip(".") != ""
)


class Place(NamedTuple):
    """A library of Plex, the rule for it, and where Stash has the files whose names lead from there."""

    root: str
    rule: str
    stash: Callable[[Sequence[str]], str]

    def plex(self, names: Sequence[str]) -> str:
        return ("\\" if paths.is_windows(self.root) else "/").join([self.root, *names])


PLACES = (
    Place("/media/Movies", "/data/m => /media/Movies", lambda names: "/".join(["/data/m", *names])),
    Place("D:\\My Clips", "/clips => D:\\My Clips", lambda names: "/".join(["/clips", *names])),
    Place("\\\\nas\\share", "/nas => //nas/share", lambda names: "/".join(["/nas", *names])),
    Place("/vids", "E:\\Vids => /vids", lambda names: "\\".join(["E:\\Vids", *names])),
    Place("/same", "", lambda names: "/".join(["/same", *names])),
    Place("/rx", r"^/re/(.*)$ => /rx/\1 | ^/rx/(.*)$ => /re/\1", lambda names: "/".join(["/re", *names])),
    Place(
        "/turned",
        r"^/t/([^/]+)/([^/]+)/(.*)$ => /turned/\2/\1/\3 | ^/turned/([^/]+)/([^/]+)/(.*)$ => /t/\2/\1/\3",
        lambda names: "/".join(["/t", names[1], names[0], *names[2:]]),
    ),
)


@st.composite
def spellings(draw, place: Place, names: Sequence[str]) -> str:
    """A name that Plex may send for a file: whole, or from any folder of its library's path on."""
    separator = draw(st.sampled_from("\\/")) if paths.is_windows(place.root) else "/"
    own = [name for name in place.root.replace("\\", "/").split("/") if name]
    lead = draw(st.integers(0, len(own)))
    relative = draw(st.sampled_from(["", separator])) + separator.join([*own[len(own) - lead :], *names])
    name = draw(st.sampled_from([place.plex(names), relative]))
    return unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), name)


def key(names: Sequence[str]) -> str:
    return unicodedata.normalize("NFC", "/".join(names)).casefold()


@given(st.data())
def test_any_file_in_any_library_leads_to_its_own_scene_and_without_it_to_none(data):
    """Decoys with the same base name lie everywhere; only the same path below another library may be confused."""
    libraries = data.draw(st.lists(st.sampled_from(PLACES), min_size=1, unique=True))
    place = data.draw(st.sampled_from(libraries))
    names = data.draw(st.lists(NAMES, min_size=3, max_size=5))
    folders = data.draw(st.lists(st.lists(NAMES, min_size=2, max_size=4), max_size=4))
    decoys = [[*one, names[-1]] for one in folders]
    assume(not any(key(one).endswith(key(names)) or key(names).endswith(key(one)) for one in decoys))
    shelf = {id: data.draw(st.sampled_from(libraries)).stash(one) for id, one in enumerate(decoys, 2)}
    rules = tuple(one.rule for one in libraries if one.rule)
    roots = tuple(one.root for one in libraries)
    with_it = Pure(Group("", roots, rules, {1: place.stash(names), **shelf}, ()))
    without = Pure(Group("", roots, rules, shelf, ()))
    for _ in range(3):
        filename = data.draw(spellings(place, names))
        assert with_it.matched(filename) == ([1], "")
        assert without.matched(filename)[0] == []
    assert paths.same(with_it.rules.to_stash(place.plex(names)), place.stash(names))
    assert paths.same(with_it.rules.to_plex(place.stash(names)), place.plex(names)) and with_it.rules.warnings() == []


@pytest.fixture(scope="module", params=GROUPS, ids=lambda one: one.name)
def served(request, tmp_path_factory):
    """A service with a group's settings, beside a Stash that holds all its scenes."""
    group: Group = request.param
    folder = tmp_path_factory.mktemp("layouts")
    rules = [text.model_dump() for text in rule_texts(group)]
    config = folder / "provider.yml"
    config.write_text(json.dumps({"library_roots": list(group.roots), "path_rules": rules}), "utf-8")
    with ExitStack() as stack:
        stash = stack.enter_context(StashDouble())
        fill(stash, group)
        yield group, stack.enter_context(Service(folder, stash, config=str(config)))


def fill(stash: StashDouble, group: Group) -> None:
    for scene in group.scenes:
        first, *others = files(group, scene)
        assert stash.add_scene(path=first) == str(scene)
        for path in others:
            stash.library.new_file(stash.library.scenes[scene], path, 1_000)


def test_plex_gets_the_scene_of_a_file_or_an_empty_answer(served: tuple[Group, Service]):
    group, service = served
    wrong = []
    for case in group.cases:
        wanted = [str(case.found)] if isinstance(case.found, int) else []
        answers = {name: service.matched(filename=name) for name in (case.filename, case.absolute) if name}
        wrong += [(case.name, name, found) for name, found in answers.items() if found != wanted]
    assert wrong == []


def test_a_person_is_told_why_a_file_has_no_scene(served: tuple[Group, Service]):
    group, service = served
    told = {}
    for case in group.cases:
        if isinstance(case.found, str) and case.filename.isprintable():
            reply = service.ask("/explain?" + urlencode({"filename": case.filename}))
            told[case.name] = (case.found, reply.json["result"])
    assert {name: result for name, (_, result) in told.items() if result["scene"] is not None} == {}
    assert {name: result for name, (wanted, result) in told.items() if wanted not in result["why"]} == {}
