"""Settlements and log rows are values: made once, never changed."""

from __future__ import annotations

import dataclasses

import pytest

from sync_queue.settlement import LogEntry, Settlement, Verdict


@pytest.mark.parametrize("value", [Settlement(1, Verdict.DONE, "synced"), LogEntry(1, "2", "3")])
def test_a_value_cannot_be_changed(value):
    with pytest.raises(dataclasses.FrozenInstanceError):
        value.scene = 2


def test_a_settlement_leaves_the_sync_log_alone_unless_told():
    assert Settlement(1, Verdict.DONE, "synced").log is None


def test_a_log_row_is_unfinished_until_a_push_was_seen_to_end():
    assert LogEntry(1, "2", "3").fingerprint == ""
