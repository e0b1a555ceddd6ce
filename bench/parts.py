"""The parts of the suite, in its order, and what each part's module has to offer.

A part NAME is the module ``bench.NAME`` (``-`` as ``_``) with

- ``measure(folder, *, …) -> list[Row]``: all its rows; ``folder`` is an empty one for everything that it writes, the
  rest are numbers with defaults, which are options of the command line as well (``rounds=3`` is ``--rounds 3``);
- ``QUICK``: a dict of those numbers with which it only shows that it works, in a few seconds;
- a last line ``sys.exit(main(["NAME", *sys.argv[1:]]))`` under ``if __name__ == "__main__"``, with ``main`` from here.

A row with ``must=True`` makes the part fail when its bar is not held. docs/performance.md explains each part.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import tempfile
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from bench.page import write_rows
from bench.table import Row, machine, table

PARTS = ("hook", "doorbell", "latency", "drain", "sync-all", "reconcile", "idle", "provider")


def module(part: str) -> ModuleType:
    """The part's module, which is imported now: one that is broken does not take the others with it."""
    return importlib.import_module("bench." + part.replace("-", "_"))


def numbers(part: ModuleType) -> dict[str, int]:
    """The numbers that ``measure`` takes, with their defaults."""
    given = inspect.signature(part.measure).parameters.values()
    return {number.name: number.default for number in given if number.kind is number.KEYWORD_ONLY}


def measured(part: str, chosen: dict[str, int], quick: bool = False, within: str | None = None) -> list[Row]:
    """The part's rows; what it writes is in a folder of its own below ``within`` and gone afterwards.

    ``quick`` overrides what was chosen, and leaves out the bars, since they are not meant for anything so small.
    """
    made = module(part)
    with tempfile.TemporaryDirectory(prefix="stash2plex-bench-", dir=within) as folder:
        rows: list[Row] = made.measure(Path(folder), **{**chosen, **(made.QUICK if quick else {})})
    return [replace(row, bar=None) if quick and not row.must else row for row in rows]


def main(arguments: list[str]) -> int:
    """Measure the part that the first argument names and print its table; 1 when a row failed."""
    part = module(arguments[0])
    options = _parser(arguments[0], part).parse_args(arguments[1:])
    chosen = {name: getattr(options, name) for name in numbers(part)}
    words = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in chosen.items())
    print(f"{arguments[0]}: {'as little as possible' if options.quick else words}, {machine()}", flush=True)
    rows = measured(arguments[0], chosen, options.quick, options.folder)
    print("\n" + table(rows))
    if options.write_docs:
        write_rows({arguments[0]: rows}, PARTS)
    return int(any(row.failed for row in rows))


def _parser(name: str, part: ModuleType) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"bench {name}", description=(part.__doc__ or "").partition("\n")[0])
    for number, default in numbers(part).items():
        parser.add_argument(f"--{number.replace('_', '-')}", type=int, default=default, help="(default: %(default)s)")
    parser.add_argument("--folder", help="where to put what is written: the disk counts (default: the system's)")
    add_ways(parser)
    return parser


def add_ways(parser: argparse.ArgumentParser) -> None:
    """The options that parts and the suite have in common."""
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--quick", action="store_true", help="small: it shows that it works, the figures say nothing")
    ways.add_argument("--write-docs", action="store_true", help="put the rows into docs/performance.md")
