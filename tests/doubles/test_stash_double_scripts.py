"""The Stash double runs plugins of `interface: js` as a running Stash was seen to do it."""

import json
import re

import pytest

from tests.canaries import LOGIN, USER
from tests.doubles.stash_probe import Probe, wait
from tests.doubles.stash_scripts import HOOKED, RUN, leave, said, saved, script
from tests.doubles.stash_server import GraphQLFailed, StashDouble


@pytest.fixture
def folder(tmp_path):
    """A plugins folder; `script` adds to it."""
    made = tmp_path / "plugins"
    made.mkdir()
    return made


def answered(folder, text, args=None):
    """What an operation of such a script answers."""
    script(folder, "One", text, "")
    with StashDouble([folder]) as stash:
        return stash.operation("One", args)


# -- what a script is given ------------------------------------------------------


def test_a_hook_script_is_told_what_happened_and_to_whom_to_speak(folder):
    script(folder, "Bell", "log.Info({args: input.Args, connection: Object.keys(input.ServerConnection)});")
    with saved(folder) as stash:
        (text,) = said(stash, "Bell")
        told = json.loads(text)
        context = told["args"]["hookContext"]
        assert (context["id"], context["type"]) == (1, "Scene.Update.Post")
        assert context["input"]["title"] == "T" and context["input"]["details"] is None
        assert sorted(context["inputFields"]) == ["id", "title"]
        assert told["connection"] == ["Scheme", "Host", "Port", "SessionCookie", "Dir", "PluginDir"]


def test_without_fields_a_script_sees_an_empty_list_and_sends_null(folder, tmp_path):
    context = "var c = input.Args.hookContext; log.Info(c.inputFields.length);\n"
    sent = (
        f"log.Info(gql.Do('{RUN}', {{id: 'Probe', args: {{mode: 'echo', f: c.inputFields, u: undefined, whole: c}}}})"
    )
    script(folder, "Bell", context + sent + ".runPluginOperation.args);")
    Probe(folder)
    with StashDouble([folder]) as stash:
        stash.set_enabled("Launcher", False)
        stash.add_scene("/d/a.mp4")
        stash.wait_job(stash.scan(rescan=True))
        count, args = said(stash, "Bell")
        whole = {"id": 1, "input": None, "type": "Scene.Update.Post"}
        assert count == "0" and json.loads(args) == {"mode": "echo", "f": None, "u": None, "whole": whole}


def test_a_script_gets_the_cookie_of_who_saves_and_what_it_starts_gets_one_of_nobody(folder):
    """Cookies are told backwards: in no test one may stand in the log."""
    Probe(folder)
    script(
        folder,
        "Bell",
        "log.Info(input.ServerConnection.SessionCookie.Value.split('').reverse().join(''));\n"
        f"log.Info(gql.Do('{RUN}', {{id: 'Probe', args: {{mode: 'echo'}}}}).runPluginOperation.cookie);",
    )
    with saved(folder, credentials=LOGIN) as stash:
        own, inner = (text[::-1] for text in said(stash, "Bell"))
        assert (stash.sessions.read(own), stash.sessions.read(inner)) == (USER, None)
        with pytest.raises(GraphQLFailed, match="401"):
            stash.gql("{version{version}}", cookie=inner)


def test_numbers_of_a_request_reach_a_script_as_text_and_a_process_as_numbers(folder):
    given = {"n": 1, "list": [1.5], "yes": True, "no": None}
    assert answered(folder, "({Output: input.Args})", given) == {"n": "1", "list": ["1.5"], "yes": True, "no": None}


@pytest.mark.parametrize(
    "output, answer",
    [("'a'", "a"), ("'\\u00e9'", [65279, 233]), ("{b: [1]}", {"b": [1]}), ("null", {}), ("undefined", None)],
)
def test_an_operation_answers_with_the_output_as_stash_hands_it_on(folder, output, answer):
    assert answered(folder, "({Output: %s})" % output) == answer


