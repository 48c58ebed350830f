"""What happened to tickets, in words."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later

from backoffice.accounts.models import User
from backoffice.customers.models import Customer
from backoffice.display import money
from compensation.models import Award
from incidents.models import Incident
from support.models import Message, Queue, TicketEvent
from support.models.ticket import Band, Channel, Status

Kind = TicketEvent.Kind
# Whom and what the data of events speak of, by the names used there.
_MODELS: dict[str, Any] = {
    "user": User, "queue": Queue, "customer": Customer, "incident": Incident,
}  # fmt: skip
_IDS: dict[str, tuple[str, tuple[str, ...]]] = {
    Kind.ASSIGNED: ("user", ("from", "to")),
    Kind.QUEUE: ("queue", ("from", "to")),
    Kind.INCIDENT_LINKED: ("incident", ("incident",)),
    Kind.INCIDENT_PROPOSED: ("incident", ("incident",)),
    Kind.INCIDENT_UNLINKED: ("incident", ("incident",)),
}
# Reasons that verbs give by themselves.
_OWN_REASONS = {
    "answered": later("with the answer"),
    "assigned": later("with the assignment"),
    "customer wrote": later("the customer wrote"),
    "undone": later("the answer was taken back"),
    "queue": later("with the queue"),
    "merged": later("with the merge"),
    "again": later("once more"),
}
# The deadlines, as the events name them.
_CLOCKS = {
    "first_response": later("first answer"),
    "next_response": later("next answer"),
    "resolution": later("solution"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the timeline: what, when (UTC), who (None: the desk itself), why."""

    kind: str
    what: str
    at: datetime
    who: User | None
    why: str
    # Another ticket that it speaks of.
    ticket_id: int | None = None


class Names:
    """What the ids in events mean; a query for each kind of thing that occurs."""

    def __init__(self, events: Iterable[TicketEvent]) -> None:
        wanted: dict[str, set[int]] = {name: set() for name in _MODELS}
        for event in events:
            name, keys = _IDS.get(event.kind, ("", ()))
            if name:
                wanted[name] |= {event.data[key] for key in keys if _is_id(event.data.get(key))}
            if event.kind == Kind.CHANGED:
                for side in ("from", "to"):
                    customer = (event.data.get(side) or {}).get("customer")
                    wanted["customer"] |= {customer} if customer else set()
        self._found = {
            name: _MODELS[name].objects.in_bulk(ids) if ids else {} for name, ids in wanted.items()
        }

    def of(self, name: str, pk: Any) -> str:
        row = self._found[name].get(pk)
        if name == "incident" and row is not None:
            return f"{row.number} {row.title}"
        return str(row) if row is not None else _("somebody or something deleted")


def lines_of(events: list[TicketEvent]) -> list[Line]:
    """The events in words, in their order; at most four queries more."""
    names = Names(events)
    return [
        Line(
            kind=event.kind,
            what=_what(event, names),
            at=event.at,
            who=event.by,
            why=str(_OWN_REASONS.get(event.reason, event.reason)),
            ticket_id=event.data.get("into") or event.data.get("source"),
        )
        for event in events
    ]


def _is_id(value: Any) -> bool:
    return isinstance(value, int)


def _what(event: TicketEvent, names: Names) -> str:
    say = _WORDS.get(Kind(event.kind))
    return say(event, names) if say else str(event.get_kind_display()).capitalize()


def _opened(event: TicketEvent, names: Names) -> str:
    channel = event.data.get("channel", "")
    if channel in Channel.values and channel != Channel.STAFF:
        return _("Opened by {channel}").format(channel=Channel(channel).label)
    return _("Taken down for the customer")


def _status(event: TicketEvent, names: Names) -> str:
    return _("Status: {old} → {new}").format(
        old=_label(Status, event.data.get("from")), new=_label(Status, event.data.get("to"))
    )


def _assigned(event: TicketEvent, names: Names) -> str:
    to = event.data.get("to")
    if to is None:
        return _("Given back to the queue")
    if to == event.by_id:
        return _("Taken")
    return _("Assigned to {who}").format(who=names.of("user", to))


def _queue(event: TicketEvent, names: Names) -> str:
    return _("Queue: {old} → {new}").format(
        old=names.of("queue", event.data.get("from")), new=names.of("queue", event.data.get("to"))
    )


def _tags(event: TicketEvent, names: Names) -> str:
    added = [f"+ {tag}" for tag in event.data.get("added", [])]
    removed = [f"− {tag}" for tag in event.data.get("removed", [])]
    return _("Tags: {tags}").format(tags=", ".join(added + removed))


