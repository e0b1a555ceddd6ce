"""A damaged database: set aside, one line about it, and every scene compared anew. Stash itself is the backup."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.waiting import until

STORE, QUEUE = "stash2plex.db", os.path.join("queue", "data.db")


def spoil_header(file):
    with open(file, "r+b") as opened:
        opened.write(b"\0garbage\xff" * 12)


def cut_in_half(file):
    os.truncate(file, file.stat().st_size // 2)


def overwrite_with_text(file):
    file.write_text("this was a database once\n" * 40)


def empty(file):
    os.truncate(file, 0)


def spoil_the_middle(file):
    size = file.stat().st_size
    with open(file, "r+b") as opened:
        opened.seek(size // 3)
        opened.write(b"\xa5" * (size // 2))


EVERY = (spoil_header, cut_in_half, overwrite_with_text, empty, spoil_the_middle)
DAMAGES = [(STORE, damage) for damage in EVERY] + [(QUEUE, damage) for damage in (spoil_header, cut_in_half, empty)]


@pytest.mark.parametrize(("name", "damage"), DAMAGES)
def test_a_damaged_file_is_set_aside_and_every_scene_is_compared_anew(world, name, damage):
    world.stash.bulk_save(list(world.keys), code="X")
    world.synced()
    world.kill_worker(signal.SIGTERM)
    damage(Path(world.data, name))
    world.stash.change("9", touch=False, title="nobody heard of this")
    world.stash.save("1", code="Y")
    world.synced()
    assert set_aside(world) == 1
    (line,) = world.errors()
    assert "was damaged and set aside as" in line
    until(lambda: quiet(world.status()), what="the end of the comparison")


def quiet(status):
    return (status["state"], status["inbox"], status["queued"], status["dead_letters"]) == ("ok", 0, 0, {})


def set_aside(world):
    return sum(".corrupt-" in name for name in os.listdir(world.data))


def test_both_files_may_be_damaged_at_once_and_a_task_mends_them(world):
    world.stash.bulk_save(list(world.keys), code="X")
    world.synced()
    world.kill_worker(signal.SIGTERM)
    world.stash.set_enabled("Stash2PlexLauncher", False)  # so it is the task itself that does it
    for name in (STORE, QUEUE):
        overwrite_with_text(Path(world.data, name))
    world.stash.change("9", touch=False, title="nobody heard of this")
    assert world.run_task("Process Queue")["error"] is None
    world.synced()
    assert set_aside(world) == 2


def test_a_damaged_mark_is_set_aside_and_the_others_are_done(world):
    inbox = Path(world.data, "inbox")
    inbox.mkdir(parents=True, mode=0o700)
    for number, content in enumerate((b"", b"{", b"[]", b'{"kind": 5}', b'{"kind": "scene", "id": "x"}', b"\xff" * 99)):
        (inbox / f"{number}-1-1.json").write_bytes(content)
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    assert len(world.logged("is damaged and was set aside")) == 6
    assert world.status()["inbox"] == 0
