"""The bench of the metadata provider asks a real one, counts every answer, and knows a wrong one."""

from __future__ import annotations

from collections import Counter

import pytest

from bench import provider
from bench.doubles import started
from bench.load import Answers, Load, Request
from bench.provider import MATCH, READ, Run, p99
from bench.table import Bar

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_the_provider_bench_measures_a_real_provider_and_lets_its_stash_die(tmp_path):
    rows = provider.measure(tmp_path, **provider.QUICK)
    assert not [row for row in rows if row.failed]
    speeds = [row for row in rows if row.unit == "requests/s"]
    assert [row.what.partition(" (")[0] for row in speeds] == [
        "cold, bursts",
        "warm, bursts",
        "cold, always",
        "warm, always",
    ]
    assert all(row.floor > row.value > 0 for row in speeds)
    asked = [row.value for row in rows if row.what == "… Stash requests per request"]
    assert min(asked[::2]) > 0 and max(asked) < 1


def test_an_answer_that_is_no_200_makes_the_provider_bench_fail():
    times = {MATCH: [0.01], READ: [0.01]}
    right = Answers(times, Counter({(MATCH, 200): 1, (READ, 200): 1}), 1.0)
    wrong = Answers(times, Counter({(MATCH, 200): 1, (READ, 503): 1}), 1.0)
    failed = [[row.failed for row in Run(answers, right, 0.0, 1).rows("cold", Bar(1))] for answers in (right, wrong)]
    assert [any(one) for one in failed] == [False, True]


@pytest.mark.parametrize("size", [0, 100, 300_000])
def test_each_request_of_a_load_has_its_answer_however_long_that_is(size: int):
    requests = [Request(kind, GET) for kind in "abc" * 7]
    with started("bench.constant", str(size)) as told, Load(told["port"], 5) as load:
        for answers in (load.always(requests), load.bursts(requests, 0.0)):
            assert answers.statuses == {("a", 200): 7, ("b", 200): 7, ("c", 200): 7}
            assert {kind: len(times) for kind, times in answers.times.items()} == {"a": 7, "b": 7, "c": 7}
            assert answers.per_second > 0 and answers.other(("a", 200), ("b", 200)) == 7


def test_p99_is_what_only_one_of_a_hundred_exceeds():
    assert (p99(list(range(1, 101))), p99([3, 2]), p99([7])) == (99, 3, 7)
