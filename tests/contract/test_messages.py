"""Each warning and error that the code can log has a row in the documentation, and each row a message in the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.contract.messages import GAP, NO_MESSAGE, Message, messages, quotes, rows, undocumented
from tests.contract.source_tree import ROOT, Module, modules

PAGE = "troubleshoot.md"
# Messages that only some people meet may be explained where these people look.
ELSEWHERE = {
    "process_queue": "shell.md",
    "worker.foreground": "shell.md",
    "worker.terminal": "shell.md",
    "worker.deps": "install.md",
    "worker.wheels": "install.md",
    # What the plugin never says.
    "plex.agents": "provider.md",
    "plex.rules": "provider.md",
    **{module.name: "provider.md" for module in modules() if module.name.startswith("provider.")},
}
SPEAKING = {"hooks", "plex", "process_queue", "provider", "stash", "sync_queue", "validation", "worker"}

KETTLE = [
    'log.warning("Kettle", "Kettle boils over")',
    'log.error("Kettle", f"Kettle {7} boils over: {now}")',
    'log.error("Kettle", "Kettle %s boils over" % now)',
    'log.error("Kettle", "Kettle " + now + " boils over")',
    'log.error("Kettle", "Kettle boils over" if now else other)',
    'write = log.error if now else log.warning\nwrite("Kettle", f"Kettle {now} boils over")',
    'say("warning", "Kettle boils over")',
    'fail("Kettle boils over")',
    'raise Trouble(Kind.PERMANENT, f"Kettle boils over ({now})")',
    'class Spilt(Trouble):\n    pass\nraise Spilt("boils over")',
    'class Hot(OSError):\n    def __init__(self):\n        super().__init__("Kettle boils over")',
    'made = Spilt if now else Trouble\nraise made(Kind.BUSY, f"boils over {now}")',
    'answer = {"error": "boils over"}',
    'BOILS = "Kettle boils over ({})"',
    'WHY = ((r"100 C", "the kettle boils over"),)',
    'def why():\n    return f"kettle {now} boils over"',
    'sentences.append(f"{now} boils over. Take it off")',
    'Outcome(1, trouble=now, reason="boils over")',
]
NO_KETTLE = [
    '"""Kettle boils over in a docstring."""',
    'log.info("Kettle", "Kettle boils over")',
    'log.debug("Kettle", f"Kettle {now} boils over")',
    'parser.add_argument("--kettle", help="says that the kettle boils over")',
    'rows = db.execute("SELECT kettle, boils, over FROM stove")',
    'raise ValueError("kettle boils over")',
    'def boils(kettle: "the kettle boils over") -> "the kettle boils over":\n    pass',
]


@pytest.fixture(scope="module")
def found() -> list[Message]:
    return messages(modules())


def page(name: str) -> list[str]:
    return rows((ROOT / "docs" / name).read_text(encoding="utf-8"))


def fake(folder: Path, source: str, name: str = "worker.kettle") -> list[Module]:
    path = folder / "kettle.py"
    path.write_text("class Trouble(Exception):\n    pass\n" + source, encoding="utf-8")
    return [Module(name, path)]


def test_every_warning_and_error_is_explained(found: list[Message]):
    lacking = undocumented(found, page(PAGE))
    for name in set(ELSEWHERE.values()):
        there = [message for message in lacking if ELSEWHERE.get(message.module) == name]
        explained = set(there) - set(undocumented(there, page(name)))
        lacking = [message for message in lacking if message not in explained]
    assert [str(message) for message in lacking] == []


@pytest.mark.parametrize("name", [PAGE, "shell.md", "provider.md"])
def test_no_row_quotes_what_nothing_says(name: str, found: list[Message]):
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    told = quotes(text if name == PAGE else text.partition("## What it may say")[2].partition("\n## ")[0])
    assert told
    assert [quote for quote in told if not any(message.pattern.search(quote) for message in found)] == []


def test_messages_are_found_in_every_package_that_speaks(found: list[Message]):
    assert {message.module.partition(".")[0] for message in found} >= SPEAKING


@pytest.mark.parametrize(
    "beginning",
    [
        "Plex refused the token",  # the values of a dict
        "Plex cannot be reached (connection refused",  # a return value, inside an exception
        "Cache was damaged (",  # a template that is kept and formatted later
        "Setting \0: \0 is not \0; its default",  # a warning in a list
        "\0 is never reached: \0 fits first",  # a sentence of the path rules
        "this Python has no pip",  # a constant of the installation
        "Python packages are missing (\0) and could not be installed",
        "\0 was written by a newer version",  # the text of an exception of ours that is one of the library's
        "the worker died \0 times",  # the reason of an outcome
        "Data folder \0 cannot be written (\0)",  # formatted by %
    ],
)
def test_a_message_is_found_on_whatever_road_it_travels(beginning: str, found: list[Message]):
    assert [message for message in found if message.text.startswith(beginning)]


@pytest.mark.parametrize("source", KETTLE)
def test_a_new_message_that_no_page_explains_is_found(source: str, tmp_path: Path):
    (message,) = undocumented(messages(fake(tmp_path, source)), page(PAGE))
    assert "boils over" in message.text
    assert message.module == "worker.kettle"


@pytest.mark.parametrize("source", KETTLE)
def test_a_row_that_quotes_a_message_explains_it(source: str, tmp_path: Path):
    (message,) = messages(fake(tmp_path, source))
    quoted = message.text.replace(GAP, "…")
    assert undocumented([message], rows(f"| It says | What to do |\n|---|---|\n| {quoted} | take it off |")) == []


@pytest.mark.parametrize("source", NO_KETTLE)
def test_what_warns_nobody_is_no_message(source: str, tmp_path: Path):
    assert messages(fake(tmp_path, source)) == []


def test_an_answer_counts_only_when_it_is_an_error(tmp_path: Path):
    answers = 'row = {"says": "the kettle boils over", "error": f"the kettle {1} boils over"}'
    assert [message.text for message in messages(fake(tmp_path, answers, "worker.tasks_kettle"))] == [
        f"the kettle {GAP} boils over"
    ]


def test_every_text_that_is_exempt_still_exists():
    sources = "".join(module.path.read_text(encoding="utf-8") for module in modules())
    assert [text for text in NO_MESSAGE if text.strip() not in sources] == []
