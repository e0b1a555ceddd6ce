"""The Stash double runs plugins as a running Stash was seen to run them."""

import json
import os
import subprocess
import sys
import time

import pytest

from tests.doubles.stash_probe import Probe, posix_only, wait
from tests.doubles.stash_server import GraphQLFailed, StashDouble


@pytest.fixture
def probe(tmp_path):
    return Probe(tmp_path)


@pytest.fixture
def stash(probe):
    with StashDouble([probe.folder]) as double:
        yield double


# -- hooks -------------------------------------------------------------------


def test_hooks_run_one_after_the_other_and_the_save_waits_for_them(stash, probe):
    ids = [stash.add_scene(f"/d/{n}.mp4") for n in range(3)]
    stash.bulk_save(ids, title="T")
    assert [line.split()[:2] for line in probe.notes()] == [[act, i] for i in ids for act in ("begin", "end")]
    assert [record.exit_code for record in stash.processes] == [0, 0, 0]


@posix_only
def test_a_client_that_leaves_kills_the_hook_and_loses_the_rest(stash, probe, monkeypatch):
    monkeypatch.setenv("PROBE_SLEEP", "0.3")
    ids = [stash.add_scene(f"/d/{n}.mp4") for n in range(5)]
    query = "mutation($i:BulkSceneUpdateInput!){bulkSceneUpdate(input:$i){id}}"
    stash.gql(query, {"i": {"ids": ids, "title": "T"}}, drop_after=0.45)
    wait(lambda: stash.processes[-1].exit_code is not None)
    time.sleep(0.2)
    assert [record.exit_code for record in stash.processes] == [0, -9]
    assert {scene["title"] for scene in stash.scenes().values()} == {"T"}
    assert ("error", "", "error executing post hooks: operation cancelled") in stash.log


def test_a_disabled_plugin_and_switched_off_hooks_start_nothing(stash):
    scene = stash.add_scene("/d/a.mp4")
    stash.set_enabled("Probe", False)
    stash.save(scene, title="one")
    with pytest.raises(GraphQLFailed, match="disabled"):
        stash.operation("Probe", {"mode": "echo"})
    stash.gql("mutation{setPluginsEnabled(enabledMap:{Probe:true})}")
    stash.hooks_enabled = False
    stash.save(scene, title="two")
    assert stash.processes == []


def test_a_plugin_that_cannot_start_ends_the_hooks_of_that_event(tmp_path, probe):
    (tmp_path / "Absent.yml").write_text(
        "name: Absent\nexec: [no-such-program]\nhooks: [{name: h, triggeredBy: [Scene.Update.Post]}]\n", "utf-8"
    )
    with StashDouble([tmp_path]) as stash:
        stash.save(stash.add_scene("/d/a.mp4"), title="saved all the same")
        assert stash.processes == []
        assert "error executing post hooks: error running plugin" in stash.log[-1][2]


@pytest.mark.parametrize(
    "manifest", ["name: X\nunknown: 1\n", "name: X\nsettings: {a: {type: FLOAT}}\n", "[1", "- 1\n"]
)
def test_a_manifest_stash_refuses_is_left_out_and_logged(tmp_path, probe, manifest):
    (tmp_path / "Bad.yml").write_text(manifest, "utf-8")
    with StashDouble([tmp_path]) as stash:
        assert sorted(plugin["id"] for plugin in stash.gql("{plugins{id}}")["plugins"]) == ["Launcher", "Probe"]
        assert "Error loading plugin" in stash.log[0][2]


def test_of_the_projects_own_folder_only_its_two_manifests_count(tmp_path):
    (tmp_path / "launcher").mkdir()
    for name in ("Stash2Plex.yml", "launcher/Stash2PlexLauncher.yml", "mkdocs.yml"):
        (tmp_path / name).write_text("name: X\n", "utf-8")
    with StashDouble([tmp_path]) as stash:
        assert list(stash.plugins.loaded) == ["Stash2Plex", "Stash2PlexLauncher"]


# -- stderr --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, entry",
    [
        ("\x01i\x02 hello \n", ("info", "Probe", "hello")),
        ("\x01w\x02last line without an end", ("warning", "Probe", "last line without an end")),
        ("Traceback\n", ("error", "Probe", "Traceback")),
        ("\x01i\x02\n\n", None),
    ],
)
def test_stderr_lines_arrive_with_their_level(stash, text, entry):
    stash.operation("Probe", {"mode": "say", "text": text})
    found = [line for line in stash.log if line[1] == "Probe"]
    if entry:
        assert found == [entry]
    else:
        assert all(level == "error" for level, _, _ in found)


@posix_only
def test_a_line_of_64_kib_closes_the_pipe(stash, probe):
    stash.operation("Probe", {"mode": "shout"})
    assert probe.notes("the pipe") == ["the pipe was closed"]
    assert [line for line in stash.log if line[1] == "Probe"] == [("warning", "Probe", "short")]


# -- tasks -----------------------------------------------------------------------


