"""The customer's account pages: what they got, why, and what happened."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, override
from django.views.decorators.http import require_POST, require_safe

from backoffice.customers.portal import current_visit, end_visit, portal_view
from compensation.account import (
    claims_of,
    incidents_of,
    next_invoice_days,
    running_incidents_of,
    seen_seconds,
)
from compensation.claims import takes_claims
from compensation.credits import Credit, CreditState, credits_of
from compensation.explanations import explain
from incidents.models import Outage

ON_HOME = 5
ON_A_PAGE = 20


@require_safe
@portal_view
def portal_home(request: HttpRequest) -> HttpResponse:
    """The balance, the newest credits, and what is out of order for this customer right now."""
    customer = request.customer  # type: ignore[attr-defined]
    got = credits_of(customer)
    left = {currency: amount for currency, amount in got.balances_minor.items() if amount > 0}
    invoices = next_invoice_days(customer)
    return _page(
        request,
        "portal/home.html",
        balances=[(currency, left[currency], invoices.get(currency)) for currency in sorted(left)],
        is_used_up=not left and any(credit.state == CreditState.USED for credit in got.credits),
        lines=[_line(credit, invoices) for credit in got.credits[:ON_HOME]],
        more=len(got.credits) > ON_HOME,
        running=running_incidents_of(customer),
        claims=claims_of(customer)[:ON_HOME],
        takes_claims=takes_claims(),
    )


@require_safe
@portal_view
def portal_credits(request: HttpRequest) -> HttpResponse:
    """Every credit, the newest first."""
    customer = request.customer  # type: ignore[attr-defined]
    pages = Paginator(credits_of(customer).credits, ON_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    invoices = next_invoice_days(customer)
    lines = [_line(credit, invoices) for credit in page.object_list]
    return _page(request, "portal/credits.html", lines=lines, page=page)


@require_safe
@portal_view
def portal_incident(request: HttpRequest, number: str) -> HttpResponse:
    """What is publicly known of an incident that hit this customer; of any other, nothing."""
    customer = request.customer  # type: ignore[attr-defined]
    public = Outage.objects.filter(component__is_public=True).select_related("component")
    incident = get_object_or_404(
        incidents_of(customer).prefetch_related(Prefetch("outages", public), "updates"),
        number=number,
    )
    major, partial = seen_seconds(customer, incident)
    return _page(
        request,
        "portal/incident.html",
        incident=incident,
        major_seconds=major,
        partial_seconds=partial,
        takes_claims=takes_claims(),
    )


@require_POST
def end_portal_visit(request: HttpRequest) -> HttpResponse:
    """End the visit that a link opened, and lead back to where the link was."""
    visit = current_visit(request)
    if visit is not None and visit.return_url:
        response: HttpResponse = redirect(visit.return_url)
    else:
        language = visit.customer.language if visit is not None else get_language() or "en"
        with override(language):
            response = render(request, "portal/ended.html")
    end_visit(request, response)
    return response


def _line(credit: Credit, invoices: dict[str, Any]) -> dict[str, Any]:
    return {
        "credit": credit,
        "why": explain(credit.award, get_language() or "en"),
        "next_invoice": invoices.get(credit.currency),
    }


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    return render(request, template, {"visit": current_visit(request), **context})
