"""How customers, subscriptions and components look in the API. Times are UTC."""

from collections.abc import Callable
from typing import Any

from rest_framework import serializers

from backoffice import money
from backoffice.customers.importing import values
from backoffice.customers.importing.values import BadValueError
from backoffice.customers.models import Component, ComponentUse, Customer, Subscription

MOST_ROWS = 1000


def _checked(read: Callable[[str], Any], value: str) -> Any:
    """`value` as the import of files takes it."""
    try:
        return read(value)
    except BadValueError as error:
        raise serializers.ValidationError(
            f"“{value}” {error.reason}. {error.remedy}", code="invalid"
        ) from None


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """`reference` is your own id. The currency is that of the first subscription."""

    stripe_customer_id = serializers.CharField(
        max_length=255, allow_null=True, allow_blank=True, required=False
    )

    class Meta:
        model = Customer
        fields = [
            "id",
            "reference",
            "name",
            "email",
            "language",
            "country",
            "segment",
            "time_zone",
            "currency",
            "stripe_customer_id",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["currency", "created_at", "updated_at"]

    def validate_email(self, value: str) -> Any:
        return _checked(values.email, value)

    def validate_country(self, value: str) -> Any:
        return _checked(values.country, value)

    def validate_time_zone(self, value: str) -> Any:
        return _checked(values.time_zone, value)

    def validate_stripe_customer_id(self, value: str | None) -> Any:
        return _checked(values.stripe_id, value or "")


class SubscriptionSerializer(serializers.ModelSerializer[Subscription]):
    """`fee_minor` is the fee of `interval_months` months, in minor units, before tax.

    `customer` is the customer's reference and stays; `components` are the keys of those used.
    """

    customer = serializers.SlugRelatedField("reference", queryset=Customer.objects.all())
    components = serializers.SerializerMethodField()
    currency = serializers.CharField(max_length=3)
    fee_minor = serializers.IntegerField(min_value=0, max_value=money.LARGEST_AMOUNT_MINOR)
    stripe_subscription_id = serializers.CharField(
        max_length=255, allow_null=True, allow_blank=True, required=False
    )

    class Meta:
        model = Subscription
        fields = [
            "id",
            "reference",
            "customer",
            "plan",
            "fee_minor",
            "currency",
            "interval_months",
            "status",
            "region",
            "started_at",
            "ended_at",
            "trial_end",
            "period_start",
            "period_end",
            "components",
            "stripe_subscription_id",
            "updated_at",
        ]
        read_only_fields = ["updated_at"]

    def get_components(self, subscription: Subscription) -> list[str]:
        return sorted(use.component.key for use in subscription.component_uses.all())

    def validate_currency(self, value: str) -> Any:
        return _checked(values.currency, value)

    def validate_stripe_subscription_id(self, value: str | None) -> Any:
        return _checked(values.stripe_id, value or "")


class ComponentSerializer(serializers.ModelSerializer[Component]):
    """A part of the service that can fail. `key` is what files and the API call it."""

    class Meta:
        model = Component
        fields = ["id", "key", "name", "group", "description", "position", "is_public"]


class ComponentKeysSerializer(serializers.Serializer[Any]):
    """All the components that a subscription uses."""

    components = serializers.SlugRelatedField(
        "key", queryset=Component.objects.all(), many=True, allow_empty=True
    )


class ComponentUseSerializer(serializers.ModelSerializer[ComponentUse]):
    """A subscription (reference) uses a component (key)."""

    subscription = serializers.CharField(source="subscription.reference")
    component = serializers.CharField(source="component.key")

    class Meta:
        model = ComponentUse
        fields = ["id", "subscription", "component"]


class UseSerializer(serializers.Serializer[Any]):
    """One row; `is_used: false` takes the use away."""

    subscription = serializers.CharField(max_length=100)
    component = serializers.CharField(max_length=100)
    is_used = serializers.BooleanField(default=True)


class UsesSerializer(serializers.Serializer[Any]):
    """At most 1,000 rows; with one wrong none is taken."""

    uses = UseSerializer(many=True, allow_empty=False, max_length=MOST_ROWS)  # type: ignore[call-arg]


class ChangedSerializer(serializers.Serializer[Any]):
    """How many uses were added and removed, and how many stood so already."""

    added = serializers.IntegerField()
    removed = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class PortalSessionRequestSerializer(serializers.Serializer[Any]):
    """Whose account pages to open, and where they lead back to."""

    customer = serializers.SlugRelatedField("reference", queryset=Customer.objects.all())
    return_url = serializers.CharField(default="", allow_blank=True)


class PortalSessionSerializer(serializers.Serializer[Any]):
    """A link that opens the account pages once, until `expires_at`."""

    id = serializers.IntegerField()
    customer = serializers.CharField()
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()