def test_each_run_has_a_global_scope_of_its_own_and_only_what_goja_has(folder):
    script(folder, "Bell", "log.Info(Object.getOwnPropertyNames(globalThis)); globalThis.left = Array.prototype.x = 1;")
    with saved(folder) as stash:
        stash.save("1", title="U")
        first, second = (set(text.split(",")) for text in said(stash, "Bell"))
        assert first == second
        assert first & {"left", "require", "process", "dukpy", "call_python", "setTimeout", "x"} == set()
        assert {"input", "log", "gql", "util", "console", "JSON", "Date", "eval"} <= first


# -- how it ends -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, line",
    [
        ("\n  throw new Error('boom');", r"error: returned error: Error: boom at .*One\.js:2:\d+"),
        ("undeclared = 1;", r"error: returned error: ReferenceError: undeclared is not defined at .*"),
        ("({Error: 'no', Output: 1})", "error: returned error: no"),
        ("({Output: {a: 1}})", r"debug: returned: \[object Object\]"),
        ("({Output: 'well'})", "debug: returned: well"),
        ("({Error: null})", None),
        ("var nothing = 1;", None),
    ],
)
def test_what_comes_of_a_hook_is_a_line_in_the_log_and_the_next_one_runs(folder, text, line):
    script(folder, "One", text)
    script(folder, "Two", "log.Info('ran');")
    with saved(folder) as stash:
        lines = [
            f"{level}: {text}".replace("Scene.Update.Post [One]: ", "") for level, name, text in stash.log if not name
        ]
        assert len(lines) == (line is not None) and re.fullmatch(line or "", "".join(lines))
        assert said(stash, "Two") == ["ran"]


@pytest.mark.parametrize(
    "text, reason",
    [("var x = 010;", "SyntaxError: .* at .*One.js.*"), (None, "failed to read file: open .*One.js: .*")],
)
def test_a_script_that_cannot_be_compiled_ends_the_hooks_of_that_event(folder, text, reason):
    script(folder, "One", text or "")
    script(folder, "Two", "log.Info('ran');")
    if text is None:
        (folder / "One.js").unlink()
    with saved(folder) as stash:
        ((level, _, line),) = stash.log
        assert level == "error" and re.fullmatch("error executing post hooks: " + reason, line)
        with pytest.raises(GraphQLFailed, match=reason.partition(":")[0]):
            stash.operation("One")


def test_only_the_first_thing_said_is_logged_and_objects_as_json(folder):
    lines = "log.Info('a', 'b'); log.Warn({b: 1, a: '<'}); log.Error([1, 2]); log.Debug(); log.Trace(1.50);"
    script(folder, "Bell", lines + "console.log(null);")
    with saved(folder) as stash:
        assert [(level, text) for level, name, text in stash.log if name] == [
            ("info", "a"), ("warning", '{"a":"\\u003c","b":1}'), ("error", "1,2"), ("debug", "undefined"),
            ("trace", "1.5"), ("info", "null"),
        ]  # fmt: skip


def test_progress_is_for_tasks_and_elsewhere_never_returns(folder):
    script(folder, "Bell", "log.Info('before'); log.Progress(0.5); log.Info('after');", HOOKED + "tasks: [{name: T}]\n")
    with StashDouble([folder]) as stash:
        assert stash.wait_job(stash.run_task("Bell", "T"))["progress"] == [0.5]
        leave_the_save(stash, lambda: said(stash, "Bell") == ["before", "after", "before"])
        assert not stash.plugins.runs[-1].done.wait(0.1)
    assert stash.plugins.runs == [] and said(stash, "Bell") == ["before", "after", "before"]


# -- asking Stash --------------------------------------------------------------------


FAILING = "try { gql.Do(%s); } catch (error) { log.Info(error.name + ': ' + error.message); }"


