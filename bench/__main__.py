"""The suite: ``python -m bench`` measures every part and prints one table, ``python -m bench NAME`` one part.

A part that fails is told below the table, and the others are measured all the same.
"""

from __future__ import annotations

import argparse
import sys
import traceback

import bench.growth as growth
from bench import page
from bench.parts import PARTS, add_ways, main, measured
from bench.table import SIDES, Row, aligned, machine, shortened

COMMANDS = {"growth": growth.main}  # what is no part: it takes an hour


def suite(arguments: list[str]) -> int:
    """Measure all parts; 1 when one could not be measured or a row failed."""
    parser = argparse.ArgumentParser(prog="bench", description="Everything that is measured, in one table.")
    add_ways(parser)
    options = parser.parse_args(arguments)
    print(machine(), flush=True)
    found: dict[str, list[Row]] = {}
    for part in PARTS:
        print(f"measuring {part} …", file=sys.stderr, flush=True)
        try:
            found[part] = measured(part, {}, options.quick)
        except Exception:  # noqa: BLE001 - whatever it is, the other parts are worth their table
            traceback.print_exc()
    print("\n" + text(found))
    if options.write_docs:
        page.write_rows(found, PARTS)
    missing = [part for part in PARTS if part not in found]
    if missing:
        print(f"\nnot measured, see above: {', '.join(missing)}")
    return int(bool(missing) or any(row.failed for rows in found.values() for row in rows))


def text(found: dict[str, list[Row]]) -> str:
    """One table with the part in front of its first row."""
    lines = shortened(page.lines(found))
    told = [lines[0]]
    for before, line in zip(lines, lines[1:]):
        told.append(["" if line[0] == before[0] else line[0], *line[1:]])
    return aligned(told, ("<" + SIDES)[: len(lines[0])])


def command(arguments: list[str]) -> int:
    """A part by its name, or all."""
    if arguments and arguments[0] in COMMANDS:
        return COMMANDS[arguments[0]](arguments[1:])
    if arguments and arguments[0] in PARTS:
        return main(arguments)
    if arguments and not arguments[0].startswith("-"):
        print(f"bench: no part {arguments[0]}; there are {', '.join((*PARTS, *COMMANDS))}", file=sys.stderr)
        return 2
    return suite(arguments)


if __name__ == "__main__":
    sys.exit(command(sys.argv[1:]))
