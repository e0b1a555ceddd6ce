"""One installation by pip: in a container, under odd settings, interrupted, or two at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sync_queue import lease
from tests.canaries import secret
from tests.waiting import until
from tests.worker.bare_python import BarePython
from tests.worker.ensure_process import MODULE, command, ensure, make_plugin
from worker import pip_settings, wheels

SECRET = secret("of-the-index", "")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the bare Python is made of links")


@pytest.fixture
def plugin_dir(tmp_path):
    return make_plugin(tmp_path / "plugins" / "Stash2Plex", tmp_path / "wheels")


@pytest.fixture
def bare(tmp_path):
    return BarePython(tmp_path / "bare")


@pytest.fixture
def environment(tmp_path):
    """What a container gives: no git, no home, no writable folder but the data folder."""
    (tmp_path / "programs").mkdir()
    return {
        "PATH": str(tmp_path / "programs"),
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_NO_INDEX": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def folders(data_dir):
    return [name for name in os.listdir(data_dir) if name.startswith(wheels.PREFIX)]


# --- in a container ---------------------------------------------------------------------------------------------------


def test_the_bare_python_is_closed_to_pip(bare, environment):
    """Else the tests below would prove nothing."""
    bare.gain_pip()
    refused = bare.run("-m", "pip", "install", MODULE, env=environment)
    assert refused.returncode != 0
    assert "externally-managed-environment" in refused.stderr


@pytest.mark.parametrize("home", [None, "/proc/nowhere"])
def test_it_works_in_a_container(bare, plugin_dir, data_dir, environment, home):
    """No packages, PEP 668, nothing writable but the data folder, no git, no home, and the pip that Python keeps."""
    before = bare.files()
    bare.site.chmod(0o555)
    ended = ensure(plugin_dir, data_dir, {**environment, **({"HOME": home} if home else {})}, python=bare.python)
    assert (ended.worked, ended.runs) == (True, 1), ended.said
    assert bare.files() == before


def test_a_python_without_any_pip_says_how_to_get_one(tmp_path, plugin_dir, data_dir, environment):
    python = BarePython(tmp_path / "without", without=("ensurepip",)).python
    sentence = ensure(plugin_dir, data_dir, environment, python=python).said[0]
    assert "this Python has no pip (Debian, Ubuntu: apt install python3-pip; Alpine: apk add py3-pip)" in sentence
    assert f'Run: "{python}" -m pip install' in sentence


def test_what_a_person_runs_is_found(bare, plugin_dir, data_dir, environment, tmp_path):
    """The command in the sentence does what we could not do."""
    bare.gain_pip()
    hidden = shutil.move(str(tmp_path / "wheels"), str(tmp_path / "elsewhere"))
    sentence = ensure(plugin_dir, data_dir, environment, python=bare.python).said[0]
    shell = {**environment, "PIP_FIND_LINKS": hidden}
    subprocess.run(sentence.partition("Run: ")[2], shell=True, check=True, env=shell, timeout=60, capture_output=True)
    ended = ensure(plugin_dir, data_dir, environment, python=bare.python)
    assert (ended.worked, ended.runs) == (True, 0)


# --- settings of the user ---------------------------------------------------------------------------------------------

ODD = {
    "user": "1",
    "require_virtualenv": "1",
    "target": "/proc/nowhere",
    "prefix": "/proc/nowhere",
    "root": "/proc/nowhere",
    "no_binary": ":all:",
    "python": "/proc/nowhere",
    "constraint": "/proc/nowhere",
    "dry_run": "1",
    "log": "/proc/nowhere/log",
}


@pytest.mark.parametrize("where", ["in the environment", "in a file", "in a damaged file"])
def test_odd_settings_of_pip_are_not_followed(bare, plugin_dir, data_dir, environment, tmp_path, where):
    bare.gain_pip()
    if where == "in the environment":
        environment.update({f"PIP_{name.upper()}": value for name, value in ODD.items()})
    else:
        lines = [f"{name.replace('_', '-')} = {value}" for name, value in ODD.items() if name != "python"]
        text = "\n".join(["[install]" if where == "in a file" else "install]", *lines])
        (tmp_path / "pip.conf").write_text(text)
        environment["PIP_CONFIG_FILE"] = str(tmp_path / "pip.conf")
    environment.update(PYTHONPATH=str(tmp_path / "shadows"), PYTHONHOME="/proc/nowhere")
    (tmp_path / "shadows").mkdir()
    (tmp_path / "shadows" / "zipfile.py").write_text("raise SystemExit('another plugin was imported')")
    ended = ensure(plugin_dir, data_dir, environment, python=bare.python)
    assert ended.worked, ended.said


def test_the_index_in_pips_own_file_is_used(bare, plugin_dir, data_dir, environment, tmp_path):
    bare.gain_pip()
    (tmp_path / "pip.conf").write_text(f"[global]\nno-index = yes\n[install]\nfind-links = {tmp_path / 'wheels'}\n")
    only = {"PATH": environment["PATH"], "PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}
    assert ensure(plugin_dir, data_dir, only, python=bare.python).worked


def test_of_pips_settings_only_those_that_lead_to_an_index_count():
    listed = "\n".join(
        [
            ":env:.index-url='https://from.environment'",
            "global.index-url='https://from.file'",
            "global.proxy='http://a=b@host'",
            "install.user='yes'",
            "install.trusted-host='one\\ntwo'",
            "download.cert='/other/command'",
            "nonsense",
        ]
    )
    assert pip_settings.settings_in(listed) == {
        "PIP_INDEX_URL": "https://from.environment",
        "PIP_PROXY": "http://a=b@host",
        "PIP_TRUSTED_HOST": "one\ntwo",
    }


# --- why not ----------------------------------------------------------------------------------------------------------


def test_without_a_network_one_sentence_says_so_and_no_password(bare, plugin_dir, data_dir, environment):
    bare.gain_pip()
    index = f"http://someone:{SECRET}@127.0.0.1:1/simple"
    offline = {"PATH": environment["PATH"], "PIP_INDEX_URL": index}
    ended = ensure(plugin_dir, data_dir, offline, python=bare.python)
    assert "could not be installed: the package index cannot be reached. Run: " in ended.said[0]
    assert SECRET not in str(ended)
    assert folders(data_dir) == []


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "the disk is full"),
        (
            "WARNING: Retrying (Retry(total=0, ...)) after connection broken by 'NewConnectionError(...)'\n"
            "ERROR: Could not find a version that satisfies the requirement x==1 (from versions: none)\n"
            "ERROR: No matching distribution found for x==1",
            "the package index cannot be reached",
        ),
        ("ERROR: No matching distribution found for x==1", "no ready-made package fits this Python and system"),
        ("ERROR: something https://me:pw@host/x odd\nnote: ask", "pip said: ERROR: something … odd"),
        ("Traceback\nKeyError: 'me:pw@host'\n", "pip said: KeyError: …"),
        ("", "pip said: nothing"),
    ],
)
def test_what_pip_says_becomes_one_reason_without_addresses(said, reason):
    assert wheels.why_not(said) == reason


# --- interrupted, and two at once -------------------------------------------------------------------------------------


class Waiting:
    """Installations by a pip that says when it starts and ends, and ends only when told to."""

    def __init__(self, tmp_path, bare, plugin_dir, data_dir, environment):
        bare.gain_pip_that_waits()
        self._said, self._go = tmp_path / "said", tmp_path / "go"
        self._environment = {**environment, "SAID": str(self._said), "GO": str(self._go)}
        self._command = command(plugin_dir, data_dir, bare.python)
        self.processes = []

    def start(self):
        process = subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self._environment, text=True
        )
        self.processes.append(process)
        return process

    def said(self):
        return self._said.read_text().split() if self._said.exists() else []

    def go(self):
        self._go.touch()


@pytest.fixture
def waiting(tmp_path, bare, plugin_dir, data_dir, environment):
    made = Waiting(tmp_path, bare, plugin_dir, data_dir, environment)
    yield made
    made.go()
    for process in made.processes:
        process.communicate(timeout=60)


def test_two_installations_are_one(waiting, data_dir):
    both = [waiting.start(), waiting.start()]
    until(waiting.said, what="pip to start")
    waiting.go()
    answers = [process.communicate(timeout=60)[0] for process in both]
    assert all(answer.startswith('[["", ""]') for answer in answers)
    assert waiting.said() == ["start", "end"]
    assert len(folders(data_dir)) == 1


def test_a_killed_installation_leaves_nothing_half_and_the_next_waits_for_its_pip(waiting, data_dir):
    first = waiting.start()
    until(waiting.said, what="pip to start")
    first.send_signal(signal.SIGKILL)
    first.wait(60)
    assert [name for name in folders(data_dir) if not name.endswith(wheels.PART)] == []
    assert lease.held(data_dir, wheels.TURN)  # by the pip that lives on
    second = waiting.start()
    waiting.go()
    answer = second.communicate(timeout=60)[0]
    assert answer.startswith('[["", ""]')
    assert waiting.said() == ["start", "end", "start", "end"]
    assert len(folders(data_dir)) == 1


def test_the_folder_tells_another_python_apart(plugin_dir, monkeypatch):
    here = wheels.recipe(str(plugin_dir)).folder
    assert here.startswith(f"deps-{sys.implementation.cache_tag}-")
    monkeypatch.setattr(wheels.importlib.machinery, "EXTENSION_SUFFIXES", [".cpython-3-aarch64-linux-musl.so"])
    assert wheels.recipe(str(plugin_dir)).folder != here


def test_what_is_installed_is_the_lock_with_its_hashes(plugin_dir):
    made = wheels.recipe(str(plugin_dir))
    assert Path(made.listed).name == "requirements.lock"
    assert "--require-hashes" in made.options
