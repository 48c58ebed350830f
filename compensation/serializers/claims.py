"""What the API says about claims. Times are UTC (RFC 3339), amounts in minor units."""

from typing import Any

from django.utils.translation import override
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from backoffice.customers.models import Component, Customer, Subscription
from compensation.claims import answer_to
from compensation.claims.filing import LONGEST_TEXT
from compensation.models import Award, Claim


class BenefitSerializer(serializers.Serializer[Any]):
    """What it comes to: an amount of a credit, or days."""

    benefit = serializers.ChoiceField(choices=Award.Benefit.choices)
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField(allow_blank=True)
    days = serializers.IntegerField()


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    """What a customer said did not work, and what was answered."""

    number = serializers.CharField()
    customer = serializers.CharField(source="customer.reference")
    subscription = serializers.CharField(
        source="subscription.reference", default=None, allow_null=True
    )
    component = serializers.CharField(source="component.key", default=None, allow_null=True)
    incident = serializers.CharField(source="incident.number", default=None, allow_null=True)
    batch = serializers.CharField(
        source="batch.number", default=None, allow_null=True,
        help_text="The batch of claims that proposes it to finance.",
    )  # fmt: skip
    ticket = serializers.CharField(
        source="ticket_number", help_text="Where a person looks at it; else empty."
    )
    why = serializers.SerializerMethodField(help_text="The reason as a word, such as `no_outage`.")
    benefits = serializers.SerializerMethodField(help_text="What it came to when it was answered.")
    answer = serializers.SerializerMethodField(
        help_text="The answer as the customer reads it, in their language."
    )

    class Meta:
        model = Claim
        fields = (
            "id",
            "number",
            "customer",
            "subscription",
            "component",
            "starts_at",
            "ends_at",
            "goes_on",
            "text",
            "state",
            "outcome",
            "why",
            "benefits",
            "answer",
            "incident",
            "batch",
            "ticket",
            "created_by_key",
            "created_at",
            "decided_at",
        )

    @extend_schema_field(serializers.CharField(allow_blank=True))
    def get_why(self, claim: Claim) -> str:
        return str(claim.decision.get("why", ""))

    @extend_schema_field(BenefitSerializer(many=True))
    def get_benefits(self, claim: Claim) -> list[dict[str, Any]]:
        benefits: list[dict[str, Any]] = claim.decision.get("benefits", [])
        return benefits

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_answer(self, claim: Claim) -> list[str]:
        with override(claim.customer.language):
            return answer_to(claim)


class NewClaimSerializer(serializers.Serializer[Any]):
    """What a customer says did not work. Leave `ends_at` out if it still goes on."""

    customer = serializers.SlugRelatedField(slug_field="reference", queryset=Customer.objects.all())
    subscription = serializers.SlugRelatedField(
        slug_field="reference", queryset=Subscription.objects.all(), required=False,
        help_text="Needed where the customer has several.",
    )  # fmt: skip
    component = serializers.SlugRelatedField(
        slug_field="key", queryset=Component.objects.all(), required=False
    )
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(required=False)
    text = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=LONGEST_TEXT
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The only subscription is meant where none is named."""
        if "subscription" not in attrs:
            own = list(Subscription.objects.filter(customer=attrs["customer"])[:2])
            if len(own) > 1:
                raise serializers.ValidationError(
                    {"subscription": "This customer has several: say which one it is about."}
                )
            attrs["subscription"] = own[0] if own else None
        return attrs
