"""The report says what was found, in JSON and on a page that no title and no file can break."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provider import gaps, page, report
from provider.gaps import EXAMPLES, KINDS, Found, Gap
from provider.heal import STASH_AWAY, Failed, Healing
from provider.misses import Misses
from provider.report import TITLES, Compared, Failure, Progress, Report
from stash import log
from tests import canaries
from validation.text import private

HOSTILE = "<script>alert(1)</script>\"'&\u202e\x00\ud800 {} %s"


def missed(*asked: str):
    misses = Misses(clock=lambda: 86_400.0)
    for text in asked:
        misses.record(text, "no scene")
    return misses.missed(100)


def compared(text: str = "a", number: int = 1, healing=None) -> Compared:
    """A comparison with so many gaps of each kind, all with this text in each place."""
    whys = {
        gaps.NOT_IN_STASH: gaps.UNKNOWN_FILE,
        gaps.NOT_IN_PLEX: gaps.NOT_COVERED,
        gaps.UNMATCHED: gaps.OTHER_SCENE,
        gaps.FOREIGN: gaps.OTHER_AGENT,
        gaps.AMBIGUOUS: gaps.SEVERAL_SCENES,
    }
    gap = Gap("", "", text, text, text, "1", text, (1, 2), text + "x")
    examples = {kind: (replace(gap, kind=kind, why=why),) * min(number, EXAMPLES) for kind, why in whys.items()}
    reasons = {(kind, why): number for kind, why in whys.items() if number}
    return Compared(0.0, 1.25, Found(1_000, 2_000, 3, reasons, examples), {"1": text}, healing)


class Reader(HTMLParser):
    """What a browser makes of a page: its elements and its text."""

    def __init__(self, content: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def elements(content: bytes) -> list[str]:
    return [f"{tag} {sorted(attrs)}" for tag, attrs in Reader(content).elements]


HEALING = Healing(4, 1, (Failed("7", 3, "a", "Plex says 400"),), STASH_AWAY)
WHOLE = Report(missed("a"), compared(healing=HEALING), Failure(1.0, "a"), Progress("a", 5), 86_400.0, "daily", True)


def with_text(text: str) -> Report:
    healing = replace(HEALING, examples=(Failed(text, 3, text, text),))
    return replace(
        WHOLE,
        missed=missed(text),
        compared=compared(text, healing=healing),
        failure=Failure(1.0, text),
    )


def test_every_kind_and_every_reason_has_its_words():
    reasons = [name for name in vars(gaps) if name.isupper() and isinstance(getattr(gaps, name), str)]
    kinds = {getattr(gaps, name) for name in reasons} - {gaps.MATCHED, gaps.IDENTIFIER}
    assert set(TITLES) == set(KINDS)
    for reason in kinds - set(KINDS):
        assert any(" " in report.because(kind, reason) for kind in KINDS), reason


def test_the_report_in_json_has_counts_reasons_and_examples():
    told = json.loads(report.as_json(WHOLE))
    assert told["last_run"]["began"] == "1970-01-01T00:00:00Z"
    assert told["last_run"]["counts"] == {**dict.fromkeys(KINDS, 1), "matched": 3}
    assert told["last_run"]["healing"]["healed"] == 4
    assert told["last_run"]["examples"]["not_in_plex"][0]["why"] == "No Plex library covers its folder"
    assert (told["next_run"], told["heal"]) == ("1970-01-02T00:00:00Z", True)
    assert told["running"] == {"stage": "a", "done": 5}
    assert told["last_failure"] == {"at": "1970-01-01T00:00:01Z", "why": "a"}


@given(st.text(max_size=20))
def test_any_text_comes_through_json_unharmed(text):
    told = json.loads(report.as_json(with_text(text)))
    assert told["last_run"]["examples"]["unmatched"][0]["scenes"] == [1, 2]
    assert told["last_run"]["examples"]["unmatched"][0].get("title", "") == text
    assert told["misses"]["newest"][0]["asked"] == text


@given(st.text(max_size=20).map(lambda text: text + HOSTILE))
def test_no_text_adds_an_element_or_an_attribute_to_the_page(text):
    assert elements(page.page(with_text(text))) == elements(page.page(with_text("a")))


def test_the_page_shows_what_is_called_as_markup_as_it_is_called():
    assert Reader(page.page(with_text("<b>&amp;</b>"))).text.count("<b>&amp;</b>") >= 8


def test_the_page_shows_twenty_examples_of_each_kind_and_says_how_many_there_are():
    content = page.page(Report(missed(), compared("needle", 1_234)))
    assert content.count(b'<td class="file">needle') == 20 * len(KINDS)
    assert Reader(content).text.count("and 1,214 more") == len(KINDS)
    assert Reader(content).text.count("1,234") >= 2 * len(KINDS)


def test_json_has_no_more_than_a_hundred_examples_of_each_kind():
    told = json.loads(report.as_json(Report(missed(), compared("a", 1_234))))
    assert {len(rows) for rows in told["last_run"]["examples"].values()} == {100}


def test_the_page_needs_nothing_from_elsewhere_and_allows_nothing_else():
    content = page.page(WHOLE).decode()
    policy = page.HEADERS["Content-Security-Policy"]
    style = re.search("<style>(.*?)</style>", content, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"https?:|//|@import|url\(|<script|<link|<img| style=| on\w+=", content)


def test_the_button_is_a_form_with_a_relative_address():
    forms = [attrs for tag, attrs in Reader(page.page(replace(WHOLE, running=None))).elements if tag == "form"]
    assert forms == [{"method": "post", "action": "gaps/run"}]


@pytest.mark.parametrize(
    ("told", "disabled"),
    [
        (Report(missed()), False),
        (Report(missed(), running=Progress("a", 1)), True),
        (Report(missed(), possible=False), True),
    ],
)
def test_the_button_is_off_while_it_would_do_nothing(told, disabled):
    (button,) = [attrs for tag, attrs in Reader(page.page(told)).elements if tag == "button"]
    assert ("disabled" in button) == disabled


def test_the_page_looks_again_only_while_a_run_is_under_way():
    assert b'http-equiv="refresh"' in page.page(WHOLE)
    assert b'http-equiv="refresh"' not in page.page(replace(WHOLE, running=None))


@pytest.mark.parametrize(("at", "shown"), [(1.0, True), (-1.0, False)])
def test_a_failure_is_shown_until_a_later_run_got_through(at, shown):
    text = Reader(page.page(Report(missed(), compared(), Failure(at, "Plex is away")))).text
    assert ("Plex is away" in text) == shown


def test_no_secret_and_no_mark_of_ours_gets_out():
    log.hide(canaries.PLEX_TOKEN)
    why = f"Plex refused {private('/a.mp4')} with {canaries.PLEX_TOKEN}"
    told = Report(missed(), failure=Failure(1.0, why))
    for text in (report.as_json(told).decode(), page.page(told).decode(), "\n".join(report.summary(told))):
        assert canaries.MARKER not in text
        assert "Plex refused /a.mp4 with ***" in text


def test_the_summary_for_a_terminal_has_counts_and_no_title():
    lines = report.summary(Report(missed("needle"), compared("needle", healing=HEALING)))
    text = "\n".join(lines)
    assert "1,000 scenes in Stash and 2,000 items in Plex" in text
    assert "1  In Stash, not shown by Plex" in text
    assert "4 healed and 1 failed" in text
    assert "needle" not in text


def test_there_is_a_page_before_anything_was_compared():
    text = Reader(page.page(Report(missed()))).text
    assert "Nothing was compared yet" in text
    assert "None since the start" in text
