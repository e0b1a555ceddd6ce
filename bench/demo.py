"""The whole road from a save in Stash to a changed item in Plex, shown in half a minute: ``python -m bench.demo``.

Exit code 0 only if, at the end, Plex shows of every scene exactly what Stash holds.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.picture import jpeg
from bench.stage import LISTS, PICTURES, SCALARS, TITLES, TOKEN, Late, Stage, picture_field, stage, until
from bench.voice import Voice, shown

ENOUGH_TO_KILL = 10
SLOW_PLEX_S = 0.04
NAMES = {"summary": "summary", "originallyAvailableAt": "date", "actor": "actors", "genre": "genres"}


def save_one(on: Stage, voice: Voice) -> list[float]:
    """One scene, field by field."""
    voice.chapter("Save a scene in Stash")
    voice.say(
        f"Scene 1 gets a text, a studio code and two more tags. Plex knew only its file: {on.item('1')['title']}."
    )
    before = on.item("1")
    answered, arrived = on.saved(
        "1", details="Fishing boats leave the harbour.", code="NL-001", tag_ids=on.ids("tag", "City", "Sea", "Night")
    )
    after = on.item("1")
    lines = [("", "Plex before", f"Plex {arrived:.1f} s after the save")]
    lines += [(NAMES.get(name, name), shown(before[name]), shown(after[name])) for name in (*SCALARS, *LISTS)]
    lines += [(name, _picture(before[name]), _picture(after[name])) for name in PICTURES]
    voice.table(lines)
    voice.say(f"Stash had its answer after {answered:.2f} s; a worker was started in that time and lives on.")
    voice.log(on.log())
    return [arrived]


def save_more(on: Stage, voice: Voice) -> list[float]:
    """A few more, now that a worker lives, and a bulk edit."""
    voice.chapter("Save three more, then edit ten at once")
    lines, times = [("", "Plex before", "Plex after", "arrived after")], []
    for number in (2, 3, 4):
        before = on.item(str(number))["title"]
        _, arrived = on.saved(str(number), title=f"{TITLES[number - 1]} (restored)", code=f"NL-{number:03}")
        lines.append((f"scene {number}", before, on.item(str(number))["title"], f"{arrived:.2f} s"))
        times.append(arrived)
    voice.table(lines)
    ten, at = [str(number) for number in range(5, 15)], time.monotonic()
    on.bulk_edit(ten, tag_ids={"ids": on.ids("tag", "Classic"), "mode": "ADD"}).join()
    answered = time.monotonic() - at
    until(lambda: not set(ten) & set(on.differing()), "the bulk edit to arrive in Plex")
    voice.say(f"The bulk edit of scenes 5 to 14 took Stash {answered:.2f} s, hooks included; "
              f"all ten were in Plex {time.monotonic() - at:.2f} s after the click.")  # fmt: skip
    voice.log(on.log())
    return times


def change_cover(on: Stage, voice: Voice) -> None:
    """Another cover for a scene that Plex shows already."""
    voice.chapter("Give a scene another cover")
    before, cover = on.plex.uploads(), jpeg(99)
    _, arrived = on.saved("4", cover_image=picture_field(cover))
    sent = on.plex.uploads()["requests"] - before["requests"]
    voice.say(f"Scene 4 gets another cover ({len(cover)} bytes of JPEG). Plex shows it {arrived:.2f} s after the save, "
              f"as poster and as background ({sent} uploads).")  # fmt: skip
    voice.log(on.log())


def lose_plex(on: Stage, voice: Voice) -> float:
    """Edits while Plex is away, and a worker that dies; returns when the bulk edit was made."""
    voice.chapter("Plex goes away")
    heard = len(on.log())
    on.plex.down()
    voice.say("Plex is switched off: nothing answers at its address any more. Scene 2 is saved all the same.")
    on.stash.save("2", title=f"{TITLES[1]} (final)")
    voice.say("Now all 25 scenes are edited at once, and the worker is killed (SIGKILL) in the middle of it.")
    workers, at = len(on.workers()), time.monotonic()
    edit = on.bulk_edit(
        list(on.keys),
        studio_id=on.ids("studio", "Quayside")[0],
        tag_ids={"ids": on.ids("tag", "Favourite"), "mode": "ADD"},
    )
    pid = on.kill_worker()
    edit.join()
    voice.say(f"Killed process {pid}. Stash went on and was done in {time.monotonic() - at:.2f} s.")
    until(lambda: len(on.workers()) > workers, "a new worker")
    voice.say("Nobody has to do anything: the script that had started it starts another one.")
    until(lambda: any("Nothing is lost" in text for _, text in on.log()[heard:]), "the worker to give Plex a rest")
    voice.log(on.log())
    voice.say(f"{len(on.differing())} of 25 items in Plex are out of date now, and nothing is lost.")
    return at


def find_plex(on: Stage, voice: Voice, edited_at: float) -> None:
    """Plex is back; the worker dies once more while it sends."""
    voice.chapter("Plex comes back")
    voice.say("Plex is switched on again. The worker looks for it every 5 seconds at first, later once a minute.")
    puts = on.plex.count("PUT")
    on.plex.latency_s = SLOW_PLEX_S
    on.plex.up()
    waited = until(lambda: on.plex.count("PUT") > puts, "the worker to find Plex")
    voice.say(f"Found after {waited:.1f} s. When {ENOUGH_TO_KILL} scenes have arrived, the worker is killed again.")
    until(lambda: on.plex.count("PUT") - puts >= ENOUGH_TO_KILL, "some scenes to arrive")
    pid = on.kill_worker()
    on.plex.latency_s = 0.0
    left = len(on.differing())
    at = time.monotonic()
    voice.say(f"Killed process {pid} with {left} of 25 still to come.")
    until(lambda: not on.differing(), "everything to arrive in Plex")
    voice.good(f"Everything arrived {time.monotonic() - at:.1f} s after that, without anybody's doing, "
               f"{time.monotonic() - edited_at:.1f} s after the bulk edit.")  # fmt: skip
    voice.log(on.log())


def sum_up(on: Stage, voice: Voice, times: list[float]) -> bool:
    """Compare all of it; whether Plex shows what Stash holds."""
    voice.chapter("Compare every scene")
    wanted, wrong = on.wanted(), on.differing()
    items = {id: on.item(id) for id in list(on.keys)[:5]}
    lines = [[id, *(shown(item[name]) for name in ("title", "studio", "actor", "genre"))] for id, item in items.items()]
    voice.table([("scene", "title in Plex", "studio", "actors", "genres"), *lines, ("...", "", "", "", "")])
    voice.say(
        f"From save to change in Plex: {min(times):.2f} to {max(times):.2f} s, the first one with a worker's start."
    )
    voice.say(
        f"Processes that Stash had to start for saves: {len(on.hooks())}. Writes to Plex: {on.plex.count('PUT')}."
    )
    uploads = on.plex.uploads()
    voice.say(f"Covers: {on.with_cover()} of {len(on.keys)} are poster and background of their item, "
              f"after {uploads['requests']} uploads in all.")  # fmt: skip
    voice.say(f"Workers: {len(on.workers())} started, {on.killed} killed.")
    for id in wrong:
        voice.bad(f"Scene {id}: Stash says {wanted.get(id)}, Plex shows {on.item(id)}")
    say = voice.bad if wrong else voice.good
    say(f"{len(on.keys) - len(wrong)} of {len(on.keys)} items in Plex show exactly what Stash holds.")
    return not wrong


def keep(on: Stage, voice: Voice) -> None:
    """Leave it running until Ctrl-C."""
    voice.chapter("Try it yourself")
    voice.say(f"Stash: {on.stash.url}    Plex: {on.plex.url}    token: {TOKEN}")
    voice.say("Change a title in Stash, and look at it in Plex:")
    body = '{"query":"mutation{sceneUpdate(input:{id:7,title:\\"Hello\\"}){id}}"}'
    voice.say(f"  curl -s {on.stash.url}/graphql -H 'Content-Type: application/json' -d '{body}'")
    voice.say(f"  curl -s '{on.plex.url}/library/metadata/{on.keys['7']}?X-Plex-Token={TOKEN}'")
    voice.say("Ctrl-C ends both, and the worker with them.")
    while True:
        time.sleep(1.0)  # a wait without end is deaf to Ctrl-C on Windows


def play(on: Stage, voice: Voice) -> bool:
    """The story; whether it ended well."""
    voice.say(f"A stand-in for Stash ({on.stash.url}) and one for Plex ({on.plex.url}) run on this computer.")
    voice.say("Both know the same 25 videos. The plugin between them is the real one, started as Stash starts it.")
    times = save_one(on, voice) + save_more(on, voice)
    change_cover(on, voice)
    find_plex(on, voice, lose_plex(on, voice))
    return sum_up(on, voice, times)


def main(arguments: list[str] | None = None) -> int:
    """Show it; 0 when Plex ends up with what Stash holds, 1 when not, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="demo", description="The road from Stash to Plex, on stand-ins for both.")
    parser.add_argument("--keep", action="store_true", help="leave both running afterwards, until Ctrl-C")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    voice, at, well = Voice(), time.monotonic(), False
    voice.title("Stash2Plex, from a save in Stash to a change in Plex")
    try:
        with tempfile.TemporaryDirectory(prefix="stash2plex-demo-") as folder, stage(Path(folder)) as on:
            try:
                well = play(on, voice)
            except Late as late:
                voice.log(on.log())
                voice.bad(f"This is not how it should be: {late}.")
            if options.keep:
                keep(on, voice)
    except KeyboardInterrupt:
        voice.say("Ended; nothing is left running.")
        return 0 if well and options.keep else 130
    voice.say(f"The demo took {time.monotonic() - at:.0f} s. Nothing is left running.")
    return 0 if well else 1


def _picture(sha1: str) -> str:
    return f"the scene's cover ({sha1[:7]}...)" if sha1 else "a frame of the file"


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
