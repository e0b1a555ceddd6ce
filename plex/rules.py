r"""Path rules: what a file of Stash is called in Plex, and back, as a person wrote it down in one line.

Rules are separated by ``;`` (``\;`` is one that belongs to a path). The first rule that fits a path wins. A rule is

- a pair of folders, ``/data => /media``: what lies below the one lies below the other. Either may be a Windows folder
  (``D:\media``, ``\\nas\share``, also written with slashes); separators follow the target, and names compare as on
  the system they belong to (`plex.prefixes`). Or
- two regular expressions, ``Stash pattern => Plex template | Plex pattern => Stash template``. A pattern has to fit the
  whole path. For a Windows path it is read without case, and the path is tried with backslashes and with slashes.

In a template ``\1`` to ``\9`` and ``\g<name>`` stand for groups; every other backslash is an ordinary character, so
``D:\media\\1`` is a folder, its separator and group 1. When a path with a drive or a share comes out, all its slashes
become backslashes and several in a row become one: ``D:/media/\1`` and ``D:\\media\\\1`` give the same. When a POSIX
path comes out of a Windows path, the backslashes in the groups become slashes.

A rule that cannot be right is disabled, with a sentence in `PathRules.warnings`, and the others go on: wrong syntax, a
pattern that takes too long, or a path that its other direction does not lead back to.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any, Optional

try:
    import regex
except ImportError:  # there are no wheels for 32-bit ARM; pairs of folders need none
    regex = None

from plex import paths, probes
from plex.expressions import LONGEST, Template, forms, refuse_bombs
from plex.prefixes import Prefix, Unusable, folders, move, shown

LONGEST_PATH = 4_096
TRIES_S = (0.02, 0.04)  # twice: on Windows the clock of `regex` is not the processor's, and the machine may be busy
PROBE_S = (0.01, 0.02)
PROBING_S = 0.05  # for all rules together, in processor time; what is not found by then is found at run time

_PART = re.compile(r"(?:\\.|[^\\;]|\\$)+", re.DOTALL)
_Way = Callable[[str], Optional[str]]  # None when it does not fit


class _Rule:
    """One rule as it was written, its two ways once they are read, and why it is disabled."""

    def __init__(self, number: int, text: str, place: int) -> None:
        self.name = f"Path rule {number} ({shown(text)})"
        self.text, self.disabled, self.place = text, "", place
        self.folders: tuple[Prefix, Prefix] | None = None
        self.ways: tuple[_Way, _Way]


class PathRules:
    """The rules in their order. Methods take and give whole paths and never raise; any thread may call them."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        self._rules = rules
        self._sentences: list[str] = []
        self._clashes: set[str] = set()

    @classmethod
    def parse(cls, text: str) -> PathRules:
        """The rules in the text of the setting; to find what explodes takes a tenth of a second for all together."""
        rules = cls.of([text])
        rules.name_unreached(0)
        return rules

    @classmethod
    def of(cls, texts: Sequence[str]) -> PathRules:
        """The rules of several such texts, numbered through; a text is known by its place among them, from 0."""
        found = [(rule, place) for place, text in enumerate(texts) for rule in separated(text)]
        rules = cls([_Rule(number, *rule) for number, rule in enumerate(found, 1)])
        until = time.thread_time() + PROBING_S
        for rule in rules._rules:
            try:
                _read(rule)
                _probe(rule, until)
            except Unusable as fault:
                rules._disable(rule, str(fault))
        return rules

    def __bool__(self) -> bool:
        """Whether any rule is in force."""
        return any(not rule.disabled for rule in self._rules)

    def to_plex(self, path: str) -> str:
        """What Plex calls a file of Stash; the path itself when no rule fits."""
        return self._map(path, 0)[1]

    def to_stash(self, path: str) -> str:
        """What Stash calls a file of Plex; the path itself when no rule fits."""
        return self._map(path, 1)[1]

    def check(self, samples: Sequence[str]) -> None:
        """Try the rules on some paths of Stash: each rule leads back by itself or is disabled.

        A path that leads back only when another rule is passed over (two folders of Stash that are one in Plex) is
        reported once per rule: the way to Plex is right, only the way back is open.
        """
        for path in samples:
            rule, mapped = self._map(path, 0)
            if rule is None or rule.name in self._clashes:
                continue
            other, returned = self._map(mapped, 1)
            if other is not None and not _same(returned, path):
                self._clashes.add(rule.name)
                self._sentences.append(
                    f"{rule.name} gives {shown(mapped)} for {shown(path)}, and {other.name} leads from there to "
                    f"{shown(returned)}: scenes are found in Plex, but Plex's files may not be found in Stash. "
                    "Give each folder of Stash its own folder in Plex if you can"
                )

    def expect(self, place: int, plex: str, stash: str) -> None:
        """Try the rules of one text on a file that Plex and Stash call so; "" for a name that was not given.

        The rule that fits leads there and back or is disabled, as all of the text's are when none fits. When a rule of
        another text comes first and leads elsewhere, that is reported.
        """
        path, wanted, way = (plex, stash, 1) if plex else (stash, plex, 0)
        own = [rule for rule in self._rules if rule.place == place and not rule.disabled]
        rule, came = self._map(path, way, own)
        first, other = self._map(path, way)
        if rule is None:
            for each in own if all(not each.disabled for each in own) else ():
                self._disable(each, f"it does not fit its test path {shown(path)}. Correct one of them")
        elif wanted and not _same(came, wanted):
            why = f"it turns its test path {shown(path)} into {shown(came)} and not into {shown(wanted)}"
            self._disable(rule, f"{why}. Correct one of them")
        elif first is not None and not _same(other, came):
            self._clashes.add(rule.name)
            self._sentences.append(f"{rule.name} is not used for its test path: {first.name} fits first. Swap the two")

    def in_force(self, place: int) -> bool:
        """Whether any rule of one text is in force."""
        return any(rule.place == place and not rule.disabled for rule in self._rules)

    def name_unreached(self, way: int) -> None:
        """A folder below the folder of an earlier rule: the later one never gets a path of Stash (0) or of Plex (1)."""
        pairs = [rule for rule in self._rules if rule.folders and not rule.disabled]
        for place, rule in enumerate(pairs):
            inside = rule.folders[way].join(["x"]) if rule.folders else None
            earlier = next((one for one in pairs[:place] if inside and one.ways[way](inside) is not None), None)
            if earlier is not None and rule.name not in self._clashes:
                self._sentences.append(f"{rule.name} is never reached: {earlier.name} fits first. Swap the two")

    def warnings(self) -> list[str]:
        """The sentences since the last call, each naming a rule, what is wrong with it and what to do."""
        sentences, self._sentences = self._sentences, []
        return sentences

    def explain(self, path: str) -> str:
        """One sentence on what becomes of a path of Stash."""
        return self._explain(path, 0)

    def explain_plex(self, path: str) -> str:
        """One sentence on what becomes of a path of Plex."""
        return self._explain(path, 1)

    def _explain(self, path: str, way: int) -> str:
        if not self._rules:
            return "There are no path rules"
        rule, mapped = self._map(path, way)
        if rule is None:
            off = "".join(f". {rule.name} is disabled: {rule.disabled}" for rule in self._rules if rule.disabled)
            return f"No path rule fits {shown(path)}{off}"
        return f"{rule.name} turns {shown(path)} into {shown(mapped)}"

    def _map(self, path: str, way: int, among: Sequence[_Rule] | None = None) -> tuple[_Rule | None, str]:
        """The first rule, of all or of some, that fits and what it gives; way 0 leads to Plex, 1 to Stash."""
        if 0 < len(path) <= LONGEST_PATH:
            for rule in self._rules if among is None else among:
                mapped = None if rule.disabled else self._try(rule, path, way)
                if mapped is not None:
                    return rule, mapped
        return None, path

    def _try(self, rule: _Rule, path: str, way: int) -> str | None:
        try:
            mapped = rule.ways[way](path)
            if mapped is None or len(mapped) > LONGEST_PATH:
                return None
            returned = rule.ways[1 - way](mapped)
        except Unusable as fault:
            self._disable(rule, f"on {shown(path)} {fault}")
            return None
        if returned is not None and _same(returned, path):
            return mapped
        self._disable(rule, _one_way(path, mapped, returned))
        return None

    def _disable(self, rule: _Rule, why: str) -> None:
        if not rule.disabled:
            rule.disabled = why
            self._sentences.append(f"{rule.name} is disabled: {why}")


