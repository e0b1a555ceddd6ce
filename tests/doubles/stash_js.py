"""Plugins of `interface: js`: the script runs inside the double, in a QuickJS context of its own (dukpy).

Stash's engine is goja. What differs: newer syntax than goja's is taken too, and a script that computes without end
holds up the whole double. What a script sees and says was compared with a running Stash, quirks included.
"""

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

import dukpy

from tests.doubles.stash_go import go_error, go_json

# What goja brings along, or rather what QuickJS has of it.
GLOBALS = """
Object Function Array String Number RegExp Date Boolean Proxy Reflect Error AggregateError TypeError ReferenceError
SyntaxError RangeError EvalError URIError eval Math JSON ArrayBuffer DataView Uint8Array Uint8ClampedArray Int8Array
Uint16Array Int16Array Uint32Array Int32Array Float32Array Float64Array Symbol WeakSet WeakMap Map Set Promise
globalThis NaN undefined Infinity isNaN parseInt parseFloat isFinite decodeURI decodeURIComponent encodeURI
encodeURIComponent escape unescape
""".split()
# The script is compiled strictly and behind a call that tells a script that began from one that cannot be compiled.
# An empty `inputFields` is Go's nil: a list to the script, but null, or left out with its context, when it is sent on.
PRELUDE = """
(function () {
  var given = dukpy, call = call_python, result = {error: null, output: null, shown: null, refused: null}, begun, value;
  Object.getOwnPropertyNames(globalThis).forEach(function (name) {
    if (KNOWN.indexOf(' ' + name + ' ') < 0) { delete globalThis[name]; }
  });
  var context = given.input.Args.hookContext, fields = (context || {}).inputFields;
  var nil = fields && !fields.length ? fields : {};
  function sent(key, value) {
    if (value === nil) { return this === context ? undefined : null; }
    return value === undefined ? null : value;
  }
  function words(value) {
    var kind = Object.prototype.toString.call(value);
    return kind === '[object Object]' || kind === '[object Error]' ? {json: value} : String(value);
  }
  function writer(level) { return function (value) { call('log', level, words(value)); }; }
  function put(name, value) { globalThis[name] = value; }
  put('input', given.input);
  put('log', {Trace: writer('trace'), Debug: writer('debug'), Info: writer('info'), Warn: writer('warning'),
    Error: writer('error'), Progress: function (value) { call('progress', value); }});
  put('console', {log: log.Info, info: log.Info, debug: log.Debug, warn: log.Warn, error: log.Error});
  put('util', {Sleep: function (ms) { call('sleep', ms); }});
  put('gql', {Do: function (query, variables) {
    var answer = call('gql', String(query), JSON.stringify(variables === undefined ? null : variables, sent));
    if (answer.error) { throw new Error(answer.error); }
    return answer.data;
  }});
  put('begin', function () { begun = delete globalThis.begin; });
  try {
    value = (0, eval)("'use strict'; begin(); " + given.script);
  } catch (error) {
    var at = /<input>:(\\d+:\\d+)/.exec(Object(error).stack || '');
    result[begun ? 'error' : 'refused'] = error + ' at ' + given.path + (at ? ':' + at[1] : '');
  }
  if (value !== undefined && value !== null) {
    if (value.Output !== undefined) {
      result.output = value.Output === null ? {} : value.Output;
      result.shown = String(value.Output);
    }
    if (value.Error !== undefined && value.Error !== null) { result.error = String(value.Error); }
  }
  return result;
})()
""".replace("KNOWN", json.dumps(f" {' '.join(GLOBALS)} "))


class NotStarted(Exception):
    """A plugin that cannot be started; the text is Stash's."""


class Interrupted(Exception):
    """Ends a script from inside a call of its own."""


