"""A ticket as one line of the queue page: everything in words, colour only beside them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backoffice.accounts.models import User
from backoffice.customers.models import Subscription
from backoffice.display import duration
from support import presence
from support.models import Ticket
from support.models.ticket import Band, Channel, Status
from support.queue_filters import SOON

DAY = timedelta(days=1)
REASONS_SHOWN = 3
TAGS_SHOWN = 3
STATUS_TONES = {
    Status.NEW: "", Status.OPEN: "", Status.WAITING: "plain", Status.ON_HOLD: "plain",
    Status.SOLVED: "good", Status.CLOSED: "plain",
}  # fmt: skip
PARTS = {
    "plan": gettext_lazy("contract"),
    "priority_support": gettext_lazy("priority support"),
    "incident": gettext_lazy("incident"),
    "waiting": gettext_lazy("waiting"),
    "sentiment": gettext_lazy("sentiment"),
    "value": gettext_lazy("value at risk"),
}
BAND_TONES = {Band.URGENT: "bad", Band.HIGH: "warn", Band.NORMAL: "", Band.LOW: "plain"}


@dataclass(frozen=True)
class Words:
    """What every line says again, looked up once a page: translating is much of its cost."""

    statuses: dict[str, str]
    bands: dict[int, str]
    channels: dict[str, str]
    nobody: str
    news: str
    select: str
    messages: str


@dataclass(frozen=True)
class Row:
    """One line: the ticket, and its parts in words."""

    ticket: Ticket
    due: str
    due_tone: str
    customer: str
    plan: str
    reasons: str
    band_tone: str
    status_tone: str
    has_news: bool
    present: str
    more_tags: int
    said: "Words"
    address: str

    @property
    def status(self) -> str:
        return self.said.statuses[self.ticket.status]

    @property
    def band(self) -> str:
        return self.said.bands[self.ticket.band]

    @property
    def channel(self) -> str:
        return self.said.channels[self.ticket.channel]

    @property
    def tags(self) -> list[str]:
        return self.ticket.tags[:TAGS_SHOWN]


def with_columns(tickets: QuerySet[Ticket]) -> QuerySet[Any]:
    """The tickets with all that a line shows, in one query."""
    dearest = (
        Subscription.objects.filter(customer=OuterRef("customer"))
        .exclude(status__in=["canceled", "incomplete", "incomplete_expired"])
        .order_by("-fee_minor", "id")
    )
    return (
        tickets.select_related("customer", "incident", "assignee", "queue")
        .only(
            "subject", "status", "channel", "language", "tags", "score", "band", "score_parts",
            "due_at", "breaches", "unanswered_since", "last_message_at", "messages_count",
            "requester_name", "requester_address",
            "customer__name", "customer__reference", "incident__number", "incident__severity",
            "assignee__full_name", "assignee__email", "queue__name",
        )
        .annotate(plan=Subquery(dearest.values("plan")[:1]))
    )  # fmt: skip


def rows_of(tickets: list[Any], reader: User) -> list[Row]:
    """The lines for `reader`. Two looks into the cache, no query."""
    ids = [ticket.pk for ticket in tickets]
    present = presence.present_on(ids, but=reader)
    seen = presence.seen_at(reader, ids)
    now, words = timezone.now(), _words()
    queue_page = reverse("admin:support_ticket_changelist")
    return [
        _row(
            ticket,
            now,
            seen.get(ticket.pk),
            present=presence.said(present.get(ticket.pk, [])),
            said=words,
            address=f"{queue_page}{ticket.pk}/change/",
        )
        for ticket in tickets
    ]


def _words() -> Words:
    return Words(
        statuses={value: str(label) for value, label in Status.choices},
        bands={value: str(label) for value, label in Band.choices},
        channels={value: str(label) for value, label in Channel.choices},
        nobody=_("nobody"),
        news=_("new word"),
        select=_("Select"),
        messages=_("messages"),
    )


def _row(ticket: Any, now: datetime, seen: float | None, **more: Any) -> Row:
    due, due_tone = deadline(ticket.due_at, now)
    return Row(
        ticket,
        due,
        due_tone,
        customer=_who(ticket),
        plan=ticket.plan or "",
        reasons=", ".join(reasons(ticket, now)),
        band_tone=BAND_TONES[ticket.band],
        status_tone=STATUS_TONES[ticket.status],
        has_news=_has_news(ticket, seen),
        more_tags=max(0, len(ticket.tags) - TAGS_SHOWN),
        **more,
    )


def deadline(due_at: datetime | None, now: datetime) -> tuple[str, str]:
    """How long is left until the next deadline, or how late it is, in words; and its tone."""
    if due_at is None:
        return "", ""
    left = (due_at - now).total_seconds()
    if left < 0:
        return _("! %(time)s late") % {"time": duration(round(-left))}, "bad"
    tone = "warn" if due_at - now < SOON else ""
    if left < 60:  # noqa: PLR2004 - seconds of a minute
        return _("! under 1 min left"), tone
    mark = "! " if tone else ""
    return mark + _("%(time)s left") % {"time": duration(round(left))}, tone


def reasons(ticket: Ticket, now: datetime) -> list[str]:
    """The strongest parts of the score, in words, the strongest first."""
    parts = {k: v for k, v in ticket.score_parts.items() if isinstance(v, int) and v > 0}
    first = sorted(parts, key=lambda part: (-parts[part], part))[:REASONS_SHOWN]
    return [_reason(part, ticket, now) for part in first]


def _reason(part: str, ticket: Ticket, now: datetime) -> str:
    if part == "incident" and ticket.incident:
        severity = ticket.incident.get_severity_display()
        return _("incident %(severity)s") % {"severity": severity}
    if part == "waiting" and ticket.unanswered_since:
        waited = (now - ticket.unanswered_since).total_seconds()
        return _("waits %(time)s") % {"time": duration(round(max(0, waited)))}
    if part == "breaches":
        count = ticket.breaches
        return ngettext("%(n)s missed promise", "%(n)s missed promises", count) % {"n": count}
    if part == "sentiment" and (words := ticket.score_parts.get("words")):
        return ", ".join(f"“{word}”" for word in words[:2])
    return str(PARTS.get(part, part))


def _who(ticket: Ticket) -> str:
    if ticket.customer:
        return str(ticket.customer)
    return ticket.requester_name or ticket.requester_address or _("unknown")


def _has_news(ticket: Ticket, seen: float | None) -> bool:
    """Whether the customer waits for an answer to a word that this reader has not seen."""
    if ticket.unanswered_since is None or ticket.last_message_at is None:
        return False
    return seen is None or ticket.last_message_at.timestamp() > seen
