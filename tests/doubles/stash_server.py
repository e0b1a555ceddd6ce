"""A Stash that remembers and can be taken into a test, a demo or a process of its own.

    with StashDouble(plugins=["plugins_folder"]) as stash:
        scene_id = stash.add_scene(path="/data/a.mp4", title="A")
        stash.save(scene_id, title="B")        # over HTTP, so the plugins' hooks run

As a process: python -m tests.doubles.stash_server --port 0 --plugins PATH …
prints {"url": …} and is then controlled through RemoteStashDouble(url).
"""

import argparse
import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Callable, Optional

from tests import canaries
from tests.doubles.stash_client import Conveniences, GraphQLFailed, RemoteStashDouble, fetch, post_and_drop
from tests.doubles.stash_core import Core
from tests.doubles.stash_faults import Faults
from tests.doubles.stash_graphql import Engine
from tests.doubles.stash_http import Handler
from tests.doubles.stash_jobs import Jobs
from tests.doubles.stash_listener import Listener
from tests.doubles.stash_manifest import PluginSource
from tests.doubles.stash_model import Library
from tests.doubles.stash_page import Page, Tab, load
from tests.doubles.stash_plugins import Call, Plugins, base_python
from tests.doubles.stash_seeding import Seeding
from tests.doubles.stash_session import Sessions

__all__ = ["GraphQLFailed", "RemoteStashDouble", "StashDouble"]


