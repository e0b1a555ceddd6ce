"""Plugin manifests: finding and reading them as strictly as Stash does."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Union

import yaml

PluginSource = Union[str, Path, Sequence[Union[str, Path]]]
TOP_KEYS = {"name", "description", "url", "version", "interface", "exec", "errLog", "tasks", "hooks", "ui", "settings"}
TASK_KEYS = {"name", "description", "execArgs", "defaultArgs"}
HOOK_KEYS = TASK_KEYS | {"triggeredBy"}
SETTING_KEYS = {"type", "displayName", "description"}
UI_KEYS = {"javascript", "css", "assets", "requires", "csp"}
ERROR_LEVELS = {"trace", "debug", "info", "warning", "error", "progress", "none"}


class BadManifest(Exception):
    """A manifest that Stash would refuse to load."""


@dataclass(frozen=True)
class Manifest:
    """One loaded plugin; `id` is the file name without `.yml`."""

    id: str
    folder: Path
    name: str
    description: str = ""
    url: str = ""
    version: str = ""
    interface: str = "raw"
    exec: list[str] = field(default_factory=list)
    error_level: str = "error"
    tasks: list[dict[str, Any]] = field(default_factory=list)
    hooks: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)
    ui: dict[str, Any] = field(default_factory=dict)

    def hooks_for(self, trigger: str) -> list[dict[str, Any]]:
        return [hook for hook in self.hooks if trigger in hook.get("triggeredBy", [])]

    @property
    def scripts(self) -> list[Path]:
        """The files that the plugin gives to Stash's pages."""
        return [self.folder / name for name in self.ui.get("javascript") or [] if "://" not in name]

    def task(self, name: str) -> dict[str, Any]:
        """The task of that name; KeyError when there is none."""
        for task in self.tasks:
            if task["name"] == name:
                return task
        raise KeyError(name)


def manifest_files(source: PluginSource) -> Iterator[Path]:
    """The manifests an entry of `plugins=` stands for.

    A list of files or a single file is taken as it is. The project's own folder gives
    its two manifests, because it also holds `.yml` files that are none. Any other folder
    is a plugins folder: every `.yml` below it counts. A path stays as it is given: that is what PluginDir says then.
    """
    if not isinstance(source, (str, Path)):
        for entry in source:
            yield from manifest_files(entry)
        return
    path = Path(source)
    if path.is_file():
        yield path
    elif (path / "Stash2Plex.yml").is_file():
        yield path / "Stash2Plex.yml"
        yield from sorted((path / "launcher").glob("*.yml"))
    else:
        yield from _below(path, ())


def _below(folder: Path, above: tuple[str, ...]) -> Iterator[Path]:
    """Links are followed and keep their names; unlike Stash this ends where one leads back."""
    real = os.path.realpath(folder)
    for path in sorted(folder.iterdir()) if real not in above else ():
        if path.is_dir():
            yield from _below(path, (*above, real))
        elif path.suffix == ".yml":
            yield path


def read_manifest(path: Path) -> Manifest:
    """Reads one manifest; raises BadManifest for what Stash refuses."""
    try:
        # Every scalar stays text: that is how Stash reads defaultArgs.
        fields = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadManifest(str(error)) from error
    _check(fields)
    return Manifest(
        id=path.stem,
        folder=path.parent,
        name=fields.get("name") or path.stem,
        description=fields.get("description", ""),
        url=fields.get("url", ""),
        version=fields.get("version", ""),
        interface=fields.get("interface") or "raw",
        exec=fields.get("exec") or [],
        error_level=fields.get("errLog") or "error",
        tasks=fields.get("tasks") or [],
        hooks=fields.get("hooks") or [],
        settings=fields.get("settings") or {},
        ui=fields.get("ui") or {},
    )


def _check(fields: Any) -> None:
    _only(fields, TOP_KEYS, "manifest")
    for task in fields.get("tasks") or []:
        _only(task, TASK_KEYS, "task")
    for hook in fields.get("hooks") or []:
        _only(hook, HOOK_KEYS, "hook")
    for name, setting in (fields.get("settings") or {}).items():
        _only(setting or {}, SETTING_KEYS, f"setting {name}")
        if (setting or {}).get("type", "STRING") not in ("STRING", "NUMBER", "BOOLEAN"):
            raise BadManifest(f"setting {name}: unknown type")
    _only(fields.get("ui") or {}, UI_KEYS, "ui")
    if fields.get("interface", "raw") not in ("raw", "rpc", "js", ""):
        raise BadManifest(f"unknown interface {fields['interface']}")
    if (fields.get("errLog") or "error") not in ERROR_LEVELS:
        raise BadManifest(f"unknown errLog {fields['errLog']}")


def _only(fields: Any, known: Iterable[str], what: str) -> None:
    if not isinstance(fields, dict):
        raise BadManifest(f"{what} is not a mapping")
    unknown = sorted(set(fields) - set(known))
    if unknown:
        raise BadManifest(f"{what}: unknown field {', '.join(unknown)}")
