"""The provider's commands: ``python -m provider`` serves, ``--help`` lists the others. Each imports what it needs."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from provider.settings import Settings

COMMANDS = {
    "serve": "answer Plex until stopped; the same as no command",
    "register": "tell Plex about this provider, and make an agent with it",
    "doctor": "look at everything that has to fit together, and say what does not",
    "explain": "show what would be found for a file of Plex, and why",
    "gaps": "compare Stash and Plex now, and show what only one of them has",
    "health": "ask the running provider whether it lives; for the container",
}
INTERRUPTED = 130


def main(words: list[str]) -> int:
    """Carry one command out; 0 when all is well, 1 when not, 2 when the command is not understood."""
    parsed = _parse(words)
    if parsed.command == "health":
        from provider import health

        return health.main()
    try:
        return _with_settings(parsed)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "provider":
            raise
        return _failed(f"The package {error.name} is missing. Run: python -m pip install -r provider/requirements.txt")
    except KeyboardInterrupt:
        return INTERRUPTED


def _with_settings(parsed: argparse.Namespace) -> int:
    from provider import logs
    from provider.settings import SettingsError, load

    try:
        settings, warnings = load(os.environ)
    except SettingsError as error:
        return _failed(str(error))
    serving = parsed.command == "serve"
    logs.setup(settings, None if serving else sys.stderr, masked=serving)  # standard output is for the answer
    if parsed.command in ("serve", "explain"):
        logs.warn(warnings)
    return _carried_out(parsed, settings, warnings)


def _carried_out(parsed: argparse.Namespace, settings: Settings, warnings: Sequence[str]) -> int:
    import asyncio

    if parsed.command == "register":
        from provider import register

        return asyncio.run(register.main(settings, warnings))
    if parsed.command == "doctor":
        from provider import doctor

        return asyncio.run(doctor.main(settings, warnings))
    if parsed.command == "gaps":
        from provider import survey

        return asyncio.run(survey.main(settings, warnings, parsed.json))
    return _explain(settings, parsed.filename) if parsed.command == "explain" else _serve(settings)


def _serve(settings: Settings) -> int:
    from provider import app, server

    return server.serve(app.build(settings), settings)


def _explain(settings: Settings, filename: str) -> int:
    import asyncio

    from provider import app
    from stash import log
    from validation.errors import Trouble

    try:
        told = asyncio.run(app.explain(settings, filename))
    except Trouble as trouble:
        return _failed(log.shown(trouble.message))
    print(json.dumps(log.shown(told), indent=2))
    return 0


def _parse(words: list[str]) -> argparse.Namespace:
    from provider.version import VERSION

    parser = argparse.ArgumentParser(
        prog="python -m provider",
        description="A metadata provider for Plex that answers from Stash. Settings: docs/provider.md",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=VERSION)
    parser.set_defaults(command="serve")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    made = {name: commands.add_parser(name, help=text, description=text) for name, text in COMMANDS.items()}
    made["explain"].add_argument("filename", help="as Plex calls the file")
    made["gaps"].add_argument("--json", action="store_true", help="as JSON and not as text")
    parsed = parser.parse_args(words)
    parsed.command = parsed.command or "serve"
    return parsed


def _failed(sentence: str) -> int:
    print(f"provider: {sentence}", file=sys.stderr)
    return 1


def start() -> NoReturn:
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    start()
