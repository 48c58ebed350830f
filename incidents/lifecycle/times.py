"""The order in which things can have happened."""

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from incidents.models import Incident

ORDER = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "resolved_at")


def happened(field: str, at: datetime | None) -> datetime:
    """`at`, or now if there is none.

    Raises:
        ValidationError: `at` has no time zone or is in the future.
    """
    now = timezone.now()
    if at is None:
        return now
    if timezone.is_naive(at):
        raise ValidationError({field: _("Give the time with its zone.")})
    if at > now:
        raise ValidationError(
            {field: _("%(at)s is in the future: now is %(now)s.") % _said(at=at, now=now)}
        )
    return at


def check_order(incident: Incident, **changes: Any) -> None:
    """Each time that is known must not be before those that come before it.

    Raises:
        ValidationError: naming the field that is too early, and what it comes after.
    """
    before: tuple[str, datetime] | None = None
    for field in ORDER:
        value = changes.get(field, getattr(incident, field))
        if value is None:
            continue
        if before is not None and value < before[1]:
            raise ValidationError({field: _too_early(field, value, *before)})
        before = (field, value)


def _too_early(field: str, value: datetime, before: str, limit: datetime) -> str:
    names = {
        "field": Incident._meta.get_field(field).verbose_name,  # type: ignore[union-attr]
        "before": Incident._meta.get_field(before).verbose_name,  # type: ignore[union-attr]
    }
    return _("It cannot be %(field)s at %(value)s and %(before)s only at %(limit)s.") % {
        **names,
        **_said(value=value, limit=limit),
    }


def said(at: datetime) -> str:
    """A time as error messages say it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _said(**times: datetime) -> dict[str, str]:
    return {name: said(at) for name, at in times.items()}
