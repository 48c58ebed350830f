"""What the API says about batches, awards and a customer's credits.

Amounts are integers in minor units of their currency, times are UTC (RFC 3339).
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compensation.credits import Credit
from compensation.explanations import explain, explain_data
from compensation.models import Award, Batch, Policy, PolicyVersion, ReversalRequest, Rule
from compensation.models.reversal import Cause, ReversalState
from incidents.models import Incident


class AmountSerializer(serializers.Serializer[Any]):
    """A sum of money."""

    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()


class BatchSerializer(serializers.ModelSerializer[Batch]):
    """A batch. Approving and issuing it takes people: the API only proposes."""

    incident = serializers.CharField(
        source="incident.number", default=None, allow_null=True, help_text="Null for goodwill."
    )
    policy = serializers.CharField(
        source="version.policy.key", default=None, allow_null=True, help_text="Null for goodwill."
    )
    version = serializers.IntegerField(
        source="version.number", default=None, allow_null=True, help_text="Null for goodwill."
    )
    approvals = serializers.IntegerField(
        source="signatures", help_text="How many people have approved it so far."
    )
    submitted_by = serializers.SerializerMethodField()
    awards = serializers.SerializerMethodField(
        help_text="How many awards it gives; null in lists until somebody looked at the batch."
    )
    totals = serializers.SerializerMethodField(
        help_text="Its credits by currency; null like `awards`."
    )

    class Meta:
        model = Batch
        fields = (
            "number",
            "kind",
            "state",
            "incident",
            "policy",
            "version",
            "awards",
            "totals",
            "digest",
            "approvals",
            "approvals_needed",
            "created_by_key",
            "submitted_by",
            "created_at",
            "priced_at",
            "submitted_at",
            "approved_at",
            "issued_at",
        )

    @extend_schema_field(serializers.CharField(allow_blank=True))
    def get_submitted_by(self, batch: Batch) -> str:
        """The person's name; empty where a key did, or nobody yet."""
        return str(batch.submitted_by) if batch.submitted_by else ""

    @extend_schema_field(serializers.IntegerField(allow_null=True))
    def get_awards(self, batch: Batch) -> int | None:
        awards: int | None = batch.summary.get("awards")
        return awards

    @extend_schema_field(AmountSerializer(many=True, allow_null=True))
    def get_totals(self, batch: Batch) -> list[dict[str, Any]] | None:
        amounts = batch.summary.get("amounts_minor")
        if amounts is None:
            return None
        return [
            {"amount_minor": amount_minor, "currency": currency}
            for currency, amount_minor in sorted(amounts.items())
        ]


class BatchDraftSerializer(serializers.Serializer[Any]):
    """Which incident to compensate, and under which policy."""

    incident = serializers.SlugRelatedField(slug_field="number", queryset=Incident.objects.all())
    policy = serializers.CharField(
        help_text="The policy's key; its version in force is taken.", max_length=100
    )

    def validate_policy(self, key: str) -> PolicyVersion:
        version = PolicyVersion.objects.filter(
            policy__key=key, state=PolicyVersion.State.ACTIVE
        ).first()
        if version is None:
            raise serializers.ValidationError(f"No policy “{key}” is in force.")
        return version


class AwardSerializer(serializers.ModelSerializer[Award]):
    """One benefit for one customer."""

    batch = serializers.CharField(source="batch.number", default=None, allow_null=True)
    incident = serializers.CharField(source="incident.number", default=None, allow_null=True)
    customer = serializers.CharField(source="customer.reference")
    subscription = serializers.CharField(
        source="subscription.reference", default=None, allow_null=True
    )

    class Meta:
        model = Award
        fields: tuple[str, ...] = (
            "id",
            "source",
            "origin",
            "reason",
            "batch",
            "incident",
            "customer",
            "subscription",
            "plan",
            "country",
            "benefit",
            "state",
            "amount_minor",
            "reversed_minor",
            "currency",
            "days",
            "trial_end_target",
            "priority_until",
            "major_seconds",
            "partial_seconds",
            "exclusion",
            "exclusion_reason",
            "error_code",
            "error_message",
            "stripe_id",
            "created_at",
            "issued_at",
        )


class ExplainedAwardSerializer(AwardSerializer):
    """An award with the sum it was made by."""

    explanation = serializers.SerializerMethodField(
        help_text="The sum in words, in the customer's language where we have it."
    )
    figures = serializers.SerializerMethodField(
        help_text="The same as data: exact numbers as text, money in minor units."
    )

    class Meta(AwardSerializer.Meta):
        fields = (*AwardSerializer.Meta.fields, "explanation", "figures")

    @extend_schema_field(serializers.CharField())
    def get_explanation(self, award: Award) -> str:
        return explain(award, language=award.customer.language)

    @extend_schema_field({"type": "object", "additionalProperties": {}})
    def get_figures(self, award: Award) -> dict[str, Any]:
        return explain_data(award)


class UseSerializer(serializers.Serializer[Any]):
    """An invoice that took some of a credit."""

    invoice = serializers.CharField()
    amount_minor = serializers.IntegerField()
    used_at = serializers.DateTimeField()


class TakenBackSerializer(serializers.Serializer[Any]):
    """What was taken back of a credit, and why, in the language of the request."""

    amount_minor = serializers.IntegerField()
    taken_at = serializers.DateTimeField(allow_null=True)
    why = serializers.CharField()
    trial_until = serializers.DateTimeField(allow_null=True)


