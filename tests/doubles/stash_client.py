"""Speaking to a double over HTTP: a plain client, the conveniences, and the remote control."""

import http.client
import json
import socket
import time
from collections.abc import Sequence
from typing import Any, Optional, Union
from urllib.parse import urlsplit


class GraphQLFailed(Exception):
    """An answer with errors, or with another status than 200."""

    def __init__(self, status: int, answer: Any) -> None:
        super().__init__(f"{status}: {answer}")
        self.status, self.answer = status, answer


def fetch(
    url: str,
    method: str = "GET",
    body: Union[bytes, str, None] = None,
    headers: Optional[dict[str, str]] = None,
    timeout_s: float = 60.0,
) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of one request over its own connection; follows no redirect."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def post_and_drop(url: str, body: bytes, headers: dict[str, str], after_s: float) -> None:
    """Sends a POST and closes the connection after a while, whatever the server is doing."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection((parts.hostname, parts.port), 10) as connection:
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        time.sleep(after_s)


class Conveniences:
    """What tests do most, through HTTP and therefore with hooks. Needs `gql`."""

    def gql(self, query: str, variables: Optional[dict[str, Any]] = None, **options: Any) -> Any:
        raise NotImplementedError

    def save(self, scene_id: Any, **fields: Any) -> Any:
        """sceneUpdate of the given fields; names of relations are as in Stash (`tag_ids`, …)."""
        return self.gql(
            "mutation($i:SceneUpdateInput!){sceneUpdate(input:$i){id updated_at}}",
            {"i": {"id": str(scene_id), **fields}},
        )["sceneUpdate"]

    def bulk_save(self, ids: Sequence[Any], **fields: Any) -> Any:
        """bulkSceneUpdate; relations are {"ids": […], "mode": "ADD"}."""
        wanted = {"ids": [str(i) for i in ids], **fields}
        return self.gql("mutation($i:BulkSceneUpdateInput!){bulkSceneUpdate(input:$i){id}}", {"i": wanted})[
            "bulkSceneUpdate"
        ]

    def destroy(self, scene_id: Any) -> Any:
        return self.gql("mutation($i:SceneDestroyInput!){sceneDestroy(input:$i)}", {"i": {"id": str(scene_id)}})

    def rename(self, kind: str, old: str, new: str) -> Any:
        """Renames the "tag", "performer" or "studio" called `old`."""
        query = "mutation($i:%sUpdateInput!){%sUpdate(input:$i){id}}" % (kind.capitalize(), kind)
        return self.gql(query, {"i": {"id": self.id_of(kind, old), "name": new}})

    def create(self, kind: str, name: str) -> str:
        """Creates a "tag", "performer" or "studio" and gives its id."""
        query = "mutation($i:%sCreateInput!){%sCreate(input:$i){id}}" % (kind.capitalize(), kind)
        return self.gql(query, {"i": {"name": name}})[kind + "Create"]["id"]

    def merge_tags(self, sources: Sequence[str], destination: str) -> Any:
        """tagsMerge, by names."""
        wanted = {
            "source": [self.id_of("tag", name) for name in sources],
            "destination": self.id_of("tag", destination),
        }
        return self.gql("mutation($i:TagsMergeInput!){tagsMerge(input:$i){id}}", {"i": wanted})

    def run_task(self, plugin_id: str, task_name: Optional[str], args: Optional[dict[str, Any]] = None) -> str:
        """Queues a plugin task and gives its job id."""
        query = "mutation($p:ID!,$t:String,$a:Map){runPluginTask(plugin_id:$p,task_name:$t,args_map:$a)}"
        return self.gql(query, {"p": plugin_id, "t": task_name, "a": args or {}})["runPluginTask"]

    def operation(self, plugin_id: str, args: Optional[dict[str, Any]] = None, **options: Any) -> Any:
        """runPluginOperation; gives the plugin's output."""
        query = "mutation($p:ID!,$a:Map){runPluginOperation(plugin_id:$p,args:$a)}"
        answer = self.gql(query, {"p": plugin_id, "a": args or {}}, **options)
        return answer and answer["runPluginOperation"]

    # jobs of Stash itself; each gives the job id

    def scan(self, rescan: bool = False, paths: Sequence[str] = (), covers: bool = False) -> str:
        """metadataScan, of everything unless `paths` are named."""
        wanted = {"rescan": rescan, "paths": list(paths) or None, "scanGenerateCovers": covers}
        return self._job("metadataScan", "ScanMetadataInput", wanted)

    def identify(self, ids: Sequence[Any], doubtful_tag: Optional[str] = None) -> str:
        """metadataIdentify of these scenes; the tag, by id, is for those with several matches."""
        options = {"skipMultipleMatches": True, "skipMultipleMatchTag": doubtful_tag}
        wanted = {"sources": [], "sceneIDs": [str(i) for i in ids], "options": options}
        return self._job("metadataIdentify", "IdentifyMetadataInput", wanted)

    def auto_tag(self) -> str:
        """metadataAutoTag with all performers, studios and tags."""
        every = {"performers": ["*"], "studios": ["*"], "tags": ["*"]}
        return self._job("metadataAutoTag", "AutoTagMetadataInput", every)

    def clean(self) -> str:
        """metadataClean."""
        return self._job("metadataClean", "CleanMetadataInput", {"dryRun": False})

    def generate_covers(self, ids: Sequence[Any]) -> str:
        """metadataGenerate of covers for these scenes."""
        wanted = {"covers": True, "sceneIDs": [str(i) for i in ids]}
        return self._job("metadataGenerate", "GenerateMetadataInput", wanted)

    def _job(self, field: str, kind: str, wanted: dict[str, Any]) -> str:
        return self.gql("mutation($i:%s!){%s(input:$i)}" % (kind, field), {"i": wanted})[field]

    def id_of(self, kind: str, name: str) -> str:
        raise NotImplementedError


class RemoteStashDouble:
    """A double in another process: the public names of StashDouble, called over HTTP.

    Records come back as dictionaries and tuples as lists. `restart()` keeps the address.
    """

    VALUES = ("log", "processes", "requests", "api_key", "hooks_enabled")

    def __init__(self, url: str, under: str = "") -> None:
        self.__dict__.update(url=url.rstrip("/"), _under=under)

    def batch(self, calls: list[dict[str, Any]]) -> list[Any]:
        """Several {"call", "args", "options"} in one request, in order."""
        return self._send(calls)

    def _send(self, asked: Any) -> Any:
        headers = {"Content-Type": "application/json"}
        status, _, answer = fetch(self.url + "/_double/", "POST", json.dumps(asked).encode(), headers, 600)
        found = json.loads(answer)
        if status != 200:
            raise RuntimeError(found["error"])
        return found["result"]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in ("faults", "sessions"):
            return RemoteStashDouble(self.url, name + ".")
        path = self._under + name
        if path in self.VALUES:
            return self._send({"call": path})
        return lambda *args, **options: self._send({"call": path, "args": args, "options": options})

    def __setattr__(self, name: str, value: Any) -> None:
        self._send({"call": "set", "args": [self._under + name, value]})
