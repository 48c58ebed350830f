"""The desk's reports: figures, charts, and the tickets as CSV."""

import csv
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.display import CHART_TEXT
from support.forms import ReportForm
from support.reports import Report, Scope, report_of, ticket_lines
from support.surveys import summary

DAYS = 30
# For Chart.js, which the theme brings: figures on the axis, bars that can be seen.
_LOOKS = {
    "responsive": True,
    "maintainAspectRatio": False,
    "datasets": {"bar": {"maxBarThickness": 28, "borderRadius": 3}},
    "plugins": {"legend": {"display": False}},
    "scales": {
        "x": {"grid": {"display": False}, "ticks": {"color": CHART_TEXT}},
        "y": {
            "beginAtZero": True,
            "ticks": {"color": CHART_TEXT, "precision": 0},
            "border": {"display": False},
        },
    },
}


def reports(request: HttpRequest) -> HttpResponse:
    """The last 30 days, or what the form says."""
    form, scope = _asked(request)
    report = report_of(scope) if scope else None
    return TemplateResponse(
        request,
        "admin/support/reports/page.html",
        {
            "form": form,
            "report": report,
            "charts": _charts(report) if report else [],
            "surveys": _surveys(scope) if scope else None,
            "query": request.GET.urlencode(),
            **admin.site.each_context(request),
            "title": _("Reports"),
        },
    )


def report_csv(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """The tickets that the report counts."""
    form, scope = _asked(request)
    if scope is None:
        return HttpResponse(form.errors.as_text(), status=400, content_type="text/plain")
    response = StreamingHttpResponse(_written(scope), content_type="text/csv; charset=utf-8")
    name = f"tickets-{scope.first}-{scope.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _written(scope: Scope) -> Iterator[str]:
    writer = csv.writer(_Echo())
    for line in ticket_lines(scope):
        yield writer.writerow(line)


def _asked(request: HttpRequest) -> tuple[ReportForm, Scope | None]:
    user: Any = request.user
    if not user.has_perm("support.see_reports"):
        raise PermissionDenied
    today = timezone.now().date()
    asked = {"first": today - timedelta(days=DAYS - 1), "last": today} | request.GET.dict()
    form = ReportForm(asked)
    return form, _scope(form, user)


def _scope(form: ReportForm, user: User) -> Scope | None:
    if not form.is_valid():
        return None
    try:
        return Scope(reader=user, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
        return None


def _surveys(scope: Scope) -> dict[str, Any] | None:
    """What customers said in these days; of the whole desk, for an incident has no queue."""
    if scope.queue or scope.agent:
        return None
    return {
        "template": "admin/support/reports/surveys.html",
        "sums": summary(scope.start, scope.end),
    }


def _charts(report: Report) -> list[dict[str, Any]]:
    """What the theme's chart reads, with the same figures as a table for who sees no picture."""
    days = [(f"{day:%d %b}", count) for day, count in report.by_day]
    hours = [(f"{hour}:00", count) for hour, count in report.by_hour]
    return [
        _chart(_("Opened by day"), days, wide=True),
        _chart(_("By hour of the day (UTC)"), hours),
        _chart(_("By channel"), report.by_channel),
        _chart(_("By incident"), report.by_incident),
        _chart(_("Age of what is not solved"), report.backlog),
    ]


def _chart(title: str, rows: list[tuple[str, int]], *, wide: bool = False) -> dict[str, Any]:
    data = {
        "labels": [label for label, _count in rows],
        "datasets": [
            {
                "label": _("tickets"),
                "data": [count for _label, count in rows],
                "backgroundColor": "var(--color-primary-500)",
            }
        ],
    }
    most = max((count for _label, count in rows), default=0)
    return {
        "title": title,
        "data": json.dumps(data),
        "looks": json.dumps(_LOOKS),
        "rows": rows,
        "wide": wide,
        "is_empty": most == 0,
    }
