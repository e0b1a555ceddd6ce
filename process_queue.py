"""The shell command: work the queue off in a terminal, by the rules and with the code of the plugin itself."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

PLUGIN_DIR = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, PLUGIN_DIR)

from stash import log  # noqa: E402
from sync_queue import inbox  # noqa: E402

SCOPES, DATES = ("all", "24h", "7days"), ("updated_at", "created_at")
OK, FAILED, USAGE, BLOCKED, STOPPED = 0, 1, 2, 3, 130

EXIT_CODES = """\
exit codes:
  0    done, nothing is in the way
  1    failed: the message says why
  2    wrong usage, or a named file cannot be read
  3    something is in the way (Plex, Stash or a setting); nothing is lost
  130  stopped by Ctrl-C; nothing is lost

It does what the worker does, so it may run at any time, also while Stash runs. When a worker is running already,
it asks that one and follows its progress.
"""


class Unusable(Exception):
    """What the person gave cannot be used; the text says why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code as in EXIT_CODES."""
    options = _parser().parse_args(arguments)
    log.speak_plainly(options.verbose)
    try:
        result = _run(options)
    except Unusable as error:
        return _finish(options, {"error": str(error)}, USAGE)
    except KeyboardInterrupt:
        left = "Stopped. Nothing is lost: what is left is sent by the worker, or by the next run"
        return _finish(options, {"error": left}, STOPPED)
    except Exception as error:  # noqa: BLE001 - whatever its text holds, it is not for a terminal
        return _finish(options, {"error": f"a fault in Stash2Plex: {log.where(error)}"}, FAILED)
    if "error" in result:
        return _finish(options, result, FAILED)
    return _finish(options, result, OK if result.get("state", "ok") == "ok" else BLOCKED)


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from worker import deps

    try:
        if not os.path.isdir(options.data_dir):
            log.warning(
                "", f"Data folder {options.data_dir} is new; if the plugin has another one, name it by --data-dir"
            )
        inbox.make_private_folder(options.data_dir)
        problem = deps.ensure(PLUGIN_DIR, options.data_dir)
        return {"error": problem} if problem else _carry_out(options)
    except OSError as error:
        return {"error": f"{error.filename or options.data_dir} cannot be used ({error.strerror})"}


def _carry_out(options: argparse.Namespace) -> dict[str, Any]:
    from stash.client import StashClient
    from worker.foreground import carry_out
    from worker.terminal import Progress, Stop

    stash_url, overrides = _address(options.stash_url), _overrides(options)
    api_key = _secret(options.stash_api_key_file)
    operation, args = _operation(options)
    progress, stop = Progress(sys.stderr), Stop(sys.stderr)
    stop.listen()

    def report(fraction: float) -> None:
        progress.show(fraction)
        stop.look()

    try:
        return carry_out(
            options.data_dir, lambda: StashClient(stash_url, (), api_key), operation, report, args, overrides
        )
    finally:
        progress.end()


def _operation(options: argparse.Namespace) -> tuple[str, dict[str, str]]:
    if options.explain is not None:
        return "explain_scene", {"scene_id": options.explain}
    if options.recover is not None:
        return "recover_outage_jobs", {"kinds": options.recover} if options.recover else {}
    if options.reconcile is not None or options.operation == "reconcile_dry_run":
        return options.operation or "reconcile", {"scope": options.reconcile or "all", "by": options.by}
    return options.operation or "process_queue", {}


# what the person gave


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="process_queue.py",
        description="Work the queue of Stash2Plex off, or look into it.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_acts(parser.add_argument_group("what to do (without any of these: send what is ready)"))
    default = os.environ.get("STASH_PLUGIN_DATA") or os.path.join(PLUGIN_DIR, "data")
    where = parser.add_argument_group("where things are")
    where.add_argument("--data-dir", default=default, help="where the plugin keeps its data (default: %(default)s)")
    where.add_argument("--stash-url", default="http://127.0.0.1:9999", help="default: %(default)s")
    where.add_argument("--stash-api-key-file", metavar="FILE", help="holds Stash's API key, if Stash has a login")
    _add_overrides(parser.add_argument_group("in place of the settings in Stash (unless a worker is running)"))
    shown = parser.add_argument_group("what is shown")
    shown.add_argument("--json", action="store_true", help="print the result as JSON")
    shown.add_argument("--verbose", action="store_true", help="show every decision")
    return parser


def _add_acts(group: argparse._ArgumentGroup) -> None:
    acts = group.add_mutually_exclusive_group()
    for option, operation, text in (
        ("--stats-only", "queue_status", "show the queue's status and change nothing"),
        ("--dead-letters", "dead_letters", "list the scenes that were given up, with the reason"),
        ("--retry-dead-letters", "retry_dead_letters", "give these scenes a new chance, and send what is ready"),
        ("--outages", "outage_summary", "sum up when Plex was away, and change nothing"),
        ("--once", "process_one_job", "do one job (up to 50 scenes, 100 of a Sync All) and stop"),
        ("--dry-run", "dry_run", "show what would be sent; send nothing and change nothing"),
    ):
        acts.add_argument(option, dest="operation", action="store_const", const=operation, help=text)
    acts.add_argument(
        "--reconcile", metavar="SCOPE", choices=SCOPES, help=f"compare both sides and repair: {', '.join(SCOPES)}"
    )
    acts.add_argument(
        "--reconcile-dry-run",
        dest="operation",
        action="store_const",
        const="reconcile_dry_run",
        help="compare both sides, show the gaps and change nothing",
    )
    group.add_argument("--by", choices=DATES, default=DATES[0], help="by which date a scene is recent: %(choices)s")
    acts.add_argument(
        "--recover",
        metavar="KINDS",
        nargs="?",
        const="",
        type=_kinds,
        help="the same for those of these kinds of trouble, separated by commas (default: what an outage can cause)",
    )
    acts.add_argument("--explain", metavar="ID", type=_scene_id, help="explain what happens to this scene, and why")


def _add_overrides(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--plex-url", metavar="URL")
    tokens = group.add_mutually_exclusive_group()
    tokens.add_argument("--plex-token-file", metavar="FILE", help="holds the X-Plex-Token")
    tokens.add_argument("--plex-token", metavar="TOKEN", help="others can read it in the list of processes")
    group.add_argument("--plex-library", metavar="NAMES", help="separated by commas")


def _overrides(options: argparse.Namespace) -> dict[str, Any]:
    """The raw settings that were given here; raises Unusable when one of them makes no sense."""
    from validation import settings

    if options.plex_token:
        log.warning("", "Others can read --plex-token in the list of processes: better use --plex-token-file")
    given = {
        "plex_url": options.plex_url,
        "plex_token": options.plex_token or _secret(options.plex_token_file),
        "plex_library": options.plex_library,
    }
    overrides = {name: value for name, value in given.items() if value}
    log.hide(str(overrides.get("plex_token", "")))
    _, warnings = settings.read(overrides)
    if warnings:
        raise Unusable("; ".join(warning.partition(";")[0] for warning in warnings))
    return overrides


def _address(text: str) -> str:
    from validation.settings import clean_url

    try:
        return clean_url(text)
    except ValueError:
        raise Unusable("Option --stash-url is not an address such as http://127.0.0.1:9999") from None


def _scene_id(text: str) -> str:
    if not (text.isascii() and text.isdigit() and 0 < int(text[:20]) < 1 << 63):
        raise argparse.ArgumentTypeError(f"{text[:60]!r} is not the number of a scene")
    return text


def _kinds(text: str) -> str:
    from worker import outages

    problem = text and outages.kinds_problem(text)
    if problem:
        raise argparse.ArgumentTypeError(problem)
    return text


def _secret(path: str | None) -> str:
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            secret = file.read().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise Unusable(f"File {path} cannot be read ({why})") from None
    if not secret:
        raise Unusable(f"File {path} is empty")
    log.hide(secret)
    return secret


# what the person sees


def _finish(options: argparse.Namespace, result: dict[str, Any], code: int) -> int:
    from worker.terminal import printable, speak_any_text

    speak_any_text(sys.stdout, sys.stderr)
    shown = log.shown(result)
    if options.json:
        print(json.dumps(shown))
    elif "error" in shown:
        print(printable(shown["error"]), file=sys.stderr)
    else:
        from worker import wording

        print("\n".join(printable(line) for line in wording.lines(shown, time.time())))
    if code in (FAILED, BLOCKED) and str(shown.get("error") or shown.get("state")).startswith("Stash "):
        print("Options --stash-url and --stash-api-key-file say where Stash is and how to log in", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
