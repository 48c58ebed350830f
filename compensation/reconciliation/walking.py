"""The walk over customers: read both sides, compare, commit, a chunk at a time."""

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from backoffice.states import move
from compensation import stripe_calls
from compensation.consumption import Pacing, SilentError, book_uses
from compensation.issuing import has_work, is_stopped
from compensation.issuing.bucket import TokenBucket
from compensation.issuing.lock import IssuerLock, LockLostError
from compensation.models import BalanceReading, Finding, ReconciliationRun
from compensation.models.reconciliation import READ_AGAIN, FindingKind
from compensation.reconciliation.comparing import compare
from compensation.reconciliation.differences import Comparison, Line
from compensation.reconciliation.ours import Books, read_books
from compensation.reconciliation.runs import next_run, walked
from compensation.reconciliation.theirs import (
    CalledOffError,
    KeyRefusedError,
    NoAnswerError,
    Reader,
    Seen,
)
from compensation.reconciliation.writing import write_findings
from compensation.reversing import has_reversals

logger = logging.getLogger(__name__)

State = ReconciliationRun.State
# How often is looked whether issuing has work, in seconds.
LOOK_SECONDS = 0.5
# A customer whose books move while Stripe is read is read again, so often.
READINGS = 3
# From so many customers without an answer on, with none in between, it's not about the customers.
SILENT_FROM = 3
WAITS = "Issuing has work: waiting until it is done."
SILENT = "Stripe does not answer; tried again every quarter of a minute."


class ReconcilerLock(IssuerLock):
    """One walker at a time."""

    KEY = 0x616D656E6474


@dataclass(slots=True)
class _Chunk:
    """What was read and compared of some customers, and how far in their order."""

    last: int = 0
    done: list[Comparison] = field(default_factory=list)
    skipped: int = 0
    calls: int = 0
    note: str = ""


class Walker:
    """Walks for about `seconds`, by the holder of `lock`. Threads make calls only."""

    def __init__(self, lock: ReconcilerLock, *, seconds: float) -> None:
        self._lock = lock
        self._ends_at = time.monotonic() + seconds
        self._is_called_off = False
        rate = settings.STRIPE_CALLS_PER_SECOND * settings.RECONCILIATION_SHARE
        reader = Reader(
            stripe_calls.stripe_client(), TokenBucket(rate), lambda: self._is_called_off
        )
        self._reader = reader
        # enough to use the rate up at a second a call
        threads = max(1, min(settings.STRIPE_CALLS_IN_FLIGHT, round(rate)))
        self._pool = ThreadPoolExecutor(threads, "reconciling")

    def walk(self) -> bool:
        """Go on with the run whose turn it is; whether there is more to do right now."""
        try:
            while time.monotonic() < self._ends_at:
                run = next_run()
                if run is None:
                    return False
                if not self._step(run):
                    return False
            return True
        finally:
            self._is_called_off = True
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _step(self, run: ReconciliationRun) -> bool:
        """One chunk of `run`; whether to go on at once."""
        if _is_issuing():
            _note(run, WAITS)
            return False
        ids = walked(run).filter(pk__gt=run.cursor).values_list("pk", flat=True)
        customers = list(ids[: settings.RECONCILIATION_CHUNK])
        if not customers:
            _finish(run)
            return True
        try:
            self._book_uses(run)
            chunk = self._compare(customers)
            self._lock.check()
        except KeyRefusedError as error:
            note = f"Stripe does not accept our key: {error}"
            move(run, State.STOPPED, by=None, reason=note, note=note, ended_at=timezone.now())
            return False
        except LockLostError:
            logger.warning("reconciling: the lock is lost, closing")
            return False
        _commit(run, chunk)
        return not chunk.note

    def _book_uses(self, run: ReconciliationRun) -> None:
        """What somebody asked for with this run: book what invoices used of this customer's."""
        wanted = Finding.objects.filter(
            customer=run.customer,
            kind=FindingKind.CONSUMPTION,
            remedy=READ_AGAIN,
            remedied_at__gte=run.started_at,
        )
        if run.scope != ReconciliationRun.Scope.CUSTOMER or not wanted.exists():
            return
        BalanceReading.objects.filter(pk=run.customer_id).update(newest_id="")
        account = run.customer.stripe_customer_id if run.customer else None
        try:
            book_uses(
                [account or ""], pacing=Pacing(wait=self._reader.bucket.take, pause=time.sleep)
            )
        except SilentError as error:
            logger.warning("reconciling: uses of customer %s: %s", run.customer_id, error)

    # --- reading -----------------------------------------------------------------------------

    def _compare(self, customers: Sequence[int]) -> _Chunk:
        """Both sides of each customer.

        Ours is read before and after Stripe's: what moves meanwhile is no difference.
        """
        chunk = _Chunk()
        todo, results = list(customers), dict[int, Comparison]()
        skipped: set[int] = set()
        for _reading in range(READINGS):
            before = {books.customer: books for books in read_books(todo)}
            seen = self._read(list(before.values()), chunk, skipped)
            after = {books.customer: books for books in read_books(list(seen))}
            todo = [customer for customer in seen if before[customer] != after.get(customer)]
            for customer in seen.keys() - set(todo):
                results[customer] = compare(before[customer], seen[customer], now=timezone.now())
            if not todo or self._is_called_off:
                break
        skipped |= set(todo)
        self._settle(chunk, customers, results, skipped)
        return chunk

    def _read(self, todo: Sequence[Books], chunk: _Chunk, skipped: set[int]) -> dict[int, Seen]:
        """What Stripe says of those that it answered for before reading was called off."""
        futures = {books.customer: self._pool.submit(self._reader.read, books) for books in todo}
        self._wait(list(futures.values()))
        seen: dict[int, Seen] = {}
        for customer, future in futures.items():
            try:
                seen[customer] = future.result()
            except CalledOffError:
                continue
            except NoAnswerError as error:
                logger.warning("reconciling: customer %s: %s", customer, error)
                skipped.add(customer)
            else:
                chunk.calls += seen[customer].calls
        return seen

    def _wait(self, futures: Sequence[Future[Seen]]) -> None:
        """Until all are done; once issuing has work, nothing more is begun."""
        left: set[Future[Seen]] = set(futures)
        while left:
            left = wait(left, timeout=LOOK_SECONDS).not_done
            if left and not self._is_called_off and _is_issuing():
                self._is_called_off = True

    def _settle(
        self,
        chunk: _Chunk,
        customers: Sequence[int],
        results: dict[int, Comparison],
        skipped: set[int],
    ) -> None:
        """Take those up to the first that was not read; the others come with the next chunk."""
        for customer in customers:
            if customer in results:
                chunk.done.append(results[customer])
            elif customer in skipped:
                chunk.skipped += 1
            elif self._is_called_off:
                chunk.note = WAITS
                break
            chunk.last = customer
        if chunk.skipped >= SILENT_FROM and not chunk.done:
            chunk.note, chunk.last, chunk.skipped = SILENT, 0, 0


