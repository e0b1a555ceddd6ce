"""From a status to a kind of trouble: a table."""

from __future__ import annotations

import email.utils
import time

import pytest

from plex.exceptions import BrokenOff, from_status, not_plex, retry_after_s
from validation.errors import Kind

TABLE = {
    Kind.PERMANENT: (400, 409),
    Kind.REFUSED: (401, 403),
    Kind.STALE_MATCH: (404,),
    Kind.TOO_LARGE: (413, 414, 431),
    Kind.BUSY: (429, 503),
    Kind.UNREACHABLE: (301, 302, 303, 307, 308, 500, 502, 504, 520, 521, 522, 523, 524, 525, 530, 599),
    Kind.UNEXPECTED: (402, 405, 418, 422, 451),
}


@pytest.mark.parametrize(("status", "kind"), [(status, kind) for kind, row in TABLE.items() for status in row])
def test_what_a_status_means(status, kind):
    trouble = from_status(status, {})
    assert trouble.kind is kind and str(status) in trouble.message


@pytest.mark.parametrize("status", [200, 201, 204])
def test_a_success_is_no_trouble(status):
    assert from_status(status, {}) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(None, None), ("", None), ("30", 30.0), (" 30 ", 30.0), ("-5", -5.0), ("1000000000", 1e9), ("soon", None)]
    + [("1.5", None), ("Wed, 99 Nov 2026", None), ("9" * 400, None), ("9" * 5_000, None)],
    ids=lambda value: str(value)[:12],
)
def test_what_retry_after_asks_for(value, seconds):
    assert retry_after_s(value) == seconds


def test_a_date_in_retry_after_is_a_delay_from_now():
    asked = email.utils.formatdate(time.time() + 600, usegmt=True)
    assert 500 < retry_after_s(asked) <= 601


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_how_long(status):
    assert from_status(status, {"Retry-After": "7"}).retry_after_s == 7.0


def test_an_answer_that_is_not_plex_makes_it_unreachable():
    assert not_plex("empty").kind is Kind.UNREACHABLE


def test_a_connection_that_broke_off_is_a_trouble_of_its_own_class():
    assert BrokenOff(Kind.UNREACHABLE, "broke").kind is Kind.UNREACHABLE
