"""The one writer of log lines: Stash's level bytes on stderr, one prefix per line, no secrets, never raising.

Loaded by hooks, so it imports nothing but what the interpreter has loaded already and ``posix``/``nt`` (see
`stash.protocol`); for the same reason secrets are found without ``re``. Stash closes stderr after a line of 64 KiB,
hence LINE_BYTES; an unprefixed line would show as an error, hence the escaping of line breaks.
"""

import sys
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:  # never at run time: it would cost a hook 5 ms
    from typing import Any

try:
    import posix as system
except ImportError:  # Windows
    import nt as system  # type: ignore[no-redef]

LINE_BYTES = 60_000
STDERR = 2
# Around a path or a title inside a sentence; the same two as in `validation.text`, which hooks do not load.
PRIVATE, PUBLIC = "\x0e", "\x0f"
MASK = "***"

# Behind which names a secret stands, what ends one without quotes, and whether a bare name and a colon are enough: our
# own sentences say "refuses our session: …". A name in quotes may always be followed by a colon, any name by "=".
_LINE = "\r\n"
_WORD = " \t\r\n&;<>\"'"
_SHAPES = (
    ("authorization", _LINE, True),
    ("cookie", _LINE, True),
    ("plex-token", _WORD, True),
    ("apikey", _WORD, True),
    ("api_key", _WORD, False),
    ("plex_token", _WORD, False),
    ("session", _WORD, False),
)
_QUOTES = ("'", '"')
_SKIPPED = (" ", "\t", "\\", "[", "b'", 'b"', *_QUOTES)  # up to a value in a list, or in bytes

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~")
_LOWER = {code: code + 32 for code in range(65, 91)}  # str.lower changes the length of some texts

RENEWED = 8

_secrets: "list[str]" = []
_renewed: "list[str]" = []
_plain = _verbose = _debug_shown = _masked = _torn = False
_salt = ""
_writing = RLock()  # two threads log, and the system may take a long line in parts


def hide(secret: str) -> None:
    """Mask this text, raw and URL-encoded, in every line written from now on; shorter than 4 letters is ignored."""
    if secret in _renewed:
        _renewed.remove(secret)  # it is to stay
    if len(secret) >= 4:
        _keep({*_secrets, *_forms(secret)})


def hide_renewed(secret: str) -> None:
    """Like `hide`, for what is made anew again and again: of such secrets only the last RENEWED are remembered."""
    if secret in _secrets:
        return
    hide(secret)
    _renewed.append(secret)
    for former in _renewed[:-RENEWED]:
        _renewed.remove(former)
        _keep({*_secrets} - {*_forms(former)})


def speak_plainly(verbose: bool = False) -> None:
    """From now on for a terminal and not for Stash: no level bytes; ``verbose`` is `show_debug` for good."""
    global _plain, _verbose
    _plain, _verbose = True, verbose


def show_debug(on: bool) -> None:
    """Whether debug lines are written as info, marked as what they are; Stash hides its own debug level."""
    global _debug_shown
    _debug_shown = on


def mask_private(on: bool, salt: str = "") -> None:
    """Whether what stands between PRIVATE and PUBLIC is replaced by a code, the same for the same text and salt.

    The salt keeps a reader of the log from finding a name by trying; it belongs to one installation and is kept there.
    """
    global _masked, _salt
    _masked, _salt = on, salt


