"""The net under the whole suite: after each test no secret of `tests.canaries` may be where somebody can read it.

Looked at: what the test and the processes it started wrote, their command lines, every file that the test left, what
the Stash double was told (log lines of all levels, answers, results of jobs), the addresses that the Plex double was
asked for, and the texts of our own errors before anything was masked. In each of them, a secret may be raw,
URL-encoded, escaped for JSON, or in Base64.

Two places may hold secrets: ``tmp_path / "secrets"``, for what a test itself has to put into a file, and the cookie
that a hook hands over to a worker, whole and readable for its owner only.

`tests.conftest` makes this part of every test; as a plugin it is ``-p tests.secret_net``.
"""

from __future__ import annotations

import base64
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable, Union

import pytest

from stash import log
from stash.protocol import COOKIE_FILE
from tests import canaries
from tests.canaries import COOKIE_HEAD, COOKIE_TAIL, MARKER
from tests.doubles.stash_server import StashDouble
from validation.errors import Trouble

Said = Union[str, bytes, None]

KEPT = "secrets"
AROUND = 60
SHOWN = "‹a secret›"

# What was said since the last look, and where.
heard: list[tuple[str, Said]] = []


def in_base64(marker: bytes) -> set[bytes]:
    """What is the same in the Base64 of every text that holds the marker, wherever in the text it stands."""
    found = set()
    for shift in range(3):
        first, last = -(-shift * 8 // 6), (shift + len(marker)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            found.add(encode(b"\0" * shift + marker)[first:last])
    return found


NEEDLES = (MARKER.encode(), *sorted(in_base64(MARKER.encode())))


# what is found


def leaks(*folders: Path) -> list[str]:
    """One sentence per place with a secret, without the secret; forgets what was heard."""
    said = [*heard, *from_doubles(), *(one for folder in folders for one in from_files(folder))]
    heard.clear()
    canaries.started[:] = {id(double): double for double in canaries.started if double.running}.values()
    return list(dict.fromkeys(sentence for place, text in said for sentence in found_in(place, text)))


def found_in(place: str, said: Said) -> Iterator[str]:
    """A sentence when there is a secret in this text."""
    text = said.encode("utf-8", "surrogatepass") if isinstance(said, str) else said or b""
    for needle in NEEDLES:
        at = text.find(needle)
        if at >= 0:
            around = text[max(0, at - AROUND) : at + len(needle) + AROUND]
            for one in NEEDLES:
                around = around.replace(one, SHOWN.encode())
            yield f"A secret shows in {place}: …{around.decode('utf-8', 'replace')}…"
            return


def from_files(folder: Path) -> Iterator[tuple[str, Said]]:
    """Names and contents of all files below the folder."""
    for where, folders, names in os.walk(folder):
        if Path(where) == folder and KEPT in folders:
            folders.remove(KEPT)
        for name in names:
            path = Path(where, name)
            yield "a file's name", str(path.relative_to(folder))
            content = _content(path)
            if not _handed_over(path, content):
                yield f"file {path.relative_to(folder)}", content


def from_doubles() -> Iterator[tuple[str, Said]]:
    """What the doubles of this test were told."""
    for double in {id(one): one for one in canaries.started}.values():
        yield from (_from_stash if isinstance(double, StashDouble) else _from_plex)(double)


def shared_folders(folder: Path) -> list[Path]:
    """Where the doubles are at home that several tests share, if that is beside the folder of this test."""
    homes = (Path(one.plugins.config_dir).parent for one in canaries.started if isinstance(one, StashDouble))
    return [home for home in homes if home.parent == folder.parent]


def _from_stash(stash: Any) -> Iterator[tuple[str, Said]]:
    yield "the log of Stash", "\n".join(text for _, _, text in list(stash.log))
    for record in stash.processes:
        yield f"the answer of a process ({record.kind} {record.trigger})", record.answer
    for job in list(stash.jobs._all.values()):
        told = (job.description, job.subTasks, job.plugin_error, job.error, job.output)
        yield f"a job of Stash ({job.description})", str(told)


def _from_plex(plex: Any) -> Iterator[tuple[str, Said]]:
    yield "an address asked of Plex", "\n".join(f"{entry.path}?{entry.query}" for entry in plex.requests())


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else b""
    except OSError:
        return b""  # gone, or closed even to us


def _handed_over(path: Path, content: bytes) -> bool:
    """Whether this is the cookie that a hook left for a worker, and nobody else can read it."""
    if path.name.partition(".")[0] != COOKIE_FILE or path.parent.name == "cache":
        return False
    whole = content.startswith(COOKIE_HEAD.encode()) and content.endswith(COOKIE_TAIL.encode())
    return whole and content.count(b"|") == 1 and (os.name == "nt" or path.stat().st_mode & 0o077 == 0)


# what is heard


def command_lines() -> Iterator[tuple[str, Said]]:
    """Of our children, their children and so on, where there is a /proc."""
    for name in filter(str.isdigit, os.listdir("/proc") if os.path.isdir("/proc/self") else ()):
        try:
            line = Path("/proc", name, "cmdline").read_bytes()
            if any(needle in line for needle in NEEDLES) and _descends(int(name)):
                yield "a command line", line
        except OSError:
            pass  # it has just ended


def _descends(process: int) -> bool:
    """Whether it comes from us: others may be testing on this machine too."""
    while process not in (0, 1, os.getpid()):
        after_name = Path("/proc", str(process), "stat").read_text("utf-8", "replace").rpartition(")")[2]
        process = int(after_name.split()[1])
    return process == os.getpid()


def _wrapped(owner: Any, name: str, hear: Callable[..., None]) -> None:
    """Let ``hear(result, *arguments)`` follow each call of this method."""
    plain = getattr(owner, name)
    if hasattr(plain, "unheard"):
        return

    def method(*arguments: Any, **options: Any) -> Any:
        result = plain(*arguments, **options)
        hear(result, *arguments, **options)
        return result

    method.unheard = plain  # type: ignore[attr-defined]
    setattr(owner, name, method)


def _hear_outputs(result: Any, *_: Any, **__: Any) -> None:
    heard.extend(("the output of a process", said) for said in result)


def _hear_capture(result: Any, *_: Any) -> None:
    heard.extend(("what the test wrote", said) for said in result)


def _hear_arguments(_: Any, process: Any, arguments: Any, *rest: Any, **options: Any) -> None:
    heard.append(("a command line", repr(arguments)))


def _hear_error(_: Any, trouble: Trouble, *rest: Any, **options: Any) -> None:
    heard.append(("the text of an error", trouble.message))


_wrapped(subprocess.Popen, "__init__", _hear_arguments)
_wrapped(subprocess.Popen, "communicate", _hear_outputs)
_wrapped(pytest.CaptureFixture, "readouterr", _hear_capture)
_wrapped(Trouble, "__init__", _hear_error)


# in every test


@pytest.fixture(autouse=True)
def no_secret_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails when a secret is found; and what an earlier test hid is hidden no more, or it would cover a leak."""
    monkeypatch.setattr(log, "_secrets", [])
    yield
    found = leaks(*{tmp_path, *shared_folders(tmp_path)})
    if found:
        pytest.fail("\n".join(found), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    """While the processes of the test still live, look at their command lines."""
    try:
        yield
    finally:
        if any(place == "a command line" for place, _ in heard):
            heard.extend(command_lines())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Any:
    """What pytest captured of the whole test is known after its teardown only."""
    report = yield
    if report.when == "teardown" and not report.failed:
        found = [sentence for title, text in report.sections for sentence in found_in(title, text)]
        if found:
            report.outcome, report.longrepr = "failed", "\n".join(found)
    return report
