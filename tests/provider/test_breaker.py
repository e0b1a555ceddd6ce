"""A Stash that does not answer is left alone, and found again."""

from __future__ import annotations

from provider.breaker import LONGEST_PAUSE_S, OPENS_AFTER, Breaker


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def opened():
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(OPENS_AFTER):
        assert breaker.admits()
        breaker.failed()
    return breaker, clock


def test_it_opens_after_five_failures_in_a_row_only():
    breaker = Breaker(Clock())
    for _ in range(20):
        breaker.failed()
        breaker.succeeded()
    assert not breaker.open
    assert opened()[0].open


def test_while_it_is_open_one_caller_may_try_when_it_is_due():
    breaker, clock = opened()
    assert not breaker.admits()
    clock.now += 1.1
    assert [breaker.admits(), breaker.admits()] == [True, False]
    breaker.succeeded()
    assert breaker.admits() and breaker.admits() and not breaker.open


def test_the_pause_grows_with_each_vain_try_and_has_an_end():
    breaker, clock = opened()
    pauses = []
    for _ in range(8):
        began = clock.now
        while not breaker.admits():
            clock.now += 0.25
        pauses.append(clock.now - began)
        breaker.failed()
    assert pauses == sorted(pauses) and pauses[0] <= 1.25 and pauses[-1] == LONGEST_PAUSE_S


def test_questions_that_were_under_way_when_it_opened_make_no_pause_longer():
    breaker, clock = opened()
    for _ in range(30):
        breaker.failed()
    clock.now += 1.1
    assert breaker.admits()


def test_a_try_that_was_given_up_lets_the_next_one_try():
    breaker, clock = opened()
    clock.now += 1.1
    assert breaker.admits()
    breaker.given_up()
    assert breaker.admits()
