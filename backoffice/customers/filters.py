"""How the API's lists are narrowed down."""

import django_filters as filters
from django.db.models.functions import Lower

from backoffice.customers.models import Component, ComponentUse, Customer, Subscription


class CustomerFilter(filters.FilterSet):  # type: ignore[misc]
    """`updated_after` includes its time (UTC); an e-mail address fits in any case."""

    email = filters.CharFilter(method="keep_address", label="E-mail address, in any case.")
    updated_after = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = Customer
        fields = ["reference", "country", "segment", "stripe_customer_id"]

    def keep_address(self, queryset, name, value):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        return queryset.alias(folded=Lower("email")).filter(folded=value.lower())


class SubscriptionFilter(filters.FilterSet):  # type: ignore[misc]
    """`customer` is the customer's reference, `component` the key of one it uses."""

    customer = filters.CharFilter("customer__reference")
    component = filters.CharFilter("component_uses__component__key")
    updated_after = filters.IsoDateTimeFilter("updated_at", "gte")

    class Meta:
        model = Subscription
        fields = ["reference", "plan", "status", "region", "stripe_subscription_id"]


class ComponentFilter(filters.FilterSet):  # type: ignore[misc]
    class Meta:
        model = Component
        fields = ["key", "group", "is_public"]


class ComponentUseFilter(filters.FilterSet):  # type: ignore[misc]
    subscription = filters.CharFilter("subscription__reference")
    customer = filters.CharFilter("subscription__customer__reference")
    component = filters.CharFilter("component__key")

    class Meta:
        model = ComponentUse
        fields: list[str] = []
