"""Health Check: everything that has to be right before a change can reach Plex, one row each: ok, or what to do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from importlib import metadata
from typing import Any

from plex import paths
from plex.model import Section
from plex.rules import PathRules
from validation.errors import Kind, Trouble
from worker.session import SAMPLES
from worker.tasks_base import AtOnce
from worker.tools import Tools

FREE_BYTES = 100_000_000
PLUGINS_PAGE = "Settings > Plugins"
PACKAGES = (
    "plexapi",
    "pydantic",
    "tenacity",
    "persist-queue",
    "diskcache",
    "stashapp-tools",
    "requests",
    "certifi",
    "regex",
)

Row = dict[str, Any]


class HealthCheck(AtOnce):
    """Asks both neighbours and looks at ourselves; sends nothing to Plex that would change anything there."""

    def act(self, now: float) -> Row:
        """All rows; ``state`` is "ok" when each is."""
        checks: list[Callable[[], Iterator[Row]]] = [
            self._stash, self._settings, self._plex, self._rules, self._packages, self._data,
        ]  # fmt: skip
        rows = [row for check in checks for row in check()]
        bad = sum(not row["ok"] for row in rows)
        state = "ok" if not bad else f"{bad} of {len(rows)} checks found something to do"
        return {"checks": rows, "state": state}

    def _stash(self) -> Iterator[Row]:
        try:
            version = self._session.stash.version()
            launcher = self._session.stash.configuration().launcher
        except Trouble as trouble:
            yield _row("Stash", False, f"{trouble.message}; start Stash, and check the address if it runs elsewhere")
            return
        yield _row("Stash", True, f"version {version} answers")
        if launcher:
            yield _row("Launcher", True, "the plugin Stash2Plex Launcher is enabled")
        else:
            why = "nothing notices what is saved: it waits for a task, which finds changed scenes by their date"
            yield _row("Launcher", False, f"enable Stash2Plex Launcher under {PLUGINS_PAGE}; without it {why}")

    def _settings(self) -> Iterator[Row]:
        settings = self._session.settings
        if self._session.heard_at == float("-inf"):
            yield _row("Settings", False, "they are not known as long as Stash does not answer")
        elif settings.lacks:
            yield _row("Settings", False, settings.lacks)
        elif not settings.enabled:
            yield _row(
                "Settings", False, f"enabled is off: turn it on under {PLUGINS_PAGE} > Stash2Plex to send changes"
            )
        else:
            yield _row("Settings", True, "all that is needed is set")

    def _plex(self) -> Iterator[Row]:
        tools = self._session.tools
        if tools is None:
            yield _row("Plex", False, "it was not asked: plex_url or plex_token is missing")
            return
        yield from _certificate(tools)
        try:
            tools.plex.identity()
        except Trouble as trouble:
            yield _row("Plex", False, f"{trouble.message}; start Plex, or correct plex_url under {PLUGINS_PAGE}")
            return
        try:
            sections = tools.plex.sections()
            yield _row("Plex", True, f"version {tools.plex.version()} answers")
            yield _row("Token", True, "Plex accepts it")
        except Trouble as trouble:
            yield _refused(trouble)
            return
        yield from _libraries(tools.settings.plex_library, sections)

    def _rules(self) -> Iterator[Row]:
        try:
            samples = self._session.stash.sample_files(SAMPLES)
        except Trouble as trouble:
            yield _row("Path rules", False, f"they were not tried: {trouble.message}")
            return
        yield _path_rules(self._session.settings.path_rules, samples)

    def _packages(self) -> Iterator[Row]:
        versions = ", ".join(f"{name} {_version(name)}" for name in PACKAGES)
        yield _row("Python packages", True, versions)

    def _data(self) -> Iterator[Row]:
        folder = self._session.data_dir
        probe = os.path.join(folder, ".health")
        try:
            with open(probe, "w", encoding="utf-8") as file:
                file.write("written to see whether it can be")
            os.unlink(probe)
            free = shutil.disk_usage(folder).free
        except OSError as error:
            yield _row("Data folder", False, f"{folder} cannot be written ({error.strerror}): mend its permissions")
            return
        enough = free >= FREE_BYTES
        room = f"{free / 1e9:.1f} GB free"
        yield _row("Data folder", enough, f"{folder} can be written, {room}" + ("" if enough else "; make some room"))


def _row(check: str, ok: bool, says: str) -> Row:
    return {"check": check, "ok": ok, "says": says}


def _refused(trouble: Trouble) -> Row:
    if trouble.kind is Kind.REFUSED:
        return _row("Token", False, f"{trouble.message}; enter a new plex_token under {PLUGINS_PAGE} > Stash2Plex")
    return _row("Plex", False, f"{trouble.message}; try again in a few minutes")


def _certificate(tools: Tools) -> Iterator[Row]:
    if not tools.settings.plex_url.startswith("https"):
        return
    try:
        seen, pinned = tools.plex.certificate(), tools.settings.plex_tls_fingerprint
    except Trouble as trouble:
        yield _row("Certificate", False, f"it could not be looked at: {trouble.message}")
        return
    if not pinned:
        use = "copy it into plex_tls_fingerprint if Plex is reached by IP address and its certificate is refused"
        yield _row("Certificate", True, f"SHA-256 {seen}; {use}")
    elif pinned == seen:
        yield _row("Certificate", True, f"SHA-256 {seen}, as set in plex_tls_fingerprint")
    else:
        yield _row(
            "Certificate", False, f"SHA-256 {seen} is not the one in plex_tls_fingerprint: correct it if you trust it"
        )


def _libraries(wanted: tuple[str, ...], sections: list[Section]) -> Iterator[Row]:
    movies = {section.title.casefold(): section for section in sections if section.type == "movie"}
    have = ", ".join(section.title for section in movies.values()) or "none"
    if not wanted:
        yield _row("Libraries", bool(movies), f"every movie library is used: {have}")
    for name in wanted:
        found = name.casefold() in movies
        missing = f"{name} is missing: correct plex_library; Plex's movie libraries are: {have}"
        yield _row("Library", found, f"{name} is there" if found else missing)


def _path_rules(text: str, samples: list[str]) -> Row:
    rules = PathRules.parse(text)
    if not text:
        return _row("Path rules", True, "none are set: files are found by name and size where their paths differ")
    rules.check(samples)
    wrong = list(rules.warnings())
    mapped = {path: rules.to_plex(path) for path in samples}
    changed = [path for path in samples if mapped[path] != path]
    back = [path for path in changed if paths.same(rules.to_stash(mapped[path]), path)]
    counted = f"{len(changed)} of {len(samples)} sample paths are mapped, {len(back)} of these lead back"
    ok = not wrong and bool(changed or not samples) and len(back) == len(changed)
    advice = "" if ok else "; correct path_rules (see the documentation)"
    return _row("Path rules", ok, "; ".join([counted, *wrong]) + advice)


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "of an unknown version"
