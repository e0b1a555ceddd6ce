"""The path rules of the provider: the plugin's, and for each text of rules the library it is for and a trial path."""

from __future__ import annotations

from collections.abc import Sequence

from plex.rules import PathRules
from provider.candidates import is_full
from provider.settings import RuleText
from validation.text import private

FROM_PLEX = 1  # two folders of Plex may be one of Stash, as disks behind a user share: then both rules are needed


class Rules:
    """Methods take and give whole paths and never raise; any thread may call them."""

    def __init__(self, rules: PathRules, texts: Sequence[RuleText]) -> None:
        self._rules, self._texts, self._told = rules, texts, 0
        self._sentences = [
            f"The plex_library_root {private(text.plex_library_root)} of a path rule is not a full path and not used. "
            "Begin it with /, with a drive such as D:\\ or with \\\\server\\share"
            for text in texts
            if text.plex_library_root and not is_full(text.plex_library_root)
        ]

    @classmethod
    def of(cls, texts: Sequence[RuleText]) -> Rules:
        """Read the rules, and try those that have a test path: what does not lead there and back is disabled."""
        rules = PathRules.of([text.rule for text in texts])
        for place, text in enumerate(texts):
            if text.test_plex_path or text.test_stash_path:
                rules.expect(place, text.test_plex_path, text.test_stash_path)
        rules.name_unreached(FROM_PLEX)
        return cls(rules, texts)

    @property
    def roots(self) -> tuple[str, ...]:
        """The library roots of the rules in force, as Plex sees them."""
        named = [text.plex_library_root for place, text in enumerate(self._texts) if self._rules.in_force(place)]
        return tuple(dict.fromkeys(filter(is_full, named)))

    def to_stash(self, plex_path: str) -> str:
        """What Stash calls a file of Plex; the path itself when no rule fits."""
        return self._rules.to_stash(plex_path)

    def to_plex(self, stash_path: str) -> str:
        """What Plex calls a file of Stash; the path itself when no rule fits."""
        return self._rules.to_plex(stash_path)

    def warnings(self) -> list[str]:
        """All that is wrong so far: which rule is disabled or in the way, why, and what to do."""
        self._sentences += self._rules.warnings()
        return list(self._sentences)

    def news(self) -> list[str]:
        """Those of the warnings that this did not give before: a rule may turn out wrong at any path."""
        every = self.warnings()
        new, self._told = every[self._told :], len(every)
        return new

    def explain(self, plex_path: str) -> str:
        """One sentence on what becomes of a path of Plex, and which rules are disabled."""
        return self._rules.explain_plex(plex_path)
