"""An announced maintenance's way: scheduled, in progress, verifying, completed."""

from datetime import datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.numbering import next_number
from backoffice.states import history, move
from incidents.lifecycle.incident import close
from incidents.lifecycle.times import happened
from incidents.models import Incident

State = Incident.State


def schedule_maintenance(
    *,
    title: str,
    scheduled_for: datetime,
    scheduled_until: datetime,
    summary: str = "",
    by: AbstractBaseUser | None = None,
) -> Incident:
    """Announce a maintenance from `scheduled_for` until `scheduled_until`.

    Raises:
        ValidationError: a field is wrong, or it would end before it starts or before now.
    """
    if scheduled_until <= scheduled_for:
        raise ValidationError({"scheduled_until": _("It must end after it starts.")})
    if scheduled_until <= timezone.now():
        raise ValidationError({"scheduled_until": _("A maintenance is scheduled before it is.")})
    incident = Incident(
        title=title.strip(),
        kind=Incident.Kind.MAINTENANCE,
        state=State.SCHEDULED,
        severity=Incident.Severity.NONE,
        started_at=scheduled_for,
        scheduled_for=scheduled_for,
        scheduled_until=scheduled_until,
        summary=summary,
    )
    with transaction.atomic(), history(by=by):
        incident.number = next_number(Incident, "INC-")
        incident.full_clean()
        incident.save()
    return incident


def start_maintenance(
    *, incident: Incident, by: AbstractBaseUser | None, at: datetime | None = None, reason: str = ""
) -> None:
    """Work begins.

    Raises:
        MoveError: it is not scheduled (any more).
        ValidationError: `at` is in the future.
    """
    at = happened("started_at", at)
    move(incident, State.IN_PROGRESS, by=by, reason=reason, started_at=at)


def verify_maintenance(
    *, incident: Incident, by: AbstractBaseUser | None, reason: str = ""
) -> None:
    """Work is done and being checked.

    Raises:
        MoveError: it is not in progress.
    """
    move(incident, State.VERIFYING, by=by, reason=reason)


def complete_maintenance(
    *, incident: Incident, by: AbstractBaseUser | None, at: datetime | None = None, reason: str = ""
) -> None:
    """It is over: open outages end at `at`, cohorts are resolved, `incident_resolved` is sent.

    A scheduled maintenance that never began is completed as never having begun.

    Raises:
        MoveError: it is completed already.
        ValidationError: `at` is in the future or before its start.
    """
    at = happened("resolved_at", at)
    changes = {"resolved_at": at}
    if incident.state == State.SCHEDULED:
        changes["started_at"] = min(incident.started_at, at)
    elif at < incident.started_at:
        raise ValidationError({"resolved_at": _("It cannot be over before it started.")})
    with transaction.atomic():
        move(incident, State.COMPLETED, by=by, reason=reason, **changes)
        close(incident, at=at, by=by, reason=reason)