class StashDouble(Seeding, Conveniences):
    """See the module. `plugins`: see stash_manifest.manifest_files; `python` runs `python3` plugins."""

    def __init__(
        self,
        plugins: Sequence[PluginSource] = (),
        python: Optional[str] = None,
        credentials: Optional[tuple[str, str]] = None,
        port: int = 0,
        clock: Callable[[], float] = time.time,
        config_dir: Optional[str] = None,
    ) -> None:
        self._port, self._server = port, None
        self._temporary = None if config_dir else tempfile.TemporaryDirectory(prefix="stash-double-")
        self.log: list[tuple[str, str, str]] = []
        self.faults = Faults()
        self.requests: list[str] = []
        self.pictures: list[tuple[str, int, int]] = []  # asked for: address, status, bytes
        self.sessions = Sessions(credentials, clock)
        self.library = Library(clock)
        self.jobs = Jobs(clock)
        self.plugins = Plugins(
            [plugins] if isinstance(plugins, str) else plugins,
            python or base_python(),
            config_dir or self._temporary.name,
            self.sessions,
            self.jobs,
            self.log,
            lambda: ("127.0.0.1", self._port),
            self._answer,
        )
        self.core = Core(self.library, self.plugins, self.jobs, self.sessions, self.log)
        self.engine = Engine(self.core)

    # -- life ------------------------------------------------------------

    def start(self) -> "StashDouble":
        canaries.started.append(self)
        self.plugins.reload()
        self.jobs.open()
        self._server = Listener(("127.0.0.1", self._port), Handler, self)
        self._port = self._server.server_address[1]
        return self

    def stop(self, grace_s: float = 10.0) -> bool:
        """Ends as Stash does on SIGTERM: no new connections, requests under way are waited for.

        After `grace_s` (a container's patience) the rest is cut; then the answer is False.
        Plugin processes are not killed, their pipes just lose the reader.
        """
        server, self._server = self._server, None
        if server is None:
            return True
        server.close_listener()
        in_time = server.drain(grace_s)
        self._cut(server)
        return in_time

    def kill(self) -> None:
        """Ends at once, as with SIGKILL: connections and pipes are gone, plugin processes live."""
        server, self._server = self._server, None
        if server is not None:
            server.close_listener()
            self._cut(server)

    def _cut(self, server: Listener) -> None:
        self.plugins.abandon()  # first: what is abandoned is not killed when its caller goes
        self.jobs.close()
        server.cut()

    def restart(self) -> None:
        """Stops and starts on the same port with the same library, settings and cookies."""
        self.stop()
        self.start()

    def __enter__(self) -> "StashDouble":
        return self.start()

    def __exit__(self, *exc: Any) -> None:
        self.close()

    def close(self, timeout_s: float = 5.0) -> None:
        """kill(), then waits for the plugin processes; those that stay are killed."""
        self.kill()
        self.plugins.reap(timeout_s)
        if self._temporary:
            self._temporary.cleanup()

    # -- what it is ------------------------------------------------------

    @property
    def running(self) -> bool:
        return self._server is not None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_key(self) -> str:
        return self.sessions.api_key

    @api_key.setter
    def api_key(self, key: str) -> None:
        self.sessions.api_key = key

    @property
    def hooks_enabled(self) -> bool:
        return self.plugins.hooks_enabled

    @hooks_enabled.setter
    def hooks_enabled(self, enabled: bool) -> None:
        self.plugins.hooks_enabled = enabled

    @property
    def processes(self) -> list[Any]:
        """A ProcessRecord for each process ever started."""
        return list(self.plugins.records)

    def cookie(self) -> str:
        """A fresh session cookie of the user who is logged in."""
        return self.sessions.issue(self.sessions.user)

    def count(self, field: Optional[str] = None) -> int:
        """GraphQL operations received over HTTP, or those with this root field."""
        return len(self.requests) if field is None else sum(field in name.split() for name in self.requests)

    def clear_requests(self) -> None:
        self.requests.clear()

    # -- speaking to it ----------------------------------------------------

    def wait_job(self, job_id: str, timeout: float = 30.0) -> dict[str, Any]:
        """{status, error, output, progress} of an ended job; error and output are the plugin's."""
        job = self.jobs.wait(job_id, timeout)
        return {
            "status": job.status,
            "error": job.plugin_error or job.error,
            "output": job.output,
            "progress": list(job.progress_seen),
        }

    def gql(
        self,
        query: str,
        variables: Optional[dict[str, Any]] = None,
        cookie: Optional[str] = None,
        timeout: float = 60.0,
        drop_after: Optional[float] = None,
    ) -> Any:
        """Runs a query over HTTP as the logged-in user and gives its data.

        `cookie=""` sends none. `drop_after` seconds closes the connection without an answer.
        Raises GraphQLFailed for errors.
        """
        value = self.cookie() if cookie is None else cookie
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if value:
            headers["Cookie"] = f"session={value}"
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        if drop_after is not None:
            return post_and_drop(self.url + "/graphql", body, headers, drop_after)
        status, _, answer = fetch(self.url + "/graphql", "POST", body, headers, timeout)
        found = json.loads(answer) if answer[:1] == b"{" else answer.decode("utf-8", "replace")
        if status != 200 or "errors" in found:
            raise GraphQLFailed(status, found)
        return found["data"]

    def tab(self, **options: Any) -> Tab:
        """A new tab of a browser, see stash_page.Tab; it stays what it is over restarts of Stash."""
        return Tab(lambda: self.url, **options)

    def load_page(
        self, tab: Optional[Tab] = None, cookie: Optional[str] = None, patience_s: Optional[float] = None
    ) -> Page:
        """A person loads a page: the scripts of enabled plugins run, as in stash_page.load.

        Without a tab in a new one; the person is logged in, `cookie=""` is one who is not.
        """
        return load(tab or self.tab(), self.cookie() if cookie is None else cookie, patience_s)

    # -- for the HTTP side and scripts ---------------------------------------

    def execute(self, query: str, variables: Any, operation: Optional[str], call: Call) -> tuple[bool, dict[str, Any]]:
        """Counts and runs one operation that came over HTTP."""
        names = self.engine.prepare(query).fields
        wanted = names.get(operation) or next(iter(names.values()), [])
        self.requests.append(" ".join(wanted))
        return self.engine.run(query, variables, operation, call)

    def _answer(self, query: str, variables: Optional[dict[str, Any]], call: Call) -> dict[str, Any]:
        return self.engine.answer(query, variables, call)

    def control(self, asked: Any) -> tuple[int, dict[str, Any]]:
        """(status, answer) of one remote call or of a list of them."""
        try:
            if isinstance(asked, list):
                return 200, {"result": [self._one_call(entry) for entry in asked]}
            return 200, {"result": self._one_call(asked)}
        except Exception as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}

    def _one_call(self, asked: dict[str, Any]) -> Any:
        name, args = asked["call"], asked.get("args", [])
        if name == "set":
            owner, _, last = args[0].rpartition(".")
            return setattr(self._at(owner), last, args[1])
        found = self._at(name)
        found = found(*args, **asked.get("options", {})) if callable(found) else found
        return [asdict(record) for record in found] if name == "processes" else found

    def _at(self, path: str) -> Any:
        found: Any = self
        for part in filter(None, path.split(".")):
            found = getattr(found, part)
        return found


def main(argv: Optional[list[str]] = None) -> int:
    """Serves until SIGTERM or Ctrl-C, then ends as Stash does: plugin processes are left alone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--plugins", nargs="*", default=[], metavar="PATH")
    parser.add_argument("--python", help="runs plugins that ask for python3")
    parser.add_argument("--user", help="set a login, as name:password")
    options = parser.parse_args(argv)
    login = tuple(options.user.split(":", 1)) if options.user else None
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with tempfile.TemporaryDirectory(prefix="stash-double-") as folder:
        stash = StashDouble(options.plugins, options.python, login, options.port, config_dir=folder).start()
        print(json.dumps({"url": stash.url}), flush=True)
        while not ended.wait(1.0):  # a wait without end is deaf to signals on Windows
            pass
        stash.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
