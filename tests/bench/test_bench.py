"""The benches measure what they say; their figures are for people and not asserted."""

from __future__ import annotations

import os
import sys

import pytest

from bench import doubles, drain, hook, reconcile
from bench.launch import run, run_at_once
from bench.table import OK, OVER, Bar, Row, median, p95, table

ECHO = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdout.write(str(len(sys.stdin.buffer.read())))"]


# --- the table --------------------------------------------------------------------------------------------------------


def test_a_row_shows_value_floor_ratio_bar_and_verdict():
    row = Row("hook", 12.5, "ms", 10.0, Bar(1.5, of_ratio=True))
    assert row.cells() == ("hook", "12.5 ms", "10 ms", "1.25 x", "<= 1.5 x", "ok")


@pytest.mark.parametrize(
    ("bar", "verdict"),
    [
        (Bar(20), OK),
        (Bar(10), OVER),
        (Bar(1.25, of_ratio=True), OK),
        (Bar(1.2, of_ratio=True), OVER),
        (Bar(12, at_least=True), OK),
        (Bar(13, at_least=True), OVER),
        (Bar(1.3, of_ratio=True, at_least=True), OVER),
        (None, ""),
    ],
)
def test_the_verdict_compares_value_or_ratio_with_the_bar(bar: Bar | None, verdict: str):
    assert Row("hook", 12.5, "ms", 10.0, bar).verdict == verdict


def test_a_bar_on_a_ratio_is_not_held_without_a_floor():
    assert Row("hook", 12.5, "ms", None, Bar(2, of_ratio=True)).verdict == OVER


def test_the_columns_of_all_rows_are_aligned():
    lines = table([Row("a", 1, "ms", 1), Row("a longer name", 10_000, "scenes/s", 123.4)]).splitlines()
    assert len({line.rindex("x") for line in lines[2:]}) == 1


def test_median_and_p95_are_values_of_the_middle_and_of_the_upper_end():
    values = list(range(1, 101))
    assert (median(values), p95(values), p95([7])) == (50.5, 95, 7)


# --- starting processes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 100, 3_000_000])
def test_a_process_gets_its_whole_stdin_and_its_answer_comes_back(size: int):
    ran = run(ECHO, b"x" * size, dict(os.environ))
    assert (ran.exit_code, ran.output) == (0, str(size).encode())


def test_processes_started_at_once_all_come_back():
    ran = run_at_once(ECHO, [b"x" * size for size in range(5)], dict(os.environ))
    assert sorted(one.output for one in ran) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_process_that_does_not_read_its_stdin_is_no_problem():
    assert run([sys.executable, "-I", "-S", "-c", "pass"], b"x" * 3_000_000, dict(os.environ)).exit_code == 0


# --- the benches, small -----------------------------------------------------------------------------------------------


def test_the_hook_bench_measures_real_hooks_and_loses_no_mark(capsys, tmp_path):
    assert hook.main(["--rounds", "2", "--bursts", "1", "--folder", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "hook, median" in printed
    assert "16 at once, p95" in printed
    assert list(tmp_path.iterdir()) == []


def test_a_lost_mark_makes_the_hook_bench_fail(monkeypatch, tmp_path):
    monkeypatch.setattr(hook.marks, "count", lambda data_dir: 0)
    assert hook.main(["--rounds", "1", "--bursts", "1", "--folder", str(tmp_path)]) == 1


def test_the_drain_bench_counts_the_requests_of_changed_and_unchanged_scenes(tmp_path):
    rows = {row.what: row for row in drain.measure(tmp_path, scenes=60, rounds=1)}
    changed, unchanged = rows["Plex requests per changed scene"], rows["Plex requests per unchanged scene"]
    assert 1.0 <= changed.value < 1.3
    assert unchanged.value == 0
    assert rows["drain (floor: the same PUTs, bare loop)"].floor


def test_the_reconcile_bench_reads_both_sides_of_a_healthy_library_and_writes_nothing(tmp_path):
    rows = {row.what: row for row in reconcile.measure(tmp_path, scenes=60, rounds=1)}
    assert rows["reconcile (floor: the same reads, parsed)"].floor
    for one in ("", "… "):
        requests = [row.value for what, row in rows.items() if what.startswith(one) and "requests" in what]
        assert len(requests) >= 2
        assert min(requests) > 0
        assert rows[f"{one}writes to Plex"].value == 0


def test_a_library_with_something_to_push_is_not_measured_as_a_healthy_one(monkeypatch, tmp_path):
    synced = doubles.synced_item
    monkeypatch.setattr(doubles, "synced_item", lambda *asked: {**synced(*asked), "studio": "Another"})
    with pytest.raises(RuntimeError, match="not healthy"):
        reconcile.measure(tmp_path, scenes=1, rounds=1)


def test_a_write_to_a_healthy_library_makes_the_reconcile_bench_fail(monkeypatch):
    monkeypatch.setattr(reconcile, "measure", lambda *asked: [Row("writes to Plex", 1, "")])
    assert reconcile.main([]) == 1
