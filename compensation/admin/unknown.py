"""Awards of unknown outcome: what is known of each, what Stripe shows, and a person's decision."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from backoffice.accounts.second_factor import used_second_factor
from backoffice.states import MoveError
from compensation import issuing
from compensation.admin.doors import call, post_only
from compensation.admin.looks import award_value
from compensation.issuing.deciding import DECIDE
from compensation.models import Award

SHOWN = 25
# Whoever works on awards in trouble may look at Stripe; each look is a call or two.
LOOK = "compensation.retry_award"
# What a card shows of other rows.
READ = ("customer", "subscription", "incident", "batch")


def unknown_urls(site: AdminSite) -> list[URLPattern]:
    """The list, the look at Stripe, and one address for each decision."""
    decisions = {"adopt": _adopt, "resend": _resend, "give_up": _give_up}
    return [
        path("unknown/", site.admin_view(_list(site)), name="compensation_award_unknown"),
        path("<int:pk>/look/", site.admin_view(look), name="compensation_award_look"),
        *(
            path(
                f"<int:pk>/{name}/",
                site.admin_view(_door(action)),
                name=f"compensation_award_{name}",
            )
            for name, action in decisions.items()
        ),
    ]


def card(request: HttpRequest, award: Award) -> dict[str, Any]:
    """What the card of one award needs, on the list as on the award's own page."""
    return {"award": award, "value": award_value(award), "may_look": request.user.has_perm(LOOK)}


def _list(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        """Oldest first; of one batch, if its number is given."""
        if not request.user.has_perm("compensation.view_award"):
            raise PermissionDenied
        number = request.GET.get("batch", "").replace("\0", "")
        awards = Award.objects.filter(state=Award.State.UNKNOWN).order_by("id")
        if number:
            awards = awards.filter(batch__number=number)
        page = Paginator(awards.select_related(*READ), SHOWN).get_page(request.GET.get("page"))
        context = {
            **site.each_context(request),
            "opts": Award._meta,
            "title": _("Unknown outcomes"),
            "page": page,
            "cards": [card(request, award) for award in page],
            "number": number,
            "may_decide": request.user.has_perm(DECIDE),
        }
        return TemplateResponse(request, "admin/compensation/unknown/page.html", context)

    return view


def look(request: HttpRequest, pk: int) -> HttpResponse:
    """What Stripe shows now, to put into the award's card."""
    if not request.user.has_perm(LOOK):
        raise PermissionDenied
    award = get_object_or_404(Award, pk=pk, state=Award.State.UNKNOWN)
    context: dict[str, Any] = {"award": award}
    try:
        context["sight"] = issuing.look_at_stripe(award)
    except MoveError as error:
        context["silence"] = str(error)
    return TemplateResponse(request, "admin/compensation/unknown/sight.html", context)


def _adopt(request: HttpRequest, award: Award, reason: str) -> None:
    stripe_id = request.POST.get("stripe_id", "")
    call(
        request,
        lambda: issuing.adopt_award(award, by=request.user, stripe_id=stripe_id, reason=reason),  # type: ignore[arg-type]
        _("Award #{number} is issued, and booked in the ledger.").format(number=award.pk),
    )


def _resend(request: HttpRequest, award: Award, reason: str) -> None:
    call(
        request,
        lambda: issuing.resend_award(award, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("Award #{number} is sent again, under a new key.").format(number=award.pk),
    )


def _give_up(request: HttpRequest, award: Award, reason: str) -> None:
    call(
        request,
        lambda: issuing.give_up_award(award, by=request.user, reason=reason),  # type: ignore[arg-type]
        _("Award #{number} is given up.").format(number=award.pk),
    )


def _door(action: Callable[[HttpRequest, Award, str], None]) -> Any:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if refusal := post_only(request, DECIDE):
            return refusal
        award = get_object_or_404(Award, pk=pk)
        if used_second_factor(request):
            action(request, award, request.POST.get("reason", ""))
        else:
            messages.error(request, _("Deciding takes your second factor: confirm it first."))
        if request.POST.get("back") == "award":
            return redirect("admin:compensation_award_change", pk)
        return redirect("admin:compensation_award_unknown")

    return view
