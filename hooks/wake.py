"""Start a worker from a hook: ask Stash to run our launcher, wait until the lease is held, drop the connection.

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
PLUGIN_ID = "Stash2Plex"
LAUNCHER_ID = "Stash2PlexLauncher"
FALLBACK_TASK = "Process Queue"

WAIT_FOR_LEASE_S = 0.3
REST_S = 600.0
ASK_AGAIN_S = 30.0

ASKED_FILE = "asked"

LAUNCH = 'mutation{runPluginOperation(plugin_id:"%s")}' % LAUNCHER_ID
ASK = 'mutation{runPluginTask(plugin_id:"%s",task_name:"%s")}' % (PLUGIN_ID, FALLBACK_TASK)


def wake(request: Request, by_task: bool = True) -> None:
    """Launch a worker unless one rests or is being launched; raises OSError when Stash cannot be reached.

    ``by_task``: where the launcher starts none, let the queue run as a task of Stash.
    """
    if _age_s(request.data_dir, lease.RESTING) < REST_S:
        return
    turn = lease.take(request.data_dir, lease.LAUNCH)
    if turn is None:
        return  # another hook launches; its worker will read our mark, which is already there
    try:
        _hand_over_cookie(request)
        if not _launch(request) and by_task:
            _ask_for_task(request)
    finally:
        lease.release(turn)


def _launch(request: Request) -> bool:
    """Whether a worker holds the lease, or is still about to. An early answer means the launcher did not work."""
    connection = _post(request.connection, LAUNCH)
    connection.settimeout(0.002)
    until = monotonic() + WAIT_FOR_LEASE_S
    try:
        while monotonic() < until:
            if lease.held(request.data_dir):
                return True
            if _answered(connection):
                return lease.held(request.data_dir)
        return True
    finally:
        connection.close()


def _ask_for_task(request: Request) -> None:
    """Without the launcher the drain runs as a task in Stash's job queue, asked for at most every 30 seconds."""
    if _age_s(request.data_dir, ASKED_FILE) < ASK_AGAIN_S:
        return
    _write_private(request.data_dir + "/" + ASKED_FILE, b"")
    log.warning(COMPONENT, "The plugin %s did not start a worker; the queue runs as a task instead. "
                "Enable it under Settings > Plugins" % LAUNCHER_ID)  # fmt: skip
    connection = _post(request.connection, ASK)
    connection.settimeout(2.0)
    _answered(connection)
    connection.close()


def _answered(connection: "_socket.socket") -> bool:
    """Whether an answer, or the end of the connection, arrived within the socket's time-out."""
    try:
        connection.recv(4096)
    except TimeoutError:
        return False
    except OSError as error:
        if isinstance(error, _socket.timeout):  # another class before Python 3.10
            return False
    return True


def _post(server: "dict[str, object]", query: str) -> "_socket.socket":
    """Send one GraphQL request to Stash and return the open connection."""
    host, port = address(server)
    family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
    connection = _socket.socket(family, _socket.SOCK_STREAM)
    connection.settimeout(2.0)
    try:
        connection.connect((host, port))
        if server.get("Scheme") == "https":
            connection = _secure(connection)
        connection.sendall(_http(host, port, cookie(server), query))
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


def _hand_over_cookie(request: Request) -> None:
    """A worker started through a JS plugin has a cookie without a user; with a login set it needs ours."""
    session = cookie(request.connection)
    if session:
        _write_private(request.data_dir + "/" + COOKIE_FILE, session.encode("latin-1", "replace"))


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
