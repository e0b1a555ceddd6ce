"""A Stash that a bench visits as a person does: logged in, over one kept-alive connection.

Either the double or a real one (`bench.real_stash`), each in a process of its own. `HOME` is what the plugin's
processes get as their environment: nothing that leads to another Stash, another data folder or a proxy.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from bench.doubles import started
from sync_queue import lease
from tests.doubles.stash_client import Conveniences, GraphQLFailed, RemoteStashDouble
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent
PLUGIN = "Stash2Plex"
WORKER_ENDS_WITHIN_S = 10.0
HOME = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("STASH_", "PLEX_", "PYTHON")) and not name.lower().endswith("_proxy")
}


class VisitedStash(Conveniences):
    """``pid`` is its process, ``data`` our data folder in its plugins folder, ``name`` what a table calls it."""

    name = "the double"

    def __init__(self, url: str, plugins: Path) -> None:
        self.url, self.plugins = url, plugins
        self.data = str(plugins / PLUGIN / "data")
        self.pid = 0
        self.cookie = ""
        self._connection = http.client.HTTPConnection(url.rpartition("/")[2], timeout=600)

    def gql(self, query: str, variables: dict[str, Any] | None = None, **_: Any) -> Any:
        """The data of the answer; GraphQLFailed when there are errors."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.cookie:
            headers["Cookie"] = f"session={self.cookie}"
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        self._connection.request("POST", "/graphql", body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        found = json.loads(text) if answer.status == 200 else {"errors": text.decode("utf-8", "replace")}
        if "errors" in found:
            raise GraphQLFailed(answer.status, found)
        return found["data"]

    def configure(self, settings: dict[str, Any]) -> None:
        """The settings of our plugin."""
        query = "mutation($p:ID!,$i:Map!){configurePlugin(plugin_id:$p,input:$i)}"
        self.gql(query, {"p": PLUGIN, "i": settings})

    def leave(self) -> None:
        """Close the connection."""
        self._connection.close()

    def worker_pids(self) -> list[int]:
        """The processes that live as a worker, oldest first."""
        raise NotImplementedError

    def errors(self) -> list[str]:
        """The error lines of its log."""
        raise NotImplementedError

    def requests(self) -> int | None:
        """How many GraphQL operations it was asked for; None when it does not tell."""
        return None


class VisitedDouble(VisitedStash):
    """The double; ``control`` steers it."""

    def __init__(self, url: str, plugins: Path, pid: int, login: bool) -> None:
        super().__init__(url, plugins)
        self.pid, self.control = pid, RemoteStashDouble(url)
        self.cookie = self.control.cookie() if login else ""

    def worker_pids(self) -> list[int]:
        """See above; a record says what a process was started for."""
        records = [record for record in self.control.processes if record["exit_code"] is None]
        return [record["pid"] for record in records if record["trigger"] == "worker"]

    def errors(self) -> list[str]:
        """See above."""
        return [text for level, _, text in self.control.log if level == "error"]

    def requests(self) -> int:
        """See above."""
        return int(self.control.count())


@contextmanager
def double_in(folder: Path, scenes: int, login: bool) -> Iterator[VisitedDouble]:
    """The double with this many scenes, with ids from 1; its plugins are in ``plugins`` below this folder."""
    plugins = folder / "plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    user = ["--user", f"bench:{secrets.token_hex(16)}"] if login else []
    command = ("tests.doubles.stash_server", "--plugins", str(plugins), "--python", sys.executable, *user)
    with ExitStack() as stack, started(*command, env=HOME) as told:
        stash = VisitedDouble(told["url"], plugins, told["pid"], login)
        stash.control.promise_scenes(scenes, "bench.doubles:scene")
        try:
            yield stash
        finally:
            stack.enter_context(ended(stash))
            stash.leave()


@contextmanager
def ended(stash: VisitedStash) -> Iterator[None]:
    """The block ends this Stash, and its worker has to end with it; RuntimeError when it does not."""
    workers = stash.worker_pids()
    yield
    try:
        until(lambda: not lease.held(stash.data), WORKER_ENDS_WITHIN_S)
    except AssertionError:
        for pid in workers:
            with suppress(OSError):
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        raise RuntimeError("a worker outlived its Stash") from None
