import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from compensation.issuing.bucket import TokenBucket


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def bucket(clock):
    return TokenBucket(100.0, clock=clock, sleep=clock.sleep)


def test_take_keeps_the_rate(bucket, clock):
    begun = clock.now
    for _ in range(1000):
        bucket.take()
    assert clock.now - begun == pytest.approx(9.99)


def test_take_lets_a_tenth_of_a_second_burst_after_a_pause(bucket, clock):
    clock.now += 60
    begun = clock.now
    for _ in range(20):
        bucket.take()
    assert clock.now - begun == pytest.approx(0.09)


def test_take_counts_several(bucket, clock):
    begun = clock.now
    for _ in range(50):
        bucket.take(2)
    assert clock.now - begun == pytest.approx(0.98)


def test_slow_down_halves_and_recovers(bucket, clock):
    bucket.slow_down()
    assert bucket.rate == 50.0
    bucket.slow_down()
    assert bucket.rate == 50.0
    clock.now += 10
    assert bucket.rate == 75.0
    clock.now += 20
    assert bucket.rate == 100.0


def test_slow_down_again_and_again_never_stops(bucket, clock):
    for _ in range(100):
        bucket.slow_down()
        clock.now += 1.0
    assert 1.0 <= bucket.rate <= 10.0


def test_take_by_many_threads_keeps_the_rate():
    bucket = TokenBucket(1000.0)
    begun = time.monotonic()
    start = threading.Barrier(8)

    def work(_number):
        start.wait()
        for _ in range(50):
            bucket.take()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert time.monotonic() - begun >= 0.399
