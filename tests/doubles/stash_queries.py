"""What the double's GraphQL queries answer."""

import calendar
import os
import sys
import time
from collections.abc import Sequence
from typing import Any, Optional

from tests.doubles import stash_filter
from tests.doubles.stash_core import Core
from tests.doubles.stash_directory import directory
from tests.doubles.stash_manifest import Manifest
from tests.doubles.stash_model import Named, Scene

CACHE_LEVELS = ("info", "warning", "error")


class Queries:
    """One method per root field, named after it in snake case."""

    def __init__(self, core: Core) -> None:
        self.core = core

    # -- scenes ----------------------------------------------------------

    def find_scene(self, info: Any, id: Optional[str] = None, checksum: Optional[str] = None) -> Optional[Scene]:
        return self.core.library.scenes.get(int(id)) if id is not None else None

    def find_scenes(
        self,
        info: Any,
        scene_filter: Optional[dict[str, Any]] = None,
        ids: Sequence[str] = (),
        scene_ids: Sequence[int] = (),
        filter: Optional[dict[str, Any]] = None,
    ) -> dict[str, Any]:
        with self.core.lock:
            wanted = ids or scene_ids
            if wanted:  # one missing id fails it all, and paging is ignored
                scenes = [self.core.library.scene(i) for i in wanted]
                return _scene_result(len(scenes), scenes)
            library, paging = self.core.library, filter or {}
            numbers = stash_filter.select(library, scene_filter) if scene_filter else None
            if paging.get("q"):
                found = stash_filter.searched(library, paging["q"])
                numbers = found if numbers is None else found.intersection(numbers)
            total = len(library.scenes) if numbers is None else len(numbers)
            shown = stash_filter.page(stash_filter.ordered(library, numbers, paging), paging)
            return _scene_result(total, [library.scenes[n] for n in shown])

    # -- performers, studios, tags ----------------------------------------

    def find_performer(self, info: Any, id: str) -> Optional[Named]:
        return self.core.library.named["performer"].get(int(id))

    def find_studio(self, info: Any, id: str) -> Optional[Named]:
        return self.core.library.named["studio"].get(int(id))

    def find_tag(self, info: Any, id: str) -> Optional[Named]:
        return self.core.library.named["tag"].get(int(id))

    def find_performers(self, info: Any, **args: Any) -> dict[str, Any]:
        return self._find_named("performer", **args)

    def find_studios(self, info: Any, **args: Any) -> dict[str, Any]:
        return self._find_named("studio", **args)

    def find_tags(self, info: Any, **args: Any) -> dict[str, Any]:
        return self._find_named("tag", **args)

    def _find_named(
        self, kind: str, ids: Sequence[str] = (), filter: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        library, paging = self.core.library, filter or {}
        if ids:
            found = [library.one(kind, i) for i in ids]
            return {"count": len(found), kind + "s": found}
        words = (paging.get("q") or "").casefold()
        found = [n for n in list(library.named[kind].values()) if words in n.name.casefold()]
        if paging.get("sort") == "name":
            found.sort(key=lambda n: n.name)
        if paging.get("direction") == "DESC":
            found.reverse()
        return {"count": len(found), kind + "s": stash_filter.page(found, paging)}

    # -- the server itself -------------------------------------------------

    def version(self, info: Any) -> dict[str, str]:
        return {"version": "v0.30.1", "hash": "", "build_time": ""}

    def system_status(self, info: Any) -> dict[str, Any]:
        config = self.core.plugins.config_dir
        return {
            "databaseSchema": 75,
            "databasePath": config + "/stash.sqlite",
            "appSchema": 75,
            "status": self.core.status,
            "configPath": config + "/config.yml",
            "os": sys.platform,
            "workingDir": os.getcwd(),
        }

    def configuration(self, info: Any) -> dict[str, Any]:
        config, sessions = self.core.plugins.config_dir, self.core.sessions
        general = {
            "databasePath": config + "/stash.sqlite",
            "configFilePath": config + "/config.yml",
            "pluginsPath": config + "/plugins",
            "parallelTasks": 1,
            "apiKey": sessions.api_key,
            "username": sessions.user,
            "pythonPath": "",
            "stashes": [{"path": "/data", "excludeVideo": False, "excludeImage": False}],
        }
        return {"general": general, "plugins": self._plugin_settings}

    def _plugin_settings(self, info: Any, include: Optional[list[str]] = None) -> dict[str, Any]:
        saved = self.core.settings if self.core.status != "SETUP" else {}  # a configuration that is new knows nothing
        return {key: value for key, value in saved.items() if include is None or key in include}

    def directory(self, info: Any, path: Optional[str] = None, locale: Optional[str] = None) -> dict[str, Any]:
        return directory(path, locale)

    def logs(self, info: Any) -> list[dict[str, Any]]:
        shown = [entry for entry in list(self.core.log) if entry[0] in CACHE_LEVELS][-30:]
        now = self.core.library.now()
        return [
            {"time": now, "level": level.capitalize(), "message": f"[Plugin / {plugin}] {text}" if plugin else text}
            for level, plugin, text in reversed(shown)
        ]

    # -- plugins and jobs ----------------------------------------------------

    def plugins(self, info: Any) -> list[dict[str, Any]]:
        found = self.core.plugins.loaded.values() if self.core.status != "SETUP" else ()
        return [self._plugin(plugin) for plugin in found]

    def plugin_tasks(self, info: Any) -> list[dict[str, Any]]:
        shown = [self._plugin(p) for p in self.core.plugins.loaded.values() if p.id not in self.core.plugins.disabled]
        return [task for plugin in shown for task in plugin["tasks"] or []]

    def _plugin(self, manifest: Manifest) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": manifest.id,
            "name": manifest.name,
            "description": manifest.description or None,
            "url": manifest.url or None,
            "version": manifest.version or None,
            "enabled": manifest.id not in self.core.plugins.disabled,
            "settings": [_setting(name, given or {}) for name, given in sorted(manifest.settings.items())],
            "requires": manifest.ui.get("requires"),
            "paths": lambda info: _ui_paths(manifest, info.context.host),
        }
        shown["tasks"] = [
            {"name": t["name"], "description": t.get("description"), "plugin": shown} for t in manifest.tasks
        ] or None
        shown["hooks"] = [
            {
                "name": h.get("name", ""),
                "description": h.get("description"),
                "plugin": shown,
                "hooks": h.get("triggeredBy", []),
            }
            for h in manifest.hooks
        ] or None
        return shown

    def job_queue(self, info: Any) -> Any:
        return self.core.jobs.queue()

    def find_job(self, info: Any, input: dict[str, Any]) -> Any:
        return self.core.jobs.find(input["id"])


