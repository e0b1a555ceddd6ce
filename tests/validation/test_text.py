"""Texts after the border: harmless, within limits, and the same for the same input."""

from __future__ import annotations

import unicodedata
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.validation.poison import POISON
from validation import text

ANY_TEXT = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF, blacklist_categories=()), max_size=60)
LIMIT = 20
CLEANERS = (text.one_line, text.paragraphs)


def harmless(cleaned: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t" for c in cleaned)


@pytest.mark.parametrize("clean", CLEANERS)
@pytest.mark.parametrize("name", POISON)
def test_poison_becomes_a_harmless_text_within_its_limit(clean, name):
    cleaned = clean(POISON[name], LIMIT)
    assert harmless(cleaned) and len(cleaned) <= LIMIT
    assert clean(cleaned, LIMIT) == cleaned
    cleaned.encode()


@pytest.mark.parametrize("clean", CLEANERS)
@given(ANY_TEXT)
def test_any_text_becomes_harmless_and_stays_the_same_when_cleaned_again(clean, given_text):
    cleaned = clean(given_text, LIMIT)
    assert harmless(cleaned) and len(cleaned) <= LIMIT
    assert clean(cleaned, LIMIT) == cleaned
    assert unicodedata.is_normalized("NFC", cleaned)
    assert cleaned == cleaned.strip()


@pytest.mark.parametrize("clean", CLEANERS)
@given(ANY_TEXT)
@example("a\ufffeb\uffff")
def test_any_text_survives_a_way_through_xml(clean, given_text):
    """Plex answers in XML: what that cannot carry would look like a difference for ever."""
    cleaned = clean(given_text, 500)
    document = "<a b=%s/>" % quoteattr(cleaned, {"\n": "&#10;", "\t": "&#9;"})
    assert ElementTree.fromstring(document.encode()).get("b") == cleaned


@given(ANY_TEXT)
def test_one_line_has_no_line_break_and_no_double_space(given_text):
    cleaned = text.one_line(given_text, 500)
    assert len(cleaned.splitlines()) <= 1 and "  " not in cleaned


@pytest.mark.parametrize(
    ("given_text", "line", "block"),
    [
        (None, "", ""),
        ("  a \n\n b\t", "a b", "a\n\n b"),
        ("one\r\ntwo\rthree", "one two three", "one\ntwo\nthree"),
        ("trailing  \nspaces", "trailing spaces", "trailing\nspaces"),
        ("e\u0301", "é", "é"),
        ("\ud83d\ude00", "😀", "😀"),
        ("a\ud800b", "a\ufffdb", "a\ufffdb"),
        ("a\x00b", "ab", "ab"),
        ("a\x0bb\x85c", "a b c", "a b c"),
        ("a\ufffeb", "ab", "ab"),
    ],
)
def test_what_a_text_becomes(given_text, line, block):
    assert text.one_line(given_text, 100) == line
    assert text.paragraphs(given_text, 100) == block


def test_a_text_that_is_too_long_ends_in_an_ellipsis():
    assert text.one_line("abcdef", 6) == "abcdef"
    assert text.one_line("abcdefg", 6) == "abcde…"
    assert text.one_line("abcd efg", 6) == "abcd…"


@pytest.mark.parametrize(
    ("given_text", "date"),
    [
        ("2024", "2024-01-01"),
        ("2024-02", "2024-02-01"),
        ("2024-02-29", "2024-02-29"),
        (" 2024-02-29 ", "2024-02-29"),
        ("2023-02-29", ""),
        ("0000-00-00", ""),
        ("0000", ""),
        ("20240229", ""),
        ("2024-2-9", ""),
        ("2024-W01-1", ""),
        ("2024-13", ""),
        ("24", ""),
        ("next week", ""),
        ("２０２４", ""),
        ("2024-02-29T12:00:00Z", ""),
        ("", ""),
        (None, ""),
        ("\ud800" * 4, ""),
    ],
)
def test_a_date_is_full_or_empty(given_text, date):
    assert text.full_date(given_text) == date


@given(ANY_TEXT)
def test_a_full_date_is_never_anything_else(given_text):
    found = text.full_date(given_text)
    assert found == "" or text.full_date(found) == found


def test_names_that_differ_in_case_or_form_only_are_one():
    assert text.distinct(["Blond", "blond", "", "BLOND ", "e\u0301", "é", "Straße", "STRASSE"]) == (
        "Blond",
        "e\u0301",
        "Straße",
    )


@given(st.lists(ANY_TEXT))
def test_distinct_names_have_distinct_folds_and_keep_their_order(names):
    kept = text.distinct(names)
    assert len({text.folded(name) for name in kept}) == len(kept)
    assert text.distinct(list(kept)) == kept
    assert [name for name in names if name in kept][: len(kept)] or not kept
