"""A metadata provider that says what it is told to: for tests of who asks providers."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Optional

IDENTIFIER = "tv.plex.agents.custom.stash2plex"
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))


class Asked(NamedTuple):
    """One request: its headers by lower-case name, and the JSON of its body."""

    method: str
    target: str
    headers: dict[str, str]
    body: Any


class StubProvider:
    """A provider on 127.0.0.1 below ``path``. Change ``root``, ``items`` (rows by rating key) and ``found`` as wanted.

    ``found`` are the rating keys of every match answer, ``status`` what all but the root is answered with.
    """

    def __init__(self, path: str = "", identifier: str = IDENTIFIER) -> None:
        self.path = path
        self.identifier = identifier
        self.root: Any = {
            "identifier": identifier,
            "title": "Stub",
            "version": "1",
            "Types": [{"type": 1, "Scheme": [{"scheme": identifier}]}],
            "Feature": [
                {"type": "metadata", "key": "/library/metadata"},
                {"type": "match", "key": "/library/metadata/matches"},
            ],
        }
        self.items: dict[str, dict[str, Any]] = {}
        self.found: list[str] = []
        self.status = 200
        self.gone = False
        self.asked: list[Asked] = []
        self._server: Any = None

    def __enter__(self) -> StubProvider:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def _any(self) -> None:
                stub._answer(self)

            do_GET = do_POST = do_HEAD = _any

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def home(self) -> str:
        """Return the address of the server, without the path."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """Return the address to register."""
        return self.home + self.path

    def add(self, key: str, **fields: Any) -> str:
        """Add an item, or replace it, and return its guid."""
        guid = f"{self.identifier}://movie/{key}"
        row = {"ratingKey": key, "key": f"/library/metadata/{key}", "guid": guid, "type": "movie", "title": key}
        self.items[key] = {**row, **fields}
        return guid

    def count(self, method: str, ending: str) -> int:
        """Count the requests of a method whose path ends like this."""
        paths = (one.target.split("?")[0] for one in self.asked if one.method == method)
        return sum(path.endswith(ending) for path in paths)

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append(Asked(handler.command, handler.path, headers, json.loads(body) if body else None))
        if self.gone:
            handler.close_connection = True
            return
        status, kind, content = self._content(handler.command, handler.path.split("?")[0])
        if "gzip" in headers.get("accept-encoding", ""):
            content = gzip.compress(content)
            headers = {"Content-Encoding": "gzip"}
        else:
            headers = {}
        handler.send_response(status)
        headers.update({"Content-Type": kind, "Content-Length": str(len(content))})
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(content)

    def _content(self, method: str, path: str) -> tuple[int, str, bytes]:
        if path.startswith("/images/"):
            return self.status, "image/jpeg", JPEG
        below = path[len(self.path) :].strip("/").split("/") if path.startswith(self.path) else ["elsewhere"]
        if below == [""]:
            return 200, "application/json", json.dumps({"MediaProvider": self.root}).encode()
        document = self._document(method, below)
        status = self.status if document is not None else 404
        shown = document if status == 200 else {"error": "No such thing"}
        return status, "application/json", json.dumps(shown).encode()

    def _document(self, method: str, below: list[str]) -> Optional[Any]:
        if method == "POST":
            rows = [self.items[key] for key in self.found]
            return self._container(rows, Metadata=rows)
        if below[3:] == ["images"]:
            rows = self.items[below[2]].get("Image", [])
            return self._container(rows, **({"Image": rows} if rows else {}))
        if len(below) > 3:
            return self._container([], Metadata=[])
        item = self.items.get(below[2]) if len(below) == 3 else None
        return self._container([item], Metadata=[item]) if item else None

    def _container(self, rows: list[Any], **lists: Any) -> Any:
        size = len(rows)
        counts = {"offset": 0, "totalSize": size, "identifier": self.identifier, "size": size}
        return {"MediaContainer": {**counts, **lists}}
