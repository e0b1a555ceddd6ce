"""Path rules: what a file of Stash is called in Plex, and back, whatever a person wrote into the setting."""

from __future__ import annotations

import re
import threading
import time
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from plex import paths
from plex.rules import LONGEST_PATH, PathRules
from validation.text import PRIVATE, PUBLIC, private

NFC = "/data/Café/a.mkv"
NFD = unicodedata.normalize("NFD", NFC)
LONG = "\\\\?\\"
# A whole rule around a Stash pattern, with a second direction that is harmless.
AROUND = "{} => /media/x | ^/media/x$ => /data/x"


def visible(sentences: list[str]) -> str:
    return "\n".join(sentences).replace(PRIVATE, "").replace(PUBLIC, "")


def only_warning(rules: PathRules) -> str:
    (sentence,) = rules.warnings()
    return visible([sentence])


def test_without_rules_every_path_is_itself():
    rules = PathRules.parse("")
    assert not rules and rules.to_plex("/data/a") == "/data/a" == rules.to_stash("/data/a")
    assert rules.warnings() == [] and rules.explain("/data/a") == "There are no path rules"


@pytest.mark.parametrize(
    ("rule", "stash", "plex"),
    [
        ("/data => /media", "/data/a/b.mkv", "/media/a/b.mkv"),
        ("/data=>/media", "/data/a.mkv", "/media/a.mkv"),
        ("/data/ => /media//tv/", "/data/a.mkv", "/media/tv/a.mkv"),
        ("/data => /media", "/data", "/media"),
        ("/ => /mnt/nas", "/a/b.mkv", "/mnt/nas/a/b.mkv"),
        ("/ => /mnt/nas", "/", "/mnt/nas"),
        ("/mnt/nas => /", "/mnt/nas/a.mkv", "/a.mkv"),
        ("/mnt/nas => /", "/mnt/nas", "/"),
        ("/data => /media", "/data//odd///a.mkv", "/media//odd///a.mkv"),
        ("/data => /media", "/data/back\\slash.mkv", "/media/back\\slash.mkv"),
        ("/data/a | b => /media/a | b", "/data/a | b/c.mkv", "/media/a | b/c.mkv"),
        ("/data/a\\;b => /media", "/data/a;b/c.mkv", "/media/c.mkv"),
        ("/data => D:\\media", "/data/a/b.mkv", "D:\\media\\a\\b.mkv"),
        ("/data => D:\\\\media", "/data/a.mkv", "D:\\media\\a.mkv"),
        ("/data => D:/media/", "/data/a.mkv", "D:\\media\\a.mkv"),
        ("/data => D:\\", "/data/a.mkv", "D:\\a.mkv"),
        ("/data => D:", "/data/a.mkv", "D:\\a.mkv"),
        ("/data => D:\\", "/data", "D:\\"),
        ("/data => \\\\nas\\share", "/data/a/b.mkv", "\\\\nas\\share\\a\\b.mkv"),
        ("/data => //nas/share/", "/data/a.mkv", "\\\\nas\\share\\a.mkv"),
        ("D:\\media => /media", "D:\\media\\a\\b.mkv", "/media/a/b.mkv"),
        ("\\\\nas\\share => /media", "\\\\nas\\share\\a.mkv", "/media/a.mkv"),
        ("D:\\media => \\\\nas\\share", "D:\\media\\a.mkv", "\\\\nas\\share\\a.mkv"),
        (f"{LONG}D:\\media => /media", "D:\\media\\a.mkv", "/media/a.mkv"),
    ],
)
def test_a_pair_of_folders_leads_both_ways(rule, stash, plex):
    rules = PathRules.parse(rule)
    assert rules and (rules.to_plex(stash), rules.to_stash(plex)) == (plex, stash)
    assert rules.warnings() == []


