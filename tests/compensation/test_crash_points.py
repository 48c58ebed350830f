"""Every moment at which an issuer can die, each hit exactly, by a real process that is gone."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from compensation.issuing import issue
from compensation.ledger import verify_chain
from compensation.models import Award, LedgerEntry
from tests.chaos import counting
from tests.compensation import dying
from tests.compensation.factories import AwardFactory
from tests.compensation.stories import approve, priced_batch, seed_sandbox
from tests.worker import PROJECT, database_url, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DURING = "during the call"
AFTER_STRIPES = "after Stripe's commit"
# What each leaves: the awards' state, how many are booked at Stripe, and how many in our ledger.
LEFT = {
    dying.BEFORE_CLAIM: ("approved", 0, 0),
    dying.AFTER_CLAIM: ("sending", 0, 0),
    DURING: ("sending", 0, 0),
    AFTER_STRIPES: ("sending", 2, 0),
    dying.BEFORE_OURS: ("sending", 2, 0),
    dying.AFTER_OURS: ("issued", 2, 2),
}
HOURS = 25


@pytest.fixture
def batch(issuing):
    """A credit and a trial extension."""
    batch = priced_batch(awards=1)
    AwardFactory(
        batch=batch,
        benefit="trial",
        amount_minor=0,
        currency="",
        days=14,
        trial_end_target=timezone.now().replace(microsecond=0) + timedelta(days=14),
    )
    seed_sandbox(issuing, batch)
    return approve(batch)


@pytest.fixture
def booked(stripe_sandbox_process):
    """What Stripe's own file holds: how many credits and extensions."""

    def look():
        held = counting.read(stripe_sandbox_process.state)
        return sum(map(len, held.transactions.values())) + sum(held.extensions.values())

    return look


def begin(point):
    return subprocess.Popen(  # noqa: S603 - our own module and arguments
        [sys.executable, "-m", "tests.compensation.dying", point],
        cwd=PROJECT,
        env={
            **os.environ,
            "AMENDS_ENVIRONMENT": "local",
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "backoffice.settings",
        },
    )


def die(point, sandbox, booked):
    posted = {"kind": "delay", "method": "POST", "delay_ms": 2500}
    if point == DURING:
        sandbox.faults({**posted, "where": "before"})
    if point == AFTER_STRIPES:
        sandbox.faults({**posted, "where": "after"})
    process = begin(point)
    if point == DURING:
        wait_until(lambda: sandbox.faults()[0]["fired"] == 2, 20)
        process.kill()
    if point == AFTER_STRIPES:
        wait_until(lambda: booked() == 2, 20)
        process.kill()
    assert process.wait(20) == -signal.SIGKILL


def let_a_night_pass(sandbox):
    """Both clocks move: what Stripe still worked on has ended long before."""
    time.sleep(2.5 if sandbox.faults() else 0)
    sandbox.advance(HOURS * 3600)
    Award.objects.update(first_sent_at=F("first_sent_at") - timedelta(hours=HOURS))


@pytest.mark.parametrize("point", LEFT)
def test_issuer_dies(batch, issuing, booked, point):
    die(point, issuing, booked)
    state, at_stripe, in_ledger = LEFT[point]
    assert set(batch.awards.values_list("state", flat=True)) == {state}
    assert (booked(), LedgerEntry.objects.count()) == (at_stripe, in_ledger)
    keys = dict(batch.awards.values_list("id", "idempotency_key"))
    assert ("" in keys.values()) == (state == "approved")
    issuing.clear_faults()
    issue()
    assert_issued_once(batch, booked)
    if state != "approved":
        assert dict(batch.awards.values_list("id", "idempotency_key")) == keys


@pytest.mark.parametrize(
    ("point", "attempts"), [(dying.AFTER_CLAIM, 2), (DURING, 1), (AFTER_STRIPES, 1)]
)
def test_issuer_dies_and_is_found_a_day_later(batch, issuing, booked, point, attempts):
    """Stripe has forgotten the keys: what it lists is adopted, and what it lacks sent anew."""
    die(point, issuing, booked)
    let_a_night_pass(issuing)
    issuing.clear_faults()
    issue()
    assert_issued_once(batch, booked)
    assert set(batch.awards.values_list("attempt", flat=True)) == {attempts}


def assert_issued_once(batch, booked):
    batch.refresh_from_db()
    assert batch.state == "issued"
    assert set(batch.awards.values_list("state", flat=True)) == {"issued"}
    assert booked() == 2
    assert sorted(LedgerEntry.objects.values_list("award", "kind")) == sorted(
        batch.awards.values_list("id", "benefit")
    )
    assert not list(verify_chain())