def _changed(event: TicketEvent, names: Names) -> str:
    before, after = event.data.get("from") or {}, event.data.get("to") or {}
    parts = []
    if "subject" in after:
        parts.append(
            _("Subject: “{old}” → “{new}”").format(old=before.get("subject"), new=after["subject"])
        )
    if "language" in after:
        parts.append(
            _("Language: {old} → {new}").format(old=before.get("language"), new=after["language"])
        )
    if "customer" in after:
        parts.append(_("Customer: {name}").format(name=names.of("customer", after["customer"])))
    if "band_floor" in after:
        parts.append(_floor(after["band_floor"]))
    return "; ".join(parts) or str(_("Changed"))


def _priority(event: TicketEvent, names: Names) -> str:
    after = event.data.get("to")
    if isinstance(after, dict):
        return _floor(after.get("band_floor"))
    return str(_("Priority"))


def _floor(band: int | None) -> str:
    if band is None:
        return _("Priority: as scored")
    return _("Priority: at least {band}").format(band=Band(band).label)


def _delivery(event: TicketEvent, names: Names) -> str:
    state = event.data.get("to") or event.data.get("state") or event.data.get("delivery")
    said = _label(Message.Delivery, state) if state else ""
    error = event.data.get("error", "")
    return ": ".join(part for part in (_("Answer"), said, error) if part)


def _incident(words: Any) -> Callable[[TicketEvent, Names], str]:
    def say(event: TicketEvent, names: Names) -> str:
        incident = event.data.get("incident")
        name = names.of("incident", incident) if _is_id(incident) else event.data.get("number", "")
        confidence = event.data.get("confidence")
        sure = f" ({confidence / 1000:.2f})" if _is_id(confidence) else ""
        return f"{words} {name}".strip() + sure

    return say


def _merged(event: TicketEvent, names: Names) -> str:
    if into := event.data.get("into"):
        return _("Merged into T-{number}").format(number=into)
    return _("T-{number} was merged into this").format(number=event.data.get("source"))


def _split(event: TicketEvent, names: Names) -> str:
    if into := event.data.get("into"):
        return _("A message went to a ticket of its own, T-{number}").format(number=into)
    return _("Split from T-{number}").format(number=event.data.get("source"))


def _parent(event: TicketEvent, names: Names) -> str:
    to = event.data.get("to")
    return _("Belongs under T-{number}").format(number=to) if to else _("Belongs under none")


def _named(words: Any) -> Callable[[TicketEvent, Names], str]:
    def say(event: TicketEvent, names: Names) -> str:
        name = event.data.get("name") or event.data.get("macro") or event.data.get("rule") or ""
        return f"{words} {name if isinstance(name, str) else ''}".strip()

    return say


def _clock(words: Any) -> Callable[[TicketEvent, Names], str]:
    def say(event: TicketEvent, names: Names) -> str:
        clock = _CLOCKS.get(event.data.get("clock", ""), "")
        return f"{words}: {clock}" if clock else str(words)

    return say


def _goodwill(event: TicketEvent, names: Names) -> str:
    data = event.data
    if data.get("amount_minor"):
        given = money(data["amount_minor"], data["currency"])
    else:
        given = f"{_label(Award.Benefit, data.get('benefit'))}, {data.get('days', 0)} d"
    batch = data.get("batch")
    said = _("Goodwill: {given}").format(given=given)
    return said + (_(", waits for finance in batch {number}").format(number=batch) if batch else "")


def _survey(event: TicketEvent, names: Names) -> str:
    score = event.data.get("to")
    if score is None:
        return _("Asked how it was")
    return _("The customer's answer to the survey: {score}").format(score=score)


def _label(choices: Any, value: Any) -> str:
    return str(choices(value).label) if value in choices.values else str(value or "–")


_WORDS: dict[Kind, Callable[[TicketEvent, Names], str]] = {
    Kind.OPENED: _opened,
    Kind.STATUS: _status,
    Kind.ASSIGNED: _assigned,
    Kind.QUEUE: _queue,
    Kind.TAGS: _tags,
    Kind.CHANGED: _changed,
    Kind.PRIORITY: _priority,
    Kind.DELIVERY: _delivery,
    Kind.MESSAGE_CANCELLED: _named(later("An answer was taken back")),
    Kind.INCIDENT_PROPOSED: _incident(later("Perhaps about")),
    Kind.INCIDENT_LINKED: _incident(later("Linked to")),
    Kind.INCIDENT_UNLINKED: _incident(later("Unlinked from")),
    Kind.MERGED: _merged,
    Kind.SPLIT: _split,
    Kind.PARENT: _parent,
    Kind.MACRO: _named(later("Macro")),
    Kind.RULE: _named(later("Rule")),
    Kind.GOODWILL: _goodwill,
    Kind.SLA_WARNING: _clock(later("Deadline near")),
    Kind.SLA_BREACH: _clock(later("Deadline missed")),
    Kind.SURVEY: _survey,
}
