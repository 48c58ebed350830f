"""What was issued lately: read apart, so that the front page waits for no sum."""

from datetime import timedelta
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, Sum, Value, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from compensation.models import LedgerEntry

DAYS = 30


def issued(request: HttpRequest) -> HttpResponse:
    """Credits booked in the last 30 days, by currency, and trials and priority by count."""
    if not request.user.has_perm("compensation.view_ledgerentry"):
        raise PermissionDenied
    kinds = [LedgerEntry.Kind.CREDIT, LedgerEntry.Kind.TRIAL, LedgerEntry.Kind.PRIORITY]
    lines: Any = (
        LedgerEntry.objects.filter(
            kind__in=kinds, booked_at__gte=timezone.now() - timedelta(days=DAYS)
        )
        .order_by()
        # Days have no currency, though their entry names the subscription's.
        .annotate(of=Case(When(kind=LedgerEntry.Kind.CREDIT, then="currency"), default=Value("")))
        .values("kind", "of")
        .annotate(amount_minor=Sum("amount_minor"), awards=Count("id"))
        .order_by("kind", "of")
    )
    labels = dict(LedgerEntry.Kind.choices)
    rows = [line | {"label": labels[line["kind"]], "currency": line["of"]} for line in lines]
    return TemplateResponse(request, "admin/dashboard/issued.html", {"lines": rows, "days": DAYS})
