"""docs/performance.md says of every part what it measures, and its tables come from the suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import growth, page
from bench.growth import Point
from bench.parts import PARTS, module, numbers
from bench.table import Bar, Row

TEXT = page.PAGE.read_text(encoding="utf-8")
EMPTY = "# Before\n\n<!-- measured: parts -->\n<!-- end: parts -->\n\nBetween.\n"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "performance.md"
    file.write_text(EMPTY, encoding="utf-8")
    return file


def parts_of(file: Path) -> list[list[str]]:
    return page.read_table(page.block(file.read_text(encoding="utf-8"), page.PARTS_BLOCK))


@pytest.mark.parametrize("part", PARTS)
def test_the_page_explains_every_part_under_its_command(part: str) -> None:
    sections = [section for section in TEXT.split("\n## ")[1:] if f"\npython3 dev.py bench {part}\n" in section]
    assert len(sections) == 1
    assert "\n| Row | What it says |\n" in sections[0]


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_measured_whole_and_small(part: str) -> None:
    assert module(part).QUICK.keys() <= numbers(module(part)).keys()


def test_the_pages_table_of_parts_was_written_by_the_suite() -> None:
    head, *rows = page.read_table(page.block(TEXT, page.PARTS_BLOCK))
    assert head == list(page.COLUMNS)
    assert list(dict.fromkeys(row[0] for row in rows)) == list(PARTS)
    assert {len(row) for row in rows} == {len(page.COLUMNS)}


def test_the_pages_table_of_growth_was_written_by_the_suite() -> None:
    head, *rows = page.read_table(page.block(TEXT, page.GROWTH_BLOCK))
    assert head == list(growth.HEAD)
    assert [row[0] for row in rows if row[1] in ("1,000", "10,000", "100,000")] == [
        what for what in growth.WHAT for _ in growth.SIZES
    ]


def test_the_plot_beside_it_shows_the_figures_of_the_largest_library() -> None:
    _, *rows = page.read_table(page.block(TEXT, page.GROWTH_BLOCK))
    image = growth.PLOT.read_text(encoding="utf-8")
    assert growth.PLOT.name in TEXT
    for row in rows:
        if row[1] == f"{growth.SIZES[-1]:,}":
            assert f">{row[-1]}</text>" in image


def test_rows_of_one_part_replace_its_rows_and_leave_the_others_and_the_prose(written: Path) -> None:
    page.write_rows({"hook": [Row("a hook", 10, "ms")], "idle": [Row("a worker", 1, "%")]}, PARTS, written)
    page.write_rows({"hook": [Row("a quicker hook", 5, "ms", 2.5, Bar(3, of_ratio=True), plex=7)]}, PARTS, written)
    assert [line[:3] for line in parts_of(written)[1:]] == [
        ["hook", "a quicker hook", "5 ms"],
        ["idle", "a worker", "1 %"],
    ]
    assert parts_of(written)[1] == ["hook", "a quicker hook", "5 ms", "2.50 ms", "2.00 x", "<= 3 x", "ok", "7", "", ""]
    text = written.read_text(encoding="utf-8")
    assert text.startswith("# Before\n") and text.endswith("\n\nBetween.\n")


def test_a_page_without_the_markers_is_left_alone(written: Path) -> None:
    written.write_text("# No markers\n", encoding="utf-8")
    with pytest.raises(ValueError, match="measured: parts"):
        page.write_rows({"hook": [Row("a hook", 10, "ms")]}, PARTS, written)
    assert written.read_text(encoding="utf-8") == "# No markers\n"


def test_growth_is_told_as_the_exponent_between_the_last_two_sizes() -> None:
    def at(scenes: int, seconds: float) -> Point:
        return Point("Sync All", scenes, seconds, seconds / 2, seconds / 4, 60, 1, 1)

    linear = growth.lines([at(1_000, 5), at(10_000, 10), at(100_000, 100)])
    square = growth.lines([at(10_000, 10), at(100_000, 1_000)])
    assert linear[-1][:5] == ("… exponent, ok (<= 1.05)", "10,000 to 100,000", "1.00", "1.00", "1.00")
    assert square[-1][:3] == ("… exponent, OVER (<= 1.05)", "10,000 to 100,000", "2.00")
