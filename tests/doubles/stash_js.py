"""Plugins of `interface: js`: the script runs inside the double, in a QuickJS context (dukpy)."""

import json
import threading
import time
from typing import Any, Callable, Optional

import dukpy

PRELUDE = """
var input = dukpy.input;
var log = {};
['Trace', 'Debug', 'Info', 'Warn', 'Error', 'Progress'].forEach(function (level) {
  log[level] = function () {
    call_python('log', level, Array.prototype.map.call(arguments, String).join(' '));
  };
});
var gql = {Do: function (query, variables) {
  var answer = call_python('gql', String(query), variables === undefined ? null : variables);
  if (answer.error) { throw new Error(answer.error); }
  return answer.data;
}};
var util = {Sleep: function (ms) { call_python('sleep', ms); }};
(function () {
  var value = (0, eval)(dukpy.script), result = {error: null, output: null};
  if (value !== null && typeof value === 'object') {
    if (value.Output !== undefined) { result.output = value.Output; }
    if (value.Error !== undefined && value.Error !== null) { result.error = String(value.Error); }
  }
  return result;
})()
"""
LEVELS = {"Warn": "warning"}


class ScriptRun:
    """A running script; has the same `done`, `error`, `output` and `kill` as a process.

    `do(query, variables)` answers gql.Do with {"data": …} or {"error": text}. It runs on
    behalf of nobody and is not cancelled with the request, so a script that is inside it
    when the client leaves stays there until it returns.
    """

    def __init__(
        self,
        script: str,
        given: dict[str, Any],
        log_line: Callable[[str, str], None],
        do: Callable[[str, Optional[dict[str, Any]]], dict[str, Any]],
    ) -> None:
        self.done = threading.Event()
        self.error: Optional[str] = None
        self.output: Any = None
        self._script, self._given = script, given
        self._log_line, self._do = log_line, do
        self._interrupted, self.abandoned = threading.Event(), threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def kill(self) -> None:
        """Interrupts the script at its next step; what it is inside of goes on."""
        self._interrupted.set()

    def abandon(self) -> None:
        self.abandoned.set()
        self._interrupted.set()

    def _run(self) -> None:
        engine = dukpy.JSInterpreter()
        engine.export_function("log", self._log)
        engine.export_function("gql", self._gql)
        engine.export_function("sleep", self._sleep)
        try:
            result = engine.evaljs(PRELUDE, input=self._given, script=self._script)
            self.error, self.output = result["error"], result["output"]
        except dukpy.JSRuntimeError as error:
            self.error = str(error)
        self.done.set()

    def _log(self, level: str, text: str) -> None:
        self._log_line(LEVELS.get(level, level.lower()), text)

    def _gql(self, query: str, variables: Optional[dict[str, Any]]) -> dict[str, Any]:
        if self._interrupted.is_set():
            return {"error": "script execution was cancelled"}
        answer = self._do(query, variables)
        return json.loads(json.dumps(answer))

    def _sleep(self, milliseconds: float) -> None:
        until = time.monotonic() + milliseconds / 1000
        while time.monotonic() < until and not self._interrupted.is_set():
            time.sleep(min(0.02, max(0.0, until - time.monotonic())))
