"""What the buttons of reversals call: asking on a page with the figures, deciding on another."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from backoffice.accounts.second_factor import used_second_factor
from compensation import reversing
from compensation.admin.doors import call, post_only
from compensation.admin.looks import amounts, award_value
from compensation.models import Award, Batch, Reversal, ReversalRequest
from compensation.models.reversal import Cause
from compensation.reversing.asking import ASK
from compensation.reversing.outlook import outlook_of_award, outlook_of_batch, uses_of


def ask_award(request: HttpRequest, pk: int) -> HttpResponse:
    """What would be taken back of an award; a POST asks for it."""
    award = get_object_or_404(Award.objects.select_related("customer"), pk=pk)
    return _ask(
        request,
        award,
        lambda **words: reversing.ask_for_award(award, **words),
        {
            "what": _("{value} for {customer}").format(
                value=award_value(award), customer=award.customer
            ),
            "outlook": outlook_of_award(award),
            "uses": [(use.invoice, use.amount_minor, award.currency) for use in uses_of(award)],
            "back": reverse("admin:compensation_award_change", args=[pk]),
        },
    )


def ask_batch(request: HttpRequest, pk: int) -> HttpResponse:
    """What would be taken back of a batch; a POST asks for it."""
    batch = get_object_or_404(Batch, pk=pk)
    return _ask(
        request,
        batch,
        lambda **words: reversing.ask_for_batch(batch, **words),
        {
            "what": _("batch {number}").format(number=batch.number),
            "outlook": outlook_of_batch(batch),
            "back": reverse("admin:compensation_batch_change", args=[pk]),
        },
    )


def _ask(request: HttpRequest, what: Any, verb: Any, context: dict[str, Any]) -> HttpResponse:
    if not request.user.has_perm(ASK):
        raise PermissionDenied
    if request.method == "POST":
        made: list[ReversalRequest] = []
        words = {name: request.POST.get(name, "") for name in ("cause", "reason")}
        if call(
            request,
            lambda: made.append(verb(by=request.user, **words)),
            _("Asked. Somebody else must approve it now; until then nothing is taken."),
        ):
            return redirect("admin:compensation_reversalrequest_change", made[0].pk)
        context |= words
    outlook = context["outlook"]
    context |= {
        **admin.site.each_context(request),
        "opts": what._meta,
        "original": what,
        "title": _("Take back {what}").format(what=context["what"]),
        "causes": Cause.choices,
        "left": amounts({code: left for code, left in outlook.left_minor.items() if left}),
        "used": amounts(outlook.used_minor),
    }
    return TemplateResponse(request, "admin/compensation/reversal/ask.html", context)


def _approve(request: HttpRequest, row: ReversalRequest) -> None:
    if not used_second_factor(request):
        messages.error(request, _("Approving takes your second factor: confirm it first."))
        return

    def verb() -> None:
        reversing.approve_request(
            row,
            by=request.user,  # type: ignore[arg-type]
            digest=request.POST.get("digest", ""),
            comment=request.POST.get("comment", ""),
        )

    call(request, verb, _("You have approved {number}.").format(number=row.number))


def _reject(request: HttpRequest, row: ReversalRequest) -> None:
    reason = request.POST.get("reason", "")
    call(
        request,
        lambda: reversing.reject_request(row, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("Rejected: the customers keep what they have."),
    )


def _withdraw(request: HttpRequest, row: ReversalRequest) -> None:
    reason = request.POST.get("reason", "")
    call(
        request,
        lambda: reversing.withdraw_request(row, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("Withdrawn: the customers keep what they have."),
    )


def _retry(request: HttpRequest, row: ReversalRequest) -> None:
    call(
        request,
        lambda: reversing.retry_reversals(row, by=request.user),  # type: ignore[arg-type]
        _("The failed ones are sent again."),
    )


# name, permission, what it does
DOORS = [
    ("approve", "compensation.approve_reversal", _approve),
    ("reject", "compensation.approve_reversal", _reject),
    ("withdraw", "compensation.ask_reversal", _withdraw),
    ("retry", "compensation.retry_award", _retry),
]


def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """A person's word on one reversal of unknown outcome."""
    if refusal := post_only(request, "compensation.approve_reversal"):
        return refusal
    row = get_object_or_404(Reversal.objects.select_related("request"), pk=pk)
    call(
        request,
        lambda: reversing.settle_reversal(
            row,
            by=request.user,  # type: ignore[arg-type]
            was_booked=request.POST.get("was_booked") == "yes",
            stripe_id=request.POST.get("stripe_id", ""),
            reason=request.POST.get("reason", ""),
        ),
        _("Decided."),
    )
    return redirect("admin:compensation_reversalrequest_change", row.request_id)


def request_urls(site: AdminSite) -> list[URLPattern]:
    """One address for each button: admin:compensation_reversalrequest_<name>."""
    own = [
        path(
            f"<int:pk>/{name}/",
            site.admin_view(_door(permission, action)),
            name=f"compensation_reversalrequest_{name}",
        )
        for name, permission, action in DOORS
    ]
    return [
        *own,
        path(
            "of-award/<int:pk>/settle/",
            site.admin_view(settle),
            name="compensation_reversal_settle",
        ),
    ]


def _door(permission: str, action: Any) -> Any:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, permission):
            return refusal
        action(request, get_object_or_404(ReversalRequest, pk=pk))
        return redirect("admin:compensation_reversalrequest_change", pk)

    return view
