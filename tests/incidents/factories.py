"""An incident of 14 October 2026 with an outage from 14:02 to 15:02 UTC."""

from datetime import UTC, datetime

import factory

from incidents.models import Cohort, Exposure, Incident, Outage
from tests.customers.factories import ComponentFactory, SubscriptionFactory


class IncidentFactory(factory.django.DjangoModelFactory[Incident]):
    class Meta:
        model = Incident

    number = factory.Sequence(lambda n: f"INC-2026-{n:03}")
    title = "Fibre outage Frankfurt"
    started_at = datetime(2026, 10, 14, 14, 2, tzinfo=UTC)


class OutageFactory(factory.django.DjangoModelFactory[Outage]):
    class Meta:
        model = Outage

    incident = factory.SubFactory(IncidentFactory)
    component = factory.SubFactory(ComponentFactory)
    impact = Outage.Impact.MAJOR
    starts_at = datetime(2026, 10, 14, 14, 2, tzinfo=UTC)
    ends_at = datetime(2026, 10, 14, 15, 2, tzinfo=UTC)


class CohortFactory(factory.django.DjangoModelFactory[Cohort]):
    class Meta:
        model = Cohort

    incident = factory.SubFactory(IncidentFactory)
    name = factory.Sequence(lambda n: f"Cohort {n}")
    position = factory.Sequence(lambda n: n + 1)


class ExposureFactory(factory.django.DjangoModelFactory[Exposure]):
    """An hour of major outage."""

    class Meta:
        model = Exposure

    cohort = factory.SubFactory(CohortFactory)
    incident = factory.LazyAttribute(lambda o: o.cohort.incident)
    subscription = factory.SubFactory(SubscriptionFactory)
    customer = factory.LazyAttribute(lambda o: o.subscription.customer)
    major_seconds = 3600
    partial_seconds = 0
