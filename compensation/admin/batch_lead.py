"""The first line of a batch's page: in what state it is, and what comes next for this reader."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backoffice.customers.conditions import ConditionError, parse_condition
from compensation.admin.looks import number
from compensation.models import Approval, Batch

State = Batch.State


@dataclass
class Lead:
    """What is, and what is to be done; `tone` is one of "", good, warn, bad."""

    next_step: str
    tone: str = ""
    reason: str = ""


def lead(
    request: HttpRequest, batch: Batch, approvals: list[Approval], progress: dict[str, Any] | None
) -> Lead:
    """The line for this reader."""
    if batch.state == State.SUBMITTED:
        return _submitted(request, batch, approvals)
    steps: dict[str, Lead] = {
        State.DRAFT: Lead(_("Price it: then you see what it would cost.")),
        State.PRICED: Lead(_("Check the figures below, then submit it for approval.")),
        State.APPROVED: Lead(_("Approved. Issuing starts within seconds.")),
        State.ISSUING: Lead(_("Being issued. Nothing to do.")),
        State.PAUSED: Lead(_("Paused: nothing is issued until it is resumed."), "warn"),
        State.ISSUED: Lead(_("Issued. Nothing to do."), "good"),
        State.REJECTED: Lead(_("Rejected. Draft a new batch from the incident."), "bad"),
        State.CANCELLED: Lead(_("Cancelled. Draft a new batch from the incident.")),
    }
    found = steps[batch.state]
    if batch.state == State.DRAFT and (problem := _unpriceable(batch)):
        found = Lead(
            _(
                "Its policy cannot be priced: correct the row in a new version, put that into "
                "force, then cancel this batch and draft another one."
            ),
            "bad",
            problem,
        )
    if batch.kind == Batch.Kind.GOODWILL:
        found = _of_goodwill(batch, found)
    if progress and progress["moves"] and progress["is_stopped"]:
        found = Lead(_("All issuing is stopped: this batch waits until it is resumed."), "warn")
    if batch.state == State.PAUSED:
        found.reason = batch.pause_reason
    if progress and (progress["failed"] or progress["unknown"]):
        found = _in_trouble(found, batch, progress)
    return found


def _unpriceable(batch: Batch) -> str:
    """The first row whose further condition cannot be read any more, with what is wrong."""
    rules = batch.version.rules.exclude(condition="") if batch.version else ()
    for rule in rules:
        try:
            parse_condition(rule.condition, check_values=False)
        except ConditionError as error:
            return _("Row {n}: {problem}").format(n=rule.position, problem=" ".join(error.messages))
    return ""


def _of_goodwill(batch: Batch, found: Lead) -> Lead:
    """There is no incident to draft another one from."""
    ends: dict[str, Lead] = {
        State.REJECTED: Lead(_("Rejected: the customer does not get it."), "bad"),
        State.CANCELLED: Lead(_("Cancelled: the customer does not get it.")),
    }
    return ends.get(batch.state, found)


def _in_trouble(found: Lead, batch: Batch, progress: dict[str, Any]) -> Lead:
    """What failed is named first; it does not hold up the others."""
    failed, unknown = progress["failed"], progress["unknown"]
    told = []
    if failed:
        told.append(
            ngettext(
                "{n} award failed: see to the reason below, then retry it.",
                "{n} awards failed: see to the reasons below, then retry them.",
                failed,
            ).format(n=number(failed))
        )
    if unknown:
        told.append(
            ngettext(
                "{n} outcome is unknown: nothing proves whether Stripe booked it, so a finance"
                " approver decides.",
                "{n} outcomes are unknown: nothing proves whether Stripe booked them, so a finance"
                " approver decides.",
                unknown,
            ).format(n=number(unknown))
        )
    begins = {State.ISSUING: _("Being issued."), State.ISSUED: _("Issued.")}
    if progress["is_stopped"]:
        begins.pop(State.ISSUING)
    start = begins.get(State(batch.state), found.next_step)
    return Lead(" ".join([start, *told]), "warn", found.reason)


def _submitted(request: HttpRequest, batch: Batch, approvals: list[Approval]) -> Lead:
    me: Any = request.user
    left = batch.approvals_needed - len(approvals)
    if me.has_perm("compensation.approve_batch"):
        if any(approval.user_id == me.pk for approval in approvals):
            return Lead(_("You have approved. It waits for a second person."))
        if me.pk not in {batch.submitted_by_id, batch.created_by_id}:
            return Lead(_("Needs your approval: check the figures, then sign or reject."), "warn")
    if left > 1:
        return Lead(_("Waits for two approvals by people other than the submitter."))
    return Lead(_("Waits for an approval by somebody other than the submitter."))
