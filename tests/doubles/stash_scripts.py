"""Plugins of `interface: js` for the tests of the double itself."""

import contextlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Union
from urllib.parse import urlsplit

from tests.doubles.stash_probe import wait
from tests.doubles.stash_server import StashDouble

RUN = "mutation($id:ID!,$args:Map){runPluginOperation(plugin_id:$id,args:$args)}"
HOOKED = "hooks: [{name: h, triggeredBy: [Scene.Update.Post]}]\n"


def script(folder: Path, name: str, text: str, head: str = HOOKED) -> None:
    """A plugin in that folder, by its name; `head` is the rest of its manifest."""
    (folder / f"{name}.yml").write_text(f"name: {name}\ninterface: js\nexec: [{name}.js]\n{head}", "utf-8")
    (folder / f"{name}.js").write_text(text, "utf-8")


@contextlib.contextmanager
def saved(folder: Union[Path, str], **options: Any) -> Iterator[StashDouble]:
    """A double with one scene that was saved, so that the hooks ran."""
    with StashDouble([folder], **options) as stash:
        stash.save(stash.add_scene("/d/a.mp4"), title="T")
        yield stash


def said(stash: StashDouble, plugin: str) -> list[str]:
    """What the plugin wrote to the log."""
    return [text for _, name, text in stash.log if name == plugin]


def leave(stash: StashDouble, query: str, when: Callable[[], Any]) -> None:
    """Asks, and closes the connection as soon as the condition holds."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(stash.url).port)
    connection.request("POST", "/graphql", json.dumps({"query": query}), {"Content-Type": "application/json"})
    wait(when)
    connection.close()