def test_tasks_run_one_at_a_time_with_defaults_and_progress(stash, probe):
    jobs = [stash.run_task("Probe", "Slow", {"n": number}) for number in range(2)]
    shown = wait(lambda: stash.gql("{jobQueue{id status description progress}}")["jobQueue"])
    assert [job["status"] for job in shown][-1] == "READY"
    done = [stash.wait_job(job) for job in jobs]
    assert [job["status"] for job in done] == ["FINISHED", "FINISHED"]
    assert done[0]["progress"] == [0.5, 1.0]
    assert done[1]["output"]["args"] == {"mode": "slow", "given": "default", "n": 1}
    assert [line.split()[0] for line in probe.notes()] == ["begin", "end", "begin", "end"]
    assert stash.gql("{jobQueue{id}}")["jobQueue"] is None


def test_a_task_with_an_error_still_ends_finished(stash):
    job = stash.run_task("Probe", None, {"mode": "fail"})
    assert stash.wait_job(job)["error"] == "it failed"
    assert stash.gql("query($i:FindJobInput!){findJob(input:$i){status error}}", {"i": {"id": job}})["findJob"] == {
        "status": "FINISHED",
        "error": None,
    }


@posix_only
def test_a_stopped_job_is_killed_and_a_waiting_one_never_starts(stash, probe):
    jobs = [stash.run_task("Probe", "Slow", {"seconds": 10}) for _ in range(2)]
    probe.wait_note("begin")
    for job in jobs[::-1]:
        stash.gql("mutation($i:ID!){stopJob(job_id:$i)}", {"i": job})
    assert [stash.wait_job(job)["status"] for job in jobs] == ["CANCELLED", "CANCELLED"]
    wait(lambda: [record.exit_code for record in stash.processes] == [-9])


# -- operations and the launcher ---------------------------------------------------


def test_an_operation_answers_with_its_output_and_errors_become_graphql_errors(stash):
    assert stash.operation("Probe", {"mode": "echo", "n": 1.5})["args"] == {"mode": "echo", "n": 1.5}
    with pytest.raises(GraphQLFailed, match="it failed"):
        stash.operation("Probe", {"mode": "fail"})


@posix_only
def test_an_operation_dies_with_its_client(stash, probe):
    stash.operation("Probe", {"mode": "worker"}, drop_after=0.3)
    wait(lambda: stash.processes and stash.processes[0].exit_code == -9)


@posix_only
def test_a_launched_worker_outlives_its_client_and_sees_stash_end(stash, probe):
    stash.operation("Launcher", drop_after=0.4)
    _, pid, parent = probe.wait_note("worker").split()
    assert int(parent) == os.getpid()
    time.sleep(0.1)
    os.kill(int(pid), 0)
    wait(lambda: ("info", "Probe", "worker is up") in stash.log)
    began = time.monotonic()
    assert stash.stop()
    assert time.monotonic() - began < 1
    assert probe.wait_note("worker saw") == "worker saw 8"


def test_a_script_gets_back_what_the_inner_operation_answers(stash):
    assert stash.operation("Launcher", {"mode": "echo"}) == "back"
    assert ("info", "Launcher", "launching") in stash.log
    with pytest.raises(GraphQLFailed, match="it failed"):
        stash.operation("Launcher", {"mode": "fail"})


@posix_only
def test_stopping_waits_for_a_request_under_way(stash, probe):
    scene = stash.add_scene("/d/a.mp4")
    environment = {**os.environ, "COOKIE": stash.cookie()}
    slow = subprocess.Popen([sys.executable, "-c", CLIENT, stash.url], env=environment, stdout=subprocess.PIPE)
    probe.wait_note("begin")
    assert stash.stop() is True
    assert json.loads(slow.communicate(timeout=10)[0])["data"] == {"sceneUpdate": {"id": scene}}
    with pytest.raises(OSError):
        stash.save(scene, title="nobody listens")


CLIENT = """\
import os, sys, urllib.request
request = urllib.request.Request(sys.argv[1] + "/graphql", b'{"query":"mutation{sceneUpdate(input:{id:1}){id}}"}',
                                 {"Content-Type": "application/json", "Cookie": "session=" + os.environ["COOKIE"]})
print(urllib.request.urlopen(request, timeout=10).read().decode())
"""


@posix_only
def test_killing_the_double_leaves_the_worker_alive_and_a_restart_keeps_everything(stash, probe):
    scene = stash.add_scene("/d/a.mp4", title="kept")
    stash.configure("Probe", {"a": 1})
    stash.operation("Launcher", drop_after=0.4)
    probe.wait_note("worker")
    url = stash.url
    stash.kill()
    assert probe.wait_note("worker saw") == "worker saw 8"
    stash.start()
    assert stash.url == url
    assert stash.gql("{findScene(id:%s){title}}" % scene) == {"findScene": {"title": "kept"}}
    assert stash.gql("{configuration{plugins}}")["configuration"]["plugins"] == {"Probe": {"a": 1}}
