"""mkdocs hook: fills docs/api.md with the modules that exist, so it can neither name a lost one nor miss a new one.

A line `[modules of stash]` in the page becomes one entry per module of that package.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER = re.compile(r"^\[modules of (\w+)\]$", re.MULTILINE)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Called by mkdocs for every page before it is rendered."""
    if page.file.src_uri != "api.md":
        return markdown
    return PLACEHOLDER.sub(lambda found: directives(found.group(1)), markdown)


def directives(package: str) -> str:
    """The mkdocstrings entries of one package, or a sentence when it has no modules yet."""
    return "\n\n".join(f"::: {name}" for name in module_names(package)) or "*Nothing here yet.*"


def module_names(package: str) -> list[str]:
    folder = ROOT / package
    files = (path for path in folder.rglob("*.py") if path.stem != "__init__" and not path.stem[0].isdigit())
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts) for path in files)
