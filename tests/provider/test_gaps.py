"""What is on one side only and what Plex did not match is found through the path rules, as a naive model finds it."""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plex import paths
from plex.model import Listed, PlexFile
from plex.rules import PathRules
from provider import gaps
from provider.contract import IDENTIFIER, guid, scene_of
from provider.gaps import Comparison, Found
from provider.places import Index, Root
from provider.scene import Brief

LOCAL = "local://1"
NO_RULES = PathRules.parse("")


def scene(id: int, *files: str, title: str = "") -> Brief:
    return Brief(id=id, title=title, files=[{"path": file} for file in files])


def item(key: int, *files: str, guid: str = LOCAL, title: str = "") -> Listed:
    return Listed(str(key), "1", title, tuple(PlexFile(file, 1) for file in files), 0, guid)


def compared(scenes, items, rules=NO_RULES, roots=("/m",)) -> Comparison:
    comparison = Comparison(rules, roots)
    comparison.know(scenes)
    comparison.see(items)
    return comparison


def found(scenes, items, rules=NO_RULES, roots=("/m",)) -> Found:
    return compared(scenes, items, rules, roots).finish()


def only(result: Found) -> gaps.Gap:
    """The one gap there is."""
    assert sum(result.reasons.values()) == 1, result
    return next(gap for examples in result.examples.values() for gap in examples)


def test_a_file_that_only_plex_has_is_unknown_to_stash():
    gap = only(found([], [item(7, "/m/a.mp4", title="A")]))
    assert (gap.kind, gap.why, gap.item, gap.title, gap.path) == (
        gaps.NOT_IN_STASH,
        gaps.UNKNOWN_FILE,
        "7",
        "A",
        "/m/a.mp4",
    )


@pytest.mark.parametrize(
    ("files", "why"),
    [((), gaps.NO_FILE), (("/m/a.mp4",), gaps.NOT_FOUND), (("/elsewhere/a.mp4",), gaps.NOT_COVERED)],
)
def test_a_scene_that_plex_lacks_is_reported_with_its_reason(files, why):
    gap = only(found([scene(3, *files, title="A")], []))
    assert (gap.kind, gap.why, gap.scenes, gap.title) == (gaps.NOT_IN_PLEX, why, (3,), "A")


def test_a_folder_that_only_begins_like_a_library_root_is_not_covered():
    assert only(found([scene(3, "/media/a.mp4")], [], roots=("/m", "/med"))).why == gaps.NOT_COVERED


def test_a_scene_is_not_covered_only_when_all_its_files_lie_outside():
    assert only(found([scene(3, "/else/a.mp4", "/m/a.mp4")], [])).why == gaps.NOT_FOUND


def test_whether_a_library_covers_a_folder_is_asked_after_the_rules():
    rules = PathRules.parse("/data => D:\\Media")
    gap = only(found([scene(3, "/data/a.mp4")], [], rules, ["d:/media/"]))
    assert (gap.why, gap.path, gap.expected) == (gaps.NOT_FOUND, "/data/a.mp4", "D:\\Media\\a.mp4")


@pytest.mark.parametrize("held", ["local://12", "", "none://x", "com.plexapp.agents.none://ab?lang=xn"])
def test_an_item_that_no_agent_matched_can_be_healed(held):
    comparison = compared([scene(3, "/m/a.mp4", title="A")], [item(7, "/m/a.mp4", guid=held)])
    gap = only(comparison.finish())
    assert (gap.kind, gap.why, gap.item, gap.scenes) == (gaps.UNMATCHED, gaps.NEVER_MATCHED, "7", (3,))
    assert comparison.wanted(item(7, "/m/a.mp4", guid=held)) == gaps.Wanted(3, "A")


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (guid(4), gaps.OTHER_SCENE),
        (guid(999), gaps.VANISHED_SCENE),
        (f"{IDENTIFIER}://3", gaps.VANISHED_SCENE),
    ],
)
def test_an_item_that_has_our_guid_of_another_scene_can_be_healed(held, why):
    scenes = [scene(3, "/m/a.mp4"), scene(4, "/m/b.mp4")]
    result = found(scenes, [item(7, "/m/a.mp4", guid=held), item(8, "/m/b.mp4", guid=guid(4))])
    assert (only(result).kind, only(result).why, result.matched) == (gaps.UNMATCHED, why, 1)


@pytest.mark.parametrize(
    "held", ["plex://movie/5d7768", "imdb://tt1", "com.plexapp.agents.imdb://tt1", "tv.plex.agents.custom.x://movie/3"]
)
def test_what_another_agent_matched_is_reported_and_never_healed(held):
    comparison = compared([scene(3, "/m/a.mp4")], [item(7, "/m/a.mp4", guid=held)])
    assert only(comparison.finish()).kind == gaps.FOREIGN
    assert comparison.wanted(item(7, "/m/a.mp4", guid=held)) is None
    assert comparison.healable == 0


