"""The provider's path rules: tried at the start, each with the library it is for, and never in anybody's way."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plex import paths
from provider.rules import Rules
from provider.settings import RuleText
from validation.text import PRIVATE, PUBLIC

TURNED = r"^/data/([^/]+)/(.*)$ => /media/\2 @\1 | ^/media/(.*) @([^/@]+)$ => /data/\2/\1"
EVIL = r"^/data/((?:[^0/]|[0-9])*\.mkv)$ => /evil/\1 | ^/evil/((?:[^0/]|[0-9])*\.mkv)$ => /data/\1"
LOSES = r"^/data/(.*)$ => /media/a/\1 | ^/media/[^/]*/(.*)$ => /data/\1"


def rules(*texts: object) -> Rules:
    return Rules.of([RuleText(rule=text) if isinstance(text, str) else RuleText(**text) for text in texts])


def tried(rule: str, plex: str = "", stash: str = "", root: str = "") -> dict[str, str]:
    return {"rule": rule, "test_plex_path": plex, "test_stash_path": stash, "plex_library_root": root}


def visible(sentence: str) -> str:
    return sentence.replace(PRIVATE, "").replace(PUBLIC, "")


def only_warning(of: Rules) -> str:
    (sentence,) = of.warnings()
    return visible(sentence)


def test_without_rules_every_path_is_itself():
    none = rules()
    assert none.to_stash("/media/a") == "/media/a" == none.to_plex("/media/a")
    assert none.roots == () and none.warnings() == [] and none.explain("/media/a") == "There are no path rules"


def test_the_rules_of_all_texts_are_one_list_in_their_order():
    of = rules("/data/new => /media/in; /data => /media", "/data2\\;x => D:\\", r"/data3 => \\nas\x ", "broken")
    assert of.to_stash("/media/in/a") == "/data/new/a" and of.to_stash("/media/a") == "/data/a"
    assert of.to_stash("D:/a") == "/data2;x/a" and of.to_plex("/data3/a") == "\\\\nas\\x\\a"
    assert only_warning(of).startswith("Path rule 5 (broken) is disabled: it has no =>")


@pytest.mark.parametrize(
    ("plex", "stash"),
    [
        ("/media/S/a.mkv @X", "/data/X/S/a.mkv"),
        ("/media/S/a.mkv @X", ""),
        ("", "/data/X/S/a.mkv"),
        ("", ""),
    ],
)
def test_a_rule_that_passes_its_test_is_in_force_and_its_library_counts(plex, stash):
    of = rules(tried(TURNED, plex, stash, root="/media"))
    assert of.warnings() == [] and of.roots == ("/media",)
    assert of.to_stash("/media/b.mkv @Y") == "/data/Y/b.mkv" and of.to_plex("/data/Y/b.mkv") == "/media/b.mkv @Y"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            tried("/data => /media", "/media/a", "/other/a"),
            "it turns its test path /media/a into /data/a and not into /other/a. Correct one of them",
        ),
        (tried("/data => /media", "/movies/a", "/data/a"), "it does not fit its test path /movies/a. Correct one"),
        (tried("/data => /media", "/movies/a"), "it does not fit its test path /movies/a. Correct one of them"),
        (tried("/data => /media", "", "/movies/a"), "it does not fit its test path /movies/a. Correct one of them"),
        (tried(LOSES, "/media/b/x"), "it turns /media/b/x into /data/x, and that into /media/a/x. Write the two"),
        (tried(LOSES, "/media/b/x", "/data/x"), "it turns /media/b/x into /data/x, and that into /media/a/x. Write"),
        (tried(EVIL, "/evil/" + "1" * 200 + "!"), "its Plex pattern takes too long. Use fewer repetitions"),
    ],
)
def test_a_rule_that_fails_its_test_is_disabled_and_the_others_go_on(text, why):
    of = rules({**text, "plex_library_root": "/media"}, tried("/data => /good", "/good/a", "/data/a", root="/good"))
    sentence = only_warning(of)
    assert sentence.startswith(f"Path rule 1 ({text['rule']}) is disabled: ") and why in sentence
    assert of.roots == ("/good",) and of.to_plex("/data/x") == "/good/x" and of.to_stash("/media/a/x") == "/media/a/x"


def test_of_several_rules_in_one_text_the_one_that_fits_is_tried():
    of = rules(tried("/a => /media/a; /b => /media/b; /c => /media/c", "/media/b/x", "/c/x", root="/media"))
    assert "Path rule 2 (/b => /media/b) is disabled: it turns its test path /media/b/x into /b/x" in only_warning(of)
    assert of.to_stash("/media/a/x") == "/a/x" and of.to_stash("/media/b/x") == "/media/b/x"
    assert of.roots == ("/media",)


def test_of_several_rules_in_one_text_none_is_kept_when_none_fits_the_test():
    of = rules(tried("/a => /media/a; /b => /media/b", "/movies/x", root="/media"))
    assert len(of.warnings()) == 2 and of.roots == () and of.to_stash("/media/a/x") == "/media/a/x"


def test_of_several_rules_in_one_text_only_the_one_whose_way_back_is_wrong_is_disabled():
    of = rules(tried(f"/x => /y; {LOSES}", "/media/b/x"))
    assert only_warning(of).startswith("Path rule 2 (") and of.to_stash("/y/a") == "/x/a"


def test_a_rule_that_another_one_comes_before_is_named_and_kept():
    of = rules("/data => /media", tried("/data2 => /media/new", "/media/new/a", "/data2/a", root="/media/new"))
    assert only_warning(of) == (
        "Path rule 2 (/data2 => /media/new) is not used for its test path: Path rule 1 (/data => /media) fits first. "
        "Swap the two"
    )
    assert of.to_plex("/data2/a") == "/media/new/a" and of.roots == ("/media/new",)


def test_a_rule_that_no_path_of_plex_reaches_is_named():
    of = rules("/data => /media; /data2 => /media/new")
    assert only_warning(of) == (
        "Path rule 2 (/data2 => /media/new) is never reached: Path rule 1 (/data => /media) fits first. Swap the two"
    )


def test_two_folders_of_plex_may_be_one_folder_of_stash():
    of = rules("/data => /mnt/user/x; /data => /mnt/disk1/x")
    assert of.warnings() == [] and of.to_stash("/mnt/user/x/a") == "/data/a" == of.to_stash("/mnt/disk1/x/a")


def test_a_rule_that_is_disabled_later_takes_its_library_along():
    of = rules(tried(EVIL, "/evil/1.mkv", "/data/1.mkv", root="/evil"), tried("/data => /media", root="/media"))
    assert of.warnings() == [] and of.roots == ("/evil", "/media")
    begun = time.thread_time()
    assert of.to_stash("/evil/" + "1" * 200 + "!") == "/evil/" + "1" * 200 + "!"
    assert time.thread_time() - begun < 1.0  # of the processor's time: without limits it would be hours
    assert "takes too long" in only_warning(of) and of.roots == ("/media",)
    assert of.to_plex("/data/1.mkv") == "/media/1.mkv"


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"^(.*?,){11}P$", r"((((a{99}){99}){99}){99}){99}"])
def test_an_exploding_pattern_is_disabled_when_it_is_read(pattern):
    begun = time.thread_time()
    of = rules(tried(f"{pattern} => /m | ^/m$ => /d", "/m", root="/m"), "/data => /media")
    assert time.thread_time() - begun < 1.0
    assert only_warning(of).startswith(f"Path rule 1 ({pattern} => ") and of.roots == ()
    assert of.to_stash("/media/a") == "/data/a"


def test_a_library_that_is_no_full_path_is_not_used_and_that_is_said_once():
    of = rules(tried("/data => /media", root="media"), tried("/x => D:\\y", root="D:\\y"))
    assert of.roots == ("D:\\y",)
    assert only_warning(of).startswith("The plex_library_root media of a path rule is not a full path and not used")
    assert (len(of.news()), of.news(), len(of.warnings())) == (1, [], 1) and of.to_stash("/media/a") == "/data/a"


def test_the_same_library_of_two_rules_counts_once():
    assert rules(tried("/a => /m/a", root="/m"), tried("/b => /m/b", root="/m")).roots == ("/m",)


def test_one_sentence_explains_what_becomes_of_a_path_of_plex():
    of = rules("broken", "/data => /media")
    assert visible(of.explain("/media/a")) == "Path rule 2 (/data => /media) turns /media/a into /data/a"
    assert visible(of.explain("/data/a")).startswith(
        "No path rule fits /data/a. Path rule 1 (broken) is disabled: it has no =>"
    )


def test_every_path_in_a_sentence_can_be_hidden():
    of = rules(
        tried("/secret => /media", "/media/secret", "/other/secret"),
        tried("/secret => /media", "/secret/a"),
        tried("/secret => /media", root="secret"),
        tried("/more => /media/secret", "/media/secret/a"),
    )
    sentences = [*of.warnings(), of.explain("/media/secret")]
    assert len(sentences) == 5
    for sentence in sentences:
        outside = "".join(part.rpartition(PUBLIC)[2] for part in sentence.split(PRIVATE))
        assert "secret" in sentence and "secret" not in outside


NAMES = st.text(st.sampled_from("aAbß é\u0301İ.:=>|$(^'\"%日🎬"), min_size=1, max_size=6)
PAIRS = [
    ("/data", "/media", "/"),
    ("/more", "D:\\Media", "\\"),
    ("D:\\Vids", "/vids", "/"),
    ("/n", "\\\\nas\\s", "\\"),
]


@given(st.lists(st.sampled_from(PAIRS), min_size=1, unique=True), st.lists(NAMES, min_size=1, max_size=5), st.data())
def test_any_path_of_plex_leads_to_stash_and_back(pairs, names, data):
    of = rules(*(tried(f"{stash} => {plex} ", plex + end + "t", root=plex) for stash, plex, end in pairs))
    stash, plex, separator = data.draw(st.sampled_from(pairs))
    path = separator.join([plex, *names])
    came = of.to_stash(path)
    assert paths.same(came, ("\\" if paths.is_windows(stash) else "/").join([stash, *names]))
    assert paths.same(of.to_plex(came), path) and of.warnings() == []
    assert of.roots == tuple(plex for _, plex, _ in pairs)


@given(st.lists(st.tuples(*[st.text(st.sampled_from("/da =>|;\\(.*)+^$1C:m"), max_size=40)] * 4), max_size=3))
def test_no_setting_whatever_it_holds_raises(texts):
    of = rules(*(tried(rule or "x", plex, stash, root) for rule, plex, stash, root in texts))
    for _, path, _, _ in texts:
        assert isinstance(of.to_stash(of.to_plex(path)), str) and isinstance(of.explain(path), str)
    assert all(isinstance(sentence, str) for sentence in (*of.roots, *of.warnings()))