def _is_issuing() -> bool:
    """Whether somebody has money to move: they come first."""
    return has_work() or (has_reversals() and not is_stopped())


# --- writing ----------------------------------------------------------------------------------


def _commit(run: ReconciliationRun, chunk: _Chunk) -> None:
    """Findings, counts and cursor together; nothing if the run was stopped meanwhile."""
    with transaction.atomic():
        row = ReconciliationRun.objects.select_for_update(of=("self",)).get(pk=run.pk)
        if row.state != State.RUNNING or row.cursor != run.cursor:
            return
        written = write_findings(row, chunk.done)
        row.cursor = max(row.cursor, chunk.last)
        row.moved_at = timezone.now()
        row.note = chunk.note
        row.calls += chunk.calls
        row.customers_done += len(chunk.done)
        row.customers_skipped += chunk.skipped
        row.awards += sum(one.awards for one in chunk.done)
        row.transactions += sum(one.transactions for one in chunk.done)
        row.found += written.found
        row.seen_again += written.seen_again
        row.closed += written.closed
        row.totals = _summed(row.totals, chunk.done)
        row.save()


def _summed(
    totals: dict[str, dict[str, int]], done: Sequence[Comparison]
) -> dict[str, dict[str, int]]:
    lines = {currency: Line.of(kept) for currency, kept in totals.items()}
    for one in done:
        for currency, line in one.lines.items():
            lines.setdefault(currency, Line()).add(line)
    return {currency: line.as_dict() for currency, line in sorted(lines.items())}


def _finish(run: ReconciliationRun) -> None:
    # more customers may have come since it began
    total = run.customers_done + run.customers_skipped
    move(run, State.FINISHED, by=None, ended_at=timezone.now(), note="", customers_total=total)


def _note(run: ReconciliationRun, note: str) -> None:
    if run.note != note:
        ReconciliationRun.objects.filter(pk=run.pk, state=State.RUNNING).update(note=note)
