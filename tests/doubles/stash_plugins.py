"""Running plugins: hooks in series, operations in the request, tasks in the queue."""

import os
import shutil
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional, Union

from tests.doubles.stash_go import go_json
from tests.doubles.stash_jobs import Job, Jobs
from tests.doubles.stash_js import Host, NotStarted, ScriptRun, hook_args, sent_args
from tests.doubles.stash_manifest import BadManifest, Manifest, PluginSource, manifest_files, read_manifest
from tests.doubles.stash_process import ProcessRecord, RawProcess
from tests.doubles.stash_session import ANYBODY, Sessions, stdin_cookie

Run = Union[RawProcess, ScriptRun]
LOOK_S = 0.01
# What is answered when Stash goes on with a nil pointer: an unknown plugin, no database (pkg/sqlite/transaction.go).
PANIC = "Internal system error. Error <runtime error: invalid memory address or nil pointer dereference>"


class Cancelled(Exception):
    """The request or job this ran for is gone."""

    def __init__(self) -> None:
        super().__init__("operation cancelled")


class PluginFailed(Exception):
    """A plugin that could not be started, or answered with an error."""


@dataclass
class Call:
    """On whose behalf something runs, how to see that they left, and the Host they used."""

    user: str = ANYBODY
    cancelled: Callable[[], bool] = lambda: False
    host: str = "localhost"


