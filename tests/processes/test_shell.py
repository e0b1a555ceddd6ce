"""process_queue.py: the same queue, in a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from sync_queue import inbox, lease
from tests.canaries import API_KEY, LOGIN
from tests.processes.world import ROOT
from tests.waiting import until

OK, FAILED, USAGE, BLOCKED, STOPPED = 0, 1, 2, 3, 130
LAUNCHER = "Stash2PlexLauncher"


def put_marks(world, *ids):
    """What a hook would have left, without waking anybody."""
    for id in ids:
        world.stash.change(id, touch=False, code=f"from the shell {id}")
        inbox.put(world.data, {"kind": "scene", "id": int(id), "event": "Scene.Update.Post", "fields": []})


def answer(world, code, *arguments):
    """The JSON that the command prints, when it ends with this exit code."""
    ended, out, err = world.shell("--json", *arguments)
    assert ended == code, out + err
    assert "Traceback" not in err
    return json.loads(out)


def give_up(world):
    """A scene with two items in Plex; the key of one of them."""
    scene = world.add(91, in_plex=False, details="twice in Plex")
    keys = [world.plex.add_item(world._section, f"/media/{f}/scene 91.mp4", 10_091, title="x") for f in ("a", "b")]
    put_marks(world, scene)
    return scene, keys


def run_alone(*arguments, cwd=None, **environment):
    """The command without any world."""
    kept = {name: value for name, value in os.environ.items() if name != "STASH_PLUGIN_DATA"}
    command = [sys.executable, str(ROOT / "process_queue.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env={**kept, **environment}, timeout=60)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


def test_without_a_worker_every_option_does_what_it_says(world, tmp_path):
    world.stash.set_enabled(LAUNCHER, False)
    scene, keys = give_up(world)
    put_marks(world, "2", "3")
    first = answer(world, OK, "--stats-only")
    assert (first["inbox"], world.plex.count(), len(world.marks())) == (3, 0, 3)

    dry = {row["scene"]: row["decision"] for row in answer(world, OK, "--dry-run")["scenes"]}
    assert sorted(dry) == [2, 3, int(scene)] and "would be sent" in dry[2] and "ambiguous" in dry[int(scene)]
    explained = answer(world, OK, "--explain", "2")
    assert "tagline" in explained["decision"]
    assert (world.plex.count("PUT"), len(world.marks())) == (0, 3)
    assert answer(world, OK, "--stats-only") == first

    result = answer(world, OK)
    assert (result["state"], result["queued"], result["dead_letters"]) == ("ok", 0, {"ambiguous": 1})
    assert world.differences(["2", "3"]) == []
    code, out, err = world.shell("--dead-letters", cwd=tmp_path)
    assert code == OK and f"Scene {scene} was given up" in out and "(ambiguous)" in out, err

    world.plex.remove_item(keys[0])
    world.keys[scene] = keys[1]
    assert answer(world, OK, "--recover")["not_chosen"] == {"ambiguous": 1}
    assert answer(world, OK, "--recover", "unexpected,ambiguous")["done"] == {"synced": 1}
    assert world.differences([scene]) == []
    assert "never away" in answer(world, OK, "--outages")["note"]
    assert answer(world, OK, "--retry-dead-letters")["retried"] == 0
    code, out, err = world.shell("--verbose", cwd=tmp_path)
    assert code == OK and {"state: ok", "queued: 0"} <= set(out.splitlines()), err
    assert not lease.held(world.data)


def test_with_a_worker_it_follows_that_one(world, tmp_path):
    world.stash.save("1", code="X")
    world.synced(only=["1"])
    record = world.worker()
    put_marks(world, "2", "3")
    assert answer(world, OK)["queued"] == 0
    assert world.differences(["1", "2", "3"]) == []
    assert answer(world, OK, "--stats-only")["synced"] == 3
    world.stash.change("4", touch=False, studio="S")
    assert "studio" in answer(world, OK, "--explain", "4")["decision"]
    code, out, err = world.shell("--once", "--plex-library", "Elsewhere", cwd=tmp_path)
    assert code == OK and "--plex-library is not used" in err, out
    assert world.living == [record]


def test_once_does_one_job_and_leaves_the_rest(world):
    world.stash.set_enabled(LAUNCHER, False)
    for id in world.keys:
        world.stash.change(id, touch=False, code="Y")
    world.seed(60)
    put_marks(world, *world.keys)
    result = answer(world, OK, "--once")
    assert (result["done"], result["queued"]) == ({"synced": 50}, 20)


def test_what_is_in_the_way_is_exit_code_three_and_nothing_is_lost(world):
    world.stash.set_enabled(LAUNCHER, False)
    world.plex.maintenance = True
    put_marks(world, "1", "2")
    result = answer(world, BLOCKED)
    assert (result["queued"], result["dead_letters"]) == (2, {})
    world.plex.maintenance = False
    world.plex.down()
    assert answer(world, BLOCKED)["state"].startswith("Plex is away")
    assert answer(world, BLOCKED, "--outages")["breaker"]["state"] == "open"
    world.plex.up()
    assert answer(world, OK)["queued"] == 0  # who asks again does not wait for the next probe
    assert world.differences(["1", "2"]) == []
    world.configure(plex_url=None)
    put_marks(world, "3")
    assert answer(world, BLOCKED)["state"].startswith("Setting plex_url is missing")
    world.stash.kill()
    code, out, err = world.shell("--json")
    assert code == BLOCKED and "Stash does not answer" in json.loads(out)["state"] and "--stash-url" in err
    assert "Stash does not answer" in answer(world, FAILED, "--explain", "3")["error"]


def test_plex_can_be_named_on_the_command_line(world, tmp_path):
    world.stash.set_enabled(LAUNCHER, False)
    world.configure(plex_url=None, plex_token=None)
    (tmp_path / "secrets").mkdir()
    file = tmp_path / "secrets" / "token"
    file.write_text(world.plex.token + "\n")
    put_marks(world, "1", "2")
    arguments = ("--plex-url", world.plex.url, "--plex-library", "Movies")
    assert answer(world, OK, *arguments, "--plex-token-file", str(file))["done"] == {"synced": 2}
    assert world.differences(["1", "2"]) == []
    put_marks(world, "3")
    world.plex.token = "for-everybody-to-read"
    code, out, err = world.shell("--plex-token", world.plex.token, "--plex-url", world.plex.url)
    assert "done: 1 (synced 1)" in out  # other settings for one run are no reason to compare everything
    assert code == OK and "Others can read --plex-token" in err
    assert world.plex.token not in out + err


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to a whole console")
def test_ctrl_c_ends_between_two_jobs_and_nothing_is_lost(world):
    world.stash.set_enabled(LAUNCHER, False)
    world.seed(110)
    put_marks(world, *world.keys)
    world.plex.latency_s = 0.05
    command = [sys.executable, str(ROOT / "process_queue.py"), "--stash-url", world.stash.url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    until(lambda: world.plex.count("PUT"), what="the first edit")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == STOPPED and "Nothing is lost" in err and "Traceback" not in err
    world.plex.latency_s = 0.0
    assert world.rows("attempts") == []
    assert world.differences() and not lease.held(world.data)
    assert answer(world, OK)["queued"] == 0
    assert world.differences() == []


def test_with_a_login_it_takes_the_api_key_from_a_file(build, tmp_path):
    world = build(credentials=LOGIN)
    world.seed(2)
    world.stash.api_key = API_KEY
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text(API_KEY + "\n")
    put_marks(world, "1")
    code, out, err = world.shell("--json")
    assert (code, "login" in json.loads(out)["state"], "--stash-api-key-file" in err) == (BLOCKED, True, True)
    code, *_ = world.shell("--json", "--stash-api-key-file", str(tmp_path / "secrets" / "key"))
    assert (code, world.differences(["1"])) == (OK, [])


def test_it_finds_the_data_beside_itself_from_any_folder(tmp_path):
    code, out, _ = run_alone("--help", cwd=tmp_path)
    assert code == OK and os.path.join(str(ROOT), "data") in out.replace("\n", "").replace(" ", "")
    assert "exit codes:" in out and all(f"  {number}" in out for number in (OK, FAILED, USAGE, BLOCKED, STOPPED))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--frobnicate",), "usage:"),
        (("--once", "--dry-run"), "not allowed with"),
        (("--explain", "x"), "is not the number of a scene"),
        (("--recover", "mising"), "There is no kind of dead letter 'mising'"),
        (("--plex-url", "ftp://plex"), "Setting plex_url: the given value is not"),
        (("--stash-url", "ftp://stash"), "--stash-url is not an address"),
        (("--stash-api-key-file", "nothing"), "File nothing cannot be read"),
        (("--plex-token-file", "empty"), "File empty is empty"),
    ],
)
def test_wrong_usage_is_exit_code_two(tmp_path, arguments, says):
    (tmp_path / "empty").write_text("\n")
    code, out, err = run_alone("--data-dir", tmp_path / "data", *arguments, cwd=tmp_path)
    assert (code, out) == (USAGE, "") and says in err


def test_a_data_folder_that_cannot_be_used_is_exit_code_one(tmp_path):
    (tmp_path / "file").write_text("in the way")
    code, out, err = run_alone("--json", "--data-dir", tmp_path / "file" / "data", cwd=tmp_path)
    assert code == FAILED and "cannot be used" in json.loads(out)["error"]
    assert "name it by --data-dir" in err
