"""The settings as Stash keeps them: read now and then, what is wrong said once, defaults written back."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from typing import Any

from stash import log
from stash.client import Configuration, StashClient
from sync_queue.store import Store
from validation import settings as user_settings
from validation.errors import Kind, Trouble
from validation.settings import Settings

COMPONENT = "Worker"
MASKED = "paths_hidden"
SALT = "log_salt"


class SettingsReader:
    """``settings`` are in force, ``read_at`` says since when; ``refused`` is the sentence with which Stash refused us.

    ``overrides`` are raw values laid over those in Stash. Whether paths are hidden in the log is kept in the store, for
    the time until Stash can be read.
    """

    def __init__(self, stash: StashClient, store: Store, overrides: Mapping[str, Any] | None = None) -> None:
        self._stash, self._store, self._overrides = stash, store, dict(overrides or {})
        self._salt = kept_name(store, SALT)
        log.mask_private(bool(store.fact(MASKED)), self._salt)
        self.settings = Settings()
        self.enabled_in_stash = True
        self.refused = ""
        self.read_at = float("-inf")
        self._raw: dict[str, Any] | None = None
        self._may_write = False
        self._said: list[str] = []

    def read(self, now: float) -> None:
        """Read them now; raises Trouble when Stash does not give them, and all stays as it was."""
        try:
            found = self._stash.configuration()
        except Trouble as trouble:
            self.refused = trouble.message if trouble.kind is Kind.STASH_REFUSED else ""
            raise
        self.read_at, self.refused, self.enabled_in_stash = now, "", found.enabled
        self._may_write = self._raw is None or self._raw == found.settings
        self._raw = found.settings
        self._take(found)

    def write_defaults(self) -> None:
        """Stash shows a switch that was never set as off, whatever our default: so write the defaults of these once.

        Not while somebody types: the settings page writes all that it knew when it was opened.
        """
        unset = user_settings.unset_switches(self._raw or {})
        if not unset or not self.settings.plex_url or not self._may_write or self._overrides:
            return
        self._may_write = False
        try:
            self._stash.configure(unset)
        except Trouble:
            return  # the defaults hold all the same
        self._raw = {**unset, **(self._raw or {})}
        names = ", ".join(f"{name} {'on' if value else 'off'}" for name, value in unset.items())
        log.info(COMPONENT, f"Settings that were never set now show their defaults in Stash: {names}")

    def _take(self, found: Configuration) -> None:
        settings, warnings = user_settings.read({**found.settings, **self._overrides}, os.environ)
        typed = (found.settings.get(name) for name in ("plex_token", "stash_api_key"))  # also what is not accepted
        for secret in (found.api_key, settings.plex_token, settings.stash_api_key, *typed):
            log.hide(secret if isinstance(secret, str) else "")
        log.show_debug(settings.debug_logging)
        log.mask_private(settings.obfuscate_paths, self._salt)
        if bool(self._store.fact(MASKED)) != settings.obfuscate_paths:
            self._store.remember(MASKED, settings.obfuscate_paths)
        self.settings = settings
        self._say_once(warnings + [sentence for sentence in (found.warning, settings.lacks) if sentence])

    def _say_once(self, sentences: list[str]) -> None:
        for sentence in sentences:
            if sentence not in self._said:
                log.warning(COMPONENT, sentence)
        self._said = sentences


def kept_name(store: Store, fact: str) -> str:
    """A random name under this fact, made at the first use and the same ever after."""
    known = store.fact(fact)
    if not isinstance(known, str):
        known = uuid.uuid4().hex
        store.remember(fact, known)
    return known
