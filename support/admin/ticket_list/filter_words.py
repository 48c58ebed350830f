"""What a filter says, in words: as chips above the list and as choices in its form."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from backoffice.customers.models.customer import Language
from support.models.ticket import Band, Channel, Status
from support.queue_filters import Desk, Filter

Choices = list[tuple[str, str]]


@dataclass(frozen=True)
class Chip:
    """One thing that is filtered by, and the query string without it."""

    label: str
    value: str
    query_without: str


def filter_chips(chosen: Filter, desk: Desk) -> list[Chip]:
    """What the page is filtered by, each to be taken away."""
    labels = field_labels()
    return [
        Chip(labels[name], _value(name, value, desk), chosen.query(**{name: ""}))
        for name, value in chosen.said.items()
    ]


def field_labels() -> dict[str, str]:
    return {
        "status": _("Status"), "queue": _("Queue"), "assignee": _("Assigned to"),
        "band": _("Priority"), "due": _("Due"), "channel": _("Channel"),
        "language": _("Language"), "incident": _("Incident"), "tag": _("Tag"),
        "customer": _("Customer"),
    }  # fmt: skip


def choices_of(name: str, desk: Desk) -> Choices:
    """What a word of the filter can be, with its meaning; none for what is typed."""
    made: dict[str, Any] = {
        "status": [
            ("active", _("new and open")), ("unsolved", _("all not solved")),
            ("waiting", _("waiting or on hold")), *_plain(Status), ("any", _("any")),
        ],
        "queue": [("all", _("all queues")), *((q.slug, q.name) for q in desk.queues)],
        "assignee": [("me", _("me")), ("none", _("nobody"))],
        "band": [(str(value), label) for value, label in reversed(Band.choices)],
        "due": [
            ("missed", _("late")), ("soon", _("within half an hour or late")),
            ("today", _("today or before")), ("none", _("no deadline")),
        ],
        "channel": _plain(Channel),
        "language": _plain(Language),
    }  # fmt: skip
    choices: Choices = [(str(value), str(label)) for value, label in made.get(name, [])]
    return choices


def _plain(kind: Any) -> Choices:
    # two statuses of one word: “waiting” stands for the two kinds of it already
    return [(value, label) for value, label in kind.choices if value != Status.WAITING]


def _value(name: str, value: str, desk: Desk) -> str:
    return dict(choices_of(name, desk)).get(value, value)
