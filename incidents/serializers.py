"""How incidents, outages, cohorts and exposures look in the API. All times are UTC."""

from typing import Any

from rest_framework import serializers

from backoffice.customers.models import Component
from incidents.cohorts.membership import MOST_SECONDS
from incidents.lifecycle.outage import LEAST_PERCENT, SHARE_SAID
from incidents.models import Cohort, Exposure, Incident, Outage

MOST_ROWS = 10_000
SHARE: dict[str, Any] = {
    "min_value": LEAST_PERCENT,
    "max_value": 100,
    "error_messages": {"min_value": SHARE_SAID, "max_value": SHARE_SAID},
}


class IncidentSerializer(serializers.ModelSerializer[Incident]):
    """`affected_*` are as of `cohorts_resolved_at`."""

    commander = serializers.EmailField(source="commander.email", default=None, read_only=True)
    affected_subscriptions = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = Incident
        fields = [
            "id",
            "number",
            "title",
            "kind",
            "state",
            "severity",
            "summary",
            "commander",
            "started_at",
            "detected_at",
            "acknowledged_at",
            "mitigated_at",
            "resolved_at",
            "scheduled_for",
            "scheduled_until",
            "affected_subscriptions",
            "affected_customers",
            "cohorts_resolved_at",
        ]
        read_only_fields = fields


class DeclarationSerializer(serializers.Serializer[Any]):
    """A new incident. Without times it was detected and started now."""

    title = serializers.CharField(max_length=300)
    severity = serializers.ChoiceField(Incident.Severity.choices, default="major")
    summary = serializers.CharField(default="", allow_blank=True)
    started_at = serializers.DateTimeField(default=None, allow_null=True)
    detected_at = serializers.DateTimeField(default=None, allow_null=True)


class MoveSerializer(serializers.Serializer[Any]):
    """When it happened (now), and why."""

    at = serializers.DateTimeField(default=None, allow_null=True)
    reason = serializers.CharField(default="", allow_blank=True, max_length=2000)


class MitigationSerializer(MoveSerializer):
    """`ends_outages`: the outages still open ended then."""

    ends_outages = serializers.BooleanField(default=False)


class OutageSerializer(serializers.ModelSerializer[Outage]):
    """`component` is its key; no `ends_at`: it goes on."""

    incident = serializers.PrimaryKeyRelatedField(queryset=Incident.objects.all())
    component = serializers.SlugRelatedField("key", queryset=Component.objects.all())

    class Meta:
        model = Outage
        fields = [
            "id",
            "incident",
            "component",
            "impact",
            "affected_percent",
            "region",
            "starts_at",
            "ends_at",
        ]
        extra_kwargs = {
            "impact": {"default": Outage.Impact.MAJOR},
            "affected_percent": SHARE,
        }


class OutageChangeSerializer(OutageSerializer):
    """What can be corrected: all but the incident."""

    class Meta(OutageSerializer.Meta):
        read_only_fields = ["incident"]
        extra_kwargs = {"affected_percent": SHARE}

    incident = serializers.PrimaryKeyRelatedField(read_only=True)


class CohortSerializer(serializers.ModelSerializer[Cohort]):
    """Found by a condition (empty: everyone hit) or, with source `list`, by what is pushed."""

    incident = serializers.PrimaryKeyRelatedField(queryset=Incident.objects.all())
    position = serializers.IntegerField(min_value=1, max_value=10_000, required=False)

    class Meta:
        model = Cohort
        fields = ["id", "incident", "name", "position", "source", "condition", "exposure_count"]
        read_only_fields = ["exposure_count"]
        validators: list[Any] = []  # the verb tells of a name that is taken


class MemberSerializer(serializers.Serializer[Any]):
    """A customer or a subscription by reference; without seconds they are computed."""

    customer = serializers.CharField(default="", max_length=100)
    subscription = serializers.CharField(default="", max_length=100)
    major_seconds = serializers.IntegerField(
        default=None, allow_null=True, min_value=0, max_value=MOST_SECONDS
    )
    partial_seconds = serializers.IntegerField(
        default=None, allow_null=True, min_value=0, max_value=MOST_SECONDS
    )


class PushSerializer(serializers.Serializer[Any]):
    """At most 10,000 rows; with one wrong none is taken."""

    exposures = MemberSerializer(many=True, allow_empty=False, max_length=MOST_ROWS)  # type: ignore[call-arg]


class PushedSerializer(serializers.Serializer[Any]):
    """How many rows stand on the list now."""

    pushed = serializers.IntegerField()


class CountSerializer(serializers.Serializer[Any]):
    """How many subscriptions a cohort has."""

    cohort = serializers.IntegerField()
    exposures = serializers.IntegerField()


class ResolutionSerializer(serializers.Serializer[Any]):
    """Whom an incident hit until `as_of`."""

    as_of = serializers.DateTimeField()
    subscriptions = serializers.IntegerField()
    customers = serializers.IntegerField()
    cohorts = CountSerializer(many=True)


class ExposureSerializer(serializers.ModelSerializer[Exposure]):
    """One subscription's (or customer's) affected seconds."""

    customer = serializers.CharField(source="customer.reference", read_only=True)
    subscription = serializers.CharField(
        source="subscription.reference", default=None, read_only=True, allow_null=True
    )
    incident = serializers.IntegerField(source="incident_id", read_only=True)
    cohort = serializers.IntegerField(source="cohort_id", read_only=True)

    class Meta:
        model = Exposure
        fields = [
            "id",
            "incident",
            "cohort",
            "customer",
            "subscription",
            "major_seconds",
            "partial_seconds",
        ]
        read_only_fields = fields
