"""What Stripe shows of a customer's balance, against our ledger: the uses not booked yet."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.db.models import Exists, Max, OuterRef
from django.utils import timezone

from backoffice.customers.models import Customer
from compensation.consumption.open_credit import next_look
from compensation.consumption.queue import USES, Movement, Queue, Use
from compensation.consumption.reading import Pacing, read_balances
from compensation.ledger import NewEntry, record_entries
from compensation.models import Award, BalanceReading, LedgerEntry
from compensation.models.award import AwardState
from compensation.stripe_calls import Transaction

# At Stripe it may be booked while our books don't say so yet.
PENDING = (AwardState.APPROVED, AwardState.SENDING, AwardState.UNKNOWN)
# A reversal that our books don't know after this time won't come any more.
REVERSAL_COMES_WITHIN = timedelta(days=1)
# When to look again at a use that may belong to a credit whose outcome is not known yet.
WAITS = timedelta(minutes=5)
_CREDITED = LedgerEntry.objects.filter(customer=OuterRef("pk"), kind=LedgerEntry.Kind.CREDIT)
_ONE_BOOKER = "SELECT pg_advisory_xact_lock(hashtextextended('compensation.uses ' || %s, 0))"


@dataclass(slots=True)
class UsesReport:
    """`booked` entries; `refused` in Stripe's words by its customer id; `waiting`: come again."""

    read: int = 0
    booked: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


def book_uses(stripe_customers: Collection[str], *, pacing: Pacing) -> UsesReport:
    """Read these customers' balances (Stripe's ids) and book what invoices took of our credits.

    Customers without a credit of ours are not read. Once more is harmless: a transaction is booked
    once. Each customer is booked in a transaction of its own.

    Raises:
        SilentError: Stripe cannot be asked; what was booked before stays.
    """
    report = UsesReport()
    horizon = LedgerEntry.objects.aggregate(newest=Max("pk"))["newest"] or 0
    customers = {
        str(each.stripe_customer_id): each.pk
        for each in Customer.objects.filter(
            stripe_customer_id__in=set(stripe_customers),
        ).filter(Exists(_CREDITED))
    }
    marks = dict(
        BalanceReading.objects.filter(pk__in=customers.values())
        .exclude(newest_id="")
        .values_list("pk", "newest_id")
    )
    known = {name: {marks[pk]} if pk in marks else set() for name, pk in sorted(customers.items())}
    for name, found in read_balances(known, pacing):
        report.read += 1
        if isinstance(found, str):
            report.refused[name] = found
            continue
        booked = _book(customers[name], found, horizon)
        report.booked += booked.entries
        if booked.is_waiting:
            report.waiting.append(name)
    return report


@dataclass(frozen=True, slots=True)
class _Booked:
    entries: int
    is_waiting: bool


@transaction.atomic
def _book(customer: int, found: list[Transaction], horizon: int) -> _Booked:
    """One booker a customer, to the end of the transaction; the ledger's own lock comes last."""
    with connection.cursor() as cursor:
        cursor.execute(_ONE_BOOKER, [customer])
    books = _Books(customer, found, horizon)
    uses: list[Use] = []
    is_waiting = False
    for currency in sorted({each.currency.upper() for each in found}):
        allocation = books.queue(currency).allocate(books.movements(currency))
        uses += allocation.uses
        is_waiting |= allocation.is_waiting
    record_entries(books.entries(uses))
    _note_reading(books, is_waiting=is_waiting)
    return _Booked(len(uses), is_waiting)


class _Books:
    """Our side of one customer, beside what was read of Stripe's.

    An entry younger than `horizon` that Stripe's list does not show was made after it was read, so
    no use in the list can be of it.
    """

    def __init__(self, customer: int, found: list[Transaction], horizon: int) -> None:
        self.customer = customer
        self.found = found
        self._by_id = {each.stripe_id: each for each in found}
        self._booked: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._before: list[LedgerEntry] = []
        self.left_minor: dict[str, int] = defaultdict(int)
        self._ranks: dict[int, int] = {}
        entries = LedgerEntry.objects.filter(customer=customer, award__isnull=False)
        for entry in entries.exclude(amount_minor=0).order_by("id"):
            award = entry.award_id or 0
            self.left_minor[entry.currency] += entry.amount_minor
            self._ranks.setdefault(award, entry.pk)
            if entry.stripe_id in self._by_id:
                self._booked[entry.stripe_id].append((award, entry.amount_minor))
            elif entry.pk <= horizon:
                self._before.append(entry)
        self._pending = self._pending_awards(found)

    def queue(self, currency: str) -> Queue:
        """The credits as they were before the first transaction that was read."""
        left: dict[int, int] = defaultdict(int)
        taken: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for entry in self._before:
            if entry.currency == currency and entry.award_id:
                left[entry.award_id] += entry.amount_minor
                if entry.kind == LedgerEntry.Kind.CONSUMED:
                    taken[entry.note].append((entry.award_id, entry.amount_minor))
        return Queue(left, taken, ranks=self._ranks)

    def movements(self, currency: str) -> list[Movement]:
        return [
            Movement(
                stripe_id=each.stripe_id,
                amount=each.amount,
                kind=each.kind,
                invoice=_name(each),
                booked=tuple(self._booked.get(each.stripe_id, ())),
                is_pending=each.kind not in USES and self._is_pending(each),
            )
            for each in self.found
            if each.currency.upper() == currency
        ]

    def entries(self, uses: Iterable[Use]) -> list[NewEntry]:
        """Dated as Stripe dates the use, in UTC: an as-of balance is what it was at Stripe."""
        made = [
            NewEntry(
                kind=LedgerEntry.Kind.CONSUMED,
                customer_id=self.customer,
                award_id=use.award,
                amount_minor=use.amount_minor,
                currency=self._by_id[use.stripe_id].currency.upper(),
                stripe_id=use.stripe_id,
                note=_name(self._by_id[use.stripe_id]),
                booked_at=datetime.fromtimestamp(self._by_id[use.stripe_id].created, UTC),
            )
            for use in uses
        ]
        for entry in made:
            self.left_minor[entry.currency] += entry.amount_minor
        return made

    def _is_pending(self, each: Transaction) -> bool:
        if each.amount < 0:
            return each.metadata.get("award", "") in self._pending
        oldest = (timezone.now() - REVERSAL_COMES_WITHIN).timestamp()
        return "amends_reversal" in each.metadata and each.created > oldest

    def _pending_awards(self, found: list[Transaction]) -> set[str]:
        written = {each.metadata.get("award", "") for each in found}
        ids = [int(each) for each in written if each.isdecimal() and len(each) < 19]  # noqa: PLR2004
        awards = Award.objects.filter(pk__in=ids, customer=self.customer, state__in=PENDING)
        return {str(pk) for pk in awards.values_list("pk", flat=True)}


def _name(each: Transaction) -> str:
    """What the customer reads on the invoice; its id while it has no number."""
    return each.invoice_number or each.invoice


def _note_reading(books: _Books, *, is_waiting: bool) -> None:
    """The mark moves on only past what was dealt with."""
    now = timezone.now()
    reading, _is_new = BalanceReading.objects.get_or_create(customer_id=books.customer)
    reading.read_at, reading.next_at = now, None
    if is_waiting:
        reading.next_at = now + WAITS
    elif any(minor > 0 for minor in books.left_minor.values()):
        reading.next_at = next_look(now)
    if books.found and not is_waiting:
        reading.newest_id = books.found[-1].stripe_id
    reading.save(update_fields=["read_at", "next_at", "newest_id"])