class CreditSerializer(serializers.Serializer[Any]):
    """One benefit as its customer sees it."""

    id = serializers.IntegerField(source="award.pk")
    benefit = serializers.ChoiceField(source="award.benefit", choices=Award.Benefit.choices)
    state = serializers.CharField(help_text="coming, booked, used or taken_back")
    amount_minor = serializers.IntegerField()
    left_minor = serializers.IntegerField(help_text="What no invoice has taken yet.")
    currency = serializers.CharField()
    incident = serializers.CharField(source="incident.number", default=None, allow_null=True)
    incident_title = serializers.CharField(source="incident.title", default=None, allow_null=True)
    is_goodwill = serializers.SerializerMethodField()
    ticket = serializers.CharField(
        source="award.origin", help_text="The ticket's number; empty unless goodwill."
    )
    reason = serializers.CharField(
        source="award.reason", help_text="Goodwill's reason as its giver wrote it, else empty."
    )
    booked_at = serializers.DateTimeField(allow_null=True)
    trial_until = serializers.DateTimeField(allow_null=True)
    priority_until = serializers.DateTimeField(allow_null=True)
    uses = UseSerializer(many=True)
    taken_back = TakenBackSerializer(allow_null=True)

    @extend_schema_field(serializers.BooleanField())
    def get_is_goodwill(self, credit: Credit) -> bool:
        return credit.award.source == Award.Source.GOODWILL


class CreditsSerializer(serializers.Serializer[Any]):
    """A customer's credits, newest first, and what is left of them."""

    customer = serializers.CharField()
    balances = AmountSerializer(many=True)
    credits = CreditSerializer(many=True)


# {currency: minor units}
AMOUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}


@extend_schema_field(AMOUNTS)
class AmountsField(serializers.JSONField):
    """{currency: minor units}."""


class RuleSerializer(serializers.ModelSerializer[Rule]):
    """One row: its conditions (empty: any), and what it gives."""

    credit_amounts = AmountsField()

    class Meta:
        model = Rule
        exclude = ("id", "version")


class PolicyVersionSerializer(serializers.ModelSerializer[PolicyVersion]):
    """The terms around the table, and its rows in order."""

    cap_amounts = AmountsField()
    minimum_amounts = AmountsField()
    rules = RuleSerializer(many=True)

    class Meta:
        model = PolicyVersion
        fields = (
            "number",
            "hit_policy",
            "fee_period",
            "partial_weight",
            "counts_maintenance",
            "cap_percent",
            "cap_amounts",
            "minimum_amounts",
            "is_minimum_exclusive",
            "rounding",
            "activated_at",
            "rules",
        )


class PolicySerializer(serializers.ModelSerializer[Policy]):
    """A promise, with its version in force; null where none is."""

    version = serializers.SerializerMethodField()

    class Meta:
        model = Policy
        fields = ("key", "name", "description", "source", "is_default", "version")

    @extend_schema_field(PolicyVersionSerializer(allow_null=True))
    def get_version(self, policy: Any) -> dict[str, Any] | None:
        version = next(iter(policy.active), None)
        return None if version is None else dict(PolicyVersionSerializer(version).data)


class ReversalSerializer(serializers.ModelSerializer[ReversalRequest]):
    """A request to take an award, or a batch, back. People approve it in the admin."""

    award = serializers.IntegerField(source="award_id", allow_null=True)
    batch = serializers.CharField(source="batch.number", default=None, allow_null=True)
    asked_by = serializers.SerializerMethodField()
    awards = serializers.SerializerMethodField(help_text="How many awards by state.")
    limits = serializers.SerializerMethodField(help_text="The most it takes, by currency.")
    taken = serializers.SerializerMethodField(help_text="What was taken so far, by currency.")

    class Meta:
        model = ReversalRequest
        fields = (
            "id",
            "state",
            "batch",
            "award",
            "cause",
            "reason",
            "approvals_needed",
            "asked_by",
            "asked_by_key",
            "asked_at",
            "approved_at",
            "finished_at",
            "answer",
            "awards",
            "limits",
            "taken",
        )

    @extend_schema_field(serializers.CharField(allow_blank=True))
    def get_asked_by(self, row: ReversalRequest) -> str:
        """The person's name; empty where a key did."""
        return str(row.asked_by) if row.asked_by else ""

    @extend_schema_field(AMOUNTS)
    def get_awards(self, row: Any) -> dict[str, int]:
        counts: dict[str, int] = defaultdict(int)
        for each in row.figures:
            counts[each["state"]] += each["n"]
        return dict(counts)

    @extend_schema_field(AmountSerializer(many=True))
    def get_limits(self, row: Any) -> list[dict[str, Any]]:
        return _amounts((each["currency"], each["most"]) for each in row.figures)

    @extend_schema_field(AmountSerializer(many=True))
    def get_taken(self, row: Any) -> list[dict[str, Any]]:
        done = (each for each in row.figures if each["state"] == ReversalState.DONE)
        return _amounts((each["currency"], each["back"]) for each in done)


class AskedReversalSerializer(serializers.Serializer[Any]):
    """What to take back, and why: one award (its id), or a batch (its number)."""

    award = serializers.PrimaryKeyRelatedField(queryset=Award.objects.all(), required=False)
    batch = serializers.SlugRelatedField(
        slug_field="number", queryset=Batch.objects.all(), required=False
    )
    cause = serializers.ChoiceField(
        choices=Cause.choices, help_text="What the customer reads, in their language."
    )
    reason = serializers.CharField(help_text="For whoever approves it.", max_length=2000)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("award" in attrs) == ("batch" in attrs):
            raise serializers.ValidationError({"award": "Name an award or a batch, one of them."})
        return attrs


def _amounts(pairs: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    sums: dict[str, int] = defaultdict(int)
    for currency, amount_minor in pairs:
        if currency:
            sums[currency] += amount_minor
    return [
        {"currency": currency, "amount_minor": amount_minor}
        for currency, amount_minor in sorted(sums.items())
    ]