def test_a_field_that_fails_is_thrown_and_stash_logs_its_arguments(folder):
    Probe(folder)
    script(folder, "Bell", FAILING % f"'{RUN}', {{id: 'Probe', args: {{mode: 'fail', word: 'w<', n: 1}}}}", "")
    with StashDouble([folder]) as stash:
        stash.operation("Bell")
        assert stash.log[:2] == [
            ("error", "", "runPluginOperation: input: runPluginOperation it failed"),
            ("debug", "", 'runPluginOperation: {"args":{"mode":"fail","n":1,"word":"w\\u003c"},"plugin_id":"Probe"}'),
        ]
        thrown = 'Error: graphql error: [{"message":"it failed","path":["runPluginOperation"]}]'
        assert said(stash, "Bell") == [thrown]


def test_a_query_that_is_refused_is_thrown_with_its_variables(folder):
    script(folder, "Bell", FAILING % "'{nope}', {a: {b: ['x', 1.5, null, true]}}", "")
    with StashDouble([folder]) as stash:
        stash.operation("Bell")
        (thrown,) = said(stash, "Bell")
        assert thrown.startswith('Error: graphQL query failed: 422 - {"errors":[{"message":"Cannot query field')
        assert thrown.endswith('"data":null}. Query: {nope}. Variables: map[a:map[b:[x 1.5 <nil> true]]]')


def test_the_date_of_a_scene_is_the_text_that_its_filter_compares(folder):
    script(folder, "Bell", "({Output: gql.Do('{findScene(id:1){updated_at}}').findScene.updated_at})", "")
    with StashDouble([folder]) as stash:
        stash.add_scene("/d/a.mp4")
        at = stash.operation("Bell")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)", at)
        asked = "query($v:String!,$m:CriterionModifier!){findScenes(scene_filter:{updated_at:{value:$v,modifier:$m}})"
        found = [stash.gql(asked + "{count}}", {"v": at, "m": how})["findScenes"] for how in ("GREATER_THAN", "EQUALS")]
        assert found == [{"count": 0}, {"count": 1}]


# -- somebody leaves --------------------------------------------------------------------


LEFT = ("error", "", "error executing post hooks: operation cancelled")


def leave_the_save(stash, when):
    """Save a scene and be gone before its hooks are through."""
    leave(stash, 'mutation{sceneUpdate(input:{id:%s,title:"T"}){id}}' % stash.add_scene("/d/a.mp4"), when)
    wait(lambda: LEFT in stash.log)


@pytest.mark.parametrize("outer", ["%s log.Info('on');", "for (;;) { try { %s log.Info('on'); } catch (error) {} }"])
def test_a_dropped_request_ends_the_script_but_not_what_it_started(folder, outer):
    """The inner script waits for a folder that is made when its caller is gone, and starts another one then."""
    sign = f"gql.Do('query($p:String){{directory(path:$p){{directories}}}}', {{p: {json.dumps(str(folder / 'sig'))}}})"
    begun = f"log.Info('begins'); while (!{sign}.directory.directories.length) {{ util.Sleep(10); }}"
    script(folder, "Outer", outer % f"gql.Do('{RUN}', {{id: 'Inner'}});")
    script(folder, "Inner", f"{begun} gql.Do('{RUN}', {{id: 'Last'}}); log.Info('ends');", "")
    script(folder, "Last", "log.Info('runs');", "")
    with StashDouble([folder]) as stash:
        leave_the_save(stash, lambda: said(stash, "Inner") == ["begins"])
        (folder / "sign").mkdir()
        wait(lambda: said(stash, "Inner") == ["begins", "ends"])
        assert all(run.done.wait(5.0) for run in stash.plugins.runs)
        assert (said(stash, "Last"), said(stash, "Outer")) == (["runs"], [])
        assert [line for line in stash.log if line[0] == "error"] == [LEFT]


def test_a_script_that_sleeps_is_left_to_it_and_ends_at_its_next_step(folder):
    script(folder, "Bell", "log.Info('before'); util.Sleep(1500); log.Info('after');")
    with StashDouble([folder]) as stash:
        leave_the_save(stash, lambda: said(stash, "Bell") == ["before"])
        (run,) = stash.plugins.runs
        assert not run.done.is_set() and run.done.wait(10.0)
        assert said(stash, "Bell") == ["before"] and stash.scene("1")["title"] == "T"
