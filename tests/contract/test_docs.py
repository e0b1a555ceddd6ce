"""Manifest, settings model, dispatch table and documentation name the same things."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.contract.source_tree import ROOT, modules

DOCS = ROOT / "docs"
SETTING_TYPES = {"STRING", "NUMBER", "BOOLEAN"}


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "Stash2Plex.yml").read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def headings(page: str) -> list[str]:
    """The second-level headings of a page, without code marks."""
    found = re.findall(r"^## +(.+?) *$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
    return [heading.strip("`") for heading in found]


def section(page: str, heading: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^## +`?{re.escape(heading)}`? *$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/{page} has no section {heading}"
    return found.group(1)


def nav_pages(node: Any) -> Iterator[str]:
    """The pages in mkdocs' navigation tree: strings at its leaves."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from nav_pages(value)
    else:
        for value in node:
            yield from nav_pages(value)


# --- settings ---------------------------------------------------------------------------------------------------------


def test_every_setting_in_the_manifest_is_read_by_code(manifest: dict[str, Any]):
    from validation.settings import Settings

    assert set(manifest["settings"]) == set(Settings.model_fields)


def test_every_setting_in_the_manifest_is_explained(manifest: dict[str, Any]):
    assert sorted(setting_headings()) == sorted(manifest["settings"])


def setting_headings() -> list[str]:
    """Settings are the headings of docs/config.md that look like a name in code."""
    return [heading for heading in headings("config.md") if re.fullmatch(r"[a-z]+(_[a-z]+)*", heading)]


def test_every_setting_has_what_the_settings_page_of_stash_shows(manifest: dict[str, Any]):
    for name, setting in manifest["settings"].items():
        assert set(setting) == {"displayName", "description", "type"}, name
        assert setting["type"] in SETTING_TYPES, name
        assert "." not in name, "Stash stores settings under dotted keys"


def test_every_path_rule_that_the_settings_page_shows_works():
    """Nothing in it is found wrong, and a path of its Stash folder leads to Plex and back."""
    from plex.rules import PathRules

    shown = re.findall(r"^\| `(.+?)` \| \S", section("config.md", "path_rules"), re.MULTILINE)
    assert len(shown) >= 5
    for text in shown:
        rules = PathRules.parse(text)
        path = "/mnt/nas/a/b.mp4" if "/mnt/nas" in text else "/data/a/b.mp4"
        assert (rules.to_stash(rules.to_plex(path)), rules.warnings()) == (path, []), text
        assert rules.to_plex(path) != path, text


# --- tasks ------------------------------------------------------------------------------------------------------------


def test_every_task_in_the_menu_names_a_mode_that_exists(manifest: dict[str, Any]):
    from hooks.tasks import TASKS

    assert set(task_modes(manifest)) == set(TASKS)


def test_no_two_tasks_do_the_same(manifest: dict[str, Any]):
    wanted = [sorted(task["defaultArgs"].items()) for task in manifest["tasks"]]
    assert [one for one in wanted if wanted.count(one) > 1] == []


def task_modes(manifest: dict[str, Any]) -> list[str]:
    return [task["defaultArgs"]["mode"] for task in manifest["tasks"]]


def test_every_task_is_explained(manifest: dict[str, Any]):
    assert headings("tasks.md") == [task["name"] for task in manifest["tasks"]]


def test_every_explained_task_names_its_mode(manifest: dict[str, Any]):
    """People who start tasks through the API need the name that the manifest uses."""
    for task in manifest["tasks"]:
        assert f"`{task['defaultArgs']['mode']}`" in section("tasks.md", task["name"]), task["name"]


def test_every_task_has_a_description_in_the_menu(manifest: dict[str, Any]):
    assert [task["name"] for task in manifest["tasks"] if not task.get("description")] == []


# --- pages ------------------------------------------------------------------------------------------------------------


def test_every_page_can_be_reached_from_the_navigation():
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    assert sorted(nav_pages(config["nav"])) == sorted(pages)


def test_decision_records_are_numbered_without_gaps_and_listed():
    records = sorted(path.name for path in (DOCS / "decisions").glob("[0-9]*.md"))
    assert [name[:4] for name in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    index = (DOCS / "decisions" / "index.md").read_text(encoding="utf-8")
    assert [name for name in records if f"({name})" not in index] == []


def test_the_architecture_page_has_a_line_for_each_module():
    """In the tables of "Where a line lives"; what is not there any more must not be either."""
    named = re.findall(r"^\| `([\w/]+\.py)` \| \S", section("architecture.md", "Where a line lives"), re.MULTILINE)
    there = [module.path.relative_to(ROOT).as_posix() for module in modules() if module.path.name != "__init__.py"]
    assert sorted(named) == sorted(there)


def test_every_package_with_modules_is_in_the_code_reference():
    named = re.findall(r"^\[modules of (\w+)\]$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    with_modules = {module.name.partition(".")[0] for module in modules() if "." in module.name}
    assert len(named) == len(set(named))
    assert set(named) == with_modules


def test_the_changelog_knows_the_version_of_the_manifest(manifest: dict[str, Any]):
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## .*\b{re.escape(str(manifest['version']))}\b", changelog, re.MULTILINE)


def test_every_command_of_dev_py_is_in_the_developers_page():
    import dev

    page = (DOCS / "development.md").read_text(encoding="utf-8")
    assert [name for name in dev.COMMANDS if f"dev.py {name}" not in page] == []
