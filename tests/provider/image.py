"""What ``docker build`` and ``docker run`` would do, without Docker: the Dockerfile's own commands, in turn.

The file system is a folder with what COPY copies, `python` is that of a new virtual environment, and at the end all of
it is read-only. Containers run as the numeric user of the Dockerfile; so does this one where the tests run as root.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dev import OFFLINE_SIGNS

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "provider" / "Dockerfile"
INSTALL_S = 600
# What the network of this computer asks of pip; all else that the environment holds stays out of the image.
NETWORK = ("PIP_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SYSTEMROOT", "LD_LIBRARY_PATH")
LEFT_OUT = ("site-packages", "test", "__pycache__", "idlelib", "lib2to3", "tkinter", "turtledemo", "config-*")

# In front of the process that is looked at, not part of it: names every file that is opened for writing.
WATCHING = """
import os, sys
def look(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        if isinstance(arguments[0], (str, bytes)) and os.fsdecode(arguments[0]) != os.devnull:
            os.write(2, b"WRITES TO %s\\n" % os.fsencode(arguments[0]))
sys.addaudithook(look)
"""


class Instruction(NamedTuple):
    """One instruction of a Dockerfile, its lines joined."""

    word: str
    rest: str

    @property
    def command(self) -> list[str]:
        """Its exec form, the only one that is used here."""
        found = json.loads(self.rest[self.rest.index("[") :])
        assert all(isinstance(part, str) for part in found)
        return found


def instructions() -> list[Instruction]:
    """Those of our Dockerfile."""
    lines = [line for line in DOCKERFILE.read_text("utf-8").splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


def the(word: str) -> Instruction:
    """The last instruction of this name, which is the one that counts."""
    return [one for one in instructions() if one.word == word][-1]


def variables() -> dict[str, str]:
    """What ENV sets."""
    pairs = re.findall(r'(\w+)=("[^"]*"|\S+)', " ".join(one.rest for one in instructions() if one.word == "ENV"))
    return {name: value.strip('"') for name, value in pairs}


def copied(source: str) -> list[Path]:
    """The files that a COPY of this source takes, of those that .dockerignore lets in; relative to the repository."""
    lines = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line and line[0] != "#"]
    assert lines[0] == "*" and all(line[0] == "!" for line in lines[1:])
    whole = ROOT / source
    files = [whole] if whole.is_file() else [path for path in whole.rglob("*") if path.is_file()]
    names = [path.relative_to(ROOT) for path in files]
    return [name for name in names if any(_lets_in(line[1:], name.as_posix()) for line in lines[1:])]


def _lets_in(pattern: str, name: str) -> bool:
    """Docker's patterns: a star stays within one folder."""
    return pattern.count("/") == name.count("/") and fnmatch.fnmatchcase(name, pattern)


class Image:
    """The folder that is the image; `run` starts its command. Made once in a session, with `made`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app = folder / the("WORKDIR").rest.strip("/")
        self.user = int(the("USER").rest.partition(":")[0])
        self.why_no_user = ""

    def build(self) -> None:
        """All instructions; skips the test with pip's reason when there is no index to install from."""
        base = self._base_python()
        self._do([base, "-m", "venv", str(self.folder / "python")])
        self.app.mkdir()
        for one in instructions():
            if one.word == "COPY":
                self._copy(*one.rest.split())
            elif one.word == "RUN":
                self._do(one.command)
        self._read_only()

    def start(self, *words: str, out: Any, watched: bool = True, **env: str) -> subprocess.Popen[bytes]:
        """``docker run --read-only image words...``; output goes to ``out``."""
        named = {f"S2P_{name.upper()}": value for name, value in env.items()}
        environment = {**self._environment(), **variables(), **named, "HOME": "/nonexistent"}
        if watched:
            environment["PYTHONPATH"] = str(self.folder / "watching")
        command = [self._found("python"), *the("ENTRYPOINT").command[1:], *words]
        return subprocess.Popen(
            command, cwd=self.app, env=environment, stdout=out, stderr=subprocess.STDOUT, **self._as_user
        )

    def run(self, *words: str, **env: str) -> tuple[int, str]:
        """A short command in it; the exit code and all it said."""
        process = self.start(*words, out=subprocess.PIPE, **env)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said.decode()

    def files(self) -> dict[str, float]:
        """All files of the application with the time of their last change."""
        found = (path for path in self.app.rglob("*") if path.is_file())
        return {path.relative_to(self.app).as_posix(): path.stat().st_mtime for path in found}

    @cached_property
    def _as_user(self) -> dict[str, Any]:
        if self.why_no_user:
            return {}
        return {"user": self.user, "group": self.user, "extra_groups": []}

    def _base_python(self) -> str:
        """This Python, or a copy of it when it lies where only root may go."""
        self.why_no_user = "" if os.name == "posix" and os.geteuid() == 0 else "only root can become another user"
        base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
        if self.why_no_user or _may_run(base, self.user):
            return str(base)
        return str(_python_copy(base, self.folder / "base"))

    def _do(self, command: list[str]) -> None:
        """One build step, with the network of this computer."""
        network = {name: value for name, value in os.environ.items() if name.upper().startswith(NETWORK)}
        environment = {**network, **self._environment(), **(variables() if self.app.exists() else {})}
        folder = self.app if self.app.exists() else self.folder
        command = [self._found(command[0]), *command[1:]]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=INSTALL_S)
        said = done.stdout + done.stderr
        if done.returncode and "pip" in command and _offline(said):
            pytest.skip("no package index can be reached: " + said.strip().splitlines()[-1][:200])
        assert done.returncode == 0, said

    def _environment(self) -> dict[str, str]:
        path = os.pathsep.join((str(self._programs), os.defpath))
        kept = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
        return {**kept, **self.shared, "PATH": path}

    @property
    def shared(self) -> dict[str, str]:
        """Where the copied Python finds its own library."""
        lib = self.folder / "base" / "lib"
        return {"LD_LIBRARY_PATH": str(lib)} if lib.exists() else {}

    @property
    def _programs(self) -> Path:
        return self.folder / "python" / ("Scripts" if os.name == "nt" else "bin")

    def _found(self, program: str) -> str:
        return shutil.which(program, path=str(self._programs)) or program

    def _copy(self, source: str, target: str) -> None:
        names = copied(source)
        assert names, f"nothing of {source} gets into the image"
        for name in names:
            to = self.app / target / name.relative_to(source)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to)

    def _read_only(self) -> None:
        watching = self.folder / "watching"
        watching.mkdir()
        (watching / "sitecustomize.py").write_text(WATCHING, "utf-8")
        for path in (self.folder, *self.folder.rglob("*")):
            if not path.is_symlink():
                path.chmod((path.stat().st_mode | stat.S_IROTH | stat.S_IRGRP | _search(path)) & ~0o222)


