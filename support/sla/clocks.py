"""The three clocks of a ticket, without a database.

First response and resolution run from the ticket's creation, the next response from when the
customer began to wait. All three rest while the ticket rests; each keeps its own deadline. While a
ticket rests, and once a clock has stopped, its deadline stands as it stood then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from support.business_time import (
    BusinessCalendar,
    add_business_seconds,
    business_seconds_between,
)
from support.models import SlaPolicy, Ticket
from support.models.ticket import Status

# From when until when a ticket rested; None: it still does.
Pause = tuple[datetime, datetime | None]
# When a ticket came to a status.
Step = tuple[datetime, str]
OVER = frozenset({Status.SOLVED.value, Status.CLOSED.value})


class ClockName(StrEnum):
    """As `TicketEvent.data` says it."""

    FIRST_RESPONSE = "first_response"
    NEXT_RESPONSE = "next_response"
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise for one ticket: from when it counts, until when it is to be kept.

    `ran_until` is up to when it ran: now, or when it stopped or the ticket began to rest.
    """

    name: ClockName
    started_at: datetime
    due_at: datetime
    ran_until: datetime
    is_open: bool
    is_running: bool

    @property
    def is_missed(self) -> bool:
        return self.due_at < self.ran_until

    def warning_at(self, warn_minutes: int) -> datetime | None:
        """When a warning is due; None for a promise that is no longer than that."""
        moment = self.due_at - timedelta(minutes=warn_minutes)
        return moment if warn_minutes and moment > self.started_at else None


@dataclass(frozen=True, slots=True)
class Reading:
    """What the clocks of a ticket say, as of `at`."""

    ticket: Ticket
    policy: SlaPolicy | None
    clocks: tuple[Clock, ...]
    at: datetime

    def due_at(self) -> datetime | None:
        """The earliest open deadline; None while the ticket rests."""
        return min((clock.due_at for clock in self.clocks if clock.is_running), default=None)

    def due_of(self, name: ClockName) -> datetime | None:
        return next((clock.due_at for clock in self.clocks if clock.name == name), None)


def read_clocks(
    ticket: Ticket,
    *,
    policy: SlaPolicy | None,
    calendar: BusinessCalendar | None,
    steps: Iterable[Step],
    now: datetime,
) -> Reading:
    """The clocks of `ticket` under `policy`, `steps` being its changes of status in order.

    A promise that was answered for before the clocks were last read keeps its deadline, whatever
    has become of the policy since.
    """
    resting = resting_statuses(policy)
    pauses = pauses_of(steps, resting)
    is_resting = ticket.status in resting
    rest_since = pauses[-1][0] if is_resting and pauses else None
    clocks = []
    for name, started_at, stopped_at, minutes in spans_of(ticket, policy):
        if (kept := kept_deadline(ticket, name, stopped_at)) is not None:
            due_at = kept[0]
        elif calendar is not None and minutes:
            before = pauses_before(pauses, stopped_at)
            due_at = deadline(calendar, started_at, minutes * 60, before)
        else:
            due_at = None
        if due_at is not None:
            ends = [now, *filter(None, (stopped_at, rest_since))]
            is_open = stopped_at is None
            clocks.append(
                Clock(name, started_at, due_at, min(ends), is_open, is_open and not is_resting)
            )
    return Reading(ticket, policy, tuple(clocks), now)


def resting_statuses(policy: SlaPolicy | None) -> frozenset[str]:
    holds = policy is None or policy.pauses_on_hold
    return OVER | {Status.WAITING.value} | ({Status.ON_HOLD.value} if holds else set())


def pauses_of(steps: Iterable[Step], resting: frozenset[str]) -> list[Pause]:
    """When a ticket rested, in order; only the last may lack an end. It begins awake."""
    pauses: list[Pause] = []
    since: datetime | None = None
    for at, status in steps:
        if status in resting and since is None:
            since = at
        elif status not in resting and since is not None:
            pauses.append((since, at))
            since = None
    if since is not None:
        pauses.append((since, None))
    return pauses


def pauses_before(pauses: list[Pause], moment: datetime | None) -> list[Pause]:
    return [pause for pause in pauses if moment is None or pause[0] < moment]


def deadline(
    calendar: BusinessCalendar, start: datetime, seconds: int, pauses: Iterable[Pause]
) -> datetime:
    """When so many open seconds have gone by since `start` outside `pauses`, in UTC.

    A pause without an end does not count: this is the deadline as it stood when it began.

    Raises:
        ValidationError: the calendar has no such moment.
    """
    for paused_at, resumed_at in pauses:
        if resumed_at is None:
            break
        if resumed_at <= start:
            continue
        if paused_at > start:
            run = business_seconds_between(calendar, start, paused_at)
            if run >= seconds:
                break
            seconds -= run
        start = resumed_at
    return add_business_seconds(calendar, start, seconds)


def spans_of(
    ticket: Ticket, policy: SlaPolicy | None
) -> list[tuple[ClockName, datetime, datetime | None, int | None]]:
    """Each clock that concerns the ticket: name, start, stop, minutes promised."""
    first = policy.first_response_minutes if policy else None
    following = policy.next_response_minutes if policy else None
    solution = policy.resolution_minutes if policy else None
    created_at, answered_at = ticket.created_at, ticket.first_response_at
    spans = [
        (ClockName.FIRST_RESPONSE, created_at, answered_at, first),
        (ClockName.RESOLUTION, created_at, ended_at(ticket), solution),
    ]
    # The first answer has a clock of its own; where it has none, this one takes its place.
    if ticket.unanswered_since and (answered_at or not first):
        spans.append((ClockName.NEXT_RESPONSE, ticket.unanswered_since, None, following))
    return spans


def kept_deadline(
    ticket: Ticket, name: ClockName, stopped_at: datetime | None
) -> tuple[datetime | None] | None:
    """The stored deadline, in a tuple, of a clock that had stopped when it was last read.

    When a ticket is over, so are all its clocks.
    """
    stopped_at = stopped_at or ended_at(ticket)
    if stopped_at is None or ticket.clocks_at is None or ticket.clocks_at < stopped_at:
        return None
    return (getattr(ticket, f"{name}_due_at"),)


def ended_at(ticket: Ticket) -> datetime | None:
    """When the ticket was solved, or closed without; None while it is neither."""
    return (ticket.solved_at or ticket.closed_at) if ticket.status in OVER else None
