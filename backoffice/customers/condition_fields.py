"""What a condition may speak of: the fields of a subscription, and nothing else.

DjangoQL's own fields read dates in the reader's time zone and take any value. A condition decides
money and is read again by a worker without a reader, so here times are UTC, and values that are
known to no row are refused (see `conditions.parse_condition`).
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import models
from django.db.models import Q
from djangoql import schema

from backoffice.customers.models import Component, ComponentUse, Customer, Subscription
from backoffice.customers.models.customer import Language

SUGGESTIONS = 200
EXACT = frozenset({"=", "!=", "in", "not in"})
ORDERED = EXACT | {">", ">=", "<", "<="}
WORDS = frozenset(
    {"~", "!~", "startswith", "not startswith", "endswith", "not endswith"}
)  # fmt: skip


class TextField(schema.StrField):  # type: ignore[misc]
    """Compared as it is stored. `known_values` are the choices, or what rows hold."""

    # Which comparisons make sense, what is compared, and what to use instead of another.
    operators = ORDERED | WORDS
    what = "texts"
    operators_remedy = "Use = != ~ or in."
    # How an unknown value is called, where that is not the field's own name, and what it lacks.
    kind = ""
    missing = ""

    def __init__(self, model: type[models.Model], name: str, *, is_checked: bool = False) -> None:
        super().__init__(model=model, name=name, nullable=False, suggest_options=is_checked)
        self.is_checked = is_checked

    def _field_choices(self) -> list[tuple[Any, Any]]:
        # DjangoQL would take a choice's label for its value, in whatever language is active.
        return []

    def is_known(self, value: str) -> bool:
        return value == "" or self._rows().filter(**{self.name: value}).exists()

    def known_values(self) -> Iterable[str]:
        """At most 1,000 different values that rows hold, in order."""
        return self._rows().order_by(self.name).values_list(self.name, flat=True).distinct()[:1000]

    def get_options(self, search: str) -> list[str]:
        found = [value for value in self.known_values() if search.lower() in value.lower()]
        return found[:SUGGESTIONS]

    def _rows(self) -> models.QuerySet[Any]:
        manager = self.model._default_manager
        return manager.all()  # type: ignore[no-any-return]


class ChoiceField(TextField):
    """One of a fixed set of values."""

    def __init__(self, model: type[models.Model], name: str, choices: Iterable[str]) -> None:
        super().__init__(model, name, is_checked=True)
        self.choices = list(choices)

    def is_known(self, value: str) -> bool:
        return value in self.choices

    def known_values(self) -> Iterable[str]:
        return self.choices


class ComponentField(TextField):
    """The components a subscription uses: `= "fibre"` reads “uses fibre”, `!=` “does not use”.

    A sub-select instead of a join: a subscription is found once, however many of its components
    fit, and `component = "a" and component = "b"` finds those that use both.
    """

    kind = "component"
    missing = "there is no such component"

    def __init__(self, alias: str, name: str) -> None:
        super().__init__(Component, name, is_checked=True)
        self.name, self.lookup = alias, name

    def is_known(self, value: str) -> bool:
        return value == "" or self._rows().filter(**{self.lookup: value}).exists()

    def known_values(self) -> Iterable[str]:
        names = self._rows().exclude(**{self.lookup: ""}).order_by(self.lookup)
        return names.values_list(self.lookup, flat=True).distinct()[:1000]

    def get_lookup(self, path: list[str], operator: str, value: Any) -> Q:
        suffix, invert = self.get_operator(operator)
        uses = ComponentUse.objects.filter(**{f"component__{self.lookup}{suffix}": value})
        found = Q(id__in=uses.values("subscription_id"))
        return ~found if invert else found


class NumberField(schema.IntField):  # type: ignore[misc]
    """Whole numbers; money is in minor units."""

    operators = ORDERED
    what = "numbers"
    operators_remedy = "Use = != > >= < <= or in."

    def __init__(self, model: type[models.Model], name: str) -> None:
        super().__init__(model=model, name=name, nullable=False)

    def _field_choices(self) -> list[tuple[Any, Any]]:
        return []


class MomentField(schema.DateTimeField):  # type: ignore[misc]
    """A time in UTC: "2026-10-14 14:00", or "2026-10-14", which is that whole day."""

    operators = ORDERED
    what = "times"
    operators_remedy = "Use = != > >= < or <=."
    value_types_description = 'times in UTC, "YYYY-MM-DD HH:MM" or "YYYY-MM-DD"'

    def get_lookup_value(self, value: Any) -> Any:
        return [self._span(v) for v in value] if isinstance(value, list) else self._span(value)

    @staticmethod
    def _span(value: str | None) -> tuple[datetime, datetime] | None:
        """From when until before when `value` is.

        Raises:
            ValueError: it is no such time.
        """
        if value is None:
            return None
        mask = "%Y-%m-%d"
        lasts = timedelta(days=1)
        if len(value) > len("2026-10-14"):
            mask, lasts = "%Y-%m-%d %H:%M", timedelta(minutes=1)
        if len(value) > len("2026-10-14 14:00"):
            mask, lasts = "%Y-%m-%d %H:%M:%S", timedelta(seconds=1)
        start = datetime.strptime(value, mask).replace(tzinfo=UTC)
        try:
            return start, start + lasts
        except OverflowError:
            raise ValueError(value) from None

    def get_lookup(self, path: list[str], operator: str, value: Any) -> Q:
        name = "__".join([*path, self.get_lookup_name()])
        spans = self.get_lookup_value(value if isinstance(value, list) else [value])
        if operator in {"=", "!=", "in", "not in"}:
            found = Q()
            for span in spans:
                found |= (
                    Q(**{f"{name}__isnull": True})
                    if span is None
                    else Q(**{f"{name}__gte": span[0], f"{name}__lt": span[1]})
                )
            return ~found if operator in {"!=", "not in"} else found
        (start, end), *_ = spans
        suffix, bound = {
            ">": ("gte", end), ">=": ("gte", start), "<": ("lt", start), "<=": ("lt", end),
        }[operator]  # fmt: skip
        return Q(**{f"{name}__{suffix}": bound})


def value_field(field: Any) -> Any:
    """What a name that leads to other rows is compared by itself, if it can be."""
    return getattr(field, "own_value", field)


class ConditionSchema(schema.DjangoQLSchema):  # type: ignore[misc]
    """The fields a condition may name. No user, no Stripe id, no award is among them."""

    # For the remedies: a condition that could stand here, and what to do otherwise.
    example = 'plan = "Business" and fee_minor > 10000'
    when_too_long = "Use “in (…)” for long lists, or give the cohort as a list."
    when_nothing_known = "Nothing is known yet: import customers first."

    include: tuple[type[models.Model], ...] = (Subscription, Customer, ComponentUse, Component)

    def get_fields(self, model: type[models.Model]) -> list[Any]:
        if model is Subscription:
            return _subscription_fields()
        if model is Customer:
            return _customer_fields()
        if model is ComponentUse:
            return ["component"]
        return [ComponentField("key", "key"), ComponentField("group", "group")]


def _subscription_fields() -> list[Any]:
    return [
        TextField(Subscription, "plan", is_checked=True),
        ChoiceField(Subscription, "status", Subscription.Status.values),
        TextField(Subscription, "region", is_checked=True),
        TextField(Subscription, "currency", is_checked=True),
        TextField(Subscription, "reference"),
        NumberField(Subscription, "fee_minor"),
        NumberField(Subscription, "interval_months"),
        MomentField(Subscription, "started_at", nullable=False),
        MomentField(Subscription, "ended_at", nullable=True),
        MomentField(Subscription, "trial_end", nullable=True),
        ComponentField("component", "key"),
        "component_uses",
        "customer",
    ]


def _customer_fields() -> list[Any]:
    return [
        TextField(Customer, "reference"),
        TextField(Customer, "country", is_checked=True),
        TextField(Customer, "segment", is_checked=True),
        TextField(Customer, "currency", is_checked=True),
        ChoiceField(Customer, "language", Language.values),
    ]