@dataclass(frozen=True)
class Host:
    """What a script can reach.

    `do(query, variables)` answers gql.Do with {"data": …} or {"error": text}; it runs on behalf of nobody, and nobody
    cancels it. `progress(text)` is there for a task only: without it the call never returns, as in Stash.
    """

    log_line: Callable[[str, str], None]
    do: Callable[[str, Optional[dict[str, Any]]], dict[str, Any]]
    progress: Optional[Callable[[str], None]] = None


class ScriptRun:
    """A running script; has the same `done`, `error`, `output` and `kill` as a process.

    `shown` is the output as the log has it; `refused` says why the script could not be compiled.
    """

    def __init__(self, path: Path, given: dict[str, Any], host: Host) -> None:
        self.done = threading.Event()
        self.error: Optional[str] = None
        self.output: Any = None
        self.shown: Optional[str] = None
        self.refused: Optional[str] = None
        self._path, self._script, self._given, self._host = path, _read(path), given, host
        self._interrupted, self._thrown, self.abandoned = threading.Event(), False, threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def kill(self) -> None:
        """Interrupts the script at its next step; what it is inside of goes on, util.Sleep too."""
        self._interrupted.set()

    def abandon(self) -> None:
        self._interrupted.set()
        self.abandoned.set()

    def _run(self) -> None:
        engine = _Engine({"log": self._log, "gql": self._gql, "sleep": self._sleep, "progress": self._progress})
        try:
            result = engine.evaljs(PRELUDE, input=self._given, script=self._script, path=str(self._path))
        except dukpy.JSRuntimeError as error:
            result = {"error": str(error)}
        self.error, self.refused = result.get("error"), result.get("refused")
        self.output, self.shown = _as_answer(result.get("output")), result.get("shown")
        self.done.set()

    def _step(self) -> None:
        """An interrupted script ends here. One that catches that does not go on either, so its thread is given up."""
        if self._interrupted.is_set():
            if self._thrown:
                self.done.set()
                threading.Event().wait()
            self._thrown = True
            raise Interrupted

    def _log(self, level: str, words: Any) -> None:
        self._step()
        text = words if isinstance(words, str) else go_json(words["json"], sort_keys=True).decode()
        self._host.log_line(level, text)

    def _gql(self, query: str, variables: str) -> dict[str, Any]:
        self._step()
        answer = self._host.do(query, json.loads(variables))
        self._step()
        return answer

    def _sleep(self, milliseconds: Optional[float] = None) -> None:
        self._step()
        self.abandoned.wait(int(milliseconds or 0) / 1000)
        self._step()

    def _progress(self, value: Optional[float] = None) -> None:
        self._step()
        if self._host.progress is None:
            self.abandoned.wait()
            self._step()
        else:
            self._host.progress(str(value or 0))


class _Engine(dukpy.JSInterpreter):
    """A bare QuickJS context: without dukpy's console, require and process it costs a quarter."""

    def __init__(self, functions: dict[str, Callable[..., Any]]) -> None:
        super().__init__()
        for name, function in functions.items():
            self.export_function(name, function)

    def _init_process(self) -> None:
        pass

    _init_console = _init_require = _init_process


def hook_args(args: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a hook as a script sees them: `inputFields` is always there."""
    context = args["hookContext"]
    return {**args, "hookContext": {**context, "inputFields": context.get("inputFields", [])}}


def sent_args(value: Any) -> Any:
    """The arguments of an operation or task as a script sees them: numbers out of a request's variables are text."""
    if isinstance(value, dict):
        return {key: sent_args(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [sent_args(held) for held in value]
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def _as_answer(output: Any) -> Any:
    """A script's text beyond ASCII leaves Stash as a list of UTF-16 units with a mark in front."""
    if not isinstance(output, str) or output.isascii():
        return output
    units: Sequence[int] = memoryview(output.encode("utf-16-le", "surrogatepass")).cast("H")
    return [0xFEFF, *units]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise NotStarted(f"failed to read file: open {path}: {go_error(error)}") from None