def shown(value: "Any") -> "Any":
    """A text, or anything made of dicts, lists and texts, as it may leave this process: no marks and no secrets."""
    if isinstance(value, str):
        return redact(_unmarked(value))
    if isinstance(value, dict):
        return {shown(key): shown(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [shown(held) for held in value]
    return value


def redact(text: str) -> str:
    """The text without any known secret, and without what stands where secrets stand."""
    for secret in _secrets:
        text = text.replace(secret, MASK)
    low = text.translate(_LOWER)
    for name, ends, bare_colon in _SHAPES:
        if name in low:
            text = _without_value(text, name, ends, bare_colon)
    return text


def debug(component: str, text: str) -> None:
    """For whoever looks for a fault; hidden unless asked for."""
    if _debug_shown or _verbose:
        _write("i", component, "[DEBUG] " + text)
    else:
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
    """One finished line: level bytes, component, text as in `shown` with control characters escaped, cut to size."""
    head = "[Stash2Plex %s] " % component if component else ""
    safe: str = shown(text)
    if not safe.isprintable():
        safe = "".join(c if c.isprintable() else _escape(c) for c in safe)
    body = (head + safe).encode("utf-8", "backslashreplace")
    if len(body) > LINE_BYTES:
        body = body[: LINE_BYTES - 3].decode("utf-8", "ignore").encode() + b"..."
    return b"\x01" + level.encode() + b"\x02" + body + b"\n"


# what must not be read


def _forms(secret: str) -> "tuple[str, ...]":
    data = secret.encode("utf-8", "replace")
    return secret, _encoded(data, "%%%02X"), _encoded(data, "%%%02x")


def _keep(forms: "set[str]") -> None:
    """A new list, since another thread may be going through the old one."""
    global _secrets
    _secrets = sorted(forms, key=len, reverse=True)  # of one that begins with another nothing may be left


def _encoded(data: bytes, form: str) -> str:
    return "".join(chr(byte) if byte in _UNRESERVED else form % byte for byte in data)


def _unmarked(text: str) -> str:
    """Without the marks; what they hold stays, or becomes a code. A mark without its end, in a cut text, holds all."""
    if PRIVATE not in text:
        return text.replace(PUBLIC, "")
    whole, *parts = text.split(PRIVATE)
    for part in parts:
        held, _, after = part.partition(PUBLIC)
        whole += (_code(held) if _masked and held else held) + after
    return whole.replace(PUBLIC, "")


def _code(text: str) -> str:
    import hashlib  # by whoever masks: never a hook

    digest = hashlib.sha256((_salt + "\n" + text).encode("utf-8", "surrogatepass")).hexdigest()
    return ("path-" if "/" in text or "\\" in text else "name-") + digest[:8]


def _without_value(text: str, name: str, ends: str, bare_colon: bool) -> str:
    """The text with a mask for each value that follows this name."""
    low = text.translate(_LOWER)
    at, done, whole = low.find(name), 0, ""
    while at >= 0:
        start = _value_start(low, at + len(name), bare_colon)
        end = _value_end(low, start, ends)
        if end > start:
            whole, done = whole + text[done:start] + MASK, end
        at = low.find(name, max(done, at + len(name)))
    return whole + text[done:]


def _value_start(low: str, at: int, bare_colon: bool) -> int:
    """Where the value of the name that ends here begins; the end of the text when it has none."""
    sign = _skip(low, at)
    colon = low.startswith((":", "%3a"), sign)
    quoted = low.startswith(("\\", *_QUOTES), at)
    if low.startswith(("=", "%3d"), sign) or (colon and (bare_colon or quoted)):
        return _skip(low, sign + (3 if low[sign] == "%" else 1))
    return len(low)


def _value_end(low: str, start: int, ends: str) -> int:
    """A value in quotes goes to the quote that closes it."""
    quote, end = low[start - 1 : start], start
    quoted = quote in _QUOTES
    while end < len(low) and low[end] not in (_LINE if quoted else ends):
        if quoted and low[end] == quote and low[end - 1] != "\\":
            break
        end += 1
    return end


def _skip(low: str, at: int) -> int:
    while low.startswith(_SKIPPED, at):
        at += 1
    return at


# writing


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
    """Write the whole of it. After a line of which only a part went out, the next one begins with a line break."""
    global _torn
    if sys.stderr is None:
        return  # there was none when Python started: by now the number may be that of some other file of ours
    with _writing:
        data = left = b"\n" + data if _torn else data
        try:
            while left:
                left = left[system.write(STDERR, left) :]
        except OSError:
            pass  # Stash closed its end, or does not read; a log line is never worth failing for
        written = data[: len(data) - len(left)]
        _torn = not written.endswith(b"\n") if written else _torn
