"""Who may import whom: the table that keeps the packages apart, read from the source and never by importing it."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.contract.source_tree import PACKAGES, ROOT, Import, Module, imports, modules

# Package -> what its modules may import besides the standard library, as module prefixes.
ALLOWED = {
    "validation": {"pydantic"},
    "sync_queue": {"persistqueue"},
    "stash": {"validation", "requests", "urllib3", "tenacity", "stashapi"},
    "plex": {"validation", "requests", "certifi", "tenacity", "plexapi", "diskcache", "regex"},
    "worker": {"plex", "stash", "sync_queue", "validation", "reconcile"},
    "reconcile": {"plex", "stash", "sync_queue", "validation"},
    # The hook role. The task role has its own line below.
    "hooks": {"stash.protocol", "stash.log", "sync_queue.inbox", "sync_queue.lease"},
    "provider": {
        *(
            "stash",
            "validation",
            "plex.paths",
            "plex.rules",
            "plex.projection",
            "plex.model",
            "plex.client",
            "plex.agents",
        ),
        *("pydantic", "pydantic_settings", "yaml", "starlette", "uvicorn", "httpx", "cachetools"),
        *("prometheus_client", "PIL"),
    },
}

# Composition roots: the only modules that know a whole role. Nothing else may be added here without a decision record.
COMPOSITION_ROOTS = {
    "worker.run": {"plex", "stash", "sync_queue", "validation", "reconcile", "hooks"},
    "hooks.tasks": {"stash", "sync_queue", "validation", "reconcile", "worker"},
    "process_queue": {"plex", "stash", "sync_queue", "validation", "reconcile", "worker", "hooks"},
    # Chooses a role, and imports that role only.
    "Stash2Plex": {"hooks", "worker", "stash.protocol", "stash.log"},
}

# Third-party library -> the only places that know it.
OWNERS = {
    "plexapi": {"plex.client"},
    "persistqueue": {"sync_queue.queue"},
    "diskcache": {"plex.cache", "provider"},
    "regex": {"plex.rules"},
    "tenacity": {"stash.client", "plex.client"},
    "stashapi": {"stash.client"},
    "pydantic": {"validation", "provider"},
    "httpx": {"provider"},
    "starlette": {"provider"},
    "uvicorn": {"provider"},
    "prometheus_client": {"provider"},
    "PIL": {"provider"},
}

# What a hook process loads: it must start in the time of a bare interpreter.
HOOK_ROLE = ("stash.protocol", "stash.log", "sync_queue.inbox", "sync_queue.lease", "hooks")

# Heavy, platform-bound or dangerous; each with the reason that is printed when it is found.
UNIX_ONLY = {"fcntl", "posix", "pwd", "grp", "resource"}
WINDOWS_ONLY = {"msvcrt", "nt", "winreg", "_winapi"}
FORBIDDEN = {
    "pickle": "a pickle in a damaged or foreign file runs code",
    "cPickle": "a pickle in a damaged or foreign file runs code",
    "marshal": "it runs or crashes on foreign bytes",
    "shelve": "it is pickle underneath",
    "dill": "it is pickle underneath",
    "cloudpickle": "it is pickle underneath",
}

LONGEST_MODULE = 300
LONGEST_ENTRY_FILE = 50
SMALL_BUT_NOT_A_LIBRARY = {"PythonDepManager"}  # another Stash plugin, asked when it happens to be there

if sys.version_info >= (3, 10):
    STANDARD_LIBRARY = set(sys.stdlib_module_names)
else:  # the names that matter here; newer Pythons check against the full list
    STANDARD_LIBRARY = None

ALL = modules()
THIRD_PARTY = set(OWNERS) | {"requests", "urllib3", "yaml", "httpx", "aiohttp", "fastapi", "uvicorn", "graphql"}


def within(name: str, prefixes: set[str]) -> bool:
    """Whether `name` is one of the modules or packages in `prefixes`, or lies below one."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def ours(name: str) -> bool:
    return name.split(".")[0] in PACKAGES or name in ("Stash2Plex", "process_queue", "dev", "tests", "bench", "tools")


