"""The kinds of trouble, and the exception that carries one."""

from __future__ import annotations

import pytest

from validation.errors import Kind, Trouble


def test_trouble_carries_its_kind_its_sentence_and_what_the_server_asked_for():
    trouble = Trouble(Kind.BUSY, "Plex is busy", 30.0)
    assert (trouble.kind, trouble.message, trouble.retry_after_s, str(trouble)) == (
        Kind.BUSY,
        "Plex is busy",
        30.0,
        "Plex is busy",
    )


def test_trouble_without_a_wish_of_the_server_has_none():
    assert Trouble(Kind.GONE, "gone").retry_after_s is None


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_is_known_again_by_the_word_that_the_store_keeps(kind):
    assert Kind(kind.value) is kind
    assert kind.value == kind.value.lower()
