"""A policy of one row: 10 % of the monthly fee below 99.9 % uptime."""

from decimal import Decimal

import factory
from django.utils import timezone

from compensation.models import Award, Batch, Policy, PolicyVersion, Rule
from tests.accounts.factories import UserFactory
from tests.customers.factories import SubscriptionFactory
from tests.incidents.factories import IncidentFactory


class PolicyFactory(factory.django.DjangoModelFactory[Policy]):
    class Meta:
        model = Policy

    key = factory.Sequence(lambda n: f"policy-{n}")
    name = factory.Sequence(lambda n: f"Policy {n}")


class PolicyVersionFactory(factory.django.DjangoModelFactory[PolicyVersion]):
    """A draft, so that rows can be added; `activate` it when they are there."""

    class Meta:
        model = PolicyVersion

    policy = factory.SubFactory(PolicyFactory)
    number = 1


class RuleFactory(factory.django.DjangoModelFactory[Rule]):
    class Meta:
        model = Rule

    version = factory.SubFactory(PolicyVersionFactory)
    position = factory.Sequence(lambda n: n + 1)
    uptime_to = Decimal("99.9")
    credit = Rule.Credit.PERCENT
    credit_value = Decimal(10)


class BatchFactory(factory.django.DjangoModelFactory[Batch]):
    class Meta:
        model = Batch

    number = factory.Sequence(lambda n: f"2026-{n:03}")
    incident = factory.SubFactory(IncidentFactory)
    version = factory.SubFactory(PolicyVersionFactory)


class AwardFactory(factory.django.DjangoModelFactory[Award]):
    """A proposed credit of EUR 49.90; goodwill has somebody who gave it, and why."""

    class Meta:
        model = Award

    class Params:
        is_goodwill = factory.LazyAttribute(lambda o: o.source == "goodwill")

    source = Award.Source.BATCH
    given_by = factory.Maybe("is_goodwill", factory.SubFactory(UserFactory))
    reason = factory.Maybe("is_goodwill", "Sorry for the wait.", "")
    batch = factory.SubFactory(BatchFactory)
    incident = factory.LazyAttribute(lambda o: o.batch.incident if o.batch else None)
    subscription = factory.SubFactory(SubscriptionFactory)
    customer = factory.LazyAttribute(lambda o: o.subscription.customer)
    benefit = Award.Benefit.CREDIT
    amount_minor = 4990
    currency = "EUR"


def activate(version: PolicyVersion) -> PolicyVersion:
    """Put `version` into force without the verb, for tests of other things."""
    version.state = PolicyVersion.State.ACTIVE
    version.activated_at = timezone.now()
    version.save()
    return version