@pytest.mark.parametrize(
    ("rule", "stash", "plex"),
    [
        ("/data => /media", "/data/", "/media"),
        ("D:\\Media => /media", "d:/mEDIA/A/b.mkv", "/media/A/b.mkv"),
        ("D:\\Media => /media", f"{LONG}D:\\Media\\a.mkv", "/media/a.mkv"),
        ("\\\\nas\\share => /media", f"{LONG}UNC\\NAS\\Share\\a.mkv", "/media/a.mkv"),
        ("\\\\nas\\share => /media", "//nas/share/a.mkv", "/media/a.mkv"),
        ("D:\\Média => /media", unicodedata.normalize("NFD", "D:\\MÉDIA\\a.mkv"), "/media/a.mkv"),
        ("/data/Café => /media", NFD, "/media/a.mkv"),
        (unicodedata.normalize("NFD", "/data/Café") + " => /media", NFC, "/media/a.mkv"),
        ("/data => /media", NFD, NFD.replace("data", "media")),
    ],
)
def test_another_spelling_of_a_path_finds_its_folder(rule, stash, plex):
    rules = PathRules.parse(rule)
    assert rules.to_plex(stash) == plex
    assert paths.same(rules.to_stash(plex), stash.rstrip("/")) and rules.warnings() == []


@pytest.mark.parametrize(
    ("rule", "path"),
    [
        ("/data => /media", "/database/a.mkv"),
        ("/data => /media", "/Data/a.mkv"),
        ("/data => /media", "/other/data/a.mkv"),
        ("/data => /media", "data/a.mkv"),
        ("/ => /media", "a.mkv"),
        ("/ => /media", ""),
        ("/ => /media", "D:\\a.mkv"),
        ("D:\\media => /media", "E:\\media\\a.mkv"),
        ("D:\\media => /media", "D:\\mediathek\\a.mkv"),
        ("D:\\ => /media", "D:relative.mkv"),
        ("/data => D:\\media", "/data/not\\for\\windows.mkv"),
        ("/data => /media", "/data/" + "a" * LONGEST_PATH),
        ("^/data/(.*)$ => /media/\\1 | ^/media/(.*)$ => /data/\\1", "/data/" + "a" * LONGEST_PATH),
        ("/data/(.*) => /media/\\1 | /media/(.*) => /data/\\1", "/other/data/a.mkv"),
        ("^/data/(.*)$ => D:/\\1 | ^D:/(.*)$ => /data/\\1", "/data/not\\for\\windows.mkv"),
    ],
)
def test_a_path_that_no_rule_fits_stays_as_it_is(rule, path):
    rules = PathRules.parse(rule)
    assert rules.to_plex(path) == path
    assert rules and rules.warnings() == []


@pytest.mark.parametrize(
    "rule",
    [
        r"^/data/(.*)$ => D:\media\\1 | ^D:\\media\\(.*)$ => /data/\1",
        r"^/data/(.*)$ => D:\\media\\\1 | ^D:\\media\\(.*)$ => /data/\1",
        r"^/data/(.*)$ => D:/media/\1 | ^D:/media/(.*)$ => /data/\1",
        r"/data/(?P<rest>.*) => D:\media\\g<rest> | d:[\\/]MEDIA[\\/](?P<rest>.*) => /data/\g<rest>",
    ],
)
def test_a_regular_expression_may_lead_to_windows_in_any_spelling(rule):
    rules = PathRules.parse(rule)
    assert rules.to_plex("/data/Show/1 - a.mkv") == "D:\\media\\Show\\1 - a.mkv"
    assert rules.to_stash("d:/Media/Show/1 - a.mkv") == "/data/Show/1 - a.mkv"
    assert rules.warnings() == []


