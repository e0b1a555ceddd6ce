"""Log lines: one JSON object each, with the number of the request, without secrets, and with paths masked."""

from __future__ import annotations

import io
import json
import logging
from urllib.parse import quote

import pytest

from provider import logs
from provider.settings import Settings
from stash import log as stash_log
from validation.text import private

# No canaries: pytest keeps what is logged as it was before it is written.
API_KEY, TOKEN = "key/+=of&stash", "token%of'plex"
SETTINGS = {
    "stash_url": "http://stash:9999",
    "stash_api_key": API_KEY,
    "plex_token": TOKEN,
    "secret": "a-segment-of-a-path",
}
PATH = "/media/A title.mp4"


@pytest.fixture(autouse=True)
def untouched():
    """Logging belongs to the whole process."""
    root = logging.root
    before = root.handlers[:], root.level, logging.raiseExceptions
    yield
    root.handlers[:], logging.raiseExceptions = before[0], before[2]
    root.setLevel(before[1])
    for name in ("stash2plex", "uvicorn", "uvicorn.access"):
        logging.getLogger(name).setLevel(logging.NOTSET)
    stash_log.mask_private(False)


@pytest.fixture
def lines():
    """Set logging up, and give all lines since."""
    out = io.StringIO()

    def said(**settings):
        if settings or not out.getvalue():
            logs.setup(Settings(**{**SETTINGS, **settings}), out)
        return [json.loads(line) for line in out.getvalue().splitlines()]

    said()
    return said


def our(name="module"):
    return logging.getLogger(f"stash2plex.{name}")


def test_a_line_says_when_how_loud_who_for_which_request_and_what(lines):
    token = logs.request_id.set("r-1")
    our().warning("Scene %d is odd", 7)
    logs.request_id.reset(token)
    (line,) = lines()
    assert list(line) == ["time", "level", "logger", "request_id", "message"]
    assert line["time"].endswith("+00:00")
    assert list(line.values())[1:] == ["warning", "stash2plex.module", "r-1", "Scene 7 is odd"]


def test_a_line_stays_one_line_whatever_it_holds(lines):
    text = 'a\nb\r\u2028"c"\ud800\x00' + "ü🎬"
    our().error("%s", text)
    (line,) = lines()
    assert line["message"] == text


def test_no_secret_is_written_in_any_form(lines):
    for held in (API_KEY, TOKEN, SETTINGS["secret"]):
        our().error("http://x/%s/y?k=%s", held, quote(held, safe=""))
    our().error("X-Plex-Token=%s&z", "some-other-token")
    assert [line["message"] for line in lines()] == ["http://x/***/y?k=***"] * 3 + ["X-Plex-Token=***&z"]


def test_a_path_is_masked_by_the_same_code_each_time(lines):
    for _ in range(2):
        our().warning("%s is not in Stash", private(PATH))
    one, two = lines()
    assert one["message"] == two["message"]
    assert one["message"].startswith("path-") and "title" not in one["message"]


def test_the_code_is_the_same_after_a_restart_and_another_elsewhere(lines):
    for settings in (SETTINGS, SETTINGS, {**SETTINGS, "secret": "another-segment"}):
        lines(**settings)
        our().warning("%s", private(PATH))
    one, again, elsewhere = [line["message"] for line in lines()]
    assert one == again != elsewhere


def test_a_path_is_shown_where_that_is_wanted(lines):
    lines(show_paths=True)
    our().warning("%s is not in Stash", private(PATH))
    assert lines()[-1]["message"] == f"{PATH} is not in Stash"


def test_a_fault_is_told_with_its_places_and_its_text_is_private(lines):
    try:
        try:
            raise KeyError(PATH)
        except KeyError as error:
            raise ValueError(f"{PATH} {API_KEY}") from error
    except ValueError:
        our().exception("The request failed")
    (line,) = lines()
    assert line["message"] == "The request failed"
    assert "ValueError: " in line["trace"] and "KeyError: " in line["trace"] and "test_logs.py" in line["trace"]
    assert "title" not in line["trace"]


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_only_what_is_loud_enough_is_written(lines, level, heard):
    lines(log_level=level)
    for name in ("debug", "info", "warning", "error"):
        getattr(our(), name)("x")
    assert [line["level"] for line in lines()] == heard


def test_libraries_are_heard_from_a_warning_on(lines):
    """httpx would tell the address of every request, and uvicorn's access log the path with the secret."""
    logging.getLogger("uvicorn.error").setLevel(logging.NOTSET)  # a server in another test may have set it
    lines(log_level="debug")
    for name in ("httpx", "PIL.Image", "asyncio", "uvicorn.access"):
        logging.getLogger(name).info("x")
    logging.getLogger("httpx").warning("y")
    logging.getLogger("uvicorn.error").info("z")
    assert [(line["logger"], line["message"]) for line in lines()] == [("httpx", "y"), ("uvicorn.error", "z")]


def test_a_line_that_cannot_be_made_shows_nothing_of_itself(lines, capsys):
    our().error("%d", API_KEY)
    assert lines() == []
    assert capsys.readouterr().err == ""


def test_a_line_has_an_end(lines):
    our().error("%s", "x" * 1_000_000)
    assert len(lines()[0]["message"]) == logs.LONGEST