def test_a_matched_item_is_no_gap():
    result = found([scene(3, "/m/a.mp4")], [item(7, "/m/a.mp4", guid=guid(3))])
    assert (result.matched, result.reasons) == (1, {})


def test_one_item_with_the_files_of_several_scenes_is_ambiguous():
    scenes = [scene(3, "/m/a.mp4"), scene(4, "/m/b.mp4")]
    comparison = compared(scenes, [item(7, "/m/a.mp4", "/m/b.mp4")])
    gap = only(comparison.finish())
    assert (gap.kind, gap.why, gap.scenes) == (gaps.AMBIGUOUS, gaps.SEVERAL_SCENES, (3, 4))
    assert comparison.healable == 0


def test_one_scene_in_several_items_is_ambiguous_for_those_that_are_not_matched():
    items = [item(7, "/m/a.mp4"), item(8, "/m/b.mp4", guid=guid(3)), item(9, "/m/b.mp4", guid="plex://movie/1")]
    comparison = compared([scene(3, "/m/a.mp4", "/m/b.mp4")], items)
    result = comparison.finish()
    assert result.reasons == {
        (gaps.AMBIGUOUS, gaps.SEVERAL_ITEMS): 1,
        (gaps.FOREIGN, gaps.OTHER_AGENT): 1,
    }
    assert (result.matched, comparison.healable) == (1, 0)


def test_any_file_of_an_item_may_lead_to_the_scene():
    result = found([scene(3, "/m/part2.mp4")], [item(7, "/m/part1.mp4", "/m/part2.mp4", guid=guid(3))])
    assert (result.matched, result.reasons) == (1, {})


def test_two_folders_of_stash_that_are_one_in_plex_do_not_heal_into_the_wrong_scene():
    rules = PathRules.parse("/one => /m; /two => /m")
    comparison = compared([scene(3, "/one/a.mp4"), scene(4, "/two/a.mp4")], [item(7, "/m/a.mp4")], rules)
    assert only(comparison.finish()).kind == gaps.AMBIGUOUS


def test_the_second_of_two_folders_that_are_one_in_plex_is_found_there():
    rules = PathRules.parse("/one => /m; /two => /m")
    assert only(found([scene(4, "/two/a.mp4")], [item(7, "/m/a.mp4")], rules)).kind == gaps.UNMATCHED


def test_an_item_that_a_person_matched_after_the_comparison_is_left_alone():
    comparison = compared([scene(3, "/m/a.mp4")], [item(7, "/m/a.mp4")])
    comparison.finish()
    assert comparison.wanted(item(7, "/m/a.mp4", guid="plex://movie/1")) is None
    assert comparison.wanted(item(7, "/m/a.mp4", guid=guid(3))) is None
    assert comparison.wanted(item(7, "/m/other.mp4")) is None
    assert comparison.wanted(item(7, "/m/a.mp4")) is not None


def test_there_are_at_most_a_hundred_examples_and_all_are_counted():
    result = found([scene(n, f"/m/{n}.mp4") for n in range(1, 251)], [])
    assert (result.count(gaps.NOT_IN_PLEX), len(result.examples[gaps.NOT_IN_PLEX])) == (250, 100)


def test_any_text_may_be_in_a_title_or_a_path():
    odd = "/m/\ud800\0 \N{PILE OF POO}.mp4"
    result = found([scene(3, odd, title="t")], [item(7, "/m/\ud801\n.mp4", title="\0")])
    assert (result.count(gaps.NOT_IN_PLEX), result.count(gaps.NOT_IN_STASH)) == (1, 1)


# against a naive model

LETTERS = ["a", "A", "\u00e9", "e\u0301", "\u212a", "k", "\u00df", "ss", ".", " "]
NAMES = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=3).map("".join)
HEADS = [
    "/data/",
    "/m/",
    "//nas/share/",
    "/",
    "D:\\m\\",
    "d:/M/",
    "\\\\nas\\share\\",
    "\\\\?\\D:\\m\\",
    "\\\\?\\UNC\\nas\\share\\",
]
PATHS = st.builds(
    lambda head, names: head + "/".join(names), st.sampled_from(HEADS), st.lists(NAMES, min_size=1, max_size=2)
)
FILES = st.lists(PATHS, max_size=3)
GUIDS = st.sampled_from([LOCAL, "", "plex://movie/1", guid(1), guid(2), guid(3), guid(99), f"{IDENTIFIER}://1"])
RULES = st.sampled_from(
    ["", "/data => /m", "/data => D:\\m", "D:\\m => /m", "/data => \\\\nas\\share; /m => /m", "/data => /m; /m => /m"]
)
ROOTS = st.lists(st.sampled_from(["/m", "/data/", "D:\\m", "d:/", "//nas/share", "\\\\NAS\\share"]), max_size=2)


class Case(NamedTuple):
    scenes: list[Brief]
    items: list[Listed]


