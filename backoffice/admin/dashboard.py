"""The front page: what runs, what waits for this reader, what went wrong. Constant in queries."""

from typing import Any

from django.db.models import Case, Count, F, IntegerField, Max, Prefetch, Sum, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from compensation.admin.looks import BATCH_LABELS, gives_cell
from compensation.models import Approval, Award, Batch
from incidents.models import Incident

SHOWN = 20
State = Batch.State
OPEN_STATES = (
    State.DRAFT,
    State.PRICED,
    State.SUBMITTED,
    State.APPROVED,
    State.ISSUING,
    State.PAUSED,
)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: adds to the index page's context what the reader's role may see."""
    user: Any = request.user
    sees_money = user.has_perm("compensation.view_batch")
    sees_incidents = user.has_perm("incidents.view_incident")
    batches = _open_batches(user) if sees_money else []
    incidents = _running_incidents() if sees_incidents else []
    exceptions = _exceptions() if user.has_perm("compensation.view_award") else []
    return context | {
        "title": _("Work"),
        "sees_incidents": sees_incidents,
        "sees_money": sees_money,
        "sees_ledger": user.has_perm("compensation.view_ledgerentry"),
        "may_declare": user.has_perm("incidents.add_incident"),
        "may_import": user.has_perm("customers.import_customers"),
        "may_resume_issuing": user.has_perm("compensation.stop_issuing"),
        "has_customers": _has_customers(user),
        "incidents": incidents,
        "batches": batches,
        "exceptions": exceptions,
        "needs_you": sum(1 for line in batches if line["is_yours"]),
        "failed": sum(line["awards"] for line in exceptions if line["state"] == "failed"),
        "unknown": sum(line["awards"] for line in exceptions if line["state"] == "unknown"),
    }


def _has_customers(user: Any) -> bool:
    """Without customers nothing else makes sense. Who may not see them is not told."""
    return not user.has_perm("customers.view_customer") or Customer.objects.exists()


def _running_incidents() -> list[Incident]:
    """The worst first, then the oldest; `affected` are subscriptions as last counted."""
    worst_first = Case(
        *(When(severity=value, then=Value(rank)) for rank, value in enumerate(_WORST_FIRST)),
        output_field=IntegerField(),
    )
    return list(
        Incident.objects.running()
        .filter(kind=Incident.Kind.INCIDENT)
        .annotate(affected=Coalesce(Sum("cohorts__exposure_count"), 0), rank=worst_first)
        .select_related("commander")
        .order_by("rank", "started_at")[:SHOWN]
    )


_WORST_FIRST = (
    Incident.Severity.CRITICAL,
    Incident.Severity.MAJOR,
    Incident.Severity.MINOR,
    Incident.Severity.NONE,
)


def _open_batches(user: User) -> list[dict[str, Any]]:
    """Batches that are not at their end, those that wait for this reader first."""
    signed = Approval.objects.filter(withdrawn_at=None)
    batches = (
        Batch.objects.filter(state__in=OPEN_STATES)
        .select_related("incident", "version__policy", "submitted_by")
        .prefetch_related(Prefetch("approvals", signed, to_attr="signed"))
        .order_by("-id")[:SHOWN]
    )
    waiting = dict(
        Award.objects.filter(state__in=[Award.State.APPROVED, Award.State.SENDING])
        .exclude(batch=None)
        .order_by()
        .values_list("batch")
        .annotate(Count("id"))
    )
    lines = [_batch_line(batch, user, waiting.get(batch.pk, 0)) for batch in batches]
    return sorted(lines, key=lambda line: not line["is_yours"])


def _batch_line(batch: Any, user: User, waiting: int) -> dict[str, Any]:
    total = batch.summary.get("awards", 0)
    step, is_yours = _next_step(batch, user)
    return {
        "batch": batch,
        "label": BATCH_LABELS[batch.state],
        "awards": total,
        "gives": gives_cell(batch),
        "next": step,
        "is_yours": is_yours,
        "waiting": waiting,
        "share": 100 * max(total - waiting, 0) / total if total else 0,
        "is_issuing": batch.state in {State.ISSUING, State.PAUSED, State.APPROVED},
    }


def _next_step(batch: Any, user: User) -> tuple[str, bool]:
    """What comes next, and whether this reader can do it."""
    if batch.state == State.SUBMITTED:
        signers = {approval.user_id for approval in batch.signed}
        involved = {batch.created_by_id, batch.submitted_by_id} | signers
        if user.has_perm("compensation.approve_batch") and user.pk not in involved:
            return "Needs your approval", True
        return f"{len(signers)} of {batch.approvals_needed} approvals", False
    return {
        State.DRAFT: ("Price it", user.has_perm("compensation.price_batch")),
        State.PRICED: ("Check and submit it", user.has_perm("compensation.submit_batch")),
        State.APPROVED: ("Issuing starts", False),
        State.ISSUING: ("Being issued", False),
        State.PAUSED: ("Paused", user.has_perm("compensation.pause_batch")),
    }[batch.state]


def _exceptions() -> list[dict[str, Any]]:
    """Failed and unknown awards by batch and reason, most first."""
    lines: Any = (
        Award.objects.filter(state__in=[Award.State.FAILED, Award.State.UNKNOWN])
        .order_by()
        .values("state", "error_code", "batch_id", number=F("batch__number"))
        .annotate(awards=Count("id"), message=Max("error_message"))
        .order_by("-awards")[:SHOWN]
    )
    return list(lines)
