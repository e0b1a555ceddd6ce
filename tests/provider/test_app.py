"""The parts together: what only shows when all of them run in one process."""

from __future__ import annotations

import pytest

from tests import canaries
from tests.doubles.stash_server import StashDouble
from tests.provider.service import Service
from tests.waiting import until

SECRET = canaries.secret("segment-of-the-path", "-").replace(".", "-")


@pytest.fixture
def stash():
    with StashDouble() as double:
        double.add_scene(path="/data/Studio/one.mp4", title="One")
        yield double


def test_a_rule_that_is_wrong_is_told_at_the_start_and_the_others_hold(tmp_path, stash):
    with Service(tmp_path, stash, path_rules="no rule at all ; /data => /plex", library_roots="/plex") as service:
        assert "Path rule 1" in service.log() and "is disabled" in service.log()
        assert service.matched(filename="Studio/one.mp4") == ["1"]


def test_a_rule_that_turns_out_wrong_at_a_path_is_told_once(tmp_path, stash):
    one_way = r"/(data)/(.*) => /plex/\2 | /plex/(.*) => /elsewhere/\1"
    with Service(tmp_path, stash, path_rules=one_way, library_roots="/plex", show_paths="true") as service:
        for _ in range(3):
            service.match(filename="Studio/one.mp4")
        assert service.log().count("is disabled") == 1


def test_a_file_that_could_not_be_looked_for_is_kept_as_a_miss(tmp_path, stash):
    with Service(tmp_path, stash) as service:
        stash.stop()
        assert service.match(filename="/data/Studio/unseen.mp4").status == 503
        assert service.match(filename="/data/Studio/typed.mp4", manual=1).status == 503
        missed = service.ask("/gaps", Accept="application/json").json["misses"]
        assert missed["held"] == 1 and "unseen.mp4" in str(missed["newest"])


def test_all_that_plex_asks_lies_below_the_secret_and_nothing_leads_away_from_it(tmp_path, stash):
    with Service(tmp_path, stash, secret=SECRET, base_url="http://127.0.0.1:9090") as service:
        assert service.ask("").status == 200 and service.ask("/").status == 200
        assert service.matched(filename="/data/Studio/one.mp4") == ["1"]
        for path in ("", "/", "/library/metadata/1", "/gaps", "/explain?filename=x"):
            assert service.ask(service.root + path).status == 404
            assert service.ask(f"{service.root}/wrong{path}").status == 404
        for path in ("/gaps/", "/library/metadata/1/", "/library/metadata/matches/"):
            assert "location" not in service.ask(path).headers
        picture = service.ask("/library/metadata/1").items[0]["thumb"]
        assert SECRET not in picture and "sig=" in picture
        assert SECRET not in service.log()


def test_a_signal_ends_it_cleanly_while_it_is_asked(tmp_path, stash):
    with Service(tmp_path, stash) as service:
        assert service.ask("/livez").status == 200
        assert service.stop() == 0
        until(lambda: service.process.poll() is not None)
        assert "Traceback" not in service.log()
