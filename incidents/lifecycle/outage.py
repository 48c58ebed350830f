"""Outages: added, changed, ended."""

import difflib
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from backoffice.customers.models import Component, Subscription
from backoffice.states import MoveError, history
from incidents.lifecycle.times import happened, said
from incidents.models import Incident, Outage

CHANGEABLE = frozenset(
    {"component", "impact", "region", "starts_at", "ends_at", "affected_percent"}
)
# Of requests that failed; nothing failed is no outage.
LEAST_PERCENT = Decimal("0.001")
SHARE_SAID = gettext_lazy(
    "Say more than 0 and at most 100 percent, or leave it empty where all requests failed."
)


def add_outage(  # noqa: PLR0913 - an outage's fields
    *,
    incident: Incident,
    component: Component,
    impact: str = Outage.Impact.MAJOR,
    region: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    affected_percent: Decimal | None = None,
    by: AbstractBaseUser | None = None,
    reason: str = "",
) -> Outage:
    """Note that `component` was out of order, from now if nothing is said, until `ends_at`.

    An incident that started later started with this outage. Cohorts are not resolved again.
    `affected_percent` is the share of requests that failed, where it is known.

    Raises:
        ValidationError: a time is in the future or in the wrong order, the region is unknown, the
            share is not above 0 and at most 100.
    """
    outage = Outage(
        incident=incident,
        component=component,
        impact=impact,
        region=region.strip(),
        starts_at=happened("starts_at", starts_at),
        ends_at=ends_at,
        affected_percent=affected_percent,
    )
    _check(outage)
    _save(outage, by=by, reason=reason)
    return outage


def change_outage(
    *, outage: Outage, by: AbstractBaseUser | None, reason: str = "", **changes: Any
) -> None:
    """Correct its component, impact, region, times or share. Cohorts are not resolved again.

    Raises:
        ValidationError: as `add_outage`.
    """
    if unknown := set(changes) - CHANGEABLE:
        raise ValidationError(dict.fromkeys(unknown, _("This cannot be changed here.")))
    changed = Outage(pk=outage.pk, incident=outage.incident)
    changed._state.adding = False
    for field in CHANGEABLE:
        setattr(changed, field, changes.get(field, getattr(outage, field)))
    happened("starts_at", changed.starts_at)
    _check(changed)
    _save(changed, by=by, reason=reason)
    for field, value in changes.items():
        setattr(outage, field, value)


def end_outage(
    *, outage: Outage, by: AbstractBaseUser | None, at: datetime | None = None, reason: str = ""
) -> None:
    """The component works again since `at`.

    Raises:
        MoveError: somebody has ended it already.
        ValidationError: `at` is in the future, or not after the start.
    """
    at = happened("ends_at", at)
    _check_end(outage, at)
    with history(by=by, reason=reason):
        if not Outage.objects.filter(pk=outage.pk, ends_at=None).update(ends_at=at):
            raise MoveError("This outage has ended already: reload and look again.")
    outage.ends_at = at


def remove_outage(*, outage: Outage, by: AbstractBaseUser | None, reason: str = "") -> None:
    """It never happened. The history keeps it; cohorts are not resolved again."""
    with history(by=by, reason=reason):
        outage.delete()


def end_open_outages(
    incident: Incident, *, at: datetime, by: AbstractBaseUser | None, reason: str
) -> None:
    """End what still goes on.

    Raises:
        ValidationError: an outage started or ended after `at`.
    """
    for outage in incident.outages.select_related("component"):
        end = outage.ends_at or outage.starts_at
        if end > at or (outage.ends_at is None and end == at):
            raise ValidationError(
                {
                    "at": _("The outage of %(component)s went on at %(end)s, after %(at)s.")
                    % {"component": outage.component, "end": said(end), "at": said(at)}
                }
            )
    with history(by=by, reason=reason):
        incident.outages.filter(ends_at=None).update(ends_at=at)


def check_region(region: str) -> None:
    """A region must be one that a subscription has, or nobody would be hit.

    Raises:
        ValidationError: it is not; with the nearest one.
    """
    if not region or Subscription.objects.filter(region=region).exists():
        return
    known = sorted(set(Subscription.objects.exclude(region="").values_list("region", flat=True)))
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(region.casefold(), folded, n=1, cutoff=0.4)
    if near:
        remedy = _("Did you mean “%s”?") % folded[near[0]]
    elif known:
        remedy = _("Known are: %s.") % ", ".join(known[:10])
    else:
        remedy = _("Leave it empty: no subscription has a region yet.")
    raise ValidationError(
        {"region": _("No subscription is in the region “%s”.") % region + " " + remedy}
    )


def _check(outage: Outage) -> None:
    check_region(outage.region)
    share = outage.affected_percent
    if share is not None and not LEAST_PERCENT <= share <= 100:  # noqa: PLR2004
        raise ValidationError({"affected_percent": SHARE_SAID})
    incident = outage.incident
    if outage.ends_at is not None:
        _check_end(outage, happened("ends_at", outage.ends_at))
        return
    if incident.resolved_at is not None:
        raise ValidationError(
            {"ends_at": _("The incident is over: say when this outage ended, or reopen it.")}
        )


def _check_end(outage: Outage, ends_at: datetime) -> None:
    if ends_at <= outage.starts_at:
        raise ValidationError(
            {"ends_at": _("It started at %s and must end after that.") % said(outage.starts_at)}
        )
    resolved_at = outage.incident.resolved_at
    if resolved_at is not None and ends_at > resolved_at:
        raise ValidationError(
            {"ends_at": _("The incident was over at %s, so this was too.") % said(resolved_at)}
        )


def _save(outage: Outage, *, by: AbstractBaseUser | None, reason: str) -> None:
    incident = outage.incident
    outage.full_clean()
    with transaction.atomic(), history(by=by, reason=reason):
        outage.save()
        earlier = Incident.objects.filter(pk=incident.pk, started_at__gt=outage.starts_at)
        if earlier.update(started_at=outage.starts_at):
            incident.started_at = outage.starts_at
