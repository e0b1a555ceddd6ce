"""Stash's answers taken apart. What has not the shape of an answer of Stash raises StashAway and nothing else."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from stash import log
from validation import scene
from validation.errors import Kind, Trouble

WANTS_LOGIN = "Stash refuses our session: it wants a login that we do not have"
_MISSHAPEN = (KeyError, IndexError, TypeError, AttributeError, ValueError, OverflowError)


class StashAway(Trouble):
    """Stash did not answer, or not as Stash."""

    def __init__(self, message: str) -> None:
        super().__init__(Kind.STASH_AWAY, message)


class NotThisWay(Trouble):
    """Stash answered the query with an error."""


class HttpAnswer(Protocol):
    """What `data` needs of a response; those of requests and of httpx have it."""

    @property
    def status_code(self) -> int: ...

    @property
    def is_redirect(self) -> bool: ...

    def json(self) -> Any:
        """The body, read as JSON; raises ValueError."""


class Told(NamedTuple):
    """What Stash tells about itself: our settings, which plugins are enabled by id, its API key ("" for none)."""

    settings: dict[str, Any]
    enabled: dict[str, bool]
    api_key: str


def data(response: HttpAnswer, in_its_words: bool = True) -> dict[str, Any]:
    """The data in an answer to a query. Raises Trouble: refused, away, or NotThisWay with Stash's own words."""
    if response.status_code in (401, 403) or response.is_redirect:
        raise Trouble(Kind.STASH_REFUSED, WANTS_LOGIN)
    try:
        content = response.json()
        found, errors = content.get("data"), content.get("errors")
    except (ValueError, AttributeError, RecursionError):
        raise StashAway(f"The answer is not Stash's (HTTP {response.status_code})") from None
    if isinstance(found, dict) and not errors:
        return found
    words = _first_message(errors) if in_its_words else "it does not take what was sent"
    raise NotThisWay(Kind.STASH_AWAY, f"Stash answered with an error: {words}")


def told(answer: dict[str, Any], plugin: str) -> Told:
    """What an answer about Stash's configuration says, as this plugin needs it."""
    try:
        whole = answer["configuration"]
        enabled = {row["id"]: row["enabled"] is not False for row in answer["plugins"] or []}
        return Told(_kept(whole, plugin), enabled, sendable(whole["general"]["apiKey"]))
    except _MISSHAPEN:
        raise StashAway("Stash's answer about its configuration cannot be read") from None


def kept(answer: dict[str, Any], plugin: str) -> dict[str, Any]:
    """The settings that Stash keeps for this plugin."""
    try:
        return _kept(answer["configuration"], plugin)
    except _MISSHAPEN:
        raise StashAway("Stash's answer about its configuration cannot be read") from None


def sendable(value: Any) -> str:
    """An API key or cookie that can be sent in a header, "" for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.isascii() and text.isprintable() and " " not in text else ""


def version(answer: dict[str, Any]) -> str:
    """Stash's version, as it writes it."""
    found = answer.get("version")
    text = found.get("version") if isinstance(found, dict) else None
    if not isinstance(text, str):
        raise StashAway("Stash does not tell its version")
    return text


def rows(answer: dict[str, Any]) -> list[Any]:
    """The scenes of an answer to findScenes, not looked at yet."""
    found = answer.get("findScenes")
    scenes = found.get("scenes") if isinstance(found, dict) else None
    if not isinstance(scenes, list):
        raise StashAway("Stash's answer has no list of scenes")
    return scenes


def count(answer: dict[str, Any]) -> int:
    """How many scenes findScenes would find in all."""
    try:
        return int(answer["findScenes"]["count"])
    except _MISSHAPEN:
        raise StashAway("Stash's answer has no number of scenes") from None


def ids(found: list[Any]) -> list[int]:
    """The ids of scenes."""
    try:
        return [_id(row) for row in found]
    except _MISSHAPEN:
        raise StashAway("Stash's answer has no scene ids") from None


def scenes(found: list[Any]) -> dict[int, scene.Scene | Trouble]:
    """The scenes by id; one that cannot be read is its Trouble."""
    return dict(zip(ids(found), map(_scene, found)))


def stamps(found: list[Any]) -> list[tuple[int, str]]:
    """Scenes with the text of their ``updated_at``."""
    try:
        return [(_id(row), row["updated_at"] + "") for row in found]
    except _MISSHAPEN:
        raise StashAway("Stash's answer has scenes without id or date") from None


def first_files(found: list[Any]) -> list[str]:
    """The path of each scene's first file, for scenes that have one."""
    try:
        paths = [row["files"][0]["path"] for row in found if row["files"]]
    except _MISSHAPEN:
        raise StashAway("Stash's answer has scenes without files") from None
    return [path for path in paths if isinstance(path, str)]


def _id(row: Any) -> int:
    value = row["id"]
    if not isinstance(value, str) or not value.isdigit():
        raise ValueError(row)
    return int(value)


def _kept(whole: Any, plugin: str) -> dict[str, Any]:
    return dict((whole["plugins"] or {}).get(plugin) or {})


def _scene(row: dict[str, Any]) -> scene.Scene | Trouble:
    try:
        return scene.parse(row)
    except Trouble as trouble:
        return trouble


def _first_message(errors: Any) -> str:
    """It may repeat what was sent, and is kept with the scene: so it is redacted here already, and cut after that."""
    try:
        return log.redact(str(errors[0]["message"]))[:300]
    except (TypeError, KeyError, IndexError):
        return "no reason given"