def standard(name: str) -> bool:
    top = name.split(".")[0]
    if STANDARD_LIBRARY is None:
        return top not in THIRD_PARTY and not ours(name)
    return top in STANDARD_LIBRARY or top in SMALL_BUT_NOT_A_LIBRARY


def allowed(module: Module) -> set[str]:
    """The prefixes that this module may import besides the standard library and its own package."""
    package = module.name.split(".")[0]
    if module.name in COMPOSITION_ROOTS:
        return COMPOSITION_ROOTS[module.name] | {package}
    if package == "hooks":
        return ALLOWED["hooks"] | {"hooks"}
    return ALLOWED[package] | {package}


def where(module: Module, found: Import) -> str:
    return f"{module.path.relative_to(ROOT).as_posix()}:{found.line} imports {found.target}"


def broken(rule: object) -> list[str]:
    """Every import of the product for which `rule(module, import)` is true, as readable lines."""
    assert callable(rule)
    return [where(module, found) for module in ALL for found in imports(module) if rule(module, found)]


def test_every_module_of_ours_is_found():
    """An empty list would make every test here agree with anything."""
    assert {module.name for module in ALL} >= {"Stash2Plex"}


def test_packages_import_only_what_the_table_allows():
    def too_far(module: Module, found: Import) -> bool:
        return not standard(found.target) and not within(found.target, allowed(module))

    assert broken(too_far) == []


def test_the_hook_role_imports_nothing_but_itself_and_the_standard_library():
    def too_heavy(module: Module, found: Import) -> bool:
        in_hook_role = within(module.name, set(HOOK_ROLE)) and module.name != "hooks.tasks"
        return in_hook_role and not standard(found.target) and not within(found.target, set(HOOK_ROLE))

    assert broken(too_heavy) == []


def test_the_hook_role_never_imports_the_task_role():
    def a_task(module: Module, found: Import) -> bool:
        return within(module.name, set(HOOK_ROLE)) and within(found.target, {"hooks.tasks"})

    assert broken(a_task) == []


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_is_known_to_its_owner_only(library: str):
    def foreign(module: Module, found: Import) -> bool:
        return within(found.target, {library}) and not within(module.name, OWNERS[library])

    assert broken(foreign) == []


def test_no_product_module_imports_tests_or_tools():
    def upside_down(module: Module, found: Import) -> bool:
        return found.target.split(".")[0] in ("tests", "bench", "tools", "dev")

    assert broken(upside_down) == []


@pytest.mark.parametrize("forbidden", sorted(FORBIDDEN))
def test_no_module_reads_foreign_bytes_as_code(forbidden: str):
    def imported(module: Module, found: Import) -> bool:
        return within(found.target, {forbidden})

    assert broken(imported) == [], FORBIDDEN[forbidden]


def test_platform_modules_are_imported_behind_a_guard():
    def unguarded(module: Module, found: Import) -> bool:
        return found.target in UNIX_ONLY | WINDOWS_ONLY and not found.guarded

    assert broken(unguarded) == []


def test_every_package_file_is_empty():
    full = [module.name for module in ALL if module.path.name == "__init__.py" and module.path.read_bytes().strip()]
    assert full == []


def test_every_package_has_its_package_file():
    """Without one Python makes a namespace package, and a folder of the same name elsewhere would be mixed in."""
    folders = {module.path.parent for module in ALL} - {ROOT}
    assert [folder.name for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_a_module_has_no_match_statement(module: Module):
    """Python 3.9 cannot read one: the whole plugin would not start."""
    assert not [node.lineno for node in ast.walk(module.tree()) if type(node).__name__ == "Match"]


def test_no_module_is_too_long_to_read_in_one_go():
    lengths = {module.name: len(module.path.read_bytes().splitlines()) for module in ALL}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_the_entry_file_only_chooses_a_role():
    assert len((ROOT / "Stash2Plex.py").read_bytes().splitlines()) <= LONGEST_ENTRY_FILE
