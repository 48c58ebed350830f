"""The buttons of a reversal's page, each with what it asks or what stands in its way."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.accounts.second_factor import has_second_factor, used_second_factor
from compensation.admin.batch_choices import Choice
from compensation.admin.looks import amounts, number
from compensation.models import ReversalRequest
from compensation.models.reversal import RequestState
from compensation.reversing import refusal
from compensation.reversing.outlook import Figures

_PERMISSIONS = {
    "approve": "compensation.approve_reversal",
    "reject": "compensation.approve_reversal",
    "withdraw": "compensation.ask_reversal",
    "retry": "compensation.retry_award",
}


def reversal_choices(request: HttpRequest, row: ReversalRequest, figures: Figures) -> list[Choice]:
    """What this reader may do now; the next step is shown to all, disabled where they may not."""
    offered: list[Choice] = []
    if row.state == RequestState.ASKED:
        what = what_goes(figures)
        offered = [_approve(request, row, what), _reject(what), _withdraw()]
    elif failed := figures.by_state["failed"]:
        offered = [_retry(failed)]
    shown = []
    for choice in offered:
        choice.url = reverse(f"admin:compensation_reversalrequest_{choice.name}", args=[row.pk])
        if request.user.has_perm(_PERMISSIONS[choice.name]):
            shown.append(choice)
        elif choice is offered[0]:
            choice.obstacle = _("Your role may look at reversals, not do this.")
            shown.append(choice)
    return shown


def what_goes(figures: Figures) -> str:
    """3 awards, at most EUR 120.00."""
    count = ngettext("{n} award", "{n} awards", figures.awards).format(n=number(figures.awards))
    money = amounts(figures.limit_minor)
    return _("{count}, at most {money}").format(count=count, money=money) if money else count


def _approve(request: HttpRequest, row: ReversalRequest, what: str) -> Choice:
    user: Any = request.user
    obstacle, remedy = _second_factor_obstacle(request, row)
    last = row.approvals.count() + 1 >= row.approvals_needed
    consequence = _("Taking back starts at once and cannot be undone; what invoices used stays.")
    return Choice(
        "approve",
        _("Approve: take back {what}").format(what=what),
        question=_("Take back {what}?").format(what=what),
        warning=consequence if last else _("One more person must approve after you."),
        style="danger",
        comment=_("Comment"),
        hidden={"digest": row.digest},
        obstacle=obstacle or refusal(row, user),
        remedy=remedy,
    )


def _second_factor_obstacle(
    request: HttpRequest, row: ReversalRequest
) -> tuple[str, tuple[str, str] | None]:
    if used_second_factor(request):
        return "", None
    if not has_second_factor(request.user):  # type: ignore[arg-type]
        return _("Approving money takes a second factor, and you have none yet."), (
            _("Set one up"),
            reverse("mfa_index"),
        )
    back = reverse("admin:compensation_reversalrequest_change", args=[row.pk])
    return _("This session was opened without your second factor."), (
        _("Confirm it now"),
        f"{reverse('mfa_reauthenticate')}?next={back}",
    )


def _reject(what: str) -> Choice:
    return Choice(
        "reject",
        _("Reject …"),
        question=_("Leave {what} with the customers?").format(what=what),
        warning=_("The request ends here. It can be asked for again."),
        reason=_("Why?"),
    )


def _withdraw() -> Choice:
    return Choice(
        "withdraw",
        _("Withdraw …"),
        question=_("Withdraw this request?"),
        warning=_("The customers keep what they have. It can be asked for again."),
        reason=_("Why?"),
    )


def _retry(failed: int) -> Choice:
    label = ngettext("Retry {n} failed one", "Retry {n} failed ones", failed)
    return Choice(
        "retry",
        label.format(n=number(failed)),
        question=(label + "?").format(n=number(failed)),
        warning=_("Do this when the reason is gone; otherwise they fail again."),
    )
