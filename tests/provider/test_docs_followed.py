"""docs/provider.md, followed from nothing by its own commands, between a Stash and a Plex that remember.

What is put in: the addresses, keys and folders that the page tells everybody to put in. What is left out: making the
virtual environment, since the image's (`tests.provider.image`) was made by the same command and is used here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import urllib.request

import pytest

from tests import canaries
from tests.doubles.plex_server import PlexDouble
from tests.doubles.stash_server import StashDouble
from tests.provider.image import NETWORK, ROOT
from tests.waiting import until

PAGE = (ROOT / "docs" / "provider.md").read_text("utf-8")
STASH, PLEX, OURS = "http://192.168.1.10:9999", "http://192.168.1.10:32400", "http://192.168.1.10:9090"
SECRET = "a-long-word-that-you-make-up"
MAKE_VENV = "python3 -m venv provider-env"
FILE = "/media/Studio/Some Scene.mp4"
PACKAGES = ("plex", "provider", "stash", "validation")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(os.name == "nt" or not shutil.which("bash"), reason="the page's commands are for a shell"),
]


def blocks(heading, language):
    """The code of this kind below a heading of the page."""
    part = re.search(rf"^## {heading}$(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    return re.findall(rf"^```{language}\n(.*?)^```$", part[1], re.MULTILINE | re.DOTALL)


class Terminal:
    """A shell in the project's folder, in which one line after the other is typed."""

    def __init__(self, folder, environment, name):
        self._out = folder.parent / f"{name}.out"
        with open(self._out, "wb") as out:
            self.shell = subprocess.Popen(
                ["bash"], cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=out, bufsize=0,
                start_new_session=True,
            )  # fmt: skip
        self._typed = 0

    def screen(self):
        return self._out.read_text("utf-8", "replace")

    def type(self, block):
        """Type these lines, each of which has to end well; what they said."""
        before = len(self.screen())
        for line in block.strip().splitlines():
            self._typed += 1
            mark = f"ENDED {self._typed} WITH "
            self.leave_running(f"{line}\necho {mark}$?")
            until(lambda mark=mark: re.search(rf"^{mark}\d+$", self.screen(), re.MULTILINE), 300, line)
            assert f"{mark}0\n" in self.screen(), self.screen()
        return self.screen()[before:]

    def leave_running(self, line):
        self.shell.stdin.write(line.encode() + b"\n")

    def close(self):
        """Ctrl-C, and the window closed."""
        os.killpg(self.shell.pid, signal.SIGINT)
        self.shell.stdin.close()
        try:
            self.shell.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.shell.pid, signal.SIGKILL)
            raise


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory):
    with StashDouble(credentials=("user", "password")) as stash, PlexDouble() as plex:
        stash.api_key = canaries.API_KEY
        cover = b"\x89PNG\r\n\x1a\n" + bytes(64)
        stash.add_scene(path=FILE.replace("/media", "/data"), title="A Scene in Stash", studio="Studio", cover=cover)
        section = plex.add_section("Movies", ["/media"])
        yield stash, plex, section


@pytest.fixture(scope="module")
def put_in(neighbours):
    """Puts in what the page leaves to its reader."""
    stash, plex, _ = neighbours
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {
        STASH: stash.url,
        PLEX: plex.url,
        OURS: f"http://127.0.0.1:{port}",
        "the-api-key-of-stash": json.dumps(canaries.API_KEY),
        "the-token-of-plex": json.dumps(plex.token),
    }

    def replaced(text):
        for shown, value in own.items():
            text = text.replace(shown, value)
        assert "192.168" not in text
        return text

    replaced.port = port
    return replaced


