"""A short storm is part of every test run; `make chaos` is the long one."""

import pytest

from tests.chaos import plan
from tests.chaos.storm import Options, run

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_a_short_storm_loses_and_doubles_nothing():
    outcome = run(Options(awards=30, kills=2, seed=3, workers=2))
    assert outcome.counted.problems == []
    assert outcome.counted.is_ok
    # two by the plan, and whoever is alive when the night comes
    assert 2 < outcome.kills <= 4
    counted = outcome.counted
    assert (counted.awards, counted.unknown) == (30, 0)
    assert counted.issued + counted.failed == 30
    assert outcome.line.startswith(f"awards=30 issued={counted.issued} failed={counted.failed} ")
    assert " unknown=0 lost=0 doubled=0 kills=" in outcome.line


@pytest.mark.parametrize("draw", [plan.events, plan.faults])
def test_a_seed_repeats_what_happens(draw):
    def drawn(seed):
        more = {"kills": 20} if draw is plan.events else {}
        return draw(awards=2000, random=plan.dice(seed), **more)

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_a_long_storm_has_all_there_is():
    kinds = [event.kind for event in plan.events(awards=2000, kills=20, random=plan.dice(1))]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "kill": 20,
        "cut": 7,
        "restart": 2,
        "night": 1,
    }
