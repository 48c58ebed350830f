"""What a condition on tickets may speak of, and nothing else."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Exists, F, Func, OuterRef, Q
from django.utils import timezone
from djangoql.exceptions import DjangoQLSchemaError
from djangoql.schema import RelationField

from backoffice.accounts.models import User
from backoffice.customers.condition_fields import (
    EXACT,
    ChoiceField,
    ConditionSchema,
    MomentField,
    NumberField,
    TextField,
    value_field,
)
from backoffice.customers.models import Customer, Subscription
from backoffice.customers.models.customer import Language
from incidents.models import Incident
from support.models import Queue, Ticket
from support.models.ticket import Band, Channel, Status

# Tags are suggested from the newest tickets: to read all of them would take too long.
NEWEST = 2000
# A subscription of these counts no more, as in the score (`support.priority.scoring`).
OVER = ("canceled", "incomplete", "incomplete_expired")
MOST_MINUTES = 100 * 366 * 24 * 60


class NamedField(TextField):
    """A row that the ticket points at, by its `column`; "" (or None) is no such row."""

    def __init__(self, name: str, rows: Any, column: str, path: str, **words: str) -> None:
        super().__init__(rows.model, name, is_checked=True)
        self.nullable = True
        self.rows, self.column, self.path = rows, column, path
        self.kind, self.missing = name, words["missing"]

    def is_known(self, value: str | None) -> bool:
        return not value or self._rows().filter(**{self.column: value}).exists()

    def known_values(self) -> Iterable[str]:
        rows = self._rows().order_by(self.column)
        return list(rows.values_list(self.column, flat=True)[:1000])

    def get_lookup(self, path: list[str], operator: str, value: Any) -> Q:
        suffix, invert = self.get_operator(operator)
        asked = value if isinstance(value, list) else [value]
        if operator in EXACT:
            named = [one for one in asked if one]
            found = Q(**{f"{self.path}__{self.column}__in": named})
            if len(named) < len(asked):
                found |= Q(**{f"{self.path}__isnull": True})
        else:
            found = Q(**{f"{self.path}__{self.column}{suffix}": value})
        return ~found if invert else found

    def _rows(self) -> Any:
        return self.rows.all()


class IncidentField(RelationField):  # type: ignore[misc]
    """`incident = "INC-2026-014"` by itself, and `incident.severity` through it."""

    def __init__(self) -> None:
        super().__init__(Ticket, "incident", Incident, nullable=True)
        self.own_value = NamedField(
            "incident", Incident.objects, "number", "incident",
            missing="there is no such incident",
        )  # fmt: skip


class TagField(TextField):
    """`tag = "vip"` has the tag, `!=` does not; any tag may be named, for it may come yet."""

    operators = EXACT
    what = "tags"
    operators_remedy = "Use = != or in: a tag fits as a whole."

    def __init__(self) -> None:
        super().__init__(Ticket, "tag")
        self.suggest_options = True

    def known_values(self) -> Iterable[str]:
        newest = Ticket.objects.order_by("-id").values("tags")[:NEWEST]
        tags = Ticket.objects.filter(pk__in=newest.values("pk")).annotate(
            tag=Func(F("tags"), function="unnest")
        )
        return tags.order_by("tag").values_list("tag", flat=True).distinct()

    def get_lookup(self, path: list[str], operator: str, value: Any) -> Q:
        tags = [tag.strip().lower() for tag in (value if isinstance(value, list) else [value])]
        found = Q(tags__overlap=tags)
        return ~found if operator in {"!=", "not in"} else found


class PlanField(TextField):
    """A plan of one of the customer's living subscriptions."""

    missing = "it is known to no subscription"

    def __init__(self) -> None:
        super().__init__(Subscription, "plan", is_checked=True)

    def get_lookup(self, path: list[str], operator: str, value: Any) -> Q:
        suffix, invert = self.get_operator(operator)
        living = Subscription.objects.filter(customer=OuterRef("customer_id")).exclude(
            status__in=OVER
        )
        found = Q(Exists(living.filter(**{f"plan{suffix}": value})))
        return ~found if invert else found


