"""docs/performance.md: the tables between its markers are written by the suite, the prose around them by people.

The table of parts keeps the rows of those parts that were not measured this time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.table import HEAD, SIDES, Row, machine

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"
PARTS_BLOCK, GROWTH_BLOCK = "parts", "growth"
COLUMNS = ("part", "what", *HEAD[1:5], "held", *HEAD[6:])


def lines(found: Mapping[str, Sequence[Row]]) -> list[Sequence[str]]:
    """A heading, and the rows of all parts with the part in front."""
    return [COLUMNS, *([part, *row.cells()] for part, rows in found.items() for row in rows)]


def write_rows(found: Mapping[str, Sequence[Row]], order: Sequence[str], file: Path = PAGE) -> None:
    """Put these parts' rows into the page, all parts in this order."""
    kept = read_table(block(file.read_text(encoding="utf-8"), PARTS_BLOCK))[1:]
    rows = [line for part in order for line in (lines({part: found[part]})[1:] if part in found else _of(kept, part))]
    write(PARTS_BLOCK, [COLUMNS, *rows], "<" + SIDES, file)


def write(name: str, rows: Sequence[Sequence[str]], sides: str, file: Path = PAGE) -> None:
    """Replace what stands between the markers of this name by these rows, the first of them the heading."""
    before, _, after = _split(file.read_text(encoding="utf-8"), name)
    made = f"{markdown(rows, sides)}\n\nMeasured with {machine()}.\n"
    with open(file, "w", encoding="utf-8", newline="\n") as page:
        page.write(before + made + after)


def block(page: str, name: str) -> str:
    """What stands between the markers of this name; ValueError without them."""
    return _split(page, name)[1]


def _split(page: str, name: str) -> tuple[str, str, str]:
    begin, end = (f"<!-- {word}: {name} -->\n" for word in ("measured", "end"))
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"the page needs the markers {begin.strip()} and {end.strip()} once each")
    before, _, rest = page.partition(begin)
    within, _, after = rest.partition(end)
    return before + begin, within, end + after


def markdown(rows: Sequence[Sequence[str]], sides: str) -> str:
    """Rows of cells as a table in Markdown; ``sides`` holds ``<`` or ``>`` for each column."""
    rules = [":--" if side == "<" else "--:" for side in sides]
    return "\n".join("| " + " | ".join(line) + " |" for line in [rows[0], rules, *rows[1:]])


def read_table(text: str) -> list[list[str]]:
    """The cells of a table in Markdown, heading first and without the rule."""
    rows = [line.strip()[1:-1].split("|") for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows]
    return cells[:1] + cells[2:]


def _of(kept: Sequence[Sequence[str]], part: str) -> list[Sequence[str]]:
    return [line for line in kept if line[0] == part]