def separated(text: str) -> list[str]:
    r"""The parts between ``;``, without empty ones; ``\;`` is one that belongs to a path."""
    return [part for part in (found.replace("\\;", ";").strip() for found in _PART.findall(text)) if part]


def _read(rule: _Rule) -> None:
    """Fill in the rule's two ways; raises `Unusable`."""
    parts = re.split(r"\s+=>\s+", rule.text)
    halves = parts[1].split(" | ", 1) if len(parts) == 3 else []
    if len(halves) == 2:
        there, back = (half.strip() for half in halves)
        rule.ways = _Expression("Stash", parts[0], there), _Expression("Plex", back, parts[2])
        return
    stash, plex = rule.folders = folders(rule.text)
    rule.ways = partial(move, source=stash, target=plex), partial(move, source=plex, target=stash)


class _Expression:
    """One direction of a pair of regular expressions."""

    def __init__(self, side: str, pattern: str, template: str) -> None:
        self._text, self._name = unicodedata.normalize("NFC", pattern), f"its {side} pattern"
        if len(pattern) > LONGEST:
            raise Unusable(f"{self._name} is longer than {LONGEST} characters. Shorten it")
        refuse_bombs(self._text, self._name)
        groups = {**{str(number): number for number in range(1, self._exact.groups + 1)}, **self._exact.groupindex}
        self._template = Template(template, groups, self._name)

    def __call__(self, path: str) -> str | None:
        windows = paths.is_windows(path)
        pattern = self._folded if windows else self._exact
        for form in forms(path):
            found = self._fit(pattern, form, TRIES_S)
            if found is not None:
                return self._template.fill(found, windows)
        return None

    def probe(self, until: float) -> None:
        """Raises `Unusable` when the pattern explodes on a subject made for it; stops looking at ``until``."""
        for subject in probes.subjects(self._text):
            if time.thread_time() > until:
                return
            self._fit(self._exact, subject, PROBE_S)

    @cached_property
    def _exact(self) -> Any:
        return self._compiled(0)

    @cached_property
    def _folded(self) -> Any:
        return self._compiled(regex.IGNORECASE)

    def _compiled(self, flags: int) -> Any:
        if regex is None:
            raise Unusable("the Python package regex is not installed. Install it, or use pairs of folders")
        try:
            return regex.compile(self._text, flags, cache_pattern=False)
        except (regex.error, RuntimeError, OverflowError, MemoryError) as fault:
            raise Unusable(f"{self._name} is not a regular expression: {str(fault)[:100]}. Correct it") from None

    def _fit(self, pattern: Any, subject: str, tries_s: Sequence[float]) -> Any:
        """The match or None, in bounded time.

        Not ``concurrent``: where other threads are busy, waiting for the interpreter would count as matching.
        """
        for timeout_s in tries_s:
            try:
                return pattern.fullmatch(subject, timeout=timeout_s, concurrent=False)
            except (TimeoutError, MemoryError):
                continue
            except RuntimeError as fault:  # what the library cannot run: "invalid RE code"
                raise Unusable(f"{self._name} is not usable: {str(fault)[:100]}. Write it differently") from None
        raise Unusable(f"{self._name} takes too long. Use fewer repetitions, such as [^/]+ in place of .*")


def _probe(rule: _Rule, until: float) -> None:
    for way in rule.ways:
        if isinstance(way, _Expression):
            way.probe(until)


def _same(one: str, other: str) -> bool:
    return paths.same(one.rstrip("\\/"), other.rstrip("\\/"))


def _one_way(path: str, mapped: str, returned: str | None) -> str:
    end = "which its other direction does not fit" if returned is None else f"and that into {shown(returned)}"
    advice = "Write the two directions so that each undoes the other"
    return f"it turns {shown(path)} into {shown(mapped)}, {end}. {advice}"
