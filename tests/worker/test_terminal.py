"""Progress and Ctrl-C in a terminal."""

from __future__ import annotations

import io

import pytest

from worker.terminal import Progress, Stop, printable


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_that_leaves_nothing_behind() -> None:
    screen = Screen()
    progress = Progress(screen)
    for fraction in (0.0, 0.5, 0.5, 1.0):
        progress.show(fraction)
    progress.end()
    shown = screen.getvalue().split("\r")
    assert [part.count("#") for part in shown[:3]] == [0, 12, 24]
    assert shown[-2].strip() == "" and "\n" not in screen.getvalue()


def test_a_file_gets_a_plain_line_at_each_tenth_and_none_for_what_is_done_at_once() -> None:
    file = io.StringIO()
    progress = Progress(file)
    for number in range(1_001):
        progress.show(number / 1_000)
    progress.end()
    assert file.getvalue().count("\n") == 10 and file.getvalue().startswith("Progress: 10 %\n")
    quick = io.StringIO()
    Progress(quick).show(1.0)
    assert quick.getvalue() == ""


def test_a_terminal_that_is_gone_does_no_harm() -> None:
    screen = Screen()
    progress = Progress(screen)
    screen.close()
    screen.isatty = lambda: True  # type: ignore[method-assign]
    progress.show(0.5)
    progress.end()


def test_the_first_ctrl_c_waits_for_the_job_and_the_second_does_not() -> None:
    messages = io.StringIO()
    stop = Stop(messages)
    stop.look()
    stop._asked(2, None)
    with pytest.raises(KeyboardInterrupt):
        stop.look()
    with pytest.raises(KeyboardInterrupt):
        stop._asked(2, None)
    assert "job at hand" in messages.getvalue()


def test_control_characters_cannot_steer_a_terminal() -> None:
    assert printable("a\x1b[2Jb\x07") == "a\\x1b[2Jb\\x07"
    assert printable("Ünïcode 漢字") == "Ünïcode 漢字"
