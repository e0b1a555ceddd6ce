"""What Prometheus sees."""

from __future__ import annotations

import math

import pytest
from prometheus_client.parser import text_string_to_metric_families

from provider.metrics import ROUTES, UNKNOWN_KEYS, Metrics


@pytest.fixture
def metrics():
    return Metrics()


def samples(metrics):
    """What Prometheus' own reader makes of it: names with labels to values."""
    text = metrics.render()[0].decode()
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_each_route_of_a_match_is_there_before_the_first_one(metrics):
    held = samples(metrics)
    assert [held[("stash2plex_matches_total", ("route", route))] for route in ROUTES] == [0] * len(ROUTES)


def test_a_match_counts_for_what_found_it(metrics):
    metrics.matched("path")
    metrics.matched("path")
    metrics.matched("none")
    held = samples(metrics)
    assert held[("stash2plex_matches_total", ("route", "path"))] == 2
    assert held[("stash2plex_matches_total", ("route", "none"))] == 1


def test_a_route_of_a_match_that_nobody_planned_is_one_of_others(metrics):
    metrics.matched("/media/Some Title.mp4")
    assert samples(metrics)[("stash2plex_matches_total", ("route", "other"))] == 1
    assert b"Some Title" not in metrics.render()[0]


def test_requests_are_counted_and_timed_by_route_and_status(metrics):
    metrics.request("/library/metadata/{id}", 200, 0.004)
    metrics.request("/library/metadata/{id}", 200, 0.2)
    metrics.request("/library/metadata/{id}", 404, 0.001)
    held, labels = samples(metrics), (("route", "/library/metadata/{id}"), ("status", "200"))
    assert held[("stash2plex_request_seconds_count", *labels)] == 2
    assert held[("stash2plex_request_seconds_sum", *labels)] == pytest.approx(0.204)
    assert held[("stash2plex_request_seconds_bucket", ("le", "0.005"), *labels)] == 1


def test_queries_to_stash_are_timed_by_outcome(metrics):
    metrics.stash_asked(0.02, "ok")
    metrics.stash_asked(10, "away")
    held = samples(metrics)
    assert held[("stash2plex_stash_query_seconds_count", ("outcome", "ok"))] == 1
    assert held[("stash2plex_stash_query_seconds_sum", ("outcome", "away"))] == 10


def test_hits_and_misses_of_the_cache_are_told_apart(metrics):
    for hit in (True, True, False):
        metrics.cache(hit)
    held = samples(metrics)
    assert held[("stash2plex_cache_reads_total", ("outcome", "hit"))] == 2
    assert held[("stash2plex_cache_reads_total", ("outcome", "miss"))] == 1


def test_an_unknown_key_is_counted_by_its_name(metrics):
    metrics.unknown_key("openSubtitlesHash")
    metrics.unknown_key("openSubtitlesHash")
    assert samples(metrics)[("stash2plex_unknown_keys_total", ("key", "openSubtitlesHash"))] == 2


def test_however_many_unknown_keys_somebody_sends_few_are_remembered(metrics):
    for number in range(1_000):
        metrics.unknown_key("key" + "".join(chr(97 + int(digit)) for digit in str(number)))
    held = {key: value for key, value in samples(metrics).items() if key[0] == "stash2plex_unknown_keys_total"}
    assert len(held) == UNKNOWN_KEYS + 1
    assert held[("stash2plex_unknown_keys_total", ("key", "other"))] == 1_000 - UNKNOWN_KEYS


@pytest.mark.parametrize("key", ["/media/a.mp4", "Some Title", "scene123", "", "x" * 41, "\ud800", "a\nb", "é"])
def test_a_key_that_may_hold_a_path_a_title_or_an_id_is_not_shown(metrics, key):
    metrics.unknown_key(key)
    assert samples(metrics)[("stash2plex_unknown_keys_total", ("key", "other"))] == 1


def test_gaps_are_not_a_number_until_they_were_looked_for(metrics):
    assert math.isnan(samples(metrics)[("stash2plex_gaps_healable",)])
    metrics.gaps(3, 2, 1)
    held = samples(metrics)
    assert held[("stash2plex_gaps_missing_in_stash",)] == 3
    assert held[("stash2plex_gaps_missing_in_plex",)] == 2
    assert held[("stash2plex_gaps_healable",)] == 1


def test_two_providers_in_one_process_count_apart(metrics):
    Metrics().matched("path")
    assert samples(metrics)[("stash2plex_matches_total", ("route", "path"))] == 0
