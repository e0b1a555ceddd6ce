"""One JSON object per line: time, level, logger, request_id and message, without secrets and with paths masked.

Every module of the provider logs to ``logging.getLogger("stash2plex.<module>")``. Texts go through `stash.log.shown`,
as in the plugin: what stands between the marks of `validation.text.private` becomes a code unless ``show_paths`` is on.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import sys
import traceback
from collections.abc import Sequence
from contextvars import ContextVar
from datetime import datetime, timezone
from types import TracebackType
from typing import Optional, TextIO

from provider.settings import Settings
from stash import log
from validation.text import private

LONGEST = 10_000
CHAIN = 5  # of a fault, and of the faults it followed from

# The number of the request that is being answered, "" outside of any.
request_id: ContextVar[str] = ContextVar("request_id", default="")


def setup(settings: Settings, stream: TextIO | None = None, masked: bool = True) -> None:
    """Let all logging of this process go to ``stream`` (standard output when None) as these settings want it.

    ``masked`` is False in a terminal, where a person asks about a path. Libraries are heard from a warning on: httpx
    tells every address, Pillow every chunk.
    """
    held = (settings.stash_api_key, settings.plex_token, settings.secret)
    for one in held:
        log.hide(one.get_secret_value())
    log.mask_private(masked and not settings.show_paths, _salt("".join(one.get_secret_value() for one in held)))
    logging.raiseExceptions = False  # what could not be written would be shown as it is
    line = logging.StreamHandler(sys.stdout if stream is None else stream)
    line.setFormatter(JsonLines())
    logging.root.handlers[:] = [line]
    logging.root.setLevel(logging.WARNING)
    for name in ("stash2plex", "uvicorn"):
        logging.getLogger(name).setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)  # it would show the path with the secret


def warn(sentences: Sequence[str]) -> None:
    """What is odd about the settings, a line each."""
    for sentence in sentences:
        logging.getLogger("stash2plex.settings").warning("%s", sentence)


class JsonLines(logging.Formatter):
    """A record as one line that every collector of logs can read."""

    def format(self, record: logging.LogRecord) -> str:
        said = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "request_id": request_id.get(),
            "message": log.shown(record.getMessage())[:LONGEST],
        }
        if record.exc_info and record.exc_info[1] is not None:
            said["trace"] = log.shown(_trace(record.exc_info[1]))[:LONGEST]
        return json.dumps(said)


def _trace(fault: BaseException) -> str:
    """Where a fault came from, the first one last. Its text might hold anything, so that is private."""
    parts: list[str] = []
    one: Optional[BaseException] = fault
    while one is not None and len(parts) < CHAIN:
        parts.append(f"{_frames(one.__traceback__)}{type(one).__name__}: {private(str(one))}")
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    return "\nbefore that:\n".join(parts)


def _frames(trace: TracebackType | None) -> str:
    return "".join(traceback.format_tb(trace))


def _salt(credentials: str) -> str:
    """The same after each start where there is anything to make it from, and never to be guessed."""
    if not credentials:
        return secrets.token_hex()
    return hashlib.sha256(f"stash2plex\n{credentials}".encode()).hexdigest()