@pytest.mark.parametrize(
    ("rule", "stash", "plex"),
    [
        (
            r"^/data/([^/]+)/([^/]+)$ => /media/\2 (\1) | ^/media/(.*) \(([^/]*)\)$ => /data/\2/\1",
            "/data/Studio/Film.mkv",
            "/media/Film.mkv (Studio)",
        ),
        (r"^/([a-z])/(.*)$ => \1:/\2 | ^([a-z]):/(.*)$ => /\1/\2", "/d/a/b.mkv", "d:\\a\\b.mkv"),
        (r"^/data/(.*)$ => \\nas\share\\1 | ^//nas/share/(.*)$ => /data/\1", "/data/a/b", "\\\\nas\\share\\a\\b"),
        (r"^/data/(.*)$ => //nas/share/\1 | ^//nas/share/(.*)$ => /data/\1", "/data/a/b", "\\\\nas\\share\\a\\b"),
        (r"^/data/(.*)$ => //\1/x | ^//([^/]+)/x$ => /data/\1", "/data/nas", "\\\\nas\\x"),
        (r"^(.*)\\old\\(.*)$ => \1\new\\2 | ^(.*)\\new\\(.*)$ => \1\old\\2", "D:\\old\\a.mkv", "D:\\new\\a.mkv"),
        (r"^/data/Café/(.*)$ => /media/\1 | ^/media/(.*)$ => /data/Café/\1", NFD, "/media/a.mkv"),
        (r"^/a\;b/(.*)$ => /media/\1 | ^/media/(.*)$ => /a\;b/\1", "/a;b/c.mkv", "/media/c.mkv"),
        (r"^/data/(x/)?(.*)$ => /media/\1\2 | ^/media/(x/)?(.*)$ => /data/\1\2", "/data/a.mkv", "/media/a.mkv"),
        (r"^/data/(.*)$ => /media/\d/\1 | ^/media/\\d/(.*)$ => /data/\1", "/data/a.mkv", "/media/\\d/a.mkv"),
    ],
)
def test_a_pair_of_regular_expressions_leads_both_ways(rule, stash, plex):
    rules = PathRules.parse(rule)
    assert rules.to_plex(stash) == plex
    assert paths.same(rules.to_stash(plex), stash) and rules.warnings() == []


def test_the_first_rule_that_fits_wins():
    rules = PathRules.parse("/data/new => /incoming; /data => /media;; /data2 => /media2 ;")
    assert rules.to_plex("/data/new/a.mkv") == "/incoming/a.mkv"
    assert rules.to_plex("/data/a.mkv") == "/media/a.mkv"
    assert rules.to_stash("/media2/a.mkv") == "/data2/a.mkv"
    assert rules.warnings() == []


def test_a_rule_behind_a_wider_one_is_named_as_never_reached():
    sentence = only_warning(PathRules.parse("/data => /media; /data/new => /incoming"))
    assert sentence == (
        "Path rule 2 (/data/new => /incoming) is never reached: Path rule 1 (/data => /media) fits first. Swap the two"
    )


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ("/data", "it has no =>"),
        ("/data -> /media", "it has no =>"),
        ("/data => D:\\; /x => E:\\", "more than one =>"),
        ("^/d/(.*)$ => /m/\\1|^/m/(.*)$ => /d/\\1", "more than one =>"),
        ("a => b => c => d", "more than one =>"),
        ("^/data/(.*)$ => /media/\\1", "one direction"),
        ("/data/.* => /media", "one direction"),
        ("data => /media", "data is not a full path"),
        ("/data =>", " is not a full path"),
        ("\\data => /media", "\\data is not a full path"),
        ("(/data => /media/\\1 | ^/m$ => /d", "its Stash pattern is not a regular expression: "),
        ("^/d$ => /m | [ => /d", "its Plex pattern is not a regular expression: "),
        (
            "^/d/(.*)$ => /m/\\2 | ^/m/(.*)$ => /d/\\1",
            "its template names group 2, which its Stash pattern",
        ),
        (
            "^/d/(.*)$ => /m/\\1 | ^/m/(.*)$ => /d/\\g<x>",
            "its template names group x, which its Plex pattern",
        ),
        ("^/d/(.*)$ => /m/\\g<0> | ^/m/(.*)$ => /d/\\1", "names group 0"),
        (AROUND.format("/data/" + "a" * 500), "its Stash pattern is longer than 500 characters"),
        ("^/d$ => /m/" + "a" * 500 + " | ^/m$ => /d", "its template is longer than 500 characters"),
    ],
)
def test_a_rule_that_cannot_be_read_is_disabled_and_the_others_go_on(rule, why):
    rules = PathRules.parse(f"{rule} ; /good => /better")
    sentence = only_warning(rules)
    assert sentence.startswith("Path rule 1 (") and ") is disabled: " in sentence and why in sentence
    assert rules and rules.to_plex("/good/a.mkv") == "/better/a.mkv"
    assert rules.to_plex("/data/a.mkv") == "/data/a.mkv"


