"""Ledger entries as postings: from which account to which."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from django.conf import settings
from django.db.models import Count, QuerySet, Sum

from compensation.books.month import Month, zone
from compensation.models import Award, LedgerEntry

CHUNK = 2000
Kind = LedgerEntry.Kind
_TEXTS = {
    Kind.CREDIT: "Compensation credit",
    Kind.REVERSAL: "Credit taken back",
    Kind.CONSUMED: "Credit used on invoice",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One entry in double entry: `amount_minor` (positive) from `credit` to `debit`.

    `day` is the booking's in the books' time zone.
    """

    number: int
    day: date
    kind: str
    debit: str
    credit: str
    amount_minor: int
    currency: str
    text: str
    customer: str
    incident: str
    award: int | None
    stripe_id: str

    @property
    def voucher(self) -> str:
        """The number that leads from the books back to the ledger's entry."""
        return f"AM{self.number}"


@dataclass(frozen=True, slots=True)
class Total:
    """What was booked of one kind in one currency; `amount_minor` is signed as in the ledger."""

    currency: str
    kind: str
    entries: int
    amount_minor: int

    @property
    def kind_label(self) -> str:
        return str(Kind(self.kind).label)


def entries_of(month: Month, currency: str | None = None) -> QuerySet[LedgerEntry]:
    """The month's entries that are about money, in their order. Trials and priority are not."""
    entries = (
        LedgerEntry.objects.filter(booked_at__gte=month.start, booked_at__lt=month.end)
        .exclude(amount_minor=0)
        .order_by("id")
    )
    return entries.filter(currency=currency) if currency else entries


def totals(month: Month) -> list[Total]:
    """The month's sums by currency and kind, as the ledger has them. One query."""
    lines = (
        entries_of(month)
        .order_by("currency", "kind")
        .values_list("currency", "kind")
        .annotate(Count("id"), Sum("amount_minor"))
    )
    return [Total(*line) for line in lines]


def postings(entries: QuerySet[LedgerEntry]) -> Iterator[Posting]:
    """Each entry as a posting, read in pieces."""
    tz = zone()
    rows = entries.values_list(
        "id", "booked_at", "kind", "amount_minor", "currency", "note", "stripe_id", "award_id",
        "customer__reference", "award__incident__number", "award__source", "award__origin",
    )  # fmt: skip
    for row in rows.iterator(chunk_size=CHUNK):
        number, booked_at, kind, amount, currency, note, stripe_id, award, customer, *of = row
        incident, source, origin = of
        debit, credit = _accounts(kind, amount, is_goodwill=source == Award.Source.GOODWILL)
        yield Posting(
            number=number,
            day=_day(booked_at, tz),
            kind=kind,
            debit=debit,
            credit=credit,
            amount_minor=abs(amount),
            currency=currency,
            text=_text(kind, note, incident or origin or ""),
            customer=customer,
            incident=incident or "",
            award=award,
            stripe_id=stripe_id,
        )


def _accounts(kind: str, amount_minor: int, *, is_goodwill: bool) -> tuple[str, str]:
    """Debit and credit. What customers hold is a debt of ours; more of it stands on the right."""
    accounts = settings.BOOKS_ACCOUNTS
    if kind == Kind.CONSUMED:
        other = accounts["receivables"]
    elif is_goodwill:
        other = accounts.get("goodwill") or accounts["compensation"]
    else:
        other = accounts["compensation"]
    ours = accounts["credits"]
    return (other, ours) if amount_minor > 0 else (ours, other)


def _text(kind: str, note: str, about: str) -> str:
    words = [_TEXTS.get(Kind(kind), str(kind))]
    if kind == Kind.CONSUMED and note:
        words.append(note)
    return " ".join([*words, about]).strip()


def _day(moment: datetime, tz: tzinfo) -> date:
    return moment.astimezone(tz).date()
