"""The benches of saves and of idling measure real processes of the plugin, as it is shipped, from outside."""

from __future__ import annotations

import os
import shutil
import sys

import pytest

from bench import doorbell, household, idle, latency
from bench.table import Row

LOST = "scenes that Plex does not show as saved"
needs_stash = pytest.mark.skipif("STASH_BINARY" not in os.environ, reason="needs a Stash, named by STASH_BINARY")
needs_ffmpeg = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="needs ffmpeg")


@pytest.fixture
def double(monkeypatch):
    monkeypatch.delenv("STASH_BINARY", raising=False)


def by_name(rows: list[Row]) -> dict[str, Row]:
    return {row.what: row for row in rows}


def test_the_doorbell_bench_compares_the_same_saves_with_and_without_the_plugin(double, tmp_path):
    rows = by_name(doorbell.measure(tmp_path, **doorbell.QUICK, login=1))
    for act in ("single save (the double, with a login)", "bulk edit of 4, per scene", "first save, starts a worker"):
        assert rows[act].value > 0 and rows[act].floor > 0
    assert rows[LOST].value == 0 and rows["error lines in Stash's log"].value == 0


def test_saves_that_never_reach_plex_make_the_doorbell_bench_fail(double, monkeypatch, tmp_path):
    monkeypatch.setattr(household, "TOKEN", "another token")
    monkeypatch.setattr(household, "ARRIVES_WITHIN_S", 0.1)
    rows = by_name(doorbell.measure(tmp_path, saves=1, bulks=1, scenes=1, launches=1))
    assert rows[LOST].failed


def test_the_latency_bench_times_saves_until_plex_has_them(double, tmp_path):
    rows = latency.measure(tmp_path, saves=2)
    assert 0 < rows[0].value <= rows[2].value < household.ARRIVES_WITHIN_S
    assert rows[0].plex >= 2 and by_name(rows)[LOST].value == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_idle_bench_looks_at_a_living_worker_and_starts_others(double, tmp_path):
    rows = by_name(idle.measure(tmp_path, **idle.QUICK))
    assert rows["… memory"].value > 10
    assert 0 < rows["save without a worker to Plex changed"].value < household.ARRIVES_WITHIN_S
    assert rows["worker's start to its lease (floor: bare Python)"].floor > 0
    assert rows[LOST].value == 0


@needs_stash
@needs_ffmpeg
def test_saves_in_a_real_stash_arrive_and_leave_no_error_in_its_log(tmp_path):
    rows = doorbell.measure(tmp_path, **doorbell.QUICK)
    assert "Stash v" in rows[0].what
    assert not [row for row in rows if row.failed]
