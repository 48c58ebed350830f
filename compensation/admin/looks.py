"""How the states and sums of money look: a word always, and a colour that says the same."""

from collections.abc import Mapping
from typing import Any

from babel.numbers import format_decimal
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, ngettext

from backoffice.money import format_money
from compensation.models import Award, Batch

NO_BREAK = "\N{NO-BREAK SPACE}"

# unfold's label variants by state
BATCH_LABELS: dict[str, str] = {
    Batch.State.DRAFT: "default",
    Batch.State.PRICED: "info",
    Batch.State.SUBMITTED: "warning",
    Batch.State.APPROVED: "info",
    Batch.State.ISSUING: "info",
    Batch.State.PAUSED: "warning",
    Batch.State.ISSUED: "success",
    Batch.State.REJECTED: "danger",
    Batch.State.CANCELLED: "default",
}
AWARD_LABELS: dict[str, str] = {
    Award.State.PROPOSED: "default",
    Award.State.EXCLUDED: "default",
    Award.State.APPROVED: "info",
    Award.State.SENDING: "info",
    Award.State.ISSUED: "success",
    Award.State.FAILED: "danger",
    Award.State.UNKNOWN: "warning",
    Award.State.REVERSED: "warning",
}


def language() -> str:
    """The reader's language: en or de."""
    return (get_language() or "en")[:2]


def number(count: int) -> str:
    """8,209 or 8.209."""
    return format_decimal(count, locale=language())


def amounts(amounts_minor: Mapping[str, int]) -> str:
    """Sums of several currencies, never added up: EUR 1.00 + USD 2.00. Empty without money."""
    return " + ".join(
        format_money(amount_minor, currency, language()).replace(" ", NO_BREAK)
        for currency, amount_minor in sorted(amounts_minor.items())
    )


def award_value(award: Award) -> str:
    """What the customer gets, in words: EUR 49.90, 14 more days of service."""
    if award.benefit == Award.Benefit.CREDIT:
        return format_money(award.amount_minor, award.currency, language())
    if award.benefit == Award.Benefit.TRIAL:
        phrase = ngettext("{n} more day of service", "{n} more days of service", award.days)
    else:
        phrase = ngettext("{n} day of priority support", "{n} days of priority support", award.days)
    return phrase.format(n=award.days)


def customer_cell(award: Award) -> SafeString:
    """The customer's name, cut where it is long, with the reference under it."""
    return format_html(
        '<span class="am-ink am-clamp" style="max-width: 24rem">{}</span>'
        '<span class="am-quiet am-small">{}</span>',
        award.customer.name or "–",
        award.customer.reference,
    )


def gives(summary: Mapping[str, Any]) -> str:
    """A batch in one line: 8,209 awards: EUR 21,877.41 + USD 10.00."""
    count = ngettext("{n} award", "{n} awards", summary["awards"]).format(
        n=number(summary["awards"])
    )
    money = amounts(summary["amounts_minor"])
    return f"{count}: {money}" if money else count


def gives_cell(batch: Batch) -> str:
    """That line from the cache; where the cache is empty the browser asks for it afterwards."""
    if batch.summary:
        return gives(batch.summary)
    if batch.state == Batch.State.DRAFT:
        return "–"
    address = reverse("admin:compensation_batch_figures", args=[batch.pk])
    return format_html('<span hx-get="{}" hx-trigger="load">…</span>', address)


def unbroken(text: object) -> SafeString:
    """A number or amount that stays on one line of a list."""
    return format_html('<span class="am-num">{}</span>', text)
