"""What a person in a terminal sees and does while work goes on: progress, and Ctrl-C."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any, TextIO

BAR = 24
STEPS = 10


class Progress:
    """A bar on a terminal, else a plain line at every tenth. Begins when there is something to wait for."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._drawn = stream, stream.isatty()
        self._said = 0
        self._shown = ""

    def show(self, fraction: float) -> None:
        """How much is done, 0 to 1."""
        fraction = min(1.0, max(0.0, fraction))
        if self._drawn:
            self._draw(fraction)
        elif int(fraction * STEPS) > self._said and (fraction < 1.0 or self._said):
            self._said = int(fraction * STEPS)
            self._write(f"Progress: {fraction * 100:.0f} %\n")

    def end(self) -> None:
        """Leave a clean line behind."""
        if self._shown:
            self._write(" " * len(self._shown) + "\r")
            self._shown = ""

    def _draw(self, fraction: float) -> None:
        """Shorter than any log line, and with the cursor back at its start, so that a log line covers it whole."""
        done = round(fraction * BAR)
        bar = f"[{'#' * done}{'-' * (BAR - done)}] {fraction * 100:3.0f} %"
        if bar != self._shown:
            self._shown = bar
            self._write(bar + "\r")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            pass  # nobody looks any more


class Stop:
    """Ctrl-C asks to stop between two jobs, so that no scene counts as one that killed us; the second stops at once."""

    def __init__(self, stream: TextIO) -> None:
        self._wanted = False
        self._stream = stream

    def listen(self) -> None:
        """From now on; only in the main thread."""
        signal.signal(signal.SIGINT, self._asked)

    def look(self) -> None:
        """Raises KeyboardInterrupt when somebody asked; called between two jobs."""
        if self._wanted:
            raise KeyboardInterrupt

    def _asked(self, number: int, frame: FrameType | None) -> None:
        if self._wanted:
            raise KeyboardInterrupt
        self._wanted = True
        print("Stopping after the job at hand; once more stops at once", file=self._stream)


def speak_any_text(*streams: Any) -> None:
    """Titles may hold letters that the terminal's encoding lacks: write these as escapes."""
    for stream in streams:
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def printable(line: str) -> str:
    """The line without control characters, which could steer a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