def _ui_paths(manifest: Manifest, host: str) -> dict[str, Any]:
    """One address for all scripts of a plugin, which Stash serves as one file."""
    found = [f"http://{host}/plugin/{manifest.id}/javascript"] if manifest.scripts else None
    return {"javascript": found, "css": None}


def _setting(name: str, given: dict[str, str]) -> dict[str, str]:
    return {
        "name": name,
        "type": given.get("type", "STRING"),
        "display_name": given.get("displayName", ""),
        "description": given.get("description", ""),
    }


def _scene_result(count: int, scenes: list[Scene]) -> dict[str, Any]:
    """Totals are made only when asked for: they are functions."""
    return {
        "count": count,
        "scenes": scenes,
        "duration": lambda info: sum(f.duration for s in scenes for f in s.files),
        "filesize": lambda info: float(sum(f.size for s in scenes for f in s.files)),
    }


def scene_paths(scene: Scene, info: Any) -> dict[str, str]:
    """Absolute addresses built from the request's Host header, as Stash builds them."""
    base = f"http://{info.context.host}/scene/{scene.id}"
    stamp = calendar.timegm(time.strptime(scene.updated_at, "%Y-%m-%dT%H:%M:%SZ"))
    return {
        "screenshot": f"{base}/screenshot?t={stamp}",
        "preview": f"{base}/preview",
        "stream": f"{base}/stream",
        "webp": f"{base}/webp",
    }
