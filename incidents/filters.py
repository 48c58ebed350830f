"""How the API's lists are narrowed down."""

import django_filters as filters

from incidents.models import Cohort, Exposure, Incident, Outage


class IncidentFilter(filters.FilterSet):  # type: ignore[misc]
    """`started_after` includes its time, `started_before` does not (UTC)."""

    running = filters.BooleanFilter(method="keep_running", label="Not over, and begun.")
    started_after = filters.IsoDateTimeFilter("started_at", "gte")
    started_before = filters.IsoDateTimeFilter("started_at", "lt")

    class Meta:
        model = Incident
        fields = ["number", "kind", "state", "severity"]

    def keep_running(self, queryset, name, value):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
        running = Incident.objects.running().values("pk")
        return queryset.filter(pk__in=running) if value else queryset.exclude(pk__in=running)


class OutageFilter(filters.FilterSet):  # type: ignore[misc]
    component = filters.CharFilter("component__key")
    running = filters.BooleanFilter("ends_at", "isnull", label="Has no end yet.")

    class Meta:
        model = Outage
        fields = ["incident", "impact", "region"]


class CohortFilter(filters.FilterSet):  # type: ignore[misc]
    class Meta:
        model = Cohort
        fields = ["incident", "source"]


class ExposureFilter(filters.FilterSet):  # type: ignore[misc]
    """References are the host product's own."""

    cohort = filters.NumberFilter("cohort_id")
    incident = filters.NumberFilter("incident_id")
    customer = filters.CharFilter("customer__reference")
    subscription = filters.CharFilter("subscription__reference")

    class Meta:
        model = Exposure
        fields: list[str] = []
