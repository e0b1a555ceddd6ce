"""process_queue.py: the same queue, in a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from sync_queue import inbox
from tests.processes.world import ROOT

OK, FAILED, USAGE, BLOCKED = 0, 1, 2, 3


def put_marks(world, *ids):
    """What a hook would have left, without waking anybody."""
    for id in ids:
        world.stash.change(id, touch=False, code=f"from the shell {id}")
        inbox.put(world.data, {"kind": "scene", "id": int(id), "event": "Scene.Update.Post", "fields": []})


@pytest.fixture(params=["with a worker", "without a worker"])
def prepared(world, request):
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    if request.param == "without a worker":
        world.stash.set_enabled("Stash2PlexLauncher", False)
        world.kill_worker(signal.SIGTERM)
    return world


def test_it_works_the_queue_off(prepared, tmp_path):
    put_marks(prepared, "2", "3")
    code, out, err = prepared.shell("--json", cwd=tmp_path)
    assert code == OK, err
    result = json.loads(out)
    assert (result["state"], result["queued"], result["dead_letters"]) == ("ok", 0, {})
    assert prepared.differences(["1", "2", "3"]) == []


def test_it_says_so_in_words_without_json(prepared, tmp_path):
    code, out, _ = prepared.shell(cwd=tmp_path)
    assert code == OK
    assert "state: ok" in out.splitlines()
    assert "queued: 0" in out.splitlines()


def test_stats_only_changes_nothing(world, tmp_path):
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    world.stash.set_enabled("Stash2PlexLauncher", False)
    world.kill_worker(signal.SIGTERM)
    put_marks(world, "2", "3")
    before = world.plex.count()
    code, out, _ = world.shell("--stats-only", "--json", cwd=tmp_path)
    assert code == OK
    assert json.loads(out)["inbox"] == 2
    assert (len(world.marks()), world.plex.count()) == (2, before)


def test_stats_only_asks_the_living_worker(world, tmp_path):
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    code, out, _ = world.shell("--stats-only", "--json", cwd=tmp_path)
    assert (code, json.loads(out)["synced"]) == (OK, 1)
    assert world.living


def test_it_finds_the_data_beside_itself_from_any_folder(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "STASH_PLUGIN_DATA"}
    command = [sys.executable, str(ROOT / "process_queue.py"), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, timeout=60)
    assert done.returncode == OK
    assert os.path.join(str(ROOT), "data") in done.stdout.replace("\n", "").replace(" ", "")


def test_a_busy_plex_is_exit_code_three(world, tmp_path):
    world.plex.maintenance = True
    put_marks(world, "1", "2")
    code, out, _ = world.shell("--json", cwd=tmp_path)
    result = json.loads(out)
    assert (code, result["queued"], result["dead_letters"]) == (BLOCKED, 2, {})
    assert result["state"] != "ok"
    world.plex.maintenance = False
    assert world.shell("--json")[0] == OK
    assert world.differences(["1", "2"]) == []


def test_a_person_who_asks_again_after_an_outage_does_not_wait_for_the_next_probe(prepared, tmp_path):
    prepared.plex.down()
    put_marks(prepared, "2", "3")
    assert prepared.shell("--json", cwd=tmp_path)[0] == BLOCKED
    prepared.plex.up()
    code, out, _ = prepared.shell("--json", cwd=tmp_path)
    assert (code, json.loads(out)["queued"]) == (OK, 0)
    assert prepared.differences(["2", "3"]) == []


def test_a_missing_setting_is_exit_code_three(world, tmp_path):
    world.configure(plex_url=None)
    put_marks(world, "1")
    code, out, _ = world.shell("--json", cwd=tmp_path)
    assert (code, json.loads(out)["queued"]) == (BLOCKED, 1)
    assert json.loads(out)["state"].startswith("Setting plex_url is missing")


def test_stash_away_is_exit_code_three(world, tmp_path):
    put_marks(world, "1")
    world.stash.kill()
    code, out, _ = world.shell("--json", cwd=tmp_path)
    assert (code, len(json.loads(out)["state"]) > 0) == (BLOCKED, True)


def test_wrong_usage_is_exit_code_two(world, tmp_path):
    code, out, err = world.shell("--frobnicate", cwd=tmp_path)
    assert (code, out) == (USAGE, "")
    assert "usage:" in err


def test_a_data_folder_that_cannot_be_used_is_exit_code_one(world, tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, out, err = world.shell("--json", "--data-dir", str(tmp_path / "file" / "data"))
    assert code == FAILED
    assert "cannot be used" in json.loads(out)["error"]
    assert "Traceback" not in err


def test_with_a_login_it_takes_the_api_key_from_a_file(build, tmp_path):
    world = build(credentials=("someone", "a password"))
    world.seed(2)
    world.stash.api_key = "the-api-key"
    (tmp_path / "key").write_text("the-api-key\n")
    put_marks(world, "1")
    code, out, _ = world.shell("--json")
    assert (code, "login" in json.loads(out)["state"]) == (BLOCKED, True)
    code, out, err = world.shell("--json", "--stash-api-key-file", str(tmp_path / "key"))
    assert (code, world.differences(["1"])) == (OK, [])
    assert "the-api-key" not in out + err


def test_an_api_key_file_that_is_not_there_is_exit_code_one(world, tmp_path):
    code, out, err = world.shell("--json", "--stash-api-key-file", str(tmp_path / "nothing"))
    assert code == FAILED
    assert "nothing" in json.loads(out)["error"]
    assert "Traceback" not in err