@dataclass
class Plugins:
    """The loaded plugins and everything that was ever started for them.

    `server` is (host, port) for stdin; `answer` runs a GraphQL query in-process for scripts.
    """

    sources: Sequence[PluginSource]
    python: str
    config_dir: str
    sessions: Sessions
    jobs: Jobs
    log: list[tuple[str, str, str]]
    server: Callable[[], tuple[str, int]]
    answer: Callable[[str, Optional[dict[str, Any]], Call], dict[str, Any]]
    loaded: dict[str, Manifest] = field(default_factory=dict)
    disabled: set = field(default_factory=set)
    hooks_enabled: bool = True
    records: list[ProcessRecord] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    _runs_lock: Any = field(default_factory=threading.Lock)

    def reload(self) -> None:
        """Reads all manifests again; a bad one is logged and left out."""
        found: dict[str, Manifest] = {}
        for path in manifest_files(list(self.sources)):
            try:
                read = read_manifest(path)
                if read.id.lower() in map(str.lower, found):
                    raise BadManifest(f"plugin ID {read.id} already exists")
                found[read.id] = read
            except BadManifest as error:
                self.log.append(("error", "", f"Error loading plugin {path}: {error}"))
        self.loaded = found

    # -- the three ways to run -------------------------------------------

    def fire(self, trigger: str, number: int, given: Any, fields: Sequence[str], call: Call) -> None:
        """All hooks for one event, one after the other, each awaited.

        Raises Cancelled when the caller is gone, which also ends the remaining hooks.
        """
        context: dict[str, Any] = {"id": number, "type": trigger, "input": given}
        if fields:
            context["inputFields"] = list(set(fields))
        try:
            for plugin in list(self.loaded.values()) if self.hooks_enabled else []:
                for hook in plugin.hooks_for(trigger) if plugin.id not in self.disabled else []:
                    self._one_hook(plugin, hook, context, call)
        except NotStarted as error:
            self.log.append(("error", "", f"error executing post hooks: {error}"))
        except Cancelled as error:
            self.log.append(("error", "", f"error executing post hooks: {error}"))
            raise
        if call.cancelled():
            raise Cancelled

    def _one_hook(self, plugin: Manifest, hook: dict[str, Any], context: dict[str, Any], call: Call) -> None:
        args = {**hook.get("defaultArgs", {}), "hookContext": context}
        trigger = context["type"]
        run = self._start("hook", plugin, hook.get("execArgs", []), args, call, trigger)
        self._await(run, call.cancelled)
        if run.error is not None:
            self.log.append(("error", "", f"{trigger} [{plugin.name}]: returned error: {run.error}"))
        elif run.shown is not None:
            self.log.append(("debug", "", f"{trigger} [{plugin.name}]: returned: {run.shown}"))

    def operation(self, plugin_id: str, args: Optional[dict[str, Any]], call: Call) -> Any:
        """Runs in the caller's thread and dies with the caller; gives the plugin's output."""
        if plugin_id in self.disabled:
            raise PluginFailed(f"plugin {plugin_id} is disabled")
        if plugin_id not in self.loaded:
            raise PluginFailed(PANIC)
        mode = str((args or {}).get("mode", ""))
        try:
            run = self._start("operation", self.loaded[plugin_id], [], args or {}, call, mode)
            self._await(run, call.cancelled)
        except NotStarted as error:
            raise PluginFailed(str(error)) from error
        if run.error is not None:
            raise PluginFailed(run.error)
        return run.output

    def task(
        self,
        plugin_id: str,
        name: Optional[str],
        args: Optional[dict[str, Any]],
        description: Optional[str],
        call: Call,
    ) -> str:
        """Queues a task; a plugin's error is logged and the job still ends as finished."""

        def work(job: Job) -> None:
            self._run_task(job, plugin_id, name, args or {}, call.user)

        return self.jobs.add(description or f"Running plugin task: {name}", work)

    def _run_task(self, job: Job, plugin_id: str, name: Optional[str], args: dict[str, Any], user: str) -> None:
        plugin = self.loaded.get(plugin_id)
        call = Call(user, job.stopping.is_set)
        try:
            if plugin is None or plugin_id in self.disabled:
                raise PluginFailed(f"no plugin with ID {plugin_id}")
            task = plugin.task(name) if name else {}
            merged = {**task.get("defaultArgs", {}), **args}
            run = self._start("task", plugin, task.get("execArgs", []), merged, call, name or "", job.report)
            self._await(run, call.cancelled)
            job.plugin_error, job.output = run.error, run.output
        except Cancelled:
            return
        except (KeyError, NotStarted, PluginFailed) as error:
            job.plugin_error = str(error)
        if job.plugin_error is not None:
            self.log.append(("error", "", f"Plugin returned error: {job.plugin_error}"))

    # -- how one run is made ---------------------------------------------

    def _await(self, run: Run, cancelled: Callable[[], bool]) -> None:
        """Waits for a run; kills it when its caller is gone, but not when the double itself ends.

        Raises Cancelled then, and NotStarted for a script that cannot be compiled.
        """
        while not run.done.wait(LOOK_S):
            if run.abandoned.is_set():
                raise Cancelled
            if cancelled():
                run.kill()
                raise Cancelled
        if run.refused is not None:
            raise NotStarted(run.refused)

    def _start(
        self,
        kind: str,
        plugin: Manifest,
        extra: list[str],
        args: dict[str, Any],
        call: Call,
        trigger: str = "",
        report: Optional[Callable[[str], None]] = None,
    ) -> Run:
        def line(level: str, text: str) -> None:
            if level == "progress":
                self._progress(plugin, text, report or str)
            else:
                self.log.append((level, plugin.name, text))

        connection = self._connection(plugin, call)
        if plugin.interface == "js":
            seen = hook_args(args) if kind == "hook" else sent_args(args)
            run: Run = self._script(plugin, {"Args": seen, "ServerConnection": connection}, line, report)
        else:
            run = self._process(kind, plugin, extra, {"server_connection": connection, "args": args}, line, trigger)
        with self._runs_lock:
            self.runs = [r for r in self.runs if not r.done.is_set()] + [run]
        return run

    def _progress(self, plugin: Manifest, text: str, report: Callable[[str], None]) -> None:
        try:
            report(text)
        except ValueError:
            self.log.append(("error", plugin.name, f"Error parsing progress value: {text}"))

    def _connection(self, plugin: Manifest, call: Call) -> dict[str, Any]:
        host, port = self.server()
        return {
            "Scheme": "http",
            "Host": host,
            "Port": port,
            "SessionCookie": stdin_cookie(self.sessions.issue(call.user)),
            "Dir": self.config_dir,
            "PluginDir": str(plugin.folder),
        }

    def _script(
        self,
        plugin: Manifest,
        given: dict[str, Any],
        line: Callable[[str, str], None],
        report: Optional[Callable[[str], None]],
    ) -> ScriptRun:
        """What it asks through gql.Do is on behalf of nobody, so nobody takes it back."""
        if not plugin.exec:
            raise NotStarted("no script specified in exec")
        host = Host(line, lambda query, variables: self.answer(query, variables, Call()), report)
        return ScriptRun(plugin.folder / plugin.exec[0], given, host)

    def _process(
        self,
        kind: str,
        plugin: Manifest,
        extra: list[str],
        given: dict[str, Any],
        line: Callable[[str, str], None],
        trigger: str,
    ) -> RawProcess:
        argv, env = self._command(plugin, extra)
        record = ProcessRecord(kind, plugin.id, trigger, 0, time.time())
        try:
            run = RawProcess(argv, env, go_json(given), line, plugin.error_level, record)
        except OSError as error:
            raise NotStarted(f"error running plugin: {error}") from error
        self.records.append(record)
        return run

    def _command(self, plugin: Manifest, extra: list[str]) -> tuple[list[str], dict[str, str]]:
        first, *rest = [*plugin.exec, *extra]
        argv = [part.replace("{pluginDir}", str(plugin.folder)) for part in rest]
        env = dict(os.environ)
        if first in ("python", "python3"):
            parent = os.path.dirname(os.path.abspath(plugin.folder))
            env["PYTHONPATH"] = os.pathsep.join(filter(None, (env.get("PYTHONPATH"), parent)))
            return [self.python, *argv], env
        return [shutil.which(first) or str(plugin.folder / first), *argv], env

    # -- the end ---------------------------------------------------------

    def abandon(self) -> None:
        """What the end of Stash does to plugin processes: their pipes lose the reader."""
        with self._runs_lock:
            for run in self.runs:
                run.abandon()

    def reap(self, timeout_s: float) -> None:
        """Test hygiene: waits for the double's own children and kills those that stay."""
        until = time.monotonic() + timeout_s
        for run in self.runs:
            if isinstance(run, RawProcess) and run.wait(max(0.0, until - time.monotonic())) is None:
                run.kill()
                run.wait(5.0)
        self.runs.clear()


def base_python() -> str:
    """The interpreter outside any virtual environment, which is what a Stash would find."""
    return str(Path(getattr(sys, "_base_executable", None) or sys.executable))
