"""What is left of each award's credit, by our own book."""

from collections.abc import Iterable

from django.db.models import Sum

from compensation.models import LedgerEntry


def remaining(award_ids: Iterable[int]) -> dict[int, int]:
    """The sum of each award's ledger entries, in minor units of its currency; one query.

    Booked credit counts up, what invoices used and what was taken back down. Every id that is
    asked for has its answer: 0 where nothing is booked, or the benefit is no money.
    """
    wanted = list(award_ids)
    booked = (
        LedgerEntry.objects.filter(award__in=wanted)
        .order_by()
        .values_list("award")
        .annotate(total=Sum("amount_minor"))
    )
    return dict.fromkeys(wanted, 0) | dict(booked)
