"""What events tell of is read again at Stripe and written down: so their order says nothing."""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError
from django.utils import timezone

from backoffice.customers.mirror import MirrorError, Pace, refresh_mirror
from backoffice.webhooks import claiming
from backoffice.webhooks.claiming import Claimed
from backoffice.webhooks.models import EventState, StripeEvent
from backoffice.webhooks.needs import NamelessError, Needs, needs_of, together
from compensation.consumption import Pacing, SilentError, UsesReport, book_uses, due_customers
from compensation.issuing import has_work
from compensation.issuing.lock import IssuerLock

log = logging.getLogger(__name__)

# The database or its schema: they come back, and then all is well.
AROUND = (OperationalError, InterfaceError, ProgrammingError)
# Reading gives way to issuing, but not longer than this; then it reads a call a second.
WAITS_AT_MOST = timedelta(minutes=15)
TRICKLE = 1.0
SILENCE = timedelta(seconds=30)
NOT_OURS = "Nothing to do for events of this type."


class HandlerLock(IssuerLock):
    """One process at a time reads, so that the rate holds. Two at once would do no harm."""

    KEY = 0x616D656E6475


def handle_events(*, seconds: float = 30.0) -> bool:
    """Handle what waits for about `seconds`; whether more is due.

    An event whose handling fails is tried again with growing pauses and parked in the end. While
    Stripe or the database is away, nothing counts as an attempt.
    """
    claiming.ignore_echoes()
    if not StripeEvent.objects.filter(state=EventState.WAITING).exists():
        return False
    with HandlerLock() as lock:
        if not lock.is_held:
            return False
        claiming.recover()
        rate = _rate()
        return bool(rate) and _Run(rate).run(time.monotonic() + seconds)


def poll_balances(*, seconds: float = 5.0) -> UsesReport:
    """Look at customers with open credit whom no event spoke of for long; not while issuing.

    Raises:
        SilentError: Stripe cannot be asked; their turn comes again.
    """
    rate = _share()
    if has_work():
        return UsesReport()
    with HandlerLock() as lock:
        if not lock.is_held:
            return UsesReport()
        due = due_customers(now=timezone.now(), limit=max(1, int(rate * seconds)))
        return book_uses(due, pacing=_pacing(Pace(rate)))


def _share() -> float:
    return float(settings.STRIPE_CALLS_PER_SECOND * settings.STRIPE_EVENTS_SHARE)


def _rate() -> float:
    """Calls a second that may be made now; 0: issuing goes first."""
    waiting = StripeEvent.objects.filter(state=EventState.WAITING)
    if not waiting.filter(next_at__lte=timezone.now()).exists():
        return 0
    if not has_work():
        return _share()
    oldest = waiting.order_by("next_at", "id").values_list("received_at", flat=True).first()
    is_overdue = oldest is not None and oldest < timezone.now() - WAITS_AT_MOST
    return TRICKLE if is_overdue else 0


def _pacing(pace: Pace) -> Pacing:
    return Pacing(pace.wait, pace.pause)


class _Run:
    """One run of handling; `rate` calls a second over all its threads."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._pace = Pace(rate)

    def run(self, ends_at: float) -> bool:
        while time.monotonic() < ends_at:
            if has_work() and self._rate > TRICKLE:
                return False
            events = claiming.claim()
            if not events:
                return False
            if not self._handle(events):
                return False
        return True

    def _handle(self, events: list[Claimed]) -> bool:
        """One slice; whether to go on."""
        try:
            self._handle_slice(events)
        except (MirrorError, SilentError, *AROUND) as error:
            log.warning("Stripe's events cannot be handled now: %s", error)
            claiming.give_back(events, until=timezone.now() + SILENCE, error=str(error))
            return False
        except Exception as error:
            if len(events) == 1:
                log.exception("Stripe's event %s could not be handled", events[0].pk)
                claiming.fail(events[0], f"{type(error).__name__}: {error}")
                return True
            # one of them is to blame; the others must not wait for it
            return all(self._handle([event]) for event in events)
        return True

    def _handle_slice(self, events: list[Claimed]) -> None:
        asked = {event: needs for event in events if (needs := _needs(event)) is not None}
        failed, skipped = self._read(together(asked.values()))
        done: dict[int, str] = {}
        for event, needs in asked.items():
            names = sorted(needs.all())
            if broken := [failed[name] for name in names if name in failed]:
                claiming.fail(event, "; ".join(broken))
            else:
                left_out = [f"{name}: {skipped[name]}" for name in names if name in skipped]
                done[event.pk] = "; ".join(left_out)
        ignored = {event.pk for event, needs in asked.items() if not needs}
        claiming.settle(done | dict.fromkeys(ignored, NOT_OURS), ignored)

    def _read(self, needs: Needs) -> tuple[dict[str, str], dict[str, str]]:
        """What could not be read, and what was left out, in words, by Stripe's id."""
        failed: dict[str, str] = {}
        skipped: dict[str, str] = {}
        if needs.customers or needs.subscriptions:
            report = refresh_mirror(
                sorted(needs.customers), sorted(needs.subscriptions), pace=self._pace
            )
            failed |= {each.what: each.reason for each in report.failed}
            skipped |= {each.what: each.reason for each in report.skipped}
        if needs.balances:
            uses = book_uses(needs.balances, pacing=_pacing(self._pace))
            skipped |= uses.refused
            skipped |= dict.fromkeys(
                uses.waiting, "A use waits until our books know the outcome of a credit."
            )
        return failed, skipped


def _needs(event: Claimed) -> Needs | None:
    """What is to be read for it; None where it failed already."""
    if event.attempts > claiming.ATTEMPTS:
        claiming.fail(event, "Each attempt ended with the death of its worker.")
        return None
    try:
        return needs_of(event)
    except NamelessError as error:
        claiming.fail(event, str(error))
        return None