class FigureField(NumberField):
    """A whole number that the ticket keeps under another name."""

    def __init__(self, name: str, column: str) -> None:
        super().__init__(Ticket, name)
        self.column = column

    def get_lookup_name(self) -> str:
        return self.column


class BandField(NumberField):
    """The priority by name or number: `band >= "high"`, `band = 4`."""

    value_types = [int, str]
    value_types_description = "low, normal, high, urgent, or 1 to 4"
    names = {band.name.lower(): band.value for band in Band}

    def __init__(self) -> None:
        super().__init__(Ticket, "band")
        self.suggest_options = True

    def get_options(self, search: str) -> list[str]:
        return [name for name in self.names if search.lower() in name]

    def get_lookup_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.get_lookup_value(one) for one in value]
        return self.names.get(value.lower(), value) if isinstance(value, str) else value

    def validate(self, value: Any) -> None:
        if type(value) is int or (isinstance(value, str) and value.lower() in self.names):
            return
        raise DjangoQLSchemaError(f"The priority is {self.value_types_description}, not {value!r}")


class WaitingField(NumberField):
    """Whole minutes of real time since the customer began to wait; 0 while we wait for theirs."""

    def get_lookup(self, path: list[str], operator: str, value: Any) -> Q:
        if operator in EXACT:
            found = Q(pk__in=[])
            for one in value if isinstance(value, list) else [value]:
                found |= _waits(one) & ~_waits(one + 1)
            return ~found if operator in {"!=", "not in"} else found
        least, inverted = {
            ">=": (value, False), ">": (value + 1, False),
            "<": (value, True), "<=": (value + 1, True),
        }[operator]  # fmt: skip
        return ~_waits(least) if inverted else _waits(least)


def _waits(minutes: int) -> Q:
    """For at least that long."""
    if minutes <= 0:
        return Q(pk__isnull=False)
    since = timezone.now() - timedelta(minutes=min(minutes, MOST_MINUTES))
    return Q(unanswered_since__isnull=False, unanswered_since__lte=since)


class TicketSchema(ConditionSchema):
    """The fields of a ticket that a condition may name; no words of the conversation."""

    include = (Ticket, Customer, Incident)
    example = 'status = "new" and tag = "vip"'
    when_too_long = "Use “in (…)” for long lists."
    when_nothing_known = "Nothing is known yet."

    def __init__(self) -> None:
        super().__init__(Ticket)

    def get_fields(self, model: Any) -> list[Any]:
        if model is Ticket:
            return [*_texts(), *_figures(), *_moments(), IncidentField(), "customer"]
        if model is Incident:
            return [ChoiceField(Incident, "severity", Incident.Severity.values)]
        return [
            TextField(Customer, "reference"),
            TextField(Customer, "segment", is_checked=True),
            TextField(Customer, "country", is_checked=True),
            ChoiceField(Customer, "language", Language.values),
        ]

    def resolve_name(self, name: Any) -> Any:
        found = super().resolve_name(name)
        if found is None and len(name.parts) == 1:
            found = value_field(self.models[self.model_label(Ticket)][name.parts[0]])
        return found


def _texts() -> list[Any]:
    staff = User.objects.filter(is_staff=True, is_active=True)
    return [
        ChoiceField(Ticket, "status", Status.values),
        ChoiceField(Ticket, "channel", Channel.values),
        ChoiceField(Ticket, "language", Language.values),
        NamedField("queue", Queue.objects, "slug", "queue", missing="there is no such queue"),
        NamedField("assignee", staff, "email", "assignee", missing="nobody on the staff has it"),
        TagField(),
        TextField(Ticket, "subject"),
        PlanField(),
    ]


def _moments() -> list[Any]:
    return [
        MomentField(Ticket, "created_at", nullable=False),
        MomentField(Ticket, "due_at", nullable=True),
    ]


def _figures() -> list[Any]:
    return [
        BandField(),
        NumberField(Ticket, "score"),
        NumberField(Ticket, "sentiment"),
        WaitingField(Ticket, "waiting_minutes"),
        NumberField(Ticket, "breaches"),
        NumberField(Ticket, "reopened"),
        FigureField("messages", "messages_count"),
    ]