EXPLODING = [
    r"^(a+)+$", r"(?:\w*)*x", r"^/data/([a-z ]+)*\.mkv$", r"^/data/(?P<name>.*)+$", r"^(a|aa)+$", r"^(a|a)*$",
    r"^/data/(.*)/(?:x|ab|a|b)*\.mkv$", r"^(.*?,){11}P$", r"^(([a-z])+.)+[A-Z]([a-z])+$",
]  # fmt: skip
BOMBS = [r"((((a{99}){99}){99}){99}){99}", r"a{1000000000}", r"(?x)((a{9 9 9}) {9 9 9})", r"(a{1,9}b){9999,}"]


@pytest.mark.parametrize("pattern", EXPLODING + BOMBS)
def test_a_pattern_that_would_take_forever_is_disabled_when_it_is_read(pattern):
    begun = time.thread_time()
    rules = PathRules.parse(AROUND.format(pattern) + "; /good => /better")
    spent = time.thread_time() - begun
    assert only_warning(rules).startswith(f"Path rule 1 ({pattern} => ")
    assert rules.to_plex("/good/" + "a" * 4_000) == "/better/" + "a" * 4_000
    assert spent < 1.0  # of the processor's time: without limits it would be hours


@pytest.mark.parametrize(
    "pattern",
    [
        r"^/data/(.*)/(.*)/(.*)/(.*)\.mkv$",
        r"^/data/(\d{4})-(\d{2})-(\d{2}) (.*)\.(mp4|mkv)$",
        r"^/data/(?P<studio>[^/]+)/(?:[^/]+/)*([^/]+)$",
        r"^/data/(.*) - (.*) - (.*) - (.*)\.mkv$",
        r"^/data/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})/(.*)$",
    ],
)
def test_a_pattern_as_people_write_them_is_kept(pattern):
    rules = PathRules.parse(AROUND.format(pattern))
    assert rules and rules.warnings() == []


FOUR_PARTS = (
    r"^/data/(.*)/(.*)/(.*)/(.*)\.mkv$ => /m/\1/\2/\3/\4.mkv | ^/m/(.*)/(.*)/(.*)/(.*)\.mkv$ => /data/\1/\2/\3/\4.mkv"
)


@pytest.mark.parametrize(
    "path", ["/data/" + "/" * 300 + ".mkv", "/data/" + "/" * 300 + ".mkv\n", "/data/" + "/" * 4_000]
)
def test_a_pattern_that_grows_with_the_slashes_ends_on_hundreds_of_them(path):
    rules = PathRules.parse(FOUR_PARTS)
    begun = time.thread_time()
    mapped = rules.to_plex(path)
    assert mapped in (path, path.replace("/data/", "/m/")) and time.thread_time() - begun < 1.0
    assert PathRules.parse(FOUR_PARTS).to_plex("/data/a/b/c/d.mkv") == "/m/a/b/c/d.mkv"


def test_a_pattern_that_explodes_on_a_path_that_nobody_foresaw_is_disabled_then_in_any_thread():
    rules = PathRules.parse(r"^/data/((?:[^0/]|[0-9])*\.mkv)$ => /m/\1 | ^/m/(.*)$ => /data/\1; /data => /other")
    assert rules.to_plex("/data/1.mkv") == "/m/1.mkv" and rules.warnings() == []
    path, found = "/data/" + "1" * 200 + "!", []
    thread = threading.Thread(target=lambda: found.append((rules.to_plex(path), time.thread_time())), daemon=True)
    thread.start()
    thread.join(60)
    ((mapped, spent),) = found
    assert mapped == path.replace("/data", "/other") and spent < 1.0
    sentence = only_warning(rules)
    assert sentence.startswith("Path rule 1 (") and f"disabled: on {path[:200]}… its Stash pattern takes" in sentence


def busy(stop: threading.Event) -> None:
    while not stop.is_set():
        sum(range(1_000))


