"""How the demo speaks: short lines for a person; colours only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

INDENT = "   "
LINES_ALIKE = 3
_CODES = {"bold": "1", "dim": "2", "green": "32", "red": "31", "yellow": "33"}
_LEVELS = {"info": "dim", "warning": "yellow", "error": "red"}


class Voice:
    """Writes on stdout."""

    def __init__(self) -> None:
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="replace")
        old_console = os.name == "nt" and "WT_SESSION" not in os.environ
        self._colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ and not old_console
        self._chapter = 0
        self._heard = 0

    def title(self, text: str) -> None:
        """The heading of it all."""
        print("\n" + self._in("bold", text) + "\n" + "=" * len(text), flush=True)

    def chapter(self, text: str) -> None:
        """The next numbered part."""
        self._chapter += 1
        print(f"\n{self._in('bold', f'{self._chapter}. {text}')}", flush=True)

    def say(self, text: str = "") -> None:
        """One sentence, or an empty line."""
        print((INDENT + text).rstrip(), flush=True)

    def good(self, text: str) -> None:
        """What went well."""
        self.say(self._in("green", text))

    def bad(self, text: str) -> None:
        """What did not."""
        self.say(self._in("red", text))

    def table(self, lines: Sequence[Sequence[str]]) -> None:
        """Lines of cells as columns, the first line as heading."""
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        self.say()
        for number, line in enumerate(lines):
            text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
            self.say("  " + (self._in("dim", text) if number == 0 else text))
        self.say()

    def log(self, lines: Sequence[tuple[str, str]]) -> None:
        """What is new in Stash's log; of many lines about scenes only the first ones."""
        new, self._heard = lines[self._heard :], len(lines)
        if not new:
            return
        self.say("In Stash's log:")
        scenes = [line for line in new if " Scene " in line[1]]
        shown = [line for line in new if line not in scenes or line in scenes[:LINES_ALIKE]]
        for level, text in shown:
            self.say("  " + self._in(_LEVELS.get(level, "dim"), f"{level:7} {text}"))
            if scenes[LINES_ALIKE:] and (level, text) == scenes[LINES_ALIKE - 1]:
                self.say("  " + self._in("dim", f"...     and {len(scenes) - LINES_ALIKE} more such lines"))

    def _in(self, style: str, text: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self._colours else text


def shown(value: Any) -> str:
    """A field of an item as text; "-" when it is empty."""
    text = ", ".join(sorted(value)) if isinstance(value, list) else str(value)
    return (text if len(text) <= 46 else text[:43] + "...") or "-"
