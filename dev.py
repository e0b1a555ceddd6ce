#!/usr/bin/env python3
"""Everything a developer of Stash2Plex does, in one command each. Standard library only.

The first command makes a virtual environment in `.venv` and installs all requirements files there; later ones install
again only when those files changed. Every step then runs with that environment's Python.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent
REQUIREMENTS = ("requirements.txt", "provider/requirements.txt", "requirements-dev.txt")
OLDEST_PYTHON = (3, 9)
# What pip says when it cannot reach a package index; seen with pip 23 to 26.
OFFLINE_SIGNS = (
    "NewConnectionError",
    "NameResolutionError",
    "Failed to establish a new connection",
    "ProxyError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Max retries exceeded",
    "Could not find a version that",
)


class Failed(Exception):
    """A step did not end well. The message is the one line shown to the developer."""

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


# --- running things ---------------------------------------------------------------------------------------------------


def clean_environment() -> dict[str, str]:
    """The environment of every step: PYTHONPATH and PYTHONHOME would let foreign modules in before ours."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}


def run(command: list[str]) -> None:
    """Run one step in the project's folder; its output goes straight to the terminal."""
    sys.stdout.flush()
    returned = subprocess.run(command, cwd=ROOT, env=clean_environment()).returncode
    if returned:
        how = f"exit code {returned}" if returned > 0 else f"signal {-returned}"
        raise Failed(f"failed ({how}): {spelled(command)}", returned if returned > 0 else 128 - returned)


