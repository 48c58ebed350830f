"""The API's doors to incidents, outages, cohorts and exposures."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer, ValidationError
from rest_framework.viewsets import GenericViewSet

from backoffice.rest.idempotency import idempotent
from backoffice.rest.models import Scope
from backoffice.states import history
from incidents import cohorts, filters, lifecycle, serializers
from incidents.models import Cohort, Exposure, Incident, Outage

READ, WRITE = Scope.INCIDENTS_READ, Scope.INCIDENTS_WRITE


class KeyedViewSet(GenericViewSet[Any]):
    """What a key changes is kept in the history under its name."""

    def as_key(self) -> Any:
        return history(by=None, api_key=str(getattr(self.request.auth, "name", "")))

    def valid(self, serializer_class: type[Serializer[Any]], **more: Any) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data, **more)
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        return data


class IncidentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, KeyedViewSet):
    """Incidents and maintenances, the newest first."""

    serializer_class = serializers.IncidentSerializer
    filterset_class = filters.IncidentFilter
    scopes = {
        "list": READ,
        "retrieve": READ,
        "create": WRITE,
        "acknowledge": WRITE,
        "identify": WRITE,
        "mitigate": WRITE,
        "resolve": WRITE,
        "resolve_cohorts": WRITE,
    }

    def get_queryset(self) -> QuerySet[Incident]:
        affected = Coalesce(Sum("cohorts__exposure_count"), 0)
        return Incident.objects.select_related("commander").annotate(
            affected_subscriptions=affected
        )

    @extend_schema(
        request=serializers.DeclarationSerializer, responses={201: serializers.IncidentSerializer}
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Declare an incident."""
        with self.as_key():
            incident = lifecycle.declare_incident(**self.valid(serializers.DeclarationSerializer))
        return Response(self.get_serializer(incident).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=serializers.MoveSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Somebody has taken it."""
        return self._move(lifecycle.acknowledge_incident)

    @extend_schema(request=serializers.MoveSerializer)
    @action(detail=True, methods=["post"])
    def identify(self, request: Request, pk: str) -> Response:
        """The cause is known."""
        return self._move(lifecycle.identify_incident)

    @extend_schema(request=serializers.MitigationSerializer)
    @action(detail=True, methods=["post"])
    def mitigate(self, request: Request, pk: str) -> Response:
        """Customers no longer feel it."""
        return self._move(lifecycle.mitigate_incident, serializers.MitigationSerializer)

    @extend_schema(request=serializers.MoveSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """It is over: open outages end, the cohorts are resolved a last time."""
        return self._move(lifecycle.resolve_incident)

    @extend_schema(request=None, responses=serializers.ResolutionSerializer)
    @action(detail=True, methods=["post"], url_path="resolve-cohorts")
    def resolve_cohorts(self, request: Request, pk: str) -> Response:
        """Find again whom it hit."""
        with self.as_key():
            found = cohorts.resolve(self.get_object())
        counts = [{"cohort": pk, "exposures": count} for pk, count in found.counts.items()]
        answer = {
            "as_of": found.as_of,
            "subscriptions": found.subscriptions,
            "customers": found.customers,
            "cohorts": counts,
        }
        return Response(serializers.ResolutionSerializer(answer).data)

    def _move(
        self,
        verb: Callable[..., None],
        serializer_class: type[Serializer[Any]] = serializers.MoveSerializer,
    ) -> Response:
        with transaction.atomic(), self.as_key():
            verb(incident=self.get_object(), by=None, **self.valid(serializer_class))
        return Response(self.get_serializer(self.get_object()).data)


class OutageViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, KeyedViewSet):
    """What was out of order. Cohorts are not resolved again by themselves."""

    queryset = Outage.objects.select_related("component", "incident")
    serializer_class = serializers.OutageSerializer
    filterset_class = filters.OutageFilter
    scopes = {
        "list": READ,
        "retrieve": READ,
        "create": WRITE,
        "partial_update": WRITE,
        "end": WRITE,
    }

    @extend_schema(responses={201: serializers.OutageSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Add an outage to an incident."""
        with self.as_key():
            outage = lifecycle.add_outage(**self.valid(serializers.OutageSerializer), by=None)
        return Response(self.get_serializer(outage).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=serializers.OutageChangeSerializer, responses=serializers.OutageSerializer
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Correct an outage."""
        outage = self.get_object()
        changes = self.valid(serializers.OutageChangeSerializer, instance=outage, partial=True)
        with self.as_key():
            lifecycle.change_outage(outage=outage, by=None, **changes)
        return Response(self.get_serializer(outage).data)

    @extend_schema(request=serializers.MoveSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Request, pk: str) -> Response:
        """The component works again."""
        outage = self.get_object()
        with self.as_key():
            lifecycle.end_outage(outage=outage, by=None, **self.valid(serializers.MoveSerializer))
        return Response(self.get_serializer(outage).data)


class CohortViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, KeyedViewSet):
    """Groups of an incident's affected customers."""

    queryset = Cohort.objects.order_by("-id")
    serializer_class = serializers.CohortSerializer
    filterset_class = filters.CohortFilter
    scopes = {"list": READ, "retrieve": READ, "create": WRITE, "exposures": WRITE}

    @extend_schema(responses={201: serializers.CohortSerializer})
    @idempotent
    def create(self, request: Request) -> Response:
        """Add a cohort; its members count when the incident's cohorts are resolved."""
        with self.as_key():
            cohort = cohorts.add_cohort(**self.valid(serializers.CohortSerializer))
        return Response(self.get_serializer(cohort).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        request=serializers.PushSerializer, responses={200: serializers.PushedSerializer}
    )
    @action(detail=True, methods=["post"])
    def exposures(self, request: Request, pk: str) -> Response:
        """Push up to 10,000 rows onto a list; who is on it already gets the new seconds."""
        cohort = self.get_object()
        pushed = self.valid(serializers.PushSerializer)["exposures"]
        rows = [cohorts.MemberRow(**row) for row in pushed]
        try:
            with self.as_key():
                count = cohorts.push_members(cohort=cohort, rows=rows)
        except cohorts.MemberError as error:
            raise ValidationError({"exposures": _by_row(error, len(rows))}) from error
        return Response({"pushed": count})


def _by_row(error: cohorts.MemberError, count: int) -> list[dict[str, list[str]]]:
    """As DRF tells errors of a list: one dictionary a row, empty where all is well."""
    rows: list[dict[str, list[str]]] = [{} for _ in range(count)]
    for problem in error.problems:
        rows[problem.index].setdefault(problem.field, []).append(problem.message)
    return rows


class ExposureViewSet(mixins.ListModelMixin, GenericViewSet[Exposure]):
    """Who was hit, and for how many seconds, as of the last resolution."""

    queryset = Exposure.objects.select_related("customer", "subscription")
    serializer_class = serializers.ExposureSerializer
    filterset_class = filters.ExposureFilter
    scopes = {"list": READ}
