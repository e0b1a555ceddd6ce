"""What must not be read in a log: secrets never, paths and titles when the user says so."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stash import log
from tests.stash.test_log import ANY_TEXT
from tests.validation.poison import POISON
from validation import settings, text
from validation.text import private


@pytest.fixture(autouse=True)
def own_log(monkeypatch):
    """What a test hides or switches is known to nobody else."""
    monkeypatch.setattr(log, "_secrets", [])
    monkeypatch.setattr(log, "_renewed", [])
    monkeypatch.setattr(log, "_masked", False)
    monkeypatch.setattr(log, "_salt", "")


# --- secrets that are known -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret", ["abcd", "to/ken+1=", "ünïcode-token", "a b c d", "20%-off", "line\nbreak", "\ud800abc"]
)
def test_a_secret_is_masked_raw_and_url_encoded(secret):
    log.hide(secret)
    encoded = quote(secret.encode("utf-8", "replace"), safe="")
    record = log.line("i", "Worker", f"raw {secret}, encoded {encoded}, at the end {secret}").decode()
    assert secret not in record and encoded not in record
    assert record.count("***") == 3


def test_a_secret_is_masked_whoever_encoded_it():
    log.hide("to/ken+1=")
    assert log.redact("to%2Fken%2B1%3D to%2fken%2b1%3d") == "*** ***"


SECRET = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x24F, blacklist_characters="*"), min_size=4, max_size=30
)


@given(st.lists(SECRET, min_size=1, max_size=3), ANY_TEXT, ANY_TEXT)
def test_no_secret_is_ever_in_a_line(secrets, before, after):
    log._secrets.clear()
    for secret in secrets:
        log.hide(secret)
    for secret in secrets:
        shown = log.redact(f"{before}|{secret}|{quote(secret, safe='')}|{after}")
        assert secret not in shown and quote(secret, safe="") not in shown


@pytest.mark.parametrize("order", [1, -1])
def test_of_a_secret_that_begins_with_another_nothing_is_left(order):
    for secret in ["abcd", "abcd-and-more"][::order]:
        log.hide(secret)
    assert log.redact("x abcd-and-more y abcd z") == "x *** y *** z"


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_what_is_too_short_to_be_a_secret_is_not_masked(secret):
    log.hide(secret)
    assert log.redact("abc") == "abc"


def test_of_secrets_that_are_renewed_the_last_ones_are_masked_and_no_more_are_kept():
    log.hide("the/token")
    for number in range(1_000):
        log.hide_renewed(f"cookie/{number:04}")
    latest = [f"cookie/{number:04}" for number in range(1_000 - log.RENEWED, 1_000)]
    assert log.redact(" ".join(["the/token", *latest, quote(latest[0], safe="")])) == " ".join(
        ["***"] * (len(latest) + 2)
    )
    assert len(log._secrets) <= 3 * (1 + log.RENEWED)
    assert log.redact("cookie/0000") == "cookie/0000"


@pytest.mark.parametrize("order", [("hide", "hide_renewed"), ("hide_renewed", "hide")])
def test_a_secret_that_is_to_stay_stays_although_it_came_as_a_renewed_one_too(order):
    for name in order:
        getattr(log, name)("cookie/stays")
    for number in range(50):
        log.hide_renewed(f"cookie/{number:04}")
    assert log.redact("cookie/stays cookie%2Fstays") == "*** ***"


# --- secrets that nobody told us --------------------------------------------------------------------------------------

NAMES = ["X-Plex-Token", "ApiKey", "apikey", "Authorization", "Cookie", "Set-Cookie", "plex_token", "stash_api_key"]
FORMS = {
    "assignment": lambda name, secret: f"{name}={secret}",
    "encoded assignment": lambda name, secret: quote(f"{name}={secret}", safe=""),
    "address": lambda name, secret: f"http://plex:32400/library/all?{name}={secret}&type=1",
    "address in an address": lambda name, secret: f"/photo?url={quote_plus(f'/a?x=1&{name}={secret}&y=2')}&z=3",
    "command line": lambda name, secret: f"--{name.lower()}={secret} --once",
    "json": lambda name, secret: json.dumps({"a": 1, name: secret, "b": [2]}),
    "json in json": lambda name, secret: json.dumps({"body": json.dumps({name: secret, "b": 2})}),
    "dict": lambda name, secret: repr({name: secret, "b": 2}),
    "dict of lists of bytes": lambda name, secret: repr({name.encode(): [secret.encode()], "b": 2}),
    "attribute": lambda name, secret: f"<Player {name}='{secret}' id=\"2\"/>",
}
HEADERS = {
    "header": lambda name, secret: f"GET / HTTP/1.1\r\n{name}: {secret}\r\nAccept: */*",
    "shouted header": lambda name, secret: f"{name.upper()}:{secret}",
    "header in a tuple": lambda name, secret: repr([(name, 1), f"{name}: {secret}"]),
}
# What tokens, keys and cookies are made of; a cookie of Stash is Base64.
TOKEN = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.|/+", min_size=6, max_size=60)


def check_hidden(shaped, secret):
    shown = log.redact(shaped)
    assert secret not in shown and quote(secret, safe="") not in shown
    assert "***" in shown and log.redact(shown) == shown


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
@given(st.sampled_from([*NAMES, "session"]), TOKEN, ANY_TEXT)
def test_what_stands_where_a_secret_stands_is_masked(form, name, secret, before):
    check_hidden(before.replace(secret, "") + form(name, secret), secret)


@pytest.mark.parametrize("form", HEADERS.values(), ids=list(HEADERS))
@given(st.sampled_from(NAMES[:6]), TOKEN, ANY_TEXT)
def test_the_value_of_a_header_is_masked(form, name, secret, before):
    check_hidden(before.replace(secret, "") + form(name, secret), secret)


@given(st.sampled_from(["Authorization: Basic {}", "authorization: Bearer {} ", "Cookie: a=1; session={}; b=2",
                        "Set-Cookie: session={}; Path=/; HttpOnly"]), TOKEN)  # fmt: skip
def test_a_header_is_masked_to_its_end(header, secret):
    assert log.redact(f"before {header.format(secret)}\nafter") == f"before {header.partition(':')[0]}: ***\nafter"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("GET /all?X-Plex-Token=abcdef&type=1 failed", "GET /all?X-Plex-Token=***&type=1 failed"),
        ("ApiKey: abcdef was sent to Stash", "ApiKey: *** was sent to Stash"),
        ("session=abcdef; Path=/", "session=***; Path=/"),
        ('{"plex_token": "ab cd ef", "n": 1}', '{"plex_token": "***", "n": 1}'),
        ('{"Cookie": "a=\\"1\\"; session=abcdef", "n": 1}', '{"Cookie": "***", "n": 1}'),
        ("Authorization%3A%20Basic%20abcdef and more", "Authorization%3A***"),
    ],
)
def test_what_stands_beside_a_secret_stays(said, shown):
    assert log.redact(said) == shown


def test_what_we_say_about_secrets_stays():
    wrong = dict.fromkeys((*settings.SECRETS, "session", "cookie"), "wrong value")
    sentences = settings.read(wrong)[1] + [
        settings.Settings().lacks,
        "Stash refuses our session: it wants a login that we do not have",
        "Sending pauses, nothing is lost; check plex_token and plex_library under Settings > Plugins > Stash2Plex",
    ]
    assert len(sentences) > 5 and [log.redact(sentence) for sentence in sentences] == sentences


PIECES = st.sampled_from(
    [*(f"{name}{sign}" for name in NAMES for sign in "=:"), '"', "'", "\\", " ", "[b'", "%3D", "x"]
)


@given(st.lists(st.one_of(PIECES, ANY_TEXT)))
def test_any_text_can_be_redacted_and_once_is_enough(pieces):
    shown = log.redact("".join(pieces))
    assert log.redact(shown) == shown


# --- paths and titles -------------------------------------------------------------------------------------------------

PATH, TITLE = "/data/Näme of a person/scene, 1.mp4", "A title"


def said(private_text):
    return log.line("i", "Worker", f"Scene 1 has {private(private_text)} in Plex").decode()[3:-1]


def test_the_marks_are_those_of_validation():
    assert (log.PRIVATE, log.PUBLIC) == (text.PRIVATE, text.PUBLIC)


@pytest.mark.parametrize("held", [PATH, TITLE, "", "C:\\a\\b.mp4"])
def test_a_path_shows_as_it_is_unless_it_is_to_be_masked(held):
    assert said(held) == f"[Stash2Plex Worker] Scene 1 has {held} in Plex"


def test_where_nothing_is_held_there_is_nothing_to_mask():
    log.mask_private(True, "salt")
    assert said("") == "[Stash2Plex Worker] Scene 1 has  in Plex"


@pytest.mark.parametrize(("held", "kind"), [(PATH, "path"), (TITLE, "name"), ("C:\\a\\b.mp4", "path")])
def test_a_masked_path_is_a_short_code(held, kind):
    log.mask_private(True, "salt")
    begin, _, rest = said(held).partition(f"{kind}-")
    assert begin == "[Stash2Plex Worker] Scene 1 has " and rest[8:] == " in Plex" and int(rest[:8], 16) >= 0


def test_a_code_stays_the_same_within_one_installation_and_says_nothing_to_another():
    log.mask_private(True, "salt")
    first, other = said(PATH), said(PATH + "x")
    log.mask_private(False, "salt")
    assert said(PATH) != first != other
    log.mask_private(True, "salt")
    assert said(PATH) == first
    log.mask_private(True, "another salt")
    assert said(PATH) != first


# Letters that no code and no sentence of ours has.
NAME = st.text(st.one_of(st.characters(min_codepoint=0x391, max_codepoint=0x3A1), st.sampled_from("/\\\x0e\x0f")),
               min_size=1, max_size=40)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(["", "in", "; "]), NAME), max_size=5), st.integers(0, 400))
def test_no_letter_of_a_masked_text_shows_and_no_mark_ever(parts, cut):
    sentence = "".join(public + private(held) for public, held in parts)[:cut]
    log.mask_private(False)
    assert log.shown(sentence) == sentence.replace("\x0e", "").replace("\x0f", "")
    log.mask_private(True, "salt")
    shown = log.shown(sentence)
    assert shown.isascii() and not {"\x0e", "\x0f"} & set(shown)


@pytest.mark.parametrize("name", POISON)
def test_poison_is_masked_too(name):
    log.mask_private(True, "salt")
    inside = POISON[name].replace("\x0e", "").replace("\x0f", "")
    masked = said(POISON[name])
    assert len(masked) < 80 and (len(inside) < 4 or inside not in masked)


@pytest.mark.parametrize("stray", ["\x0fone\x0f", "\x0e\x0eone\x0f\x0f", "one\x0e\x0f"])
def test_marks_that_do_not_fit_show_nowhere(stray):
    assert log.shown(stray) == "one"


def test_a_result_is_shown_like_a_line_in_all_its_parts():
    log.hide("canary")
    held = {"n": 1, "on": True, "no": None, "rows": [{private(TITLE): (private(PATH), 2.5)}, "X-Plex-Token=abc&canary"]}
    assert log.shown(held) == {"n": 1, "on": True, "no": None, "rows": [{TITLE: [PATH, 2.5]}, "X-Plex-Token=***&***"]}
    log.mask_private(True, "salt")
    masked = json.dumps(log.shown(held))
    assert TITLE not in masked and "scene, 1" not in masked and "path-" in masked and "name-" in masked