def capture(command: list[str]) -> tuple[int, str]:
    """Run a command quietly and return its exit code and everything it wrote."""
    try:
        ended = subprocess.run(
            command,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except OSError as error:
        return 127, str(error)
    return ended.returncode, ended.stdout


def spelled(command: list[str]) -> str:
    """A command the way a person would type it in the project's folder."""
    short = [part.replace(str(ROOT) + os.sep, "") for part in command]
    return subprocess.list2cmdline(short) if os.name == "nt" else " ".join(shlex.quote(part) for part in short)


# --- the virtual environment ------------------------------------------------------------------------------------------


class Base(NamedTuple):
    """The interpreter that the virtual environment is made with."""

    executable: str
    version: str


class Venv:
    """One virtual environment; `ready()` returns its Python after making and filling it where needed."""

    def __init__(self, folder: Path, wanted_python: str | None) -> None:
        self.folder = folder
        self.wanted_python = wanted_python
        self.stamp = folder / "dev-stamp.json"
        self.python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def ready(self) -> str:
        if not self.usable():
            self.make()
        if self.stamped() != self.fingerprint():
            self.install()
        return str(self.python)

    def usable(self) -> bool:
        """Whether an environment is there, still runs, and is of the version that was asked for."""
        if not self.python.exists():
            return False
        code, version = capture([str(self.python), "-c", "import pip, platform; print(platform.python_version())"])
        if code:
            return False
        return self.wanted_python is None or base_python(self.wanted_python).version == version.strip()

    def make(self) -> None:
        base = base_python(self.wanted_python or sys.executable)
        if self.folder.exists() and any(self.folder.iterdir()) and not (self.folder / "pyvenv.cfg").exists():
            raise Failed(f"{self.folder} is not a virtual environment; move it away or choose another with --venv")
        need_ensurepip(base)
        say(f"making {self.folder.name} with Python {base.version}")
        code, output = capture([base.executable, "-m", "venv", "--clear", str(self.folder)])
        if code:
            say(output.rstrip())
            raise Failed(f"failed (exit code {code}): {base.executable} -m venv --clear {self.folder}")

    def install(self) -> None:
        say(f"installing {', '.join(REQUIREMENTS)} into {self.folder.name} (takes a minute)")
        command = [str(self.python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
        command += ["--retries", "2", "--prefer-binary"]
        for name in REQUIREMENTS:
            command += ["-r", str(ROOT / name)]
        code, output = capture(command)
        if code:
            say(output.rstrip())
            if any(sign in output for sign in OFFLINE_SIGNS):
                say(
                    "pip could not get a package. Is this computer online? Behind a proxy set HTTPS_PROXY; without a "
                    "network point PIP_FIND_LINKS at a folder of wheels and set PIP_NO_INDEX=1."
                )
            raise Failed(f"failed (exit code {code}): {spelled(command)}")
        self.stamp.write_text(json.dumps(self.fingerprint()), encoding="utf-8")

    def stamped(self) -> object:
        try:
            return json.loads(self.stamp.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def fingerprint(self) -> dict[str, str]:
        """What the installed packages follow from; compared with the stamp of the last installation."""
        return {name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in REQUIREMENTS}


def base_python(name: str) -> Base:
    """Find an interpreter by path or by name, and refuse one that is too old."""
    executable = shutil.which(name)
    if executable is None:
        raise Failed(f"no such Python: {name}")
    code, version = capture([executable, "-c", "import platform; print(platform.python_version())"])
    if code:
        raise Failed(f"{name} is not a Python that runs")
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_PYTHON:
        raise Failed(f"{name} is Python {version.strip()}; Stash2Plex needs 3.9 or newer (choose one with --python)")
    return Base(os.path.abspath(executable), version.strip())


def need_ensurepip(base: Base) -> None:
    """Debian and Ubuntu ship Python without ensurepip; `python3 -m venv` then stops half way."""
    if capture([base.executable, "-c", "import venv, ensurepip"])[0] == 0:
        return
    package = "python" + ".".join(base.version.split(".")[:2]) + "-venv"
    raise Failed(
        f"Python {base.version} ({base.executable}) cannot make virtual environments because `ensurepip` is missing. "
        f"On Debian or Ubuntu: sudo apt install {package}. Elsewhere install Python from python.org, or choose "
        "another one with --python."
    )


# --- the commands -----------------------------------------------------------------------------------------------------


def demo(venv: Venv, arguments: list[str]) -> None:
    """show the whole road from Stash to Plex on stand-ins for both; --keep leaves them running"""
    run([venv.ready(), "-m", "bench.demo", *arguments])


def test(venv: Venv, arguments: list[str]) -> None:
    """run the tests; arguments go to pytest, for example: test tests/plex -k title"""
    run([venv.ready(), "-m", "pytest", *arguments])


def lint(venv: Venv, arguments: list[str]) -> None:
    """check style, format and types; lint --fix repairs style and format first"""
    if arguments not in ([], ["--fix"]):
        raise Failed("lint takes no argument but --fix", 2)
    python = venv.ready()
    if arguments:
        run([python, "-m", "ruff", "check", "--fix-only", "--quiet", "."])
        run([python, "-m", "ruff", "format", "."])
    checks = (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"])
    run_all([[python, "-m", *check] for check in checks])


def docs(venv: Venv, arguments: list[str]) -> None:
    """build the documentation into site/; a broken link is an error"""
    no_arguments("docs", arguments)
    run([venv.ready(), "-m", "mkdocs", "build", "--strict", "--clean"])


def zip_plugin(venv: Venv, arguments: list[str]) -> None:
    """build dist/Stash2Plex.zip, which people install, and dist/index.yml, where Stash looks for it"""
    no_arguments("zip", arguments)
    run([sys.executable, str(ROOT / "tools" / "plugin_zip.py")])


def proofs(venv: Venv, arguments: list[str]) -> None:
    """list every setting and every task with the tests that prove it; one without a test is an error"""
    no_arguments("proofs", arguments)
    run([venv.ready(), "-m", "tools.proofs"])


def bench(venv: Venv, arguments: list[str]) -> None:
    """measure what it costs, all of it in one table or one part: bench, bench drain, bench --quick"""
    run([venv.ready(), "-m", "bench", *arguments])


COMMANDS: dict[str, Callable[[Venv, list[str]], None]] = {
    "demo": demo,
    "test": test,
    "lint": lint,
    "docs": docs,
    "zip": zip_plugin,
    "bench": bench,
    "proofs": proofs,
}


def run_all(commands: list[list[str]]) -> None:
    """Run every command even when one fails, then fail with one line that names all that did."""
    failures = []
    for command in commands:
        say(spelled(command))
        try:
            run(command)
        except Failed as failure:
            failures.append(str(failure))
    if failures:
        raise Failed("; ".join(failures))


def no_arguments(name: str, arguments: list[str]) -> None:
    if arguments:
        raise Failed(f"{name} takes no arguments, got: {' '.join(arguments)}", 2)


# --- the command line -------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


def help_text() -> str:
    lines = [f"  {name:6} {(function.__doc__ or '').strip()}" for name, function in COMMANDS.items()]
    return "commands:\n" + "\n".join(lines)


def parse(words: list[str]) -> argparse.Namespace:
    """Options before the command are ours; everything after the command belongs to the command."""
    parser = argparse.ArgumentParser(
        prog="dev.py",
        usage="%(prog)s [--python PYTHON] [--venv FOLDER] COMMAND [ARGUMENT ...]",
        description=(__doc__ or "").strip(),
        epilog=help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--python", metavar="PYTHON", help="path or name of the Python to make the environment with")
    parser.add_argument("--venv", metavar="FOLDER", type=Path, default=ROOT / ".venv", help="another place for .venv")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    at = command_position(words)
    parsed = parser.parse_args(words[: at + 1])
    parsed.arguments = words[at + 1 :]
    return parsed


def command_position(words: list[str]) -> int:
    """The index of the command: the first word that is neither one of our options nor the value of one."""
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in ("--python", "--venv") else 1
    return at


def main(words: list[str]) -> int:
    parsed = parse(words)
    name = parsed.command
    if parsed.arguments in (["-h"], ["--help"]) and name != "test":
        print(f"dev.py {name}: {(COMMANDS[name].__doc__ or '').strip()}")
        return 0
    try:
        COMMANDS[name](Venv(parsed.venv.absolute(), parsed.python), parsed.arguments)
    except Failed as failure:
        say(str(failure))
        return failure.exit_code
    except KeyboardInterrupt:
        say(f"{name} was interrupted")
        return 130
    return 0


def start() -> NoReturn:
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    start()
