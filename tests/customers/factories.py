"""Customers who pay EUR 499.00 a month since 2024."""

from datetime import UTC, datetime

import factory

from backoffice.customers.models import Component, ComponentUse, Customer, Subscription


class CustomerFactory(factory.django.DjangoModelFactory[Customer]):
    class Meta:
        model = Customer

    reference = factory.Sequence(lambda n: f"C-{n:05}")
    name = factory.Sequence(lambda n: f"Customer {n} GmbH")
    email = factory.LazyAttribute(lambda o: f"{o.reference.lower()}@example.com")
    country = "DE"
    currency = "EUR"
    stripe_customer_id = factory.LazyAttribute(lambda o: f"cus_{o.reference}")


class SubscriptionFactory(factory.django.DjangoModelFactory[Subscription]):
    class Meta:
        model = Subscription

    reference = factory.Sequence(lambda n: f"S-{n:05}")
    customer = factory.SubFactory(CustomerFactory)
    plan = "Business"
    fee_minor = 49900
    currency = "EUR"
    started_at = datetime(2024, 1, 1, tzinfo=UTC)
    stripe_subscription_id = factory.LazyAttribute(lambda o: f"sub_{o.reference}")


class ComponentFactory(factory.django.DjangoModelFactory[Component]):
    class Meta:
        model = Component

    key = factory.Sequence(lambda n: f"component-{n}")
    name = factory.LazyAttribute(lambda o: o.key.replace("-", " ").capitalize())


class ComponentUseFactory(factory.django.DjangoModelFactory[ComponentUse]):
    class Meta:
        model = ComponentUse

    subscription = factory.SubFactory(SubscriptionFactory)
    component = factory.SubFactory(ComponentFactory)
