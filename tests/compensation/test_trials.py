"""Trial extensions: an absolute date, never shortened, never extended twice."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compensation.issuing import issue
from compensation.issuing.claiming import claim
from compensation.issuing.control import start_batches
from compensation.models import Award
from tests.compensation.factories import AwardFactory
from tests.compensation.stories import approve, priced_batch, seed_sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture
def target():
    return (timezone.now() + timedelta(days=7)).replace(microsecond=0)


@pytest.fixture
def award(issuing, target):
    return given(issuing, target)


def given(sandbox, target):
    batch = priced_batch(awards=0)
    award = AwardFactory(
        batch=batch, benefit="trial", amount_minor=0, currency="", days=7, trial_end_target=target
    )
    seed_sandbox(sandbox, batch)
    approve(batch)
    award.refresh_from_db()
    return award


def at_stripe(sandbox, award):
    return sandbox.client().v1.subscriptions.retrieve(award.destination)


def set_trial(sandbox, award, end):
    sandbox.client().v1.subscriptions.update(
        award.destination, {"trial_end": int(end.timestamp()), "proration_behavior": "none"}
    )


def test_trial_is_extended_to_the_target(award, issuing, target):
    assert award.destination == award.subscription.stripe_subscription_id
    assert issue().issued == 1
    award.refresh_from_db()
    seen = at_stripe(issuing, award)
    assert seen.trial_end == int(target.timestamp())
    assert seen.metadata[f"amends_award_{award.pk}"] == str(seen.trial_end)
    assert (award.state, award.stripe_id) == ("issued", seen.id)
    assert award.ledger_entries.get().kind == "trial"
    totals = issuing.totals()
    assert (totals["trial_extensions"], totals["trial_updates_prorated"]) == (1, 0)


@pytest.mark.parametrize(
    "fault", ["lost_answer", "truncated", "error_500_kept", "error_500_lost", "rate_limit"]
)
def test_trial_is_extended_once_whatever_happens(award, issuing, fault):
    issuing.faults({"kind": fault, "method": "POST", "path": "/subscriptions", "count": 1})
    assert issue().issued == 1
    assert issuing.totals()["trial_extensions"] == 1


def test_trial_that_ran_shorter_is_extended(award, issuing, target):
    set_trial(issuing, award, target - timedelta(days=1))
    assert issue().issued == 1
    assert at_stripe(issuing, award).trial_end == int(target.timestamp())


@pytest.mark.parametrize("longer", [timedelta(0), timedelta(days=30)])
def test_trial_that_runs_longer_is_left_alone(award, issuing, target, longer):
    set_trial(issuing, award, target + longer)
    assert issue().failed == 1
    award.refresh_from_db()
    assert (award.state, award.error_code) == ("failed", "longer_trial_set")
    assert award.error_message.startswith("The trial already runs until")
    assert at_stripe(issuing, award).trial_end == int((target + longer).timestamp())


@pytest.mark.parametrize(
    ("days", "code", "words"),
    [(-8, "trial_target_past", "past"), (800, "invalid_request", "two years")],
)
def test_trial_target_out_of_bounds_fails_with_words(issuing, target, days, code, words):
    award = given(issuing, target + timedelta(days=days))
    assert issue().failed == 1
    award.refresh_from_db()
    assert (award.state, award.error_code) == ("failed", code)
    assert words in award.error_message


def test_trial_of_a_cancelled_subscription_fails(award, issuing):
    issuing.client().v1.subscriptions.cancel(award.destination)
    assert issue().failed == 1


@pytest.mark.parametrize("hours", [1, 24])
@pytest.mark.parametrize("was_sent", [False, True])
def test_trial_recovered(award, issuing, target, hours, was_sent):
    """Also when somebody has set a longer trial since: our marker proves the extension."""
    start_batches()
    (order,) = claim(award.batch_id, limit=1)
    if was_sent:
        issuing.client().v1.subscriptions.update(order.destination, order.parameters)
        set_trial(issuing, award, target + timedelta(days=30))
    Award.objects.update(first_sent_at=timezone.now() - timedelta(hours=hours))
    assert issue().issued == 1
    award.refresh_from_db()
    assert award.attempt == (2 if hours == 24 and not was_sent else 1)
    assert issuing.totals()["trial_extensions"] == (2 if was_sent else 1)


def test_extended_trial_is_known_at_once(award, issuing, target):
    """Or the days for the next incident would aim at the date that this one has reached."""
    issue()
    award.subscription.refresh_from_db()
    assert award.subscription.trial_end == target


def test_trial_that_was_not_extended_is_left_as_it_was(award, issuing, target):
    before = award.subscription.trial_end
    set_trial(issuing, award, target + timedelta(days=1))
    issue()
    award.subscription.refresh_from_db()
    assert award.subscription.trial_end == before