@pytest.fixture(scope="module")
def terminals(image, put_in, tmp_path_factory):
    """Opens terminals in a copy of the project; the environment that the page makes first is there already."""
    folder = tmp_path_factory.mktemp("followed") / "secrets" / "project"
    folder.mkdir(parents=True)
    for name in PACKAGES:
        (folder / name).symlink_to(ROOT / name)
    (folder / "provider-env").symlink_to(image.folder / "python")
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(NETWORK)}
    environment = {**kept, **image.shared, "PATH": os.environ["PATH"], "HOME": str(folder), "S2P_HOST": "127.0.0.1"}
    environment.update(S2P_PORT=str(put_in.port), PYTHONDONTWRITEBYTECODE="1")
    opened = []

    def terminal(name):
        opened.append(Terminal(folder, environment, name))
        return opened[-1]

    terminal.folder = folder
    yield terminal
    for one in opened:
        one.close()


@pytest.fixture(scope="module")
def started(terminals, put_in):
    """ "Start it without Docker", to its end: the terminal in which it runs."""
    first = terminals("first")
    install, start = blocks("Start it without Docker", "sh")
    (settings,) = blocks("Start it without Docker", "yaml")
    assert MAKE_VENV in install
    first.type(install.replace(MAKE_VENV, "test -d provider-env"))
    (terminals.folder / "provider.yaml").write_text(put_in(settings))
    setting, serve = start.strip().splitlines()
    first.type(setting)
    first.leave_running(serve)
    until(lambda: "The provider listens on" in first.screen() or first.shell.poll() is not None, 90, first.screen())
    return first


@pytest.fixture(scope="module")
def told(started, terminals):
    """ "Tell Plex": the second terminal, and what the command said."""
    second = terminals("second")
    (block,) = blocks("Tell Plex", "sh")
    return second, second.type(block)


@pytest.fixture(scope="module")
def chosen(told, neighbours):
    """The steps in Plex that are left to a person."""
    _, plex, section = neighbours
    (agent,) = plex._routes.agents.groups
    plex.choose_agent(section, agent)
    return told[0]


def test_it_starts(started, put_in):
    url = f"http://127.0.0.1:{put_in.port}"
    with urllib.request.urlopen(f"{url}/readyz", timeout=30) as answer:
        assert answer.status == 200
    with urllib.request.urlopen(f"{url}/{SECRET}", timeout=30) as answer:
        assert "MediaProvider" in json.load(answer)


def test_plex_knows_it_then(told, neighbours):
    _, plex, _ = neighbours
    _, said = told
    assert "Plex knows the provider now" in said
    (known,) = plex._routes.agents.providers.values()
    assert known.calls.url.endswith("/" + SECRET)


def test_a_scan_brings_the_metadata_of_stash(chosen, neighbours):
    _, plex, section = neighbours
    plex.lay_file(section, FILE, 1)
    with urllib.request.urlopen(_scan(plex, section), timeout=30):
        pass
    assert plex.agents_done()
    shown = [item for item in plex.items().values() if FILE in json.dumps(item)]
    assert [(item["title"], item["studio"]) for item in shown] == [("A Scene in Stash", "Studio")]


def _scan(plex, section):
    return urllib.request.Request(
        f"{plex.url}/library/sections/{section}/refresh", headers={"X-Plex-Token": plex.token}
    )


def test_the_doctor_finds_no_fault(chosen):
    doctor, _ = blocks("See whether it works", "sh")
    assert "0 faults" in chosen.type(doctor)


def test_explain_shows_what_is_found(chosen):
    _, explain = blocks("See whether it works", "sh")
    told = json.loads(chosen.type(explain).partition("ENDED")[0])
    assert told["result"]["scene"] == 1


def test_the_page_of_gaps_is_where_the_page_says(started, put_in):
    address = re.search(rf"with a secret `({re.escape(OURS)}/.*?/gaps)`", PAGE)[1]
    request = urllib.request.Request(put_in(address), headers={"Accept": "text/html"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert "Gaps between Plex and Stash" in answer.read().decode()


def test_no_secret_is_on_the_screens(chosen, started):
    """The own folder is not looked at by the net of all tests, since the page has people write a file with secrets."""
    for screen in (started.screen(), chosen.screen()):
        assert canaries.MARKER not in screen and SECRET not in screen


def test_the_short_way_in_the_readme_is_that_of_the_page():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert f"S2P_STASH_URL={STASH} python3 -m provider\n" in readme
    assert "pip install -r provider/requirements.txt\n" in readme
