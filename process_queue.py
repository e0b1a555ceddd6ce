"""The shell command: work the queue off in a terminal, by the rules and with the code of the plugin itself."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

PLUGIN_DIR = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, PLUGIN_DIR)

from stash import log  # noqa: E402
from sync_queue import inbox  # noqa: E402

OK, FAILED, BLOCKED = 0, 1, 3


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code: 0 done, 1 failed, 2 wrong usage, 3 something is in the way."""
    options = _parser().parse_args(arguments)
    result = _run(options)
    print(json.dumps(result) if options.json else _readable(result))
    if "error" in result:
        return FAILED
    return OK if result["state"] == "ok" else BLOCKED


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from worker import deps

    try:
        inbox.make_private_folder(options.data_dir)
        problem = deps.ensure(PLUGIN_DIR, options.data_dir)
        return {"error": problem} if problem else _carry_out(options)
    except OSError as error:
        return {"error": f"{error.filename or options.data_dir} cannot be used ({error.strerror})"}


def _carry_out(options: argparse.Namespace) -> dict[str, Any]:
    from stash.client import StashClient
    from worker.foreground import carry_out

    operation = "queue_status" if options.stats_only else "process_queue"
    api_key = _secret(options.stash_api_key_file)
    log.hide(api_key)
    log.speak_plainly()
    return carry_out(
        options.data_dir, lambda: StashClient(options.stash_url, (), api_key), operation, lambda fraction: None
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="process_queue.py", description="Work the queue of Stash2Plex off.")
    default = os.environ.get("STASH_PLUGIN_DATA") or os.path.join(PLUGIN_DIR, "data")
    parser.add_argument("--data-dir", default=default, help="where the plugin keeps its data (default: %(default)s)")
    parser.add_argument("--stash-url", default="http://127.0.0.1:9999", help="default: %(default)s")
    parser.add_argument("--stash-api-key-file", help="file with Stash's API key; needed when Stash has a login")
    parser.add_argument("--stats-only", action="store_true", help="show the queue's status and change nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser


def _secret(path: str | None) -> str:
    if not path:
        return ""
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def _readable(result: dict[str, Any]) -> str:
    return "\n".join(
        f"{name.replace('_', ' ')}: {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in result.items()
    )


if __name__ == "__main__":
    sys.exit(main())
