"""Plex is away and comes back, with real processes: nothing is asked of anybody, and it is one outage."""

from __future__ import annotations

import pytest

from tests.waiting import until

TASK = "Outage Summary"


def summary(world):
    ended = world.run_task(TASK)
    assert ended["error"] is None
    return ended["output"]


@pytest.mark.slow  # until the breaker opens takes as long as five tries do
def test_an_outage_goes_on_through_a_killed_worker_and_ends_by_itself(world):
    world.plex.down()
    world.stash.bulk_save(list(world.keys), code="Y")
    until(lambda: world.logged("Nothing is lost: sending goes on by itself when Plex is back"), what="the outage")
    world.kill_worker()
    before = summary(world)
    assert (before["breaker"]["state"], [row["ended"] for row in before["outages"]]) == ("open", [None])
    world.plex.up()
    world.stash.save("1", code="Z")
    world.synced()
    until(lambda: summary(world)["state"] == "ok", what="the last scene to be settled")
    after = summary(world)
    assert [row["started"] for row in after["outages"]] == [row["started"] for row in before["outages"]]
    assert after["outages"][0]["ended"] and after["outages"][0]["scenes"] >= 10
    assert world.logged("Plex was away from") and world.status()["dead_letters"] == {}
