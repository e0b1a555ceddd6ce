"""The double's HTTP side: /graphql, pictures, /healthz, and the control address."""

import json
import re
import select
import socket
import time
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler
from typing import Any, Optional
from urllib.parse import parse_qs, urlsplit

from tests.doubles.stash_listener import Listener
from tests.doubles.stash_pictures import PLACEHOLDER, answered, picture_of
from tests.doubles.stash_plugins import Call, Cancelled
from tests.doubles.stash_session import Visitor

__all__ = ["PLACEHOLDER", "Handler"]


def client_left(connection: socket.socket) -> bool:
    """Whether the other side closed (or half-closed) its connection; reads nothing."""
    try:
        readable = _readable(connection)
        return readable and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True


def _readable(connection: socket.socket) -> bool:
    if hasattr(select, "poll"):  # select() ends at descriptor 1024
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([connection], [], [], 0)[0])


class Handler(BaseHTTPRequestHandler):
    """One connection; every answer leaves in a single write."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Listener

    def setup(self) -> None:
        super().setup()
        self.server.opened(self.connection)

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            pass
        self.server.closed(self.connection)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (ConnectionError, Cancelled, ValueError):
            self.close_connection = True
        finally:
            self.server.idle(self.connection)
        if self.server.stopping:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing on the test's stderr."""

    def do_POST(self) -> None:
        self.server.busy(self.connection)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        if path == "/_double/":
            self._control(body)
        elif path == "/graphql":
            self._graphql(body)
        else:
            self.send(404, b"404 page not found\n", "text/plain; charset=utf-8")

    def do_HEAD(self) -> None:
        """Nothing of Stash's answers to it."""
        self.send(405, b"", None, {"Allow": "GET"})

    def do_GET(self) -> None:
        self.server.busy(self.connection)
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts == ["healthz"]:
            self.send(200, b"", None)
        elif len(parts) == 3 and parts[0] in ("scene", "performer"):
            self._image(*parts)
        elif parts == [""]:
            self._page(b'<!DOCTYPE html><html><head><base href="/" /></head></html>', "text/html")
        elif len(parts) == 3 and parts[0] == "plugin" and parts[2] == "javascript":
            self._scripts(parts[1])
        else:
            self.send(404, b"404 page not found\n", "text/plain; charset=utf-8")

    # -- /graphql ----------------------------------------------------------

    def _graphql(self, body: bytes) -> None:
        if self._faulted():
            return
        visitor = self._visitor()
        if visitor is None:
            self.send(401, b"", None, {"WWW-Authenticate": "FormBased"})
            return
        cookie = _renewed(visitor)
        if self.headers.get_content_type() != "application/json":
            self._json(400, _refusal("transport not supported"), "text/plain; charset=utf-8", cookie)
            return
        self._execute(body, visitor, cookie)

    def _execute(self, body: bytes, visitor: Visitor, cookie: dict[str, str]) -> None:
        kind = self._answer_kind()
        bad_status = 422 if kind == "application/json" else 400
        try:
            asked = _decode(body)
            query = asked["query"] or ""
        except (ValueError, KeyError, TypeError) as error:
            self._json(400, _refusal(f"json request body could not be decoded: {error}"), kind, cookie)
            return
        call = Call(visitor.user, lambda: client_left(self.connection), self.headers.get("Host") or "localhost")
        variables, operation = asked.get("variables"), asked.get("operationName")
        executed, answer = self.server.stash.execute(query, variables, operation, call)
        if call.cancelled():
            raise Cancelled
        self._json(200 if executed else bad_status, answer, kind, cookie)

    def _answer_kind(self) -> str:
        accept = self.headers.get("Accept")
        if not accept or "application/json" in accept:
            return "application/json"
        new = "application/graphql-response+json"
        return new if new in accept or "*/*" in accept or "application/*" in accept else "application/json"

    def _visitor(self) -> Optional[Visitor]:
        asked = parse_qs(urlsplit(self.path).query).get("apikey", [None])[0]
        key = self.headers.get("ApiKey", asked)
        return self.server.stash.sessions.admit(key, self._cookie())

    def _cookie(self) -> Optional[str]:
        try:
            found = SimpleCookie(self.headers.get("Cookie", "")).get("session")
        except CookieError:
            return None
        return found.value if found else None

    def _faulted(self) -> bool:
        faults = self.server.stash.faults
        if faults.latency_s:
            time.sleep(faults.latency_s)
        fault = faults.take()
        if fault is None:
            return False
        if fault == "drop":
            raise ConnectionAbortedError
        self.send(int(fault), b"<html>fault</html>", "text/html")
        return True

    # -- the rest ------------------------------------------------------------

    def _control(self, body: bytes) -> None:
        self.server.exempt(self.connection)  # it may be the one that says stop
        status, answer = self.server.stash.control(json.loads(body))
        self._json(status, answer, "application/json", {})

    def _page(self, content: bytes, kind: str) -> None:
        """What a person must be logged in for; others are sent to the login page."""
        visitor = self._visitor()
        if visitor is None:
            self.send(302, b"", None, {"Location": "/login"})
        else:
            self.send(200, content, kind, _renewed(visitor))

    def _scripts(self, plugin_id: str) -> None:
        """All scripts of a plugin as one."""
        plugins = self.server.stash.plugins
        plugin = plugins.loaded.get(plugin_id)
        if plugin is None:
            self.send(404, b"Not Found\n", "text/plain; charset=utf-8")
        elif plugin_id in plugins.disabled:
            self.send(400, b"plugin disabled\n", "text/plain; charset=utf-8")
        else:
            self._page(b"\n".join(path.read_bytes() for path in plugin.scripts), "text/javascript")

    def _image(self, kind: str, number: str, what: str) -> None:
        visitor = self._visitor()
        if visitor is None:
            self._stranger()
            return
        fault = self.server.stash.faults.take_picture()
        if fault:
            self.send(fault, b"", "text/plain")
            return
        if self.server.stash.core.status != "OK":
            self.send(500, b"", None)
            return
        drawn = "true" in parse_qs(urlsplit(self.path).query).get("default", [])
        content = picture_of(self.server.stash.library, kind, number, what, drawn)
        if isinstance(content, str):
            self.send(404, content.encode(), "text/plain; charset=utf-8")
        else:
            self._picture(content, _renewed(visitor))

    def _stranger(self) -> None:
        """A wrong key is refused; without any credential the login page is shown."""
        if "ApiKey" in self.headers or "apikey=" in self.path:
            self.send(401, b"", None, {"WWW-Authenticate": "FormBased"})
        else:
            self.send(302, b"", None, {"Location": "/login"})

    def _picture(self, content: bytes, cookie: dict[str, str]) -> None:
        status, part, headers = answered(content, self.headers.get("If-None-Match"), self.headers.get("Range"))
        lasting = "private, max-age=31536000, immutable" if "t=" in self.path else "no-cache"
        kind = headers.pop("Content-Type", None)
        self.server.stash.pictures.append((self.path, status, len(part)))
        self.send(status, part, kind, {"Cache-Control": lasting, **headers, **cookie})

    def _json(self, status: int, answer: Any, kind: str, headers: dict[str, str]) -> None:
        self.send(status, json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace"), kind, headers)

    def send(self, status: int, body: bytes, kind: Optional[str], headers: Optional[dict[str, str]] = None) -> None:
        """Head and body in one write, so that no answer waits for a delayed acknowledgement."""
        self.send_response_only(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if kind:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        head = b"".join(self._headers_buffer) + b"\r\n"
        self._headers_buffer = []
        self.wfile.write(head + body)


def _decode(body: bytes) -> Any:
    """JSON as Stash reads it: a lone surrogate becomes the replacement character."""
    if b"\\u" not in body:
        return json.loads(body)
    text = json.dumps(json.loads(body), ensure_ascii=False)
    return json.loads(re.sub("[\ud800-\udfff]", "\ufffd", text))


def _renewed(visitor: Visitor) -> dict[str, str]:
    """The header that hands a visitor's cookie out anew."""
    return {"Set-Cookie": f"session={visitor.renewed_cookie}; Path=/; HttpOnly"} if visitor.renewed_cookie else {}


def _refusal(message: str) -> dict[str, Any]:
    return {"errors": [{"message": message}], "data": None}
