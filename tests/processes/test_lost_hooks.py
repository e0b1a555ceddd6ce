"""Hooks that never ran: what they would have said is found by the scenes' own dates."""

from __future__ import annotations

import signal

from sync_queue import lease
from tests.waiting import until


def test_a_bulk_edit_whose_client_leaves_converges_at_the_next_wake_up(build):
    world = build()
    ids = world.seed(60)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.kill_worker(signal.SIGTERM)

    edit = "mutation($i:BulkSceneUpdateInput!){bulkSceneUpdate(input:$i){id}}"
    world.stash.gql(edit, {"i": {"ids": ids, "code": "bulk", "director": "D"}}, drop_after=0.05)
    hooks = until(lambda: quiet(world), what="the hooks to end")
    assert len(hooks) < len(ids)  # the rest never ran
    world.stash.save(ids[-1], title="the next wake-up")
    world.synced()
    assert {world.plex.item(key)["tagline"] for key in world.keys.values()} == {"bulk"}
    assert world.errors() == []


def quiet(world):
    hooks = [record for record in world.stash.processes if record.kind == "hook"]
    return hooks if all(record.exit_code is not None for record in hooks) else None


def test_edits_that_fire_no_hook_are_found_at_the_next_wake_up(build):
    world = build()
    ids = world.seed(20)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.kill_worker(signal.SIGTERM)
    for id in ids:
        world.stash.change(id, tags=["auto-tagged"])  # as Stash's own auto-tag does
    assert not lease.held(world.data)
    world.stash.save(ids[1], code="Y")
    world.synced()


def test_a_hook_that_stash_kills_leaves_its_scene_to_the_next_wake_up(build):
    world = build()
    ids = world.seed(3)
    world.stash.save(ids[0], code="X")
    world.synced(only=ids[:1])
    world.kill_worker(signal.SIGTERM)
    world.stash.hooks_enabled = False
    world.stash.save(ids[1], code="Y")
    world.stash.hooks_enabled = True
    world.stash.save(ids[2], code="Z")
    world.synced()
