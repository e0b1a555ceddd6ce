"""What people install: the image, whose own commands run here without Docker, and the files that go with it."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from typing import get_args

import pytest
import yaml
from packaging.requirements import Requirement

from provider.rules import Rules
from provider.settings import DEFAULT_PORT, SECRETS, RuleText, Settings, env_name, load
from provider.version import VERSION
from tests import canaries
from tests.contract.source_tree import imports, modules
from tests.doubles.stash_server import StashDouble
from tests.provider.image import ROOT, copied, instructions, the, variables
from tests.provider.service import ADDRESS, Service
from tests.waiting import until
from tools import plugin_zip

PROVIDER = ROOT / "provider"
KNOWN = {env_name(field) for field in Settings.model_fields}
# What a library is called where it is imported, when that is not its name in the list.
DISTRIBUTIONS = {"PIL": "pillow", "yaml": "pyyaml", "prometheus_client": "prometheus-client",
                 "pydantic_settings": "pydantic-settings"}  # fmt: skip
NAME = re.compile(r"\bS2P_[A-Z_]+\b")


def text(name):
    return (ROOT / name).read_text("utf-8")


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load(text("provider/compose.yaml"))


@pytest.fixture(scope="module")
def template():
    return ElementTree.parse(PROVIDER / "unraid" / "stash2plex-provider.xml").getroot()


# --- the image, running -----------------------------------------------------------------------------------------------


class Container(Service):
    """The service out of the image, with nothing of this repository around it."""

    def __init__(self, image, tmp_path, stash, **env):
        super().__init__(tmp_path, stash, **env)
        self.image = image

    def start(self):
        settings = {name[4:].lower(): value for name, value in self.env.items() if name.startswith("S2P_")}
        with open(self._out, "ab") as out:
            self.process = self.image.start(out=out, **settings)
        until(lambda: ADDRESS.search(self.log()) or self.process.poll() is not None, 90)
        found = ADDRESS.search(self.log())
        assert found, self.log()
        self.root = f"http://127.0.0.1:{found[1]}"


@pytest.fixture(scope="module")
def running(image, tmp_path_factory):
    """A Stash with one scene, and the image beside it."""
    with StashDouble(credentials=("user", "password")) as stash:
        stash.api_key = canaries.API_KEY
        stash.add_scene(path="/data/A/One.mp4", title="One", cover=b"\xff\xd8\xff\xe0" + b"x" * 2_000)
        with Container(image, tmp_path_factory.mktemp("run"), stash, path_rules="/data => /media") as service:
            service.before = image.files()
            yield service


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_image_answers_plex(running):
    assert running.ask("/livez").status == 200
    assert running.ask("/readyz").status == 200, running.log()
    assert running.matched(filename="/media/A/One.mp4") == ["1"]
    assert running.ask("/library/metadata/1").items[0]["title"] == "One"
    assert running.ask("/images/scene/1?t=1").status == 200


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_its_health_check_agrees_with_it(image, running):
    assert the("HEALTHCHECK").command[:3] == the("ENTRYPOINT").command
    words = the("HEALTHCHECK").command[3:]
    port = running.root.rpartition(":")[2]
    assert image.run(*words, port=port) == (0, f"The provider answers on port {port} (HTTP 200)\n")
    assert image.run(*words, port="1")[0] == 1


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_runs_as_the_numeric_user_that_may_do_nothing(image, running):
    if image.why_no_user:
        pytest.skip(image.why_no_user)
    status = (ROOT / "/proc" / str(running.process.pid) / "status").read_text()
    assert re.search(rf"^Uid:\s+{image.user}\s+{image.user}\s", status, re.MULTILINE)
    assert re.search(r"^CapEff:\s+0+$", status, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_writes_nothing(image, running):
    """So the root of its container may be read-only. Every file that it opens for writing would be named in its log."""
    running.matched(filename="/media/A/One.mp4", manual=1)
    running.ask("/gaps")
    assert "WRITES TO" not in running.log()
    assert image.files() == running.before


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_whoever_looks_for_writing_would_find_it(image, tmp_path):
    """Else the test above would prove nothing."""
    where = tmp_path / "x"
    program = f"import runpy, sys; open({str(where)!r}, 'w')"
    environment = {"PYTHONPATH": str(image.folder / "watching"), "PATH": os.defpath}
    ended = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert f"WRITES TO {where}" in ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_it_ends_well_when_docker_stops_it(image, tmp_path, stash):
    assert the("STOPSIGNAL").rest == "SIGTERM"
    with Container(image, tmp_path, stash) as service:
        pass
    assert service.process.returncode == 0


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_its_other_commands_work_in_it(image, stash):
    assert image.run("--version") == (0, f"{VERSION}\n")
    stash.add_scene(path="/data/One.mp4", title="One")
    code, said = image.run("explain", "/data/One.mp4", stash_url=stash.url, library_roots="/data")
    assert (code, "/data/One.mp4" in said) == (0, True), said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_only_the_product_is_in_it(image):
    wanted = {module.path.relative_to(ROOT).as_posix() for module in modules()}
    packages = ("plex/", "provider/", "stash/", "validation/")
    sources = {name for name in image.files() if not name.endswith(".pyc")}
    assert sources == {name for name in wanted if name.startswith(packages)} | {"LICENSE", "provider/requirements.lock"}
    compiled = {name for name in image.files() if name.endswith(".pyc")}
    assert len(compiled) == len(sources) - 2


# --- the Dockerfile ---------------------------------------------------------------------------------------------------


def test_the_base_is_of_a_fixed_version():
    (base,) = [one.rest for one in instructions() if one.word == "FROM"]
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base)


def test_the_user_is_a_number_and_not_root():
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", the("USER").rest)


def test_every_command_is_without_a_shell_and_without_curl():
    commands = [one for one in instructions() if one.word in ("RUN", "ENTRYPOINT", "CMD", "HEALTHCHECK")]
    assert len(commands) >= 4
    assert {one.command[0] for one in commands} == {"python"}


def test_only_packages_with_the_hashes_of_the_lock_are_installed():
    (install,) = [one.command for one in instructions() if one.word == "RUN" and "pip" in one.rest]
    assert {"--require-hashes", "--no-cache-dir", "--only-binary"} <= set(install)
    assert install[install.index("-r") + 1] == "provider/requirements.lock"


def test_the_port_that_it_exposes_is_the_default():
    assert int(the("EXPOSE").rest) == DEFAULT_PORT


def test_no_bytecode_is_written_at_run_time():
    assert variables()["PYTHONDONTWRITEBYTECODE"] == "1"


def test_every_module_that_the_provider_reaches_is_copied():
    copies = [one.rest.split()[0] for one in instructions() if one.word == "COPY"]
    inside = {name.as_posix() for source in copies for name in copied(source)}
    known = {module.name: module for module in modules()}
    assert {known[name].path.relative_to(ROOT).as_posix() for name in reached() if name in known} <= inside


def test_every_library_that_the_provider_reaches_is_in_its_list():
    named = {one.name.lower() for one in listed("provider/requirements.txt")}
    tops = {name.partition(".")[0] for name in reached()} - {module.name.partition(".")[0] for module in modules()}
    foreign = {DISTRIBUTIONS.get(name, name) for name in tops if not is_standard(name)}
    assert len(foreign) > 8
    assert foreign - named == set()


def test_nothing_is_in_its_list_that_nobody_imports():
    """What uvicorn, requests and httpx find by themselves is named for its version, or to be there at all."""
    by_others = {"httptools", "uvloop", "certifi", "sniffio"}
    tops = {name.partition(".")[0] for name in reached()}
    named = {one.name.lower() for one in listed("provider/requirements.txt")}
    assert named - by_others - {DISTRIBUTIONS.get(name, name).lower() for name in tops} == set()


def reached():
    """The names of all modules that the provider imports, itself or through others."""
    known = {module.name: module for module in modules()}
    waiting = [name for name in known if name.partition(".")[0] == "provider"]
    seen = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [found.target for found in imports(known[name])] if name in known else []
            waiting += [name.rpartition(".")[0]] if "." in name and name.rpartition(".")[0] in known else []
    return seen


def is_standard(name):
    if sys.version_info >= (3, 10):
        return name in sys.stdlib_module_names
    found = importlib.util.find_spec(name)  # none: a module of another system
    return found is None or "site-packages" not in (found.origin or "")


# --- what is installed ------------------------------------------------------------------------------------------------


def listed(name):
    lines = [line.partition(" \\")[0].partition("#")[0].strip() for line in text(name).splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("--")]


@pytest.mark.parametrize("python", ["3.9", "3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_lock_fixes_every_requirement_once_within_its_range(python):
    environment = {"python_version": python, "python_full_version": f"{python}.1", "sys_platform": "linux"}
    environment["platform_machine"] = "x86_64"
    locked = [one for one in listed("provider/requirements.lock") if not one.marker or one.marker.evaluate(environment)]
    fixed = {one.name: str(one.specifier)[2:] for one in locked}
    assert len(fixed) == len(locked)
    for wanted in listed("provider/requirements.txt"):
        assert wanted.specifier.contains(fixed[wanted.name.lower()]), wanted.name


def test_everything_in_the_lock_has_a_hash():
    lines = text("provider/requirements.lock").splitlines()
    assert [line for line in lines if "==" in line and "--hash" not in line and not line.endswith("\\")] == []


def test_the_two_lists_agree_on_what_both_name():
    """Else one computer that runs plugin and provider could not have both."""
    plugin = {one.name: one for one in listed("requirements.txt")}
    shared = [one for one in listed("provider/requirements.txt") if one.name in plugin]
    assert len(shared) >= 6
    assert [str(one) for one in shared] == [str(plugin[one.name]) for one in shared]


def test_the_plugin_is_installed_without_the_provider(tmp_path):
    with zipfile.ZipFile(plugin_zip.build(ROOT, tmp_path).zip_path) as archive:
        assert [name for name in archive.namelist() if "provider" in name] == []


# --- compose file, Unraid template and the others ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["docs/provider.md", "provider/Dockerfile", "provider/compose.yaml", "provider/provider.env.example",
     "provider/unraid/stash2plex-provider.xml"],
)  # fmt: skip
def test_every_setting_that_is_named_exists(name):
    assert set(NAME.findall(text(name))) - KNOWN == set()


def test_the_version_is_everywhere_the_same(compose, template):
    manifest = yaml.safe_load(text("Stash2Plex.yml"))
    assert str(manifest["version"]) == VERSION
    assert f'image.version="{VERSION}"' in text("provider/Dockerfile")
    assert (
        compose["services"]["provider"]["image"] == template.findtext("Repository") == f"stash2plex-provider:{VERSION}"
    )


def test_the_container_may_do_as_little_as_possible(compose, template):
    ours = compose["services"]["provider"]
    assert ours["read_only"] is True
    assert ours["cap_drop"] == ["ALL"]
    assert ours["security_opt"] == ["no-new-privileges:true"]
    assert "volumes" not in ours and "privileged" not in ours
    assert template.findtext("Privileged") == "false"
    assert template.findtext("ExtraParams").startswith("--read-only --cap-drop=ALL --security-opt=no-new-privileges")


def test_the_compose_file_builds_our_dockerfile_from_the_root(compose):
    build = compose["services"]["provider"]["build"]
    assert (PROVIDER / build["context"]).resolve() == ROOT
    assert (ROOT / build["dockerfile"]).samefile(PROVIDER / "Dockerfile")


def test_the_compose_file_checks_health_as_the_image_does(compose):
    assert compose["services"]["provider"]["healthcheck"]["test"] == ["CMD", *the("HEALTHCHECK").command]


def test_no_secret_has_a_place_in_the_compose_file(compose):
    secrets = {env_name(field) for field in SECRETS}
    assert secrets & set(compose["services"]["provider"]["environment"]) == set()
    assert compose["services"]["provider"]["env_file"] == ["provider.env"]
    assert secrets == set(re.findall(r"^(S2P_\w+)=$", text("provider/provider.env.example"), re.MULTILINE))
    assert "/provider/provider.env" in text(".gitignore").splitlines()


def test_the_settings_in_the_compose_file_are_right(compose):
    settings, warnings = load({**compose["services"]["provider"]["environment"], "S2P_PLEX_TOKEN": "t"})
    assert warnings == ()
    names = compose["services"]
    for address in (settings.stash_url, settings.plex_url, settings.base_url):
        assert address.split("/")[2].split(":")[0] in names


def test_all_containers_are_in_one_network(compose):
    assert {tuple(service["networks"]) for service in compose["services"].values()} == {tuple(compose["networks"])}


def test_the_unraid_template_hides_the_secrets(template):
    masked = {one.get("Target") for one in template.iter("Config") if one.get("Mask") == "true"}
    assert masked == {env_name(field) for field in SECRETS}


def test_the_unraid_template_has_the_defaults(template):
    for one in template.iter("Config"):
        if one.get("Type") == "Variable" and one.get("Default"):
            default = Settings.model_fields[one.get("Target")[4:].lower()].default
            assert (
                one.get("Default") == one.text == (str(default).lower() if isinstance(default, bool) else str(default))
            )


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_has_a_row_for_each_setting_with_its_default():
    rows = re.findall(r"^\| `(S2P_\w+)` \| (?:`(.*?)`)? *\| \S", section("Settings"), re.MULTILINE)
    assert dict(rows) == {env_name(name): spoken(name) for name in Settings.model_fields}
    assert len(rows) == len(KNOWN)


def spoken(name):
    default = Settings.model_fields[name].default
    if isinstance(default, bool):
        return str(default).lower()
    return str(default) if isinstance(default, (int, float)) or (isinstance(default, str) and default) else ""


def test_the_choices_on_the_page_are_those_that_there_are():
    for name, field in Settings.model_fields.items():
        choices = get_args(field.annotation) if "Literal" in str(field.annotation) else ()
        row = re.search(rf"^\| `{env_name(name)}` .*$", section("Settings"), re.MULTILINE)[0]
        assert [choice for choice in choices if choice and f"`{choice}`" not in row] == [], name


def test_every_path_rule_on_the_page_works():
    shown = re.findall(r"^\| `(.+?)` \| \S", section("Path rules"), re.MULTILINE)
    assert len(shown) >= 5
    for one in shown:
        rules = Rules.of([RuleText(rule=one)])
        path = "/mnt/nas/a/b.mp4" if "/mnt/nas" in one else "/data/a/b.mp4"
        assert (rules.to_stash(rules.to_plex(path)), rules.warnings()) == (path, []), one
        assert rules.to_plex(path) != path, one


def test_the_list_of_path_rules_on_the_page_works(tmp_path):
    (tmp_path / "c.yaml").write_text(re.search(r"```yaml\n(.*?)```", section("Path rules"), re.DOTALL)[1])
    settings, warnings = load({"S2P_STASH_URL": "stash", "S2P_CONFIG": str(tmp_path / "c.yaml")})
    rules = Rules.of(settings.path_rules)
    assert (warnings, rules.warnings(), rules.roots) == ((), [], ("/media",))
    assert rules.to_stash("/archive/a.mp4") == "/data/old/a.mp4"


def section(heading):
    return re.search(rf"^## {heading}$(.*?)(?=^## )", text("docs/provider.md"), re.MULTILINE | re.DOTALL)[1]