@st.composite
def cases(draw) -> Case:
    scenes = [scene(id, *files) for id, files in zip(count(1), draw(st.lists(FILES, max_size=5)))]
    taken = [path for one in scenes for path in one.paths]
    theirs = st.lists(
        st.one_of(PATHS, st.sampled_from(taken or ["/m/a"]), st.sampled_from(taken or ["/m/a"]).map(str.swapcase)),
        max_size=3,
    )
    rows = draw(st.lists(st.tuples(theirs, GUIDS), max_size=5))
    return Case(scenes, [item(key, *files, guid=held) for key, (files, held) in zip(count(1), rows)])


def leads(rules: PathRules, file: str, path: str) -> bool:
    moved = rules.to_plex(path)
    return paths.same(rules.to_stash(file), path) or (moved != path and paths.same(file, moved))


def below(path: str, root: str) -> bool:
    """By comparing every folder above the path with the root."""
    places = [at for at, letter in enumerate(path) if letter in "/\\"]
    return any(paths.same(path[: at + 1], root.rstrip("/\\") + path[at]) for at in places)


def naive(case: Case, rules: PathRules, roots: list[str]) -> Counter:
    lead = {
        one.key: {each.id for each in case.scenes for p in each.paths for f in one.files if leads(rules, f.path, p)}
        for one in case.items
    }
    claims = Counter(id for ids in lead.values() for id in ids)
    counted: Counter = Counter()
    for one in case.items:
        counted[of_item(one, lead[one.key], claims, case)] += 1
    for each in case.scenes:
        if not claims[each.id]:
            covered = not roots or any(below(rules.to_plex(p), root) for root in roots for p in each.paths)
            why = gaps.NO_FILE if not each.paths else gaps.NOT_FOUND if covered else gaps.NOT_COVERED
            counted[gaps.NOT_IN_PLEX, why] += 1
    return counted


def of_item(one: Listed, ids: set[int], claims: Counter, case: Case) -> tuple[str, str]:
    if not ids:
        return gaps.NOT_IN_STASH, gaps.UNKNOWN_FILE if one.files else gaps.NO_FILE
    if len(ids) > 1:
        return gaps.AMBIGUOUS, gaps.SEVERAL_SCENES
    (id,) = ids
    if one.guid == guid(id):
        return gaps.MATCHED, gaps.MATCHED
    if one.guid.startswith("plex"):
        return gaps.FOREIGN, gaps.OTHER_AGENT
    if claims[id] > 1:
        return gaps.AMBIGUOUS, gaps.SEVERAL_ITEMS
    if one.guid in ("", LOCAL):
        return gaps.UNMATCHED, gaps.NEVER_MATCHED
    there = scene_of(one.guid) in {each.id for each in case.scenes}
    return gaps.UNMATCHED, gaps.OTHER_SCENE if there else gaps.VANISHED_SCENE


@settings(max_examples=150)
@given(cases(), RULES, ROOTS)
def test_any_library_is_compared_as_a_naive_model_does(case: Case, text: str, roots: list[str]):
    expected = naive(case, PathRules.parse(text), roots)
    matched = expected.pop((gaps.MATCHED, gaps.MATCHED), 0)
    comparison = compared(case.scenes, case.items, PathRules.parse(text), roots)
    result = comparison.finish()
    assert (result.reasons, result.matched) == (dict(expected), matched)
    assert comparison.healable == result.count(gaps.UNMATCHED)
    assert (result.scenes, result.items) == (len(case.scenes), len(case.items))


@settings(max_examples=150)
@given(PATHS, PATHS)
def test_two_paths_meet_exactly_when_they_are_the_same(one: str, other: str):
    index = Index()
    index.put(one, 1)
    assert list(index.get(other)) == ([1] if paths.same(one, other) else [])
    assert list(index.get(one))


@pytest.mark.parametrize("one", ["\\\\nas\\Share\\a", "\\\\?\\UNC\\NAS\\share\\a", "//nas/share/a"])
@pytest.mark.parametrize("other", ["\\\\nas\\share\\A", "//nas/share/a"])
def test_a_share_is_the_same_with_slashes_and_with_backslashes(one: str, other: str):
    index = Index()
    index.put(one, 1)
    assert paths.same(one, other) and list(index.get(other)) == [1]
    index = Index()
    index.put(other, 1)
    assert list(index.get(one)) == [1]


def test_a_decomposed_name_is_the_same_file():
    name = "/m/\u00e9.mp4"
    scenes, items = [scene(3, unicodedata.normalize("NFD", name))], [item(7, name, guid=guid(3))]
    assert found(scenes, items).reasons == {}


@pytest.mark.parametrize(("root", "path"), [("/", "/a.mp4"), ("D:\\", "d:\\a.mp4"), ("\\\\nas\\x", "//NAS/x/a.mp4")])
def test_a_whole_disk_or_share_may_be_a_root(root: str, path: str):
    assert Root(root).holds(path)
