"""The benches measure what they say; their figures are for people and not asserted."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from bench import __main__ as suite
from bench import drain, hook, reconcile, sync_all
from bench.doubles import synced_item
from bench.launch import run, run_at_once
from bench.library import healthy_library
from bench.parts import PARTS, main
from bench.table import OK, OVER, Bar, Row, median, p95, table

ECHO = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdout.write(str(len(sys.stdin.buffer.read())))"]


# --- the table --------------------------------------------------------------------------------------------------------


def test_a_row_shows_value_floor_ratio_bar_and_verdict():
    row = Row("hook", 12.5, "ms", 10.0, Bar(1.5, of_ratio=True))
    assert row.cells()[:6] == ("hook", "12.5 ms", "10 ms", "1.25 x", "<= 1.5 x", "ok")


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


def test_requests_and_memory_have_columns_where_a_row_says_something_of_them():
    rows = [Row("a", 1, "ms"), Row("b", 1, "ms", plex=1_234, stash=5, peak_mb=61.7)]
    assert table(rows[:1]).splitlines()[0].split() == ["measured", "floor", "ratio", "bar"]
    assert table(rows).splitlines()[0].split()[-3:] == ["Plex", "Stash", "peak"]
    assert table(rows).splitlines()[-1].split()[-4:] == ["1,234", "5", "62", "MB"]


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
    assert main(["hook", "--quick", "--folder", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "hook, median" in printed
    assert "16 at once, p95" in printed
    assert list(tmp_path.iterdir()) == []


def test_a_lost_mark_makes_the_hook_bench_fail(monkeypatch, tmp_path):
    monkeypatch.setattr(hook.marks, "count", lambda data_dir: 0)
    assert main(["hook", "--rounds", "1", "--bursts", "1", "--folder", str(tmp_path)]) == 1


def test_the_drain_bench_counts_the_requests_of_changed_and_unchanged_scenes(tmp_path):
    rows = {row.what: row for row in drain.measure(tmp_path, **drain.QUICK)}
    cold, warm = rows["Plex requests per changed scene, never seen before"], rows["… once Plex's items are known"]
    assert 1.0 <= warm.value <= cold.value < 1.3
    assert rows["Plex requests per unchanged scene"].value == 0
    assert rows["drain (floor: the same PUTs, bare loop)"].floor


def test_the_sync_all_bench_compares_a_healthy_library_and_writes_nothing(tmp_path):
    rows = {row.what: row for row in sync_all.measure(tmp_path, **sync_all.QUICK)}
    first = rows["Sync All (floor: the same reads, parsed)"]
    assert first.floor and first.plex and first.stash and first.peak_mb
    assert rows["… Plex requests per scene"].value == first.plex / sync_all.QUICK["scenes"]
    assert rows["… writes to Plex"].value == 0


def test_the_reconcile_bench_reads_both_sides_of_a_healthy_library_and_writes_nothing(tmp_path):
    rows = reconcile.measure(tmp_path, **reconcile.QUICK)
    whole = [row for row in rows if row.floor and row.plex]
    assert [row.what for row in whole] == ["reconcile (floor: the same reads, parsed)", "with pictures"]
    assert all(row.plex and row.stash and row.peak_mb for row in whole)
    assert [row.value for row in rows if row.what == "… writes to Plex"] == [0, 0, 0]


def test_a_library_with_something_to_push_is_not_measured_as_a_healthy_one(tmp_path):
    with pytest.raises(RuntimeError, match="not healthy"):
        with healthy_library(tmp_path, 1, described=f"{__name__}:another_studio"):
            pass


def another_studio(number: int) -> dict[str, Any]:
    """What Plex shows of a scene whose studio changed since."""
    return {**synced_item(number), "studio": "Another"}


# --- the suite --------------------------------------------------------------------------------------------------------


@pytest.fixture
def parts(monkeypatch):
    """Two parts in place of the real ones; what they measure is up to the test."""
    made = {name: SimpleNamespace(__doc__="A part.", QUICK={"rounds": 1}) for name in ("hook", "drain")}
    made["hook"].measure = lambda folder, *, rounds=200: [Row("a hook", rounds, "ms")]
    made["drain"].measure = lambda folder, *, rounds=200: [Row("a drain", 2 * rounds, "s", peak_mb=60)]
    monkeypatch.setattr("bench.parts.module", made.__getitem__)
    monkeypatch.setattr(suite, "PARTS", tuple(made))
    return made


def test_all_parts_together_make_one_table(parts, capsys):
    assert suite.command(["--quick"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[4:]] == ["hook", "drain"]
    assert "1 ms" in lines[4] and lines[5].endswith("60 MB")


def test_a_part_that_cannot_be_measured_fails_the_suite_and_the_others_have_their_rows(parts, capsys):
    parts["hook"].measure = lambda folder, *, rounds=200: 1 / 0
    assert suite.command(["--quick"]) == 1
    printed = capsys.readouterr()
    assert "a drain" in printed.out and "not measured, see above: hook" in printed.out
    assert "ZeroDivisionError" in printed.err


@pytest.mark.parametrize("arguments", [[], ["drain"]])
def test_a_row_that_must_hold_its_bar_fails_its_part_and_the_suite(parts, arguments):
    parts["drain"].measure = lambda folder, *, rounds=200: [Row("writes", 1, "", None, Bar(0), must=True)]
    assert suite.command(arguments) == 1


def test_a_quick_look_has_no_bars_but_those_that_must_hold(parts, capsys):
    rows = [Row("seconds", 2, "s", None, Bar(1)), Row("writes", 0, "", None, Bar(0), must=True)]
    parts["drain"].measure = lambda folder, *, rounds=200: rows
    assert suite.command(["drain", "--quick"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "OVER" not in lines["seconds"] and lines["writes"].endswith("ok")


def test_a_row_over_its_bar_is_a_matter_of_speed_and_fails_nothing(parts):
    parts["drain"].measure = lambda folder, *, rounds=200: [Row("seconds", 2, "s", None, Bar(1))]
    assert suite.command(["drain"]) == suite.command([]) == 0


def test_the_numbers_of_a_part_are_options_of_its_command(parts, capsys):
    assert suite.command(["hook", "--rounds", "7"]) == 0
    assert "7 ms" in capsys.readouterr().out


def test_a_name_that_is_no_part_is_refused_with_those_that_are(capsys):
    assert suite.command(["hooks"]) == 2
    printed = capsys.readouterr().err
    assert all(part in printed for part in PARTS)
