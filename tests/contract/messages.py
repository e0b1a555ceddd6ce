"""Every sentence with which the product warns, refuses or fails, found in its source.

Two nets. What stands in a call that warns, fails or makes a trouble counts when it has two words. Besides, every text
of three words counts wherever it stands, for sentences travel through constants, return values and lists. Left out is
only what the names below say, each with its reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from tests.contract.source_tree import Module

GAP = "\0"  # where a value is put into a text
LOUD_WORDS, ANY_WORDS = 2, 3

# Calls whose texts warn, besides those of our own exceptions.
LOUD = frozenset(("log.warning", "log.error", "record.warning", "record.error", "fail", "Outcome"))
# Lines for information, what --help shows, and what a value of a setting may be (a part of one known warning).
QUIET = frozenset(
    ("log.info", "log.debug", "record.info", "record.debug", "ArgumentParser", "add_argument", "add_argument_group",
     "Field", "compile")
)  # fmt: skip
# Raised and caught among ourselves: whoever shows a fault shows its type and place, never this text. Of an OSError a
# second argument is shown.
UNREAD = frozenset(("ValueError", "TypeError", "AssertionError", "FileNotFoundError", "DatabaseError", "OSError"))
# Modules of answers that a person asked for and docs/tasks.md, or docs/provider.md, tells of; an error among these is
# found all the same.
ANSWERS = re.compile(
    r"worker\.(explain|health|statistics|wording|tasks_\w+)"
    r"|provider\.(__main__|address|doctor|findings|health|match|metrics|page|register|report|suffix)"
)
QUERIES = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|BEGIN|WHERE|ORDER BY|ON CONFLICT|query |mutation)")
# How a text begins that only goes on with another one.
GOES_ON = (";", ",", ":")
# The beginnings of other texts that are no message, and why.
NO_MESSAGE = {
    "exit codes:": "--help",
    "show the queue's status": "--help",
    "list the scenes": "--help",
    "give these scenes": "--help",
    "sum up when Plex": "--help",
    "do one job": "--help",
    "show what would be sent": "--help",
    "nothing to do for Plex": "a hook's answer, which nobody reads",
    "another worker is running": "a worker's answer, which nobody reads",
    "now in Plex": "why a scene is queued, for debugging",
    "POST /graphql": "what is sent to Stash",
    "id title code": "what is asked of Stash",
    "scene, item, section": "names of columns",
    "scene = 0 AND": "a condition of a query",
    "There are no path rules": "an answer of Explain Scene",
    "No path rule fits": "an answer of Explain Scene",
    "name and size": "a word inside other messages",
    "names, separated": "what a value of a setting may be",
    "text without white": "what a value of a setting may be",
    "on or off": "what a value of a setting may be",
    "true or false": "what a value of a setting may be",
    "an address such as": "what a value of a setting may be",
    "HTTP/1.1 ": "the first line of an answer",
    "never, hourly": "what a value of a setting may be",
    "the last ": "a word inside other messages",
    "the given value": "a word inside another message",
    "\nimport json, os, sys": "a program for another process",
    "index-url ": "names of pip's settings",
    "DO NOT MATCH": "what pip says",
    "No space left": "what pip says",
    "Permission denied": "what pip says",
    "No matching": "what pip says",
}

_BREAK = re.compile(r"[.:;,]\s|\s\(|\n|[.:;,]$")
_WORD = re.compile(r"(?<!\S)[A-Za-z][A-Za-z'’-]*(?=[\s.,:;)]|$)")
_PERCENT = re.compile(r"%[-\d.]*[sdrfg]")
_BRACES = re.compile(r"\{\w*\}")


class Message(NamedTuple):
    """One text: where it stands, and what it says, with GAP for each value."""

    module: str
    line: int
    text: str

    @property
    def parts(self) -> list[str]:
        """By what it is recognised: its beginning, as far as it takes for three words, in the pieces between values."""
        head = self.text
        for mark in _BREAK.finditer(self.text):
            if words(self.text[: mark.start()]) >= ANY_WORDS:
                head = self.text[: mark.start()]
                break
        return [part.strip(" .:;,(") for part in map(plain, head.split(GAP)) if re.search("[A-Za-z]", part)]

    @property
    def pattern(self) -> re.Pattern[str]:
        """Finds the row of a table that has these pieces in their order."""
        return re.compile(".*".join(map(re.escape, self.parts)))

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: no row has {' … '.join(self.parts)!r}"


def plain(text: str) -> str:
    """Without what a page writes in another way."""
    return " ".join(re.sub(r"[`*\\]", "", text).split())


def words(text: str) -> int:
    """How many words of letters the text has."""
    return len(_WORD.findall(text.replace(GAP, " ")))


def messages(modules: Iterable[Module]) -> list[Message]:
    """All messages of these modules."""
    trees = [(module.name, module.tree()) for module in modules]
    ours = _exceptions([tree for _, tree in trees])
    return [message for name, tree in trees for message in dict.fromkeys(_Reader(name, tree, ours).below(tree, False))]


def _exceptions(trees: list[ast.Module]) -> set[str]:
    """The names of our own exceptions: classes that have an exception among their bases, directly or not."""
    bases = {
        node.name: {_name(base).rpartition(".")[2] for base in node.bases}
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    found: set[str] = set()
    while True:
        more = {name for name, above in bases.items() if any(_is_exception(one, found) for one in above)} - found
        if not more:
            return found
        found |= more


def _is_exception(name: str, ours: set[str]) -> bool:
    return name in ours or name == "Exception" or name.endswith("Error")


class _Reader:
    """Reads one module. ``loud`` says whether the place is one that warns."""

    def __init__(self, name: str, tree: ast.Module, ours: set[str]) -> None:
        self._name, self._loud = name, LOUD | ours
        self._loud = self._loud | set(_aliases(tree, self._loud))
        self._answers = ANSWERS.fullmatch(name) is not None

    def below(self, node: ast.AST, loud: bool) -> Iterator[Message]:
        """The messages in the parts of this node."""
        for name, value in ast.iter_fields(node):
            if name not in ("annotation", "returns"):  # types may be written as texts
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, ast.AST):
                        yield from self._at(part, loud)

    def _at(self, node: ast.AST, loud: bool) -> Iterator[Message]:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return  # a docstring
        if isinstance(node, ast.Call):
            yield from self._call(node, loud)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values):
                yield from self._at(value, loud or (isinstance(key, ast.Constant) and key.value == "error"))
        elif _as_text(node) is None:
            yield from self.below(node, loud and not isinstance(node, (ast.Compare, ast.Subscript)))
        else:
            yield from self._text(node, loud)

    def _call(self, node: ast.Call, loud: bool) -> Iterator[Message]:
        called = _name(node.func)
        last = called.rpartition(".")[2]
        if called in QUIET or last in QUIET or (last in UNREAD and len(node.args) < 2):
            return
        yield from self.below(node, loud or called in self._loud or last in self._loud)

    def _text(self, node: ast.AST, loud: bool) -> Iterator[Message]:
        text = _PERCENT.sub(GAP, str(_as_text(node)))  # also where `logging` puts the values in
        yield from self._inside(node)
        if text.startswith((*GOES_ON, *NO_MESSAGE)) or QUERIES.match(text):
            return
        if words(text) >= (LOUD_WORDS if loud else ANY_WORDS) and (loud or not self._answers):
            yield Message(self._name, getattr(node, "lineno", 0), text)

    def _inside(self, node: ast.AST) -> Iterator[Message]:
        """Texts in the values that are put into a text."""
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.FormattedValue):
                yield from self._at(child.value, loud=False)
            elif _as_text(child) is not None:
                yield from self._inside(child)
            else:
                yield from self._at(child, loud=False)


def _aliases(tree: ast.Module, loud: frozenset[str]) -> Iterator[str]:
    """``write`` in ``write = log.error if … else log.warning``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
            if not loud.isdisjoint(map(_name, (node.value.body, node.value.orelse))):
                yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _as_text(node: ast.AST) -> str | None:
    """What a text says, GAP for values; None for what is no text."""
    if isinstance(node, ast.Constant):
        return _BRACES.sub(GAP, node.value) if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(GAP if isinstance(p, ast.FormattedValue) else str(getattr(p, "value", "")) for p in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
        template = _as_text(node.left)
        return None if template is None else _PERCENT.sub(GAP, template)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [_as_text(node.left), _as_text(node.right)]
        return None if sides == [None, None] else "".join(GAP if side is None else side for side in sides)
    return None


def _name(node: ast.AST) -> str:
    """A dotted name, "" for anything else."""
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


# where they are explained


def rows(page: str) -> list[str]:
    """The rows of all tables of a page, without their heads, as plain text."""
    lines = page.splitlines()
    heads = {number - 1 for number, line in enumerate(lines) if re.fullmatch(r"\|[-:| ]+\|", line)}
    cells = [line for number, line in enumerate(lines) if line.startswith("|") and number not in heads]
    return [plain(line) for line in cells if re.search("[A-Za-z]", line)]


def quotes(page: str) -> list[str]:
    """What the first cells of these rows quote, one message each."""
    return [quote for row in rows(page) for quote in row.split("|")[1].split("<br>")]


def undocumented(found: Iterable[Message], explained: Iterable[str]) -> list[Message]:
    """The messages that none of these rows has."""
    known = list(explained)
    return [message for message in found if not any(map(message.pattern.search, known))]
