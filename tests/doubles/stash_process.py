"""One plugin process as Stash runs it: stdin JSON, stdout to EOF, stderr line by line."""

import json
import os
import select
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable, Optional

from tests.doubles.stash_go import go_text

LEVELS = {b"t": "trace", b"d": "debug", b"i": "info", b"w": "warning", b"e": "error", b"p": "progress"}
LINE_LIMIT = 64 * 1024
PIPE_SIZE = 32 * 1024
LOOK_S = 0.05
LogLine = Callable[[str, str], None]


@dataclass
class ProcessRecord:
    """What the double remembers of a started process; `exit_code` is negative for a signal, `answer` its stdout."""

    kind: str
    plugin: str
    trigger: str
    pid: int
    started_s: float
    exit_code: Optional[int] = None
    duration_s: Optional[float] = None
    answer: str = ""


def parse_log_line(line: bytes, default: str) -> Optional[tuple[str, str]]:
    """(level, text) of one stderr line, or None for a line that Stash does not show."""
    if len(line) >= 4 and line[:1] == b"\x01" and line[2:3] == b"\x02" and line[1:2] in LEVELS:
        return LEVELS[line[1:2]], line[3:].decode("utf-8", "replace").strip()
    text = line.decode("utf-8", "replace").strip()
    return (default, text) if text and default != "none" else None


def decode_output(text: str) -> tuple[Optional[str], Any]:
    """(error, output) from a process's stdout; anything but the known object is the output itself."""
    try:
        answer = json.loads(text)
    except ValueError:
        return None, text
    if not isinstance(answer, dict) or not isinstance(answer.get("error"), (str, type(None))):
        return None, text
    return answer.get("error"), answer.get("output")


class RawProcess:
    """A started process; `done` is set when Stash would have its result.

    `log_line(level, text)` receives each stderr line, from another thread.
    Starting raises OSError as Popen does.
    """

    def __init__(
        self,
        argv: list[str],
        env: dict[str, str],
        payload: bytes,
        log_line: LogLine,
        default_level: str,
        record: ProcessRecord,
    ) -> None:
        self.done = threading.Event()
        self.error: Optional[str] = None
        self.output: Any = None
        self.refused: Optional[str] = None
        self.record = record
        self._log_line, self._default_level = log_line, default_level
        self.abandoned, self._reaped = threading.Event(), threading.Event()
        self._began = time.monotonic()
        self._popen = subprocess.Popen(
            argv, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        )
        record.pid = self._popen.pid
        self._begin(payload)

    def _begin(self, payload: bytes) -> None:
        self._stderr = threading.Thread(target=self._read_stderr, daemon=True)
        self._stderr.start()
        threading.Thread(target=self._read_stdout, daemon=True).start()
        if len(payload) <= PIPE_SIZE:
            self._write(payload)
        else:
            threading.Thread(target=self._write, args=(payload,), daemon=True).start()

    @property
    def shown(self) -> Optional[str]:
        """The output as the log has it."""
        return None if self.output is None else go_text(self.output)

    def kill(self) -> None:
        """SIGKILL to this process alone; its children live on."""
        self._popen.kill()

    def abandon(self) -> None:
        """Closes the read ends, as the end of Stash does; the process is left alone."""
        self.abandoned.set()

    def wait(self, timeout_s: float) -> Optional[int]:
        """The exit code, or None while it still runs."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def _write(self, payload: bytes) -> None:
        view = memoryview(payload)
        try:
            while view:
                view = view[os.write(self._popen.stdin.fileno(), view) :]
            self._popen.stdin.close()
        except OSError:
            self._log_line("warning", "error writing input to plugins stdin")

    def _read_stdout(self) -> None:
        text = b"".join(self._chunks(self._popen.stdout.fileno(), self.abandoned.is_set)).decode("utf-8", "replace")
        self._popen.stdout.close()
        self.record.answer = text
        if not self.abandoned.is_set():
            self._finish(text)
        self._popen.wait()
        self._note_end()

    def _finish(self, text: str) -> None:
        code = self._popen.wait()
        self._note_end()
        self._reaped.set()
        self._stderr.join(1.0)
        self.error, self.output = decode_output(text)
        if code != 0 and self.error is None:
            self.error = "signal: killed" if code == -9 else f"exit status {code}"
        self.done.set()

    def _note_end(self) -> None:
        if self.record.exit_code is None:
            self.record.duration_s = time.monotonic() - self._began
            self.record.exit_code = self._popen.returncode

    def _read_stderr(self) -> None:
        for line in self._lines(self._popen.stderr.fileno()):
            parsed = parse_log_line(line, self._default_level)
            if parsed:
                self._log_line(*parsed)
        self._popen.stderr.close()

    def _lines(self, fd: int) -> Iterator[bytes]:
        """Lines up to EOF; one of 64 KiB or more ends the reading, which closes the pipe."""
        rest = b""
        for chunk in self._chunks(fd, lambda: self.abandoned.is_set() or self._reaped.is_set()):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                if len(line) >= LINE_LIMIT:
                    return
                yield line
            if len(rest) >= LINE_LIMIT:
                return
        yield rest

    @staticmethod
    def _chunks(fd: int, give_up: Callable[[], bool]) -> Iterator[bytes]:
        """What arrives on a pipe until EOF, or until `give_up` when nothing waits."""
        poll = select.poll() if hasattr(select, "poll") else None
        if poll:
            poll.register(fd, select.POLLIN)
        while True:
            if poll and not poll.poll(LOOK_S * 1000):
                if give_up():
                    return
                continue
            chunk = os.read(fd, 65536)
            if not chunk:
                return
            yield chunk
