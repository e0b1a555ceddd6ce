"""How Stash talks to a plugin: one JSON object on stdin, one on stdout.

Loaded by every hook, inside the user's save. Hence the odd imports: ``_json`` is the parser without the package
``json`` (which imports ``re``, 5 ms), ``posix``/``nt`` are ``os`` without its 2 ms. Measured by ``bench hook``.
"""

from _json import encode_basestring_ascii as quote
from _json import make_scanner

try:
    import posix as system
except ImportError:  # Windows
    import nt as system  # type: ignore[no-redef]

READ_BYTES = 1 << 20
COOKIE_FILE = "cookie"
# What the C scanner raises for text that is no JSON. SystemError: Python 3.10 and 3.11 want to raise json.decoder's
# own error, and can only say that they cannot when that module was never imported, as here.
NO_JSON = (ValueError, StopIteration, RecursionError, SystemError)


class Request:
    """What Stash wants from this process.

    ``connection`` is Stash's ``server_connection`` object, ``hook`` the hook context or None, ``mode`` the task or
    role asked for ("" when none was named), ``session`` the cookie of the user who is behind it, ``problem`` a sentence
    when stdin could not be read as JSON.
    """

    __slots__ = ("args", "connection", "data_dir", "hook", "mode", "plugin_dir", "problem", "session")

    def __init__(self, payload: object, plugin_dir: str, problem: str = "") -> None:
        top = payload if isinstance(payload, dict) else {}
        args = top.get("args")
        connection = top.get("server_connection")
        self.args: dict[str, object] = args if isinstance(args, dict) else {}
        self.connection: dict[str, object] = connection if isinstance(connection, dict) else {}
        hook = self.args.get("hookContext")
        self.hook: dict[str, object] | None = hook if isinstance(hook, dict) else None
        mode = self.args.get("mode")
        self.mode = mode if isinstance(mode, str) else ""
        self.session = printable(self.args.pop("session", None)) or cookie(self.connection)
        self.plugin_dir = plugin_dir
        self.data_dir = data_folder(plugin_dir)
        self.problem = problem


class _ParserOptions:
    """The attributes that ``_json.make_scanner`` reads from its context."""

    strict = False
    object_hook = None
    object_pairs_hook = None
    array_hook = None
    parse_float = float
    parse_constant = float
    memo: "dict[str, str]" = {}

    @staticmethod
    def parse_int(digits: str) -> "int | float":
        """Numbers of thousands of digits raise in ``int`` since Python 3.11; no id of ours has 20."""
        return int(digits) if len(digits) < 20 else float(digits)


def read_request(plugin_dir: str) -> Request:
    """Read stdin to its end (Stash logs a warning when a plugin leaves some) and parse it; never raises."""
    data = _read_all(0)
    try:
        return Request(parse(data), plugin_dir)
    except NO_JSON as error:
        problem = "stdin is not the JSON that Stash writes (%s)" % type(error).__name__
        return Request(None, plugin_dir, problem)


def parse(data: bytes) -> object:
    """Parse JSON bytes; undecodable bytes become U+FFFD, a byte order mark is skipped.

    Raises one of NO_JSON for what is none.
    """
    encoding = "utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8"
    text = data.decode(encoding, "replace").lstrip("\ufeff \t\r\n")
    value: object = make_scanner(_ParserOptions())(text, 0)[0]  # type: ignore[arg-type]
    return value


def answer(output: str) -> None:
    """Write the one answer of this process; Stash waits for it until stdout ends."""
    answer_json(quote(output))


def answer_json(document: str) -> None:
    """Like `answer`, with a JSON document in ASCII; Stash drops what is not wrapped in ``output``."""
    _write_all(1, b'{"output":' + document.encode() + b"}")


def fail(error: str) -> None:
    """Answer that this process failed; Stash logs the sentence as an error."""
    _write_all(1, b'{"error":' + quote(error).encode() + b"}")


def data_folder(plugin_dir: str) -> str:
    """The folder of everything we keep: ``$STASH_PLUGIN_DATA``, else ``data`` in the plugin's folder."""
    name = "STASH_PLUGIN_DATA"
    environ: dict[object, object] = system.environ  # type: ignore[assignment]
    chosen = environ.get(name) or environ.get(name.encode())  # posix.environ holds bytes, nt.environ text
    if isinstance(chosen, bytes):
        chosen = chosen.decode("utf-8", "surrogateescape")
    return str(chosen) if chosen else plugin_dir + "/data"


def address(server: "dict[str, object]") -> "tuple[str, int]":
    """Where Stash listens, from its ``server_connection``; an any-address stands for this machine."""
    host, port = server.get("Host"), server.get("Port")
    name = host if isinstance(host, str) and host not in ("", "0.0.0.0", "::", "[::]") else "127.0.0.1"
    return name.strip("[]"), port if isinstance(port, int) else 9999


def cookie(server: "dict[str, object]") -> str:
    """The session cookie of the user whose save this is, "" when there is none."""
    session = server.get("SessionCookie")
    return printable(session.get("Value") if isinstance(session, dict) else None)


def printable(value: object) -> str:
    """The value if it is a text that can stand in a header, else ""."""
    return value if isinstance(value, str) and value.isprintable() else ""


def _read_all(descriptor: int) -> bytes:
    chunks: list[bytes] = []
    while True:
        chunk = system.read(descriptor, READ_BYTES)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def _write_all(descriptor: int, data: bytes) -> None:
    try:
        while data:
            data = data[system.write(descriptor, data) :]
    except OSError:
        pass  # nobody reads any more: Stash is gone or the user's request was dropped
