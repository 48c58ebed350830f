"""Claims on the customer's account pages: told once, answered at once where the data decide."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backoffice.customers.models import Customer
from backoffice.customers.portal import current_visit, portal_view
from compensation.account import incidents_of
from compensation.claims import NewClaim, answer_to, ask_person, file_claim, takes_claims
from compensation.claims.filing import ClaimedBeforeError
from compensation.models import Claim
from compensation.models.claim import ClaimState
from compensation.views.claim_form import ClaimForm


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def portal_claim_new(request: HttpRequest) -> HttpResponse:
    """Something did not work; `?incident=` fills in what is known of one that hit them."""
    if not takes_claims():
        return _page(request, "portal/claim_closed.html")
    customer = _customer(request)
    before: Claim | None = None
    form = ClaimForm(customer, initial=_initial(request))
    if request.method == "POST":
        form = ClaimForm(customer, request.POST)
        if form.is_valid():
            try:
                return redirect("portal-claim", _file(customer, form).pk)
            except ClaimedBeforeError as error:
                before = error.claim
                _add_errors(form, error)
            except ValidationError as error:
                _add_errors(form, error)
    status = 422 if form.errors else 200
    return _page(request, "portal/claim_new.html", status=status, form=form, before=before)


@require_safe
@portal_view
def portal_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """What we answered, and where it stands."""
    claim = _claim(request, pk)
    return _page(
        request,
        "portal/claim.html",
        claim=claim,
        answer=answer_to(claim),
        ticket=claim.ticket_number.removeprefix("T-"),
        may_disagree=claim.state == ClaimState.ANSWERED,
        hit=claim.incident if _sees_incident(claim) else None,
    )


@require_POST
@portal_view
def portal_claim_person(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer does not agree with the answer."""
    claim = ask_person(_claim(request, pk))
    messages.success(request, _("A person looks at it and answers you."))
    return redirect("portal-claim", claim.pk)


def _file(customer: Customer, form: ClaimForm) -> Claim:
    said = form.cleaned_data
    return file_claim(
        NewClaim(
            customer=customer,
            subscription=form.subscription_claimed,
            component=said.get("component"),
            starts_at=said["starts_at"],
            ends_at=said["ends_at"],
            text=said["text"],
            key=str(said["key"]),
        )
    )


def _add_errors(form: ClaimForm, error: ValidationError) -> None:
    if not hasattr(error, "error_dict"):
        form.add_error(None, error.messages)
        return
    for field, problems in error.message_dict.items():
        form.add_error(field if field in form.fields else None, problems)


def _initial(request: HttpRequest) -> dict[str, Any]:
    number = request.GET.get("incident", "")
    incident = incidents_of(_customer(request)).filter(number=number).first() if number else None
    if incident is None:
        return {}
    return {"starts_at": incident.started_at, "ends_at": incident.resolved_at}


def _claim(request: HttpRequest, pk: int) -> Claim:
    own = Claim.objects.filter(customer=_customer(request))
    claim = own.select_related("incident", "component", "subscription").filter(pk=pk).first()
    if claim is None:
        raise Http404
    return claim


def _sees_incident(claim: Claim) -> bool:
    return (
        claim.incident is not None
        and incidents_of(claim.customer).filter(pk=claim.incident.pk).exists()
    )


def _customer(request: HttpRequest) -> Customer:
    customer: Customer = request.customer  # type: ignore[attr-defined]
    return customer


def _page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, template, {"visit": current_visit(request), **context}, status=status)
