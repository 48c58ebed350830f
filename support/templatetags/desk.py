"""Template filters of the desk's pages."""

from datetime import UTC, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.html import format_html, urlize
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from backoffice.display import duration
from compensation.models import Award
from support.goodwill.words import benefit_in_words, state_in_words
from support.models.ticket import Status
from support.panel import Got

register = template.Library()

# Longer texts are shown without looking for addresses in them.
LOOKED_AT_CHARACTERS = 50_000
SOON = timedelta(minutes=2)


@register.filter
def linked(text: str) -> SafeString | str:
    """Plain text, escaped, with its web addresses as links that open elsewhere and tell nothing."""
    has_address = "@" in text or "www." in text or "://" in text
    if len(text) > LOOKED_AT_CHARACTERS or not has_address:
        return text
    # Quotation marks of the text itself are escaped, so only the links' own are found.
    return mark_safe(  # noqa: S308 - urlize has escaped it
        urlize(text, nofollow=True, autoescape=True).replace(
            'rel="nofollow"', 'rel="nofollow noopener noreferrer" target="_blank"'
        )
    )


@register.filter
def countdown(value: datetime) -> SafeString:
    """How far from now, either way: 18 min, 2 h 5 min; UTC on hover. The page's script goes on."""
    return format_html(
        '<time class="am-num" data-countdown datetime="{}" title="{} UTC">{}</time>',
        value.isoformat(),
        value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        duration(int(abs((value - timezone.now()).total_seconds()))),
    )


@register.filter
def is_soon(value: datetime | None) -> bool:
    """Whether it is sent as soon as it cannot be undone any more, and was not scheduled."""
    return value is not None and value - timezone.now() < SOON


@register.filter
def status_words(value: str) -> str:
    return str(Status(value).label) if value in Status.values else value


@register.filter
def benefit_words(award: Award) -> str:
    return benefit_in_words(award)


@register.filter
def state_words(award: Award, got: Got) -> str:
    """Where the award stands, as an agent may tell it."""
    return _("used") if got.is_used else state_in_words(award)
