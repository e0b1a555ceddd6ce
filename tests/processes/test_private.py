"""What the settings obfuscate_paths and debug_logging do to everything that leaves our processes."""

from __future__ import annotations

import json
import re
import signal

import pytest

from tests.waiting import until

TITLE, FOLDER, NAME = "A very private title", "A private person", "private scene.mp4"
PERSONAL = (TITLE, FOLDER, NAME, "Private tag")
CODE = re.compile(r"(?:name|path)-[0-9a-f]{8}")


def prepare(world, **settings):
    """A scene that Plex knows twice by name, one that it does not know, both tried by a worker; one not yet sent."""
    world.configure(**settings)
    world._clock.behind_s = 3_000.0
    world.stash.add_scene(path=f"/data/{FOLDER}/{NAME}", size=1_000, title=TITLE, details="Details")
    world.stash.add_scene(path=f"/data/{FOLDER}/other {NAME}", size=2_000, title=TITLE, details="Details")
    for number in (1, 2):
        world.plex.add_item(
            world._section, f"/media/{FOLDER} {number}/{NAME}", 5_000 + number, title=f"{TITLE} {number}"
        )
    names = {"performers": [FOLDER], "tags": [f"{FOLDER}'s"], "studio": f"{FOLDER}'s house", "director": FOLDER}
    world.stash.add_scene(path=f"/data/{FOLDER}/third {NAME}", size=3_000, title=TITLE, details=TITLE, **names)
    world._clock.behind_s = 0.0
    world.plex.add_item(world._section, f"/media/third {NAME}", 3_000, title=f"third {NAME}", genres=["Private tag"])
    for id in ("1", "2"):
        world.stash.save(id, code="X")
    until(lambda: world.logged("Scene 1 is given up") and world.logged("Scene 2 waits"), what="both to be tried")


def everything_said(world):
    """Log, answers of tasks by the living worker, answers of the shell without one."""
    said = {
        "status": world.run_task("View Queue Status")["output"],
        "explanation": world.run_task("Explain Scene", scene_id="1")["output"],
    }
    world.kill_worker(signal.SIGTERM)
    for options in ("--stats-only", "--dead-letters --json", "--explain 1", "--explain 2 --json", "--explain 3"):
        code, *said[options] = world.shell(*options.split())
        assert code == 0, said[options]
    said["log"] = [text for _, _, text in list(world.stash.log)]
    return {name: json.dumps(one, ensure_ascii=False) for name, one in said.items()}


@pytest.mark.proves("setting:obfuscate_paths")
@pytest.mark.parametrize("obfuscate", [True, False])
def test_paths_and_titles_are_hidden_everywhere_or_nowhere(build, obfuscate):
    world = build()
    prepare(world, obfuscate_paths=obfuscate)
    said = everything_said(world)
    for name, text in said.items():
        assert "\\u000e" not in text and "\\u000f" not in text and "\\x0e" not in text, name
        assert bool(CODE.search(text)) == obfuscate == (NAME not in text), name
        if obfuscate:
            assert [personal for personal in PERSONAL if personal in text] == [], name
    if obfuscate:
        given_up = next(text for text in world.logged("Scene 1 is given up"))
        codes = set(CODE.findall(given_up))
        assert len(codes) == 4  # two titles, two paths
        assert all(codes <= set(CODE.findall(said[name])) for name in ("status", "--stats-only", "explanation"))
    else:
        assert all(personal in said["--explain 3"] for personal in PERSONAL)


def levels(world, part):
    return {level for level, _, text in list(world.stash.log) if part in text}


@pytest.mark.proves("setting:debug_logging")
def test_debug_logging_shows_every_decision_at_a_level_that_stash_shows(build):
    world = build()
    world.seed(2)
    world.configure(debug_logging=True)
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    until(lambda: world.logged("[DEBUG] Scenes 1 queued"), what="the decision to queue the scene")
    assert levels(world, "[DEBUG]") == {"info"}
    world.configure(debug_logging=False)
    world.run_task("Process Queue")
    before = len(world.logged("[DEBUG]"))
    world.stash.save("2", code="X")
    world.synced(only=["2"])
    assert len(world.logged("[DEBUG]")) == before
    assert levels(world, "Scenes 2 queued") <= {"debug"}
