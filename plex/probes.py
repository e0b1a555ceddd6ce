"""Subjects that make an exploding pattern show itself, made from the pattern's own text.

A pattern explodes when one stretch of text can be divided among its repetitions in very many ways. So each repeated
part is written many times in a row, behind a text that leads there and before an end that does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

LENGTH = 250  # of the repeated stretch: as long as a file name can be
MISFIT = "\n/"  # what neither a dot nor "anything but a slash" takes

_TOKEN = re.compile(
    r"""(?P<nothing> \(\?[\w-]+\) | \\[AZbBGKmMzR1-9] | [\^$] )
      | (?P<open> \( (?: \?(?: P?<\w+> | <?[=!] | [>|] | [\w-]*: ) )? )
      | (?P<close> \) )
      | (?P<either> \| )
      | (?P<times> [*+] | \{[\d,]+\} )
      | (?P<maybe> \? )
      | (?P<atom> \\. | \[\^?\]?(?:\\.|[^\]\\])*\] | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_CLASSES = {"d": "0", "w": "a", "s": " ", "S": "a", "D": "a", "W": " ", "h": " ", "X": "a", "N": "a"}


def subjects(pattern: str) -> Iterator[str]:
    """Each repeated part of the pattern many times, once before the misfit alone and once with what follows it."""
    text, pumped = _walk(pattern)
    for lead, unit, end in pumped:
        follows = text[end:] if text.startswith(lead) else ""
        stretch = lead + unit * max(2, LENGTH // len(unit))
        yield stretch + MISFIT
        yield stretch + follows + MISFIT


def _walk(pattern: str) -> tuple[str, list[tuple[str, str, int]]]:
    """A text that the pattern nearly fits; for each repetition what comes before it, what it repeats, where it ends."""
    text, pumped = "", []
    groups: list[tuple[int, list[str]]] = []  # where each open group begins in the text, and its alternatives so far
    last: list[str] = []  # what the next quantifier would repeat, in all its spellings
    for token in _TOKEN.finditer(pattern):
        kind = token.lastgroup
        if kind == "open":
            groups.append((len(text), []))
        elif kind == "either" and groups:
            groups[-1][1].append(text[groups[-1][0] :])
            text = text[: groups[-1][0]]
        elif kind == "close" and groups:
            start, others = groups.pop()
            last = [*others, text[start:], "".join([*others, text[start:]])]
        elif kind == "atom":
            last = [_sample(token[0])]
            text += last[0]
        elif kind == "times" and last:
            lead = text[: len(text) - len(last[-2] if len(last) > 1 else last[0])]
            pumped += [(lead, unit, len(text)) for unit in dict.fromkeys(last) if unit]
            last = []
    return text, pumped


def _sample(atom: str) -> str:
    """One character that the atom fits, or nearly."""
    if atom == "." or atom.startswith("[^"):
        return "a"
    member = atom[1:] if atom.startswith("[") and len(atom) > 1 else atom
    if member.startswith("\\") and len(member) > 1:
        return _CLASSES.get(member[1], member[1])
    return member[0]
