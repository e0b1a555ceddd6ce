"""What a batch costs: waits for the disk, statements, questions to Stash and to Plex, connections."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from sync_queue.queue import FORCED_SCENES, JOB_SCENES
from tests.worker.sqlite_ledger import Ledger
from tests.worker.steps import Stage

SCENES = 2 * JOB_SCENES + 20
FEW = 2
NUMBERS = itertools.count()


class Costs(NamedTuple):
    """Of one step."""

    commits: Counter[str]
    statements: Counter[str]
    stash: int
    plex: list[str]


class Shop(NamedTuple):
    """A library in step, without pictures, and what its databases are told."""

    stage: Stage
    scenes: list[int]
    ledger: Ledger


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with pytest.MonkeyPatch.context() as patch:
        ledger = Ledger(patch)
        with Stage(str(tmp_path_factory.mktemp("shop") / "data"), sync_poster=False, sync_background=False) as stage:
            scenes = stage.scenes(SCENES)
            stage.settle(*scenes)
            assert stage.puts() == SCENES
            yield Shop(stage, scenes, ledger)


def step(shop: Shop, scenes: list[int], changed: int = 0, force: bool = False) -> Costs:
    """Queue these scenes, the first of them changed, and do one step."""
    stage = shop.stage
    for scene in scenes[:changed]:
        stage.stash.change(scene, tags=[f"Tag {next(NUMBERS)}"], touch=False)
    stage.session.queue.put(scenes, "test", stage.clock.now, force=force)
    stage.plex.clear_requests()
    stage.stash.clear_requests()
    with shop.ledger.counting() as told:
        settled = stage.step().settled
    assert settled == len(scenes)
    asked = [f"{entry.method} {entry.path}" for entry in stage.plex.requests()]
    return Costs(Counter(told.commits), Counter(told.statements), stage.stash.count("findScenes"), asked)


@pytest.mark.parametrize("what", ["changed", "unchanged", "compared all the same"])
def test_a_batch_waits_for_the_disk_as_often_as_a_few_scenes_do(shop: Shop, what: str) -> None:
    force = what == "compared all the same"
    many = FORCED_SCENES if force else JOB_SCENES
    few, batch = (
        step(shop, shop.scenes[:count], changed=count if what == "changed" else 0, force=force) for count in (FEW, many)
    )
    print(f"{what}: {dict(batch.commits)} transactions, {dict(batch.statements)} statements for {many} scenes")
    assert batch.commits == few.commits and batch.statements == few.statements
    assert 0 < batch.commits["stash2plex.db"] <= 3 and 0 < batch.commits["data.db"] <= 3


def test_a_scene_is_pushed_only_after_its_attempt_and_its_tags_are_on_disk(shop: Shop) -> None:
    """The transactions that a batch cannot do without: attempts, intended tags, what came of it."""
    stage, scene = shop.stage, shop.scenes[0]
    stage.stash.change(scene, tags=[f"Tag {next(NUMBERS)}"], touch=False)
    stage.session.queue.put([scene], "test", stage.clock.now)
    shop.ledger.commits.clear()
    seen: list[int] = []
    inner = stage.plex._routes.respond

    def respond(request):  # type: ignore[no-untyped-def]
        if request.method == "PUT":
            seen.append(shop.ledger.commits["stash2plex.db"])
        return inner(request)

    stage.plex._routes.respond = respond
    try:
        stage.step()
    finally:
        stage.plex._routes.respond = inner
    assert seen == [2] and shop.ledger.commits["stash2plex.db"] == 3


def test_stash_is_asked_once_for_fifty_scenes_and_plex_once_for_those_that_changed(shop: Shop) -> None:
    changed = 7
    costs = step(shop, shop.scenes[:JOB_SCENES], changed=changed)
    keys = [shop.stage.keys[scene] for scene in shop.scenes[:changed]]
    reads = [asked for asked in costs.plex if asked.startswith("GET")]
    assert costs.stash == 1
    assert reads == [f"GET /library/metadata/{','.join(keys)}"]
    assert len(costs.plex) == 1 + changed


def test_of_unchanged_scenes_plex_is_asked_for_nothing(shop: Shop) -> None:
    costs = step(shop, shop.scenes[:JOB_SCENES])
    assert (costs.stash, costs.plex) == (1, [])


def test_scenes_that_are_compared_all_the_same_cost_plex_one_read_for_a_hundred(shop: Shop) -> None:
    costs = step(shop, shop.scenes[:FORCED_SCENES], force=True)
    assert len(costs.plex) == 1 and costs.stash == FORCED_SCENES // 50


def test_scenes_that_plex_is_not_known_to_have_are_found_by_one_walk_and_read_at_once(shop: Shop) -> None:
    stage = shop.stage
    new = [stage.scene() for _ in range(JOB_SCENES)]
    stage.session.clear_match_cache()
    costs = step(shop, new)
    writes = [asked for asked in costs.plex if asked.startswith("PUT")]
    assert len(writes) == JOB_SCENES and len(costs.plex) - len(writes) <= 3  # libraries, the walk, whole items
    assert stage.differing(*new) == {}


def test_everything_goes_to_plex_over_one_connection(shop: Shop) -> None:
    for force in (False, True):
        step(shop, shop.scenes[:JOB_SCENES], changed=JOB_SCENES, force=force)
    assert shop.stage.plex.connections == 1
