"""The customer's requests on the account pages."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backoffice.customers.models import Customer
from backoffice.customers.portal import current_visit, portal_view
from backoffice.display import day, money
from backoffice.states import MoveError
from compensation.credits import credits_of
from compensation.models import Award
from support.contact import claim, unproven_of
from support.models import Ticket
from support.requests import (
    About,
    Writer,
    answer_request,
    attachment_of,
    conversation,
    open_request,
    request_of,
    requests_of,
    solve_request,
    state_of,
)
from support.views.request_forms import AnswerForm, RequestForm

ON_A_PAGE = 20


@require_safe
@portal_view
def portal_requests(request: HttpRequest) -> HttpResponse:
    """The customer's requests, those with news first."""
    pages = Paginator(requests_of(_customer(request)), ON_A_PAGE)
    page = pages.get_page(request.GET.get("page"))
    lines = [(ticket, state_of(ticket)) for ticket in page.object_list]
    return _page(
        request,
        "portal/requests.html",
        lines=lines,
        page=page,
        unproven=unproven_of(_customer(request))[:ON_A_PAGE],
    )


@require_POST
@portal_view
def portal_request_claim(request: HttpRequest, pk: int) -> HttpResponse:
    """Whether a request that somebody wrote with their address is the customer's."""
    ticket = unproven_of(_customer(request)).filter(pk=pk).first()
    if ticket is None:
        raise Http404
    is_theirs = request.POST.get("is_theirs") == "yes"
    claim(ticket, _customer(request), is_theirs=is_theirs)
    if is_theirs:
        return redirect("portal-request", pk)
    messages.success(request, _("Thank you. It will not be shown here again."))
    return redirect("portal-requests")


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def portal_request(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what was said, and a form to say more, which reopens a solved one."""
    ticket = _ticket(request, pk)
    form = AnswerForm(request.POST, request.FILES) if request.method == "POST" else AnswerForm()
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            answer_request(
                ticket,
                _writer(request),
                text=said["text"],
                key=str(said["key"]),
                files=said["attachments"],
            )
        except ValidationError as error:
            form.add_error(None, error.messages)
        except MoveError:
            pass  # it was closed meanwhile: the page below says so, and keeps what was written
        else:
            messages.success(request, _("Your message is sent."))
            return redirect("portal-request", ticket.pk)
    return _page(
        request,
        "portal/request.html",
        status=422 if form.errors else 200,
        ticket=ticket,
        state=state_of(ticket),
        said=conversation(ticket),
        form=form,
    )


@require_POST
@portal_view
def portal_request_solve(request: HttpRequest, pk: int) -> HttpResponse:
    """The customer says that it is solved."""
    ticket = _ticket(request, pk)
    try:
        solve_request(ticket)
    except MoveError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Good to hear. The request is solved."))
    return redirect("portal-request", ticket.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@portal_view
def portal_request_new(request: HttpRequest) -> HttpResponse:
    """A new request; `?credit=` or `?follows=` say what it is about."""
    about = _given_about(request)
    form = RequestForm(_customer(request), initial=_initial(about))
    if request.method == "POST":
        form = RequestForm(_customer(request), request.POST, request.FILES)
        if form.is_valid():
            return _open(request, form, about)
    return _page(
        request,
        "portal/request_new.html",
        status=422 if form.errors else 200,
        form=form,
        award=about.award,
        earlier=about.earlier,
    )


@require_safe
@portal_view
def portal_attachment(request: HttpRequest, pk: int) -> HttpResponse:
    """A file out of the customer's own conversations, as a download."""
    attachment = attachment_of(_customer(request), pk)
    if attachment is None:
        raise Http404
    response: Any = FileResponse(
        attachment.file.open("rb"),
        as_attachment=True,
        filename=attachment.name,
        content_type="application/octet-stream",
    )
    return response  # type: ignore[no-any-return]


def _open(request: HttpRequest, form: RequestForm, given: About) -> HttpResponse:
    said = form.cleaned_data
    chosen = said.get("about") or About()
    ticket = open_request(
        _writer(request),
        subject=said["subject"],
        text=said["text"],
        key=str(said["key"]),
        files=said["attachments"],
        about=About(
            incident=chosen.incident or (given.award.incident if given.award else None),
            component=chosen.component,
            award=given.award,
            earlier=given.earlier,
        ),
    )
    messages.success(request, _("Your request is sent. We will answer you here and by e-mail."))
    return redirect("portal-request", ticket.pk)


def _given_about(request: HttpRequest) -> About:
    """The customer's own credit or closed request that a link names; another's is ignored."""
    customer = _customer(request)
    return About(
        award=_award(customer, request.GET.get("credit", "")),
        earlier=_earlier(customer, request.GET.get("follows", "")),
    )


def _award(customer: Customer, pk: str) -> Award | None:
    shown = (credit.award for credit in credits_of(customer).credits) if pk else ()
    return next((award for award in shown if str(award.pk) == pk), None)


def _earlier(customer: Customer, pk: str) -> Ticket | None:
    return request_of(customer, int(pk)) if pk.isdecimal() and len(pk) < 19 else None  # noqa: PLR2004


def _initial(about: About) -> dict[str, str]:
    if about.award is not None:
        return {"subject": credit_words(about.award)}
    if about.earlier is not None:
        return {"subject": about.earlier.subject[:200]}
    return {}


def credit_words(award: Award) -> str:
    """A credit in a few words: EUR 49.90, Fibre outage, 14 October."""
    what = money(award.amount_minor, award.currency) if award.currency else _("Your benefit")
    if award.incident is None:
        return what
    return f"{what}, {award.incident.title}, {day(award.incident.started_at)}"[:200]


def _customer(request: HttpRequest) -> Customer:
    customer: Customer = request.customer  # type: ignore[attr-defined]
    return customer


def _writer(request: HttpRequest) -> Writer:
    """Whoever came by a link of the host product's writes as the customer."""
    customer = _customer(request)
    if current_visit(request) is not None or not request.user.is_authenticated:
        return Writer(customer, customer.name, customer.email)
    return Writer(customer, request.user.full_name, request.user.email)


def _ticket(request: HttpRequest, pk: int) -> Ticket:
    ticket = request_of(_customer(request), pk)
    if ticket is None:
        raise Http404
    return ticket


def _page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    return render(request, template, {"visit": current_visit(request), **context}, status=status)
