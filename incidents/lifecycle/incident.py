"""An incident's way from its declaration to its resolution."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.models import Component
from backoffice.numbering import next_number
from backoffice.states import MoveError, history, move
from incidents.cohorts import resolve
from incidents.lifecycle.outage import add_outage, end_open_outages
from incidents.lifecycle.times import ORDER, check_order, happened
from incidents.models import Incident, Outage
from incidents.signals import incident_resolved

CHANGEABLE = frozenset({"title", "summary", "severity", *ORDER[:4]})


def declare_incident(  # noqa: PLR0913 - an incident's fields
    *,
    title: str,
    severity: str = Incident.Severity.MAJOR,
    started_at: datetime | None = None,
    detected_at: datetime | None = None,
    summary: str = "",
    commander: User | None = None,
    components: Sequence[Component] = (),
    impact: str = Outage.Impact.MAJOR,
    region: str = "",
    by: AbstractBaseUser | None = None,
) -> Incident:
    """Say that something is wrong: an incident under investigation, with the next number.

    It was detected now at the latest, and started when it was detected at the latest. Each of
    `components` has been out of order since then; where there are any, the cohort is resolved.

    Raises:
        ValidationError: a field is wrong, or a time is in the future or before its predecessor.
    """
    detected_at = happened("detected_at", detected_at)
    incident = Incident(
        title=title.strip(),
        severity=severity,
        started_at=happened("started_at", started_at) if started_at else detected_at,
        detected_at=detected_at,
        summary=summary,
        commander=commander,
    )
    check_order(incident)
    with transaction.atomic(), history(by=by):
        incident.number = next_number(Incident, "INC-")
        incident.full_clean()
        incident.save()
        for component in components:
            add_outage(
                incident=incident, component=component, impact=impact, region=region,
                starts_at=incident.started_at, by=by,
            )  # fmt: skip
        if components:
            resolve(incident)
    return incident


def acknowledge_incident(
    *, incident: Incident, by: AbstractBaseUser | None, at: datetime | None = None, reason: str = ""
) -> None:
    """Note that somebody has taken the incident; who has no commander is commanded by them.

    Raises:
        MoveError: somebody has acknowledged it already, or it is over.
        ValidationError: `at` is in the future or before the detection.
    """
    at = happened("acknowledged_at", at)
    check_order(incident, acknowledged_at=at)
    changes: dict[str, Any] = {"acknowledged_at": at}
    if incident.commander_id is None and isinstance(by, User):
        changes["commander"] = by
    taken = Incident.objects.running().filter(pk=incident.pk, acknowledged_at=None)
    with history(by=by, reason=reason):
        if not taken.update(**changes):
            raise MoveError("This incident is acknowledged already, or over: reload and look.")
    _adopt(incident, changes)


def assign_commander(
    *, incident: Incident, commander: User | None, by: AbstractBaseUser | None, reason: str = ""
) -> None:
    """Put `commander` (None: nobody) in charge.

    Raises:
        ValidationError: they are no active member of the staff.
    """
    if commander is not None and not (commander.is_staff and commander.is_active):
        raise ValidationError({"commander": _("Only active staff can command an incident.")})
    with history(by=by, reason=reason):
        Incident.objects.filter(pk=incident.pk).update(commander=commander)
    incident.commander = commander


def identify_incident(
    *, incident: Incident, by: AbstractBaseUser | None, at: datetime | None = None, reason: str = ""
) -> None:
    """The cause is known. Who knows it has acknowledged the incident.

    Raises:
        MoveError: it is not under investigation (any more).
        ValidationError: `at` is in the future or before the detection.
    """
    at = happened("acknowledged_at", at)
    changes = {"acknowledged_at": incident.acknowledged_at or at}
    check_order(incident, **changes)
    move(incident, Incident.State.IDENTIFIED, by=by, reason=reason, **changes)


def mitigate_incident(
    *,
    incident: Incident,
    by: AbstractBaseUser | None,
    at: datetime | None = None,
    reason: str = "",
    ends_outages: bool = False,
) -> None:
    """Customers no longer feel it; we watch. `ends_outages`: those still open ended at `at`.

    Raises:
        MoveError: it cannot be mitigated from its state.
        ValidationError: `at` is in the future, before the acknowledgement or an outage's start.
    """
    at = happened("mitigated_at", at)
    check_order(incident, mitigated_at=at)
    with transaction.atomic():
        move(incident, Incident.State.MONITORING, by=by, reason=reason, mitigated_at=at)
        if ends_outages:
            end_open_outages(incident, at=at, by=by, reason=reason)


def resolve_incident(
    *, incident: Incident, by: AbstractBaseUser | None, at: datetime | None = None, reason: str = ""
) -> None:
    """It is over: open outages end at `at`, the cohorts are resolved a last time.

    After the commit `incident_resolved` is sent. An incident never marked as mitigated was
    mitigated now.

    Raises:
        MoveError: it is resolved already, or somebody else has just moved it.
        ValidationError: `at` is in the future, or before something that has happened since.
    """
    at = happened("resolved_at", at)
    changes = {"resolved_at": at, "mitigated_at": incident.mitigated_at or at}
    check_order(incident, **changes)
    with transaction.atomic():
        move(incident, Incident.State.RESOLVED, by=by, reason=reason, **changes)
        close(incident, at=at, by=by, reason=reason)


def close(incident: Incident, *, at: datetime, by: AbstractBaseUser | None, reason: str) -> None:
    """End its outages, resolve its cohorts and spread the news. Call inside a transaction."""
    end_open_outages(incident, at=at, by=by, reason=reason)
    resolve(incident)
    transaction.on_commit(
        lambda: incident_resolved.send_robust(sender=Incident, incident=incident, by=by) and None
    )


def reopen_incident(*, incident: Incident, by: AbstractBaseUser | None, reason: str) -> None:
    """It was not over: investigate again. Its outages stay as they are; add what came after.

    Raises:
        MoveError: it is not resolved.
        ValidationError: no reason is given.
    """
    if not reason.strip():
        raise ValidationError({"reason": _("Say why it is opened again.")})
    changes = {"resolved_at": None, "mitigated_at": None}
    move(incident, Incident.State.INVESTIGATING, by=by, reason=reason, **changes)


def change_incident(
    *, incident: Incident, by: AbstractBaseUser | None, reason: str = "", **changes: Any
) -> None:
    """Correct its title, summary, severity or times.

    Raises:
        ValidationError: a field is wrong, a time is in the future or before its predecessor.
    """
    if unknown := set(changes) - CHANGEABLE:
        raise ValidationError(dict.fromkeys(unknown, _("This cannot be changed here.")))
    for field in ORDER:
        if changes.get(field) is not None:
            happened(field, changes[field])
    check_order(incident, **changes)
    old = {field: getattr(incident, field) for field in changes}
    _adopt(incident, changes)
    try:
        incident.full_clean()
    except ValidationError:
        _adopt(incident, old)
        raise
    with history(by=by, reason=reason):
        incident.save(update_fields=list(changes))


def _adopt(incident: Incident, changes: dict[str, Any]) -> None:
    for field, value in changes.items():
        setattr(incident, field, value)
