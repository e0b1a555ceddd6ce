"""What the source files say about themselves: which modules there are and what each of them imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("hooks", "plex", "provider", "reconcile", "stash", "sync_queue", "validation", "worker")
ENTRY_FILES = ("Stash2Plex.py", "process_queue.py")


class Module(NamedTuple):
    """One Python file of the product."""

    name: str
    path: Path

    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"), filename=str(self.path))


class Import(NamedTuple):
    """One imported module; `guarded` when a missing module is caught or the import waits for a call."""

    target: str
    line: int
    guarded: bool


def modules() -> list[Module]:
    """Every module of the product: the entry files and the packages, not tests, benches or tools."""
    found = [Module(Path(name).stem, ROOT / name) for name in ENTRY_FILES if (ROOT / name).exists()]
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            found.append(Module(module_name(path), path))
    return found


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(module: Module) -> list[Import]:
    """All modules that `module` imports, wherever in the file and also by name at run time.

    `from plex import client` counts as plex.client when such a file exists; imports for type checkers count too.
    """
    return sorted(set(_found(module, module.tree(), guarded=False)), key=lambda found: (found.line, found.target))


def _found(module: Module, node: ast.AST, guarded: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for target in _targets(module, child):
            yield Import(target, getattr(child, "lineno", 0), guarded)
        yield from _found(module, child, guarded or _guards(child))


def _guards(node: ast.AST) -> bool:
    return isinstance(node, (ast.Try, ast.If, ast.FunctionDef, ast.AsyncFunctionDef))


def _targets(module: Module, node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        base = _absolute(module, node)
        return [_deepest(base, alias.name) for alias in node.names]
    if isinstance(node, ast.Call) and _is_import_call(node.func) and node.args:
        first = node.args[0]
        return [first.value] if isinstance(first, ast.Constant) and isinstance(first.value, str) else []
    return []


def _is_import_call(function: ast.expr) -> bool:
    return (isinstance(function, ast.Name) and function.id in ("__import__", "import_module")) or (
        isinstance(function, ast.Attribute) and function.attr == "import_module"
    )


def _absolute(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    up = node.level - 1 if module.path.name == "__init__.py" else node.level
    parents = module.name.split(".")[: len(module.name.split(".")) - up]
    return ".".join([*parents, *([node.module] if node.module else [])])


def _deepest(base: str, name: str) -> str:
    path = ROOT.joinpath(*base.split("."))
    is_module = (path / f"{name}.py").exists() or (path / name / "__init__.py").exists()
    return f"{base}.{name}" if is_module else base
