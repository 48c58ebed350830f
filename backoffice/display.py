"""Template filters: money with its currency, durations, times in the reader's zone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

from babel.dates import format_date
from babel.numbers import format_decimal
from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from backoffice.money import format_money

# Text of charts, which know no light and dark: reads on both.
CHART_TEXT = "#77828e"

register = template.Library()

# Days, hours and minutes as each language shortens them.
_UNITS = {"en": ("d", "h", "min"), "ru": ("д", "ч", "мин")}


@register.filter
def money(amount_minor: int | None, currency: str) -> str:
    """{{ award.amount_minor|money:award.currency }} as the reader's language writes it."""
    if amount_minor is None:
        return "–"
    return format_money(amount_minor, currency, _language())


@register.filter
def percent(value: Decimal | None) -> str:
    """A share as it was given, without zeros that say nothing: 12.5 %, 12,5 %."""
    if value is None:
        return "–"
    return f"{format_decimal(value.normalize(), locale=_language(), decimal_quantization=False)} %"


@register.filter
def duration(span: int | timedelta | None) -> str:
    """A span, or so many seconds, in whole minutes as people say them: 1 h 51 min, 3 d 4 h."""
    if span is None:
        return "–"
    minutes = int(span.total_seconds() if isinstance(span, timedelta) else span) // 60
    day_, hour, minute = _UNITS.get(_language(), _UNITS["en"])
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} {minute}"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:  # noqa: PLR2004
        return f"{hours} {hour} {minutes} {minute}" if minutes else f"{hours} {hour}"
    days, hours = divmod(hours, 24)
    return f"{days} {day_} {hours} {hour}" if hours else f"{days} {day_}"


@register.filter
def moment(value: datetime | None) -> SafeString | str:
    """A time in the reader's zone, with UTC on hover."""
    if value is None:
        return "–"
    return _time(value, timezone.localtime(value).strftime("%Y-%m-%d %H:%M"))


@register.filter
def day(value: datetime | date | None) -> str:
    """A day as people of the language say it: 14 October, 14. Oktober; with the year if past."""
    if value is None:
        return "–"
    local = timezone.localdate(value) if isinstance(value, datetime) else value
    language = _language()
    pattern = "d.\u00a0MMMM" if language == "de" else "d\u00a0MMMM"
    if local.year != timezone.localdate().year:
        pattern += "\u00a0y"
    return format_date(local, pattern, locale=language)


@register.filter
def day_and_time(value: datetime | None) -> SafeString | str:
    """A day and minute in the reader's zone as people write them, with UTC on hover."""
    if value is None:
        return "–"
    return _time(value, f"{day(value)}, {_clock(value)}")


@register.filter
def end_of(value: datetime, start: datetime) -> SafeString:
    """The end of a span as people write it: without the day where it is that of `start`."""
    is_same_day = timezone.localdate(value) == timezone.localdate(start)
    return _time(value, _clock(value) if is_same_day else f"{day(value)}, {_clock(value)}")


@register.filter
def host(url: str) -> str:
    """The host an address leads to: app.example.com."""
    return urlsplit(url).hostname or ""


@register.simple_tag
def company_name() -> str:
    """Who speaks to customers."""
    return str(settings.COMPANY_NAME)


@register.simple_tag
def support_email() -> str:
    """Where customers can write to."""
    return str(settings.SUPPORT_EMAIL)


def _clock(value: datetime) -> str:
    return timezone.localtime(value).strftime("%H:%M")


def _time(value: datetime, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        value.isoformat(),
        value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        text,
    )


def _language() -> str:
    return (get_language() or "en")[:2]
