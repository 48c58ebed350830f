"""The desk's figures in the API."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.accounts.models import User
from backoffice.rest.models import Scope
from support.models import Queue
from support.reports import Scope as ReportScope
from support.reports import report_of
from support.serializers.fields import Slug

DAYS = 30


class AskSerializer(serializers.Serializer[Any]):
    """Days in UTC, both included; without them the last 30."""

    first = serializers.DateField(required=False)
    last = serializers.DateField(required=False)
    queue = Slug("slug", queryset=Queue.objects.all(), required=False)
    agent = Slug("email", queryset=User.objects.filter(agent__isnull=False), required=False)


class SpeedSerializer(serializers.Serializer[Any]):
    """Of a set of tickets: counts, and times in seconds of real time."""

    tickets = serializers.IntegerField()
    answered = serializers.IntegerField()
    first_response_median = serializers.SerializerMethodField()
    first_response_p90 = serializers.SerializerMethodField()
    solved = serializers.IntegerField()
    resolution_median = serializers.SerializerMethodField()
    resolution_p90 = serializers.SerializerMethodField()
    promised = serializers.IntegerField(help_text="How many had an SLA policy ...")
    kept = serializers.IntegerField(help_text="... and missed no deadline of it.")
    reopened = serializers.IntegerField()

    def get_first_response_median(self, speed: Any) -> int | None:
        return _seconds(speed.first_response_median)

    def get_first_response_p90(self, speed: Any) -> int | None:
        return _seconds(speed.first_response_p90)

    def get_resolution_median(self, speed: Any) -> int | None:
        return _seconds(speed.resolution_median)

    def get_resolution_p90(self, speed: Any) -> int | None:
        return _seconds(speed.resolution_p90)


class BarSerializer(serializers.Serializer[Any]):
    """A bar of a chart."""

    label = serializers.CharField()  # type: ignore[assignment] # a field's name
    count = serializers.IntegerField()


class LabelledSpeedSerializer(serializers.Serializer[Any]):
    """A line of a table."""

    label = serializers.CharField()  # type: ignore[assignment] # a field's name
    speed = SpeedSerializer()


class ReportSerializer(serializers.Serializer[Any]):
    """Tickets opened in the range; `unsolved` and `backlog` are as of now."""

    first = serializers.DateField()
    last = serializers.DateField()
    total = SpeedSerializer()
    unsolved = serializers.IntegerField()
    by_day = BarSerializer(many=True)
    by_hour = BarSerializer(many=True)
    by_channel = BarSerializer(many=True)
    by_incident = BarSerializer(many=True)
    backlog = BarSerializer(many=True)
    by_queue = LabelledSpeedSerializer(many=True)
    by_agent = LabelledSpeedSerializer(many=True)


class DeskReportView(APIView):
    """Volume, speed, kept promises and backlog."""

    scopes = {"get": Scope.TICKETS_READ}

    @extend_schema(parameters=[AskSerializer], responses=ReportSerializer)
    def get(self, request: Request) -> Response:
        ask = AskSerializer(data=request.query_params)
        ask.is_valid(raise_exception=True)
        today = timezone.now().date()
        days = {"first": today - timedelta(days=DAYS - 1), "last": today}
        report = report_of(ReportScope(reader=None, **(days | ask.validated_data)))
        counts = ("by_day", "by_hour", "by_channel", "by_incident", "backlog")
        answer = {
            "first": report.scope.first,
            "last": report.scope.last,
            "total": report.total,
            "unsolved": report.unsolved,
            **{name: [_count(row) for row in getattr(report, name)] for name in counts},
            "by_queue": [_labelled(row) for row in report.by_queue],
            "by_agent": [_labelled(row) for row in report.by_agent],
        }
        return Response(ReportSerializer(answer).data)


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())


def _count(row: tuple[Any, int]) -> dict[str, Any]:
    return {"label": str(row[0]), "count": row[1]}


def _labelled(row: tuple[str, Any]) -> dict[str, Any]:
    return {"label": row[0], "speed": row[1]}