def test_a_rule_that_works_hard_survives_other_busy_threads():
    rules, stop = PathRules.parse(FOUR_PARTS), threading.Event()
    threads = [threading.Thread(target=busy, args=(stop,), daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        path = "/data/" + "a/" * 400 + "b.mkx"
        assert [rules.to_plex(path) for _ in range(20)] == [path] * 20
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert rules and rules.warnings() == []


def test_where_the_engine_is_not_installed_pairs_of_folders_still_work(monkeypatch):
    monkeypatch.setattr("plex.rules.regex", None)
    rules = PathRules.parse(FOUR_PARTS + "; /data => /media")
    assert "the Python package regex is not installed" in only_warning(rules)
    assert rules.to_plex("/data/a.mkv") == "/media/a.mkv"


ONE_WAY = [
    r"^/data/(.*)$ => /media/\1 | ^/media/(.*)$ => /other/\1",
    r"^/data/(.*)$ => /media/\1 | ^/elsewhere/(.*)$ => /data/\1",
    r"^/data/.*/([^/]*)$ => /media/\1 | ^/media/(.*)$ => /data/\1",
    r"^/data/(.*)$ => D:\media\1 | ^D:\\media\\(.*)$ => /data/\1",
]


@pytest.mark.parametrize("rule", ONE_WAY)
def test_a_rule_whose_way_back_leads_elsewhere_is_disabled_by_the_first_check(rule):
    rules = PathRules.parse(f"{rule}; /data => /media")
    rules.check(["/unrelated/a.mkv", "/data/sub/a.mkv", "/data/sub/b.mkv"])
    (sentence,) = rules.warnings()
    assert "Write the two directions so that each undoes the other" in sentence
    assert private(rule) in sentence and private("/data/sub/a.mkv") in sentence
    assert rules.to_plex("/data/sub/a.mkv") == "/media/sub/a.mkv" and rules.warnings() == []


@pytest.mark.parametrize("rule", ONE_WAY)
def test_a_rule_whose_way_back_leads_elsewhere_is_disabled_at_run_time(rule):
    rules = PathRules.parse(rule)
    assert rules and rules.to_plex("/data/sub/a.mkv") == "/data/sub/a.mkv"
    assert not rules and only_warning(rules).startswith("Path rule 1 (")


def test_a_rule_that_loses_something_from_plex_to_stash_is_disabled_too():
    rules = PathRules.parse(r"^/data/(.*)$ => /media/a/\1 | ^/media/[^/]*/(.*)$ => /data/\1")
    assert rules.to_stash("/media/a/x.mkv") == "/data/x.mkv"
    assert rules.to_stash("/media/b/x.mkv") == "/media/b/x.mkv"
    assert "it turns /media/b/x.mkv into /data/x.mkv, and that into /media/a/x.mkv" in only_warning(rules)


def test_two_folders_that_are_one_in_plex_are_named_once_and_stay():
    rules = PathRules.parse("/disk1 => /media; /disk2 => /media")
    rules.check(["/disk1/a.mkv", "/disk2/b.mkv", "/disk2/c.mkv"])
    assert "Path rule 2 (/disk2 => /media) gives /media/b.mkv for /disk2/b.mkv, and Path rule 1" in only_warning(rules)
    assert rules.to_plex("/disk2/b.mkv") == "/media/b.mkv"
    rules.check(["/disk2/b.mkv"])
    assert rules.warnings() == []


def test_every_path_and_rule_in_a_sentence_can_be_hidden():
    rules = PathRules.parse(f"secret => /media; /secret; {ONE_WAY[0].replace('data', 'secret')}; /a => /b")
    rules.check(["/secret/a.mkv"])
    sentences = [*rules.warnings(), rules.explain("/secret/a.mkv"), rules.explain("/a/secret")]
    assert len(sentences) == 5
    for sentence in sentences:
        outside = "".join(part.rpartition(PUBLIC)[2] for part in sentence.split(PRIVATE))
        assert "secret" in sentence and "secret" not in outside


def test_one_sentence_explains_what_becomes_of_a_path():
    rules = PathRules.parse("broken; /data => /media")
    shown = visible([rules.explain("/data/a.mkv")])
    assert shown == "Path rule 2 (/data => /media) turns /data/a.mkv into /media/a.mkv"
    shown = visible([rules.explain("/other/a.mkv")])
    assert shown.startswith("No path rule fits /other/a.mkv. Path rule 1 (broken) is disabled: it has no =>")


NAMES = st.text(st.sampled_from("aAbß é\u0301İ.:;=>|$(\\^'\"%日🎬"), min_size=1, max_size=6)
WINDOWS_NAMES = NAMES.map(lambda name: name.replace("\\", "_"))


def posix_paths(names: st.SearchStrategy[str] = NAMES) -> st.SearchStrategy[str]:
    return st.lists(names, min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts))


def below(root: str, separator: str, names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(names, max_size=5).map(lambda parts: separator.join([root, *parts]))


STASH_SIDES = [("/data", "/data", "/"), ("D:\\Vids", "D:\\Vids", "\\"), ("//nas/x", "\\\\nas\\x", "\\")]
PLEX_SIDES = ["/media", "/mnt/a/b", "E:\\Media", "E:", "\\\\plex\\share\\sub", "/"]


@pytest.mark.parametrize("plex_side", PLEX_SIDES)
@pytest.mark.parametrize(("side", "root", "separator"), STASH_SIDES)
@given(data=st.data())
def test_any_path_below_a_folder_leads_to_plex_and_back(side, root, separator, plex_side, data):
    rules = PathRules.parse(f"{side} => {plex_side}")
    path = data.draw(below(root, separator, NAMES if separator == "/" else WINDOWS_NAMES))
    mapped = rules.to_plex(path)
    assert paths.same(rules.to_stash(mapped), path)
    windows = PLEX_SIDES.index(plex_side) in (2, 3, 4)
    assert paths.is_windows(mapped) is windows or (mapped == path and "\\" in path)
    assert rules and rules.warnings() == []


@given(posix_paths(WINDOWS_NAMES), posix_paths(WINDOWS_NAMES), posix_paths())
def test_any_folder_may_be_part_of_a_pair(stash, plex, path):
    text = f"{stash} => {plex}".replace(";", "\\;")
    assume(not re.search(r"=>.*=>|\(\?|\.[*+]|[ |]|/\.?\.?/", text.replace(" => ", "=>")))
    rules = PathRules.parse(text)
    assert rules.to_plex(stash + path) == plex + path
    assert rules.to_stash(plex + path) == stash + path and rules.warnings() == []


@given(st.text(st.sampled_from("/da =>|;\\(.*)+?{9}[]^$1g<>CD:\n"), max_size=60), posix_paths())
def test_no_setting_whatever_it_holds_raises(text, path):
    rules = PathRules.parse(text)
    rules.check([path, "/da/1"])
    assert isinstance(rules.to_stash(rules.to_plex(path)), str) and isinstance(rules.explain(path), str)
    assert all(isinstance(sentence, str) for sentence in rules.warnings())


def test_the_rules_of_several_texts_are_numbered_through():
    rules = PathRules.of(["/a => /b; broken", "", "/c => D:\\", "also broken"])
    assert [sentence.split(" (")[0] for sentence in rules.warnings()] == ["Path rule 2", "Path rule 4"]
    assert (rules.to_plex("/a/x"), rules.to_stash("D:\\x")) == ("/b/x", "/c/x")
    assert [rules.in_force(place) for place in range(4)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("plex", "stash", "kept"),
    [
        ("/b/x", "/a/x", True),
        ("/b/x", "", True),
        ("", "/a/x", True),
        ("/b/x", "/c/x", False),
        ("/c/x", "/c/x", False),
        ("", "/c/x", False),
    ],
)
def test_a_rule_is_tried_on_a_pair_of_paths_and_leads_there_or_is_disabled(plex, stash, kept):
    rules = PathRules.of(["/x => /y", "/a => /b"])
    rules.expect(1, plex, stash)
    assert (rules.in_force(0), rules.in_force(1)) == (True, kept)
    assert len(rules.warnings()) == (0 if kept else 1)


def test_one_sentence_explains_what_becomes_of_a_path_of_plex():
    rules = PathRules.parse("/data => /media")
    assert visible([rules.explain_plex("/media/a")]) == "Path rule 1 (/data => /media) turns /media/a into /data/a"
    assert visible([rules.explain_plex("/data/a")]) == "No path rule fits /data/a"
