"""The one writer of log lines: Stash's level bytes on stderr, one prefix per line, no secrets, never raising.

Loaded by every hook, so it imports nothing but ``posix``/``nt`` (see `stash.protocol`). Stash closes stderr after a
line of 64 KiB, hence LINE_BYTES; an unprefixed line would show as an error, hence the escaping of line breaks.
"""

try:
    import posix as system
except ImportError:  # Windows
    import nt as system  # type: ignore[no-redef]

LINE_BYTES = 60_000
STDERR = 2

_secrets: "list[str]" = []
_plain = False
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")


def hide(secret: str) -> None:
    """Mask this text, raw and URL-encoded, in every line written from now on; shorter than 4 letters is ignored."""
    if len(secret) < 4:
        return
    encoded = "".join(chr(b) if b in _UNRESERVED else "%%%02X" % b for b in secret.encode("utf-8", "replace"))
    for form in (secret, encoded):
        if form not in _secrets:
            _secrets.append(form)
    _secrets.sort(key=len, reverse=True)  # of one that begins with another nothing may be left


def speak_plainly() -> None:
    """From now on for a terminal and not for Stash: no level bytes, and nothing below info."""
    global _plain
    _plain = True


def redact(text: str) -> str:
    """The text without any known secret; for texts that leave this process by another way than the log."""
    for secret in _secrets:
        text = text.replace(secret, "***")
    return text


def debug(component: str, text: str) -> None:
    """For whoever looks for a fault; Stash hides it by default."""
    _write("d", component, text)


def info(component: str, text: str) -> None:
    """One line per scene or event."""
    _write("i", component, text)


def warning(component: str, text: str) -> None:
    """A person may want to act."""
    _write("w", component, text)


def error(component: str, text: str) -> None:
    """A person must act."""
    _write("e", component, text)


def progress(fraction: float) -> None:
    """Move the bar of a task in Stash, 0 to 1."""
    _emit(b"\x01p\x02%.4f\n" % min(1.0, max(0.0, fraction)))


def where(fault: BaseException) -> str:
    """Type and place of a fault, without its text, which might hold anything."""
    place, trace = "", fault.__traceback__
    while trace is not None:
        place = " in %s, line %d" % (trace.tb_frame.f_code.co_name, trace.tb_lineno)
        trace = trace.tb_next
    return type(fault).__name__ + place


def line(level: str, component: str, text: str) -> bytes:
    """One finished line: level bytes, component, redacted text with control characters escaped, cut to size."""
    head = "[Stash2Plex %s] " % component if component else ""
    safe = redact(text)
    if not safe.isprintable():
        safe = "".join(c if c.isprintable() else _escape(c) for c in safe)
    body = (head + safe).encode("utf-8", "backslashreplace")
    if len(body) > LINE_BYTES:
        body = body[: LINE_BYTES - 3].decode("utf-8", "ignore").encode() + b"..."
    return b"\x01" + level.encode() + b"\x02" + body + b"\n"


def _escape(character: str) -> str:
    code = ord(character)
    return "\\x%02x" % code if code < 256 else "\\u%04x" % code if code < 65536 else "\\U%08x" % code


def _write(level: str, component: str, text: str) -> None:
    finished = line(level, component, text)
    if not _plain:
        _emit(finished)
    elif level != "d":
        _emit(finished[3:])


def _emit(data: bytes) -> None:
    try:
        system.write(STDERR, data)
    except OSError:
        pass  # Stash closed its end; a log line is never worth failing for
