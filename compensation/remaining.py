"""What is left of each award's credit, by our own book."""

from collections.abc import Iterable

from django.db.models import Sum

from compensation.models import LedgerEntry, Reversal
from compensation.models.reversal import ReversalState


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


def consumable(award_ids: Iterable[int]) -> dict[int, int]:
    """What an invoice's use may be booked to: what remains, less what is just being taken back.

    A reversal under way has fixed its amount, and its entry will follow. Call
    `ledger.wait_for_other_writers` first, so that none fixes its amount meanwhile. Never negative.
    """
    left = remaining(award_ids)
    on_their_way = (
        Reversal.objects.filter(
            award__in=list(left),
            state__in=[ReversalState.SENDING, ReversalState.UNKNOWN],
            corrects="",
        )
        .order_by()
        .values_list("award")
        .annotate(total=Sum("amount_minor"))
    )
    taken = dict(on_their_way)
    return {award: max(amount - taken.get(award, 0), 0) for award, amount in left.items()}