def _offline(said: str) -> bool:
    """Whether pip had no index to ask. That a version is not there may be a fault of the lock, if there was one."""
    unconnected = [sign for sign in OFFLINE_SIGNS if sign != "Could not find a version that"]
    return "PIP_NO_INDEX" in os.environ or any(sign in said for sign in unconnected)


def _search(path: Path) -> int:
    return 0o111 if path.is_dir() else 0


def _may_run(python: Path, user: int) -> bool:
    command = [str(python), "-c", "import ssl, venv, ensurepip"]
    try:
        return not subprocess.run(command, user=user, group=user, extra_groups=[], capture_output=True).returncode
    except OSError:
        return False


def _python_copy(base: Path, folder: Path) -> Path:
    """A Python with its library and nothing else."""
    ignore = shutil.ignore_patterns(*LEFT_OUT)
    library = base.parents[1] / "lib"
    name = "python%d.%d" % sys.version_info[:2]
    shutil.copytree(library / name, folder / "lib" / name, ignore=ignore)
    for shared in library.glob("libpython*"):
        shutil.copy2(shared, folder / "lib")
    (folder / "bin").mkdir()
    return Path(shutil.copy2(base, folder / "bin" / name))


def made() -> Iterator[Image]:
    """A fixture's body: the image of this session. Outside pytest's own folder, which is for one user only."""
    folder = Path(tempfile.mkdtemp(prefix="stash2plex-image-"))
    try:
        image = Image(folder)
        image.build()
        yield image
    finally:
        for path in (folder, *(path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink())):
            path.chmod(0o755)
        shutil.rmtree(folder)
