"""Start a worker: ask Stash to run our launcher, wait until the lease is held, drop the connection.

The worker is then a child of Stash: reaped, logged, told when Stash dies. Loaded only when no worker lives, but
still inside the user's save, so with `_socket` in place of `socket` and no HTTP library.
"""

import _socket
from _json import encode_basestring_ascii as quote
from time import monotonic, time

from stash import log
from stash.protocol import COOKIE_FILE, Request, address, cookie, system
from sync_queue import lease

COMPONENT = "Hook"
LAUNCHER_ID = "Stash2PlexLauncher"
LOGIN_NEEDED = "login needed"  # what launcher.js looks for

WAIT_FOR_LEASE_S = 0.3
REST_S = 600.0

LAUNCH = 'mutation{runPluginOperation(plugin_id:"%s",args:{vain:%d})}'
REFUSED = (b" 401 ", b" 403 ")


def wake(request: Request, session: str = "", vain: int = 0) -> str:
    """Launch a worker unless one rests or is being launched; raises OSError when Stash cannot be reached.

    ``session`` is the cookie of a user, for the worker too: one that is started through a script inside Stash has a
    cookie without a user. ``vain`` is how many workers before it were killed at once. Returns LOGIN_NEEDED when Stash
    wants a user, else "".
    """
    if _age_s(request.data_dir, lease.RESTING) < REST_S:
        return ""
    turn = lease.take(request.data_dir, lease.LAUNCH)
    if turn is None:
        return ""  # another one launches; its worker will read our mark, which is already there
    try:
        if session:
            _write_private(request.data_dir + "/" + COOKIE_FILE, session.encode("latin-1", "replace"))
        return _launch(request, session or cookie(request.connection), vain)
    finally:
        lease.release(turn)


def _launch(request: Request, session: str, vain: int) -> str:
    """Wait until a worker holds the lease, or is about to. An early answer means that the launcher did not work."""
    connection = _post(request.connection, LAUNCH % (LAUNCHER_ID, vain), session)
    connection.settimeout(0.002)
    until = monotonic() + WAIT_FOR_LEASE_S
    try:
        while monotonic() < until and not lease.held(request.data_dir):
            answer = _answer(connection)
            if answer is not None:
                return _what_stopped_it(answer, request.data_dir)
    finally:
        connection.close()
    return ""


def _what_stopped_it(answer: bytes, data_dir: str) -> str:
    if answer[8:13] in REFUSED:
        return LOGIN_NEEDED
    if not lease.held(data_dir):
        log.warning(COMPONENT, "The plugin %s started no worker; what is queued waits for the next one" % LAUNCHER_ID)
    return ""


def _answer(connection: "_socket.socket") -> "bytes | None":
    """What arrived within the socket's time-out: the first bytes of an answer, none at its end, or None."""
    try:
        return connection.recv(4096)
    except TimeoutError:
        return None
    except OSError as error:
        return None if isinstance(error, _socket.timeout) else b""  # another class before Python 3.10


def _post(server: "dict[str, object]", query: str, session: str) -> "_socket.socket":
    """Send one GraphQL request to Stash and return the open connection."""
    host, port = address(server)
    family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
    connection = _socket.socket(family, _socket.SOCK_STREAM)
    connection.settimeout(2.0)
    try:
        connection.connect((host, port))
        if server.get("Scheme") == "https":
            connection = _secure(connection)
        connection.sendall(_http(host, port, session, query))
    except BaseException:
        connection.close()
        raise
    return connection


def _http(host: str, port: int, session: str, query: str) -> bytes:
    body = '{"query":%s}' % quote(query)
    head = (
        "POST /graphql HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
        "Content-Length: %d\r\nConnection: close\r\n%s\r\n"
    )
    cookie_line = "Cookie: session=%s\r\n" % session if session else ""
    return (head % (host, port, len(body), cookie_line) + body).encode("latin-1", "replace")


def _secure(connection: "_socket.socket") -> "_socket.socket":
    """TLS to Stash on its own host, where the certificate is usually self-signed and so not verified."""
    import socket
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.socket(fileno=connection.detach()))


def _write_private(path: str, data: bytes) -> None:
    temporary = "%s.%d" % (path, system.getpid())
    descriptor = system.open(temporary, system.O_WRONLY | system.O_CREAT | system.O_TRUNC, 0o600)
    try:
        system.write(descriptor, data)
    finally:
        system.close(descriptor)
    system.replace(temporary, path)


def _age_s(data_dir: str, name: str) -> float:
    """Seconds since the file was written; infinite without one. A file from the future counts as old."""
    try:
        age = time() - system.stat(data_dir + "/" + name).st_mtime
    except OSError:
        return float("inf")
    return age if age >= 0 else float("inf")
