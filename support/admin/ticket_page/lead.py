"""The page's first line: how the ticket stands, and what to do next."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.display import duration
from support.models import Ticket
from support.models.ticket import Status

SOON = timedelta(minutes=30)
STATUS_TONES = {
    Status.NEW: "warn",
    Status.OPEN: "",
    Status.WAITING: "plain",
    Status.ON_HOLD: "plain",
    Status.SOLVED: "good",
    Status.CLOSED: "plain",
}
BAND_TONES = {1: "plain", 2: "plain", 3: "warn", 4: "bad"}


@dataclass(frozen=True, slots=True)
class Lead:
    """`now` says how it stands, `due` (with its words before it) what the clock says."""

    tone: str
    now: str
    due: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise: what by when, and whether it is kept, missed or still open."""

    what: str
    due_at: datetime
    tone: str


def lead(ticket: Ticket, user: User) -> Lead:
    """In a sentence."""
    if ticket.merged_into is not None:
        return Lead("", _("Merged: everything goes on in {ticket}.").format(
            ticket=ticket.merged_into.number
        ))  # fmt: skip
    if ticket.status == Status.CLOSED:
        return Lead("", _("Closed. A later word of the customer's opens a new ticket."))
    if ticket.status == Status.SOLVED:
        return Lead("good", _("Solved {since}. A further word of the customer's opens it.").format(
            since=since(ticket.solved_at)
        ))  # fmt: skip
    if ticket.status == Status.WAITING:
        return Lead("", _("Waits for the customer {since}.").format(
            since=since(ticket.last_message_at)
        ))  # fmt: skip
    return _active(ticket, user)


def _active(ticket: Ticket, user: User) -> Lead:
    whose = _whose(ticket, user)
    status = str(ticket.get_status_display()).capitalize()
    now = f"{status}, {whose}."
    if ticket.due_at is not None:
        what = _("Solution") if ticket.due_at == ticket.resolution_due_at else _("Answer")
        left = ticket.due_at - timezone.now()
        if left < timedelta(0):
            return Lead("bad", now, _("{what} overdue since").format(what=what), ticket.due_at)
        tone = "warn" if left < SOON else ""
        return Lead(tone, now, _("{what} due in").format(what=what), ticket.due_at)
    if ticket.status == Status.ON_HOLD:
        return Lead("", now, _("The clocks rest."))
    if ticket.unanswered_since is not None:
        waits = _("The customer has waited for {time}; no deadline.").format(
            time=duration(int((timezone.now() - ticket.unanswered_since).total_seconds()))
        )
        return Lead("warn" if ticket.assignee_id is None else "", now, waits)
    return Lead("", now, _("Nothing is due."))


def _whose(ticket: Ticket, user: User) -> str:
    if ticket.assignee_id is None:
        return _("nobody's: take it")
    if ticket.assignee_id == user.pk:
        return _("yours")
    return _("with {who}").format(who=ticket.assignee)


def since(moment: datetime | None) -> str:
    """“since 14:05”, “since yesterday”, “for 12 days”, in the reader's zone."""
    if moment is None:
        return ""
    days = (timezone.localdate() - timezone.localdate(moment)).days
    if days <= 0:
        return _("since {time}").format(time=timezone.localtime(moment).strftime("%H:%M"))
    if days == 1:
        return _("since yesterday")
    return _("for {n} days").format(n=days)


def clocks(ticket: Ticket) -> list[Clock]:
    """Every promise that is still open, the earliest first."""
    if ticket.status in {Status.SOLVED, Status.CLOSED}:
        return []
    promised = [
        (_("First answer"), ticket.first_response_due_at, ticket.first_response_at is None),
        (_("Next answer"), ticket.next_response_due_at, ticket.unanswered_since is not None),
        (_("Solution"), ticket.resolution_due_at, True),
    ]
    now = timezone.now()
    return sorted(
        (
            Clock(what, due_at, "bad" if due_at < now else "warn" if due_at - now < SOON else "")
            for what, due_at, is_open in promised
            if due_at is not None and is_open
        ),
        key=lambda clock: clock.due_at,
    )
