"""What the reader of a batch's page can do next: each button with its question, or why not.

The verbs decide; this tells beforehand what they would say, so that nobody clicks to be refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.accounts.second_factor import has_second_factor, used_second_factor
from compensation.admin.looks import amounts, number
from compensation.approval import refusal
from compensation.models import Batch

State = Batch.State


@dataclass
class Choice:
    """One button: what it says, what it asks before doing it, and what stands in its way."""

    name: str
    label: str
    question: str = ""
    warning: str = ""
    style: str = ""
    reason: str = ""  # the label of a field that must be filled in
    comment: str = ""  # the label of one that may
    hidden: dict[str, str] = field(default_factory=dict)
    obstacle: str = ""
    remedy: tuple[str, str] | None = None  # a link's text and address
    url: str = ""

    @property
    def dialog(self) -> str:
        return f"dialog-{self.name}"


def choices(
    request: HttpRequest, batch: Batch, summary: Any, failed: int, approvers: list[int]
) -> list[Choice]:
    """The buttons for `batch` in its state, the next step first."""
    what = _what(summary)
    by_state: dict[str, Callable[[], list[Choice]]] = {
        State.DRAFT: lambda: [_price(batch), _cancel(batch)],
        State.PRICED: lambda: [_submit(what, summary), _price(batch), _cancel(batch)],
        State.SUBMITTED: lambda: [
            _approve(request, batch, what, approvers),
            _reject(request, batch, what),
            _cancel(batch),
        ],
        State.APPROVED: lambda: [_pause()],
        State.ISSUING: lambda: [_pause()],
        State.PAUSED: lambda: [_resume()],
    }
    offered: list[Choice] = by_state.get(batch.state, list)()
    if failed and batch.state in {State.ISSUING, State.PAUSED, State.ISSUED}:
        offered.append(_retry(failed))
    return _for_reader(request, batch, offered)


PERMISSIONS = {
    "price": "compensation.price_batch",
    "submit": "compensation.submit_batch",
    "approve": "compensation.approve_batch",
    "reject": "compensation.approve_batch",
    "cancel": "compensation.cancel_batch",
    "pause": "compensation.pause_batch",
    "resume": "compensation.pause_batch",
    "retry": "compensation.retry_award",
}


def _for_reader(request: HttpRequest, batch: Batch, offered: list[Choice]) -> list[Choice]:
    """The next step is shown to all, disabled where their role may not; the rest only if it may."""
    shown = []
    for choice in offered:
        choice.url = reverse(f"admin:compensation_batch_{choice.name}", args=[batch.pk])
        if request.user.has_perm(PERMISSIONS[choice.name]):
            shown.append(choice)
        elif choice is offered[0]:
            choice.obstacle = _("Your role may look at batches, not do this.")
            shown.append(choice)
    return shown


def _what(summary: Any) -> str:
    count = ngettext("{n} award", "{n} awards", summary["awards"]).format(
        n=number(summary["awards"])
    )
    money = amounts(summary["amounts_minor"])
    return f"{count}, {money}" if money else count


def _price(batch: Batch) -> Choice:
    again = batch.state == State.PRICED
    return Choice(
        "price",
        _("Price again") if again else _("Price it now"),
        question=_("Price again under {version}?").format(version=batch.version) if again else "",
        warning=_("All awards of this batch are worked out anew, also those left out by hand.")
        if again
        else "",
        style="" if again else "primary",
    )


def _submit(what: str, summary: Any) -> Choice:
    return Choice(
        "submit",
        _("Submit {what}").format(what=what),
        question=_("Submit {what} for approval?").format(what=what),
        warning=_("From then on the figures are frozen. Somebody else must approve them."),
        style="primary",
        obstacle="" if summary["awards"] else _("There is no award in it: nothing to approve."),
    )


def _approve(request: HttpRequest, batch: Batch, what: str, approvers: list[int]) -> Choice:
    obstacle, remedy = _approval_obstacle(request, batch)
    last = len(approvers) + 1 >= batch.approvals_needed
    consequence = (
        _("Issuing starts at once. It can be paused, but what was issued stays issued.")
        if last
        else _("One more person must approve after you before anything is issued.")
    )
    return Choice(
        "approve",
        _("Approve {what}").format(what=what),
        question=_("Approve {what}?").format(what=what),
        warning=consequence,
        style="primary",
        comment=_("Comment"),
        hidden={"digest": batch.digest},
        obstacle=obstacle,
        remedy=remedy,
    )


def _approval_obstacle(request: HttpRequest, batch: Batch) -> tuple[str, tuple[str, str] | None]:
    """What the verb would refuse, and what of it the reader can mend."""
    user: Any = request.user
    if batch.submitted_by_id == user.pk and batch.kind == Batch.Kind.GOODWILL:
        return _("You asked for this: somebody else must approve it."), None
    if batch.submitted_by_id == user.pk:
        return _("You submitted this batch: somebody else must approve it."), None
    obstacle, remedy = _second_factor_obstacle(request, batch)
    if obstacle:
        return obstacle, remedy
    return refusal(batch, user), None


def _second_factor_obstacle(
    request: HttpRequest, batch: Batch
) -> tuple[str, tuple[str, str] | None]:
    if used_second_factor(request):
        return "", None
    back = reverse("admin:compensation_batch_change", args=[batch.pk])
    if not has_second_factor(request.user):  # type: ignore[arg-type]
        return _("Approving money takes a second factor, and you have none yet."), (
            _("Set one up"),
            reverse("mfa_index"),
        )
    return _("This session was opened without your second factor."), (
        _("Confirm it now"),
        f"{reverse('mfa_reauthenticate')}?next={back}",
    )


def _reject(request: HttpRequest, batch: Batch, what: str) -> Choice:
    own = batch.submitted_by_id == request.user.pk
    return Choice(
        "reject",
        _("Reject …"),
        question=_("Reject {what}?").format(what=what),
        warning=_("The batch ends here and nothing of it is given.")
        if batch.kind == Batch.Kind.GOODWILL
        else _("The batch ends here. A new one can be drafted for the incident."),
        style="danger",
        reason=_("Why?"),
        obstacle=_("You submitted it: cancel it instead.") if own else "",
    )


def _cancel(batch: Batch) -> Choice:
    return Choice(
        "cancel",
        _("Cancel batch …"),
        question=_("Cancel batch {number}?").format(number=batch.number),
        warning=_("It ends here and nothing of it is issued.")
        if batch.kind == Batch.Kind.GOODWILL
        else _("It ends here and nothing of it is issued. A new one can be drafted."),
        style="danger",
        reason=_("Why?"),
    )


def _pause() -> Choice:
    return Choice(
        "pause",
        _("Pause …"),
        question=_("Pause issuing this batch?"),
        warning=_("Calls under way are finished. Nothing is lost; resume it whenever you like."),
        reason=_("Why?"),
    )


def _resume() -> Choice:
    return Choice("resume", _("Resume issuing"), style="primary")


def _retry(failed: int) -> Choice:
    label = ngettext("Retry {n} failed award", "Retry {n} failed awards", failed)
    return Choice(
        "retry",
        label.format(n=number(failed)),
        question=(label + "?").format(n=number(failed)),
        warning=_("Do this when the reason is gone; otherwise they fail again."),
    )
