"""Template filters: money with its currency, durations, times in the reader's zone."""

from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from backoffice.money import format_money

register = template.Library()


@register.filter
def money(amount_minor: int | None, currency: str) -> str:
    """{{ award.amount_minor|money:award.currency }} as the reader's language writes it."""
    if amount_minor is None:
        return "–"
    return format_money(amount_minor, currency, (get_language() or "en")[:2])


@register.filter
def duration(seconds: int | None) -> str:
    """Whole minutes as people say them: 1 h 51 min, 3 d 4 h."""
    if seconds is None:
        return "–"
    minutes = int(seconds) // 60
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A time in the reader's zone, with UTC on hover."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        value.isoformat(),
        value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        local.strftime("%Y-%m-%d %H:%M"),
    )
