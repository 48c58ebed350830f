"""The live liability on the incident's page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse

from backoffice.accounts.roles import Role
from compensation.models import Rule
from compensation.pricing import Liability, liability, price
from incidents.models import ExposureProfile
from tests.compensation.factories import BatchFactory, PolicyVersionFactory, RuleFactory, activate
from tests.compensation.screens import signed_in, words
from tests.customers.factories import SubscriptionFactory
from tests.incidents.factories import CohortFactory, ExposureFactory, IncidentFactory

pytestmark = pytest.mark.django_db
COUNTED = datetime(2026, 9, 14, 15, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _own_cache(settings):
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": uuid4().hex,
        }
    }


@pytest.fixture
def incident():
    """An outage that runs: one subscription lives on, one ended when it was counted."""
    incident = IncidentFactory(started_at=COUNTED - timedelta(hours=1), cohorts_resolved_at=COUNTED)
    cohort = CohortFactory(incident=incident)
    profile = ExposureProfile.objects.create(
        incident=incident, components=[1], lived_from=incident.started_at,
        major_seconds=3600, partial_seconds=0, running_impact="major",
    )  # fmt: skip
    ExposureFactory(cohort=cohort, profile=profile)
    ExposureFactory(
        cohort=cohort, profile=profile, subscription=SubscriptionFactory(ended_at=COUNTED)
    )
    # a list said how long: that does not grow
    ExposureFactory(
        cohort=cohort,
        profile=None,
        subscription=SubscriptionFactory(currency="USD", fee_minor=1000),
    )
    return incident


def test_liability_grows_with_who_is_still_out(incident):
    version = RuleFactory(
        uptime_to=None, credit=Rule.Credit.TIME_MULTIPLE, credit_value=Decimal(10)
    ).version
    # An hour of September is 1/720 of the fee: EUR 499.00 x 10 / 720 = EUR 6.93
    now = liability(incident, version, as_of=COUNTED)
    assert now[0] == Liability("EUR", 1386, 2, 2, growth_per_minute_minor=12, in_an_hour_minor=2079)
    later = liability(incident, version, as_of=COUNTED + timedelta(hours=1))
    assert later[0] == Liability(
        "EUR", 2079, 2, 2, growth_per_minute_minor=12, in_an_hour_minor=2772
    )
    assert liability(incident, version, as_of=COUNTED - timedelta(hours=1)) == now


def test_liability_is_what_a_batch_would_propose(incident):
    version = RuleFactory().version
    incident.profiles.update(running_impact="")
    found = liability(incident, version)
    amounts = price(BatchFactory(incident=incident, version=version)).amounts
    assert {each.currency: each.amount_minor for each in found} == amounts == {"EUR": 9980}


def test_the_page_says_how_much_and_under_what(incident):
    standard = PolicyVersionFactory(policy__name="Standard SLA", policy__is_default=True)
    default = RuleFactory(version=standard).version
    other = RuleFactory(
        version=PolicyVersionFactory(policy__name="Gold"), credit_value=Decimal(50)
    ).version
    for version in (default, other):
        activate(version)
    url = reverse("admin:compensation_incident_liability", args=[incident.pk])
    client = signed_in(Role.INCIDENT_MANAGER)[0]
    with time_machine.travel(COUNTED + timedelta(minutes=5)):
        text = words(client.get(url))
        assert "Live liability EUR 99.80 the same in an hour" in text
        assert "if it ended now, under Standard SLA v1 : 2 credits to 2 customers" in text
        assert "EUR 499.00" in words(client.get(url, {"version": other.pk}))
        assert "EUR 499.00" in words(client.get(url))  # it stays chosen


def test_without_a_policy_it_says_what_to_do(incident):
    url = reverse("admin:compensation_incident_liability", args=[incident.pk])
    assert "no policy is in force. Activate one" in words(signed_in(Role.FINANCE)[0].get(url))


def test_only_who_may_see_policies(incident):
    url = reverse("admin:compensation_incident_liability", args=[incident.pk])
    assert signed_in(Role.COMMUNICATIONS)[0].get(url).status_code == 403
    assert signed_in(Role.FINANCE)[0].post(url).status_code == 405


def test_what_batches_award_is_not_called_nothing_owed(incident):
    version = activate(RuleFactory().version)
    incident.state, incident.resolved_at = "resolved", COUNTED
    incident.save()
    ExposureProfile.objects.update(running_impact="")
    batch = BatchFactory(incident=incident, version=version)
    price(batch)
    batch.awards.update(state="approved")
    client, _person = signed_in(Role.FINANCE)
    page = words(client.get(reverse("admin:compensation_incident_liability", args=[incident.pk])))
    assert page.startswith("Owed beyond the batches below nothing less what they award, under")
