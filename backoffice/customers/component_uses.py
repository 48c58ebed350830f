"""Which subscription uses which component, as the host product says."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Model

from backoffice.customers.models import Component, ComponentUse, Subscription


@dataclass(frozen=True)
class Use:
    """`subscription` (reference) uses `component` (key), or no longer does."""

    subscription: str
    component: str
    is_used: bool = True


@dataclass(frozen=True)
class Problem:
    """What is wrong with one row."""

    index: int
    field: str
    message: str


class UseError(Exception):
    """Rows that cannot be taken; none was."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} rows cannot be taken.")
        self.problems = problems


@dataclass(frozen=True)
class Changed:
    """How many uses were added and removed, and how many stood so already."""

    added: int
    removed: int
    unchanged: int


@transaction.atomic
def record_uses(uses: Sequence[Use]) -> Changed:
    """Add and remove uses, all or none. A constant number of queries.

    Raises:
        UseError: unknown subscriptions or components, or rows that contradict each other.
    """
    subscriptions = _ids(Subscription, "reference", (use.subscription for use in uses))
    components = _ids(Component, "key", (use.component for use in uses))
    wanted: dict[tuple[int, int], tuple[int, bool]] = {}
    problems = []
    for index, use in enumerate(uses):
        subscription, component = subscriptions.get(use.subscription), components.get(use.component)
        if subscription is None:
            problems.append(Problem(index, "subscription", _unknown(use.subscription)))
        if component is None:
            problems.append(Problem(index, "component", _unknown(use.component)))
        if subscription is None or component is None:
            continue
        first, is_used = wanted.setdefault((subscription, component), (index, use.is_used))
        if is_used != use.is_used:
            problems.append(Problem(index, "is_used", f"Row {first} says the opposite."))
    if problems:
        raise UseError(problems)
    return _write({pair: is_used for pair, (_, is_used) in wanted.items()})


@transaction.atomic
def set_components(subscription: Subscription, components: Iterable[Component]) -> Changed:
    """`subscription` uses exactly `components`."""
    wanted = {(subscription.pk, component.pk): True for component in components}
    for use in ComponentUse.objects.filter(subscription=subscription):
        wanted.setdefault((subscription.pk, use.component_id), False)
    return _write(wanted)


def _ids(model: type[Model], field: str, names: Iterable[str]) -> dict[str, int]:
    rows = model._default_manager.filter(**{f"{field}__in": set(names)})
    return dict(rows.values_list(field, "pk"))


def _unknown(name: str) -> str:
    return f"There is no “{name}”: create it first."


def _write(wanted: dict[tuple[int, int], bool]) -> Changed:
    standing = {
        (use.subscription_id, use.component_id): use.pk
        for use in ComponentUse.objects.filter(
            subscription__in={subscription for subscription, _ in wanted},
            component__in={component for _, component in wanted},
        )
    }
    added = [
        ComponentUse(subscription_id=subscription, component_id=component)
        for (subscription, component), is_used in wanted.items()
        if is_used and (subscription, component) not in standing
    ]
    removed = [
        standing[pair] for pair, is_used in wanted.items() if not is_used and pair in standing
    ]
    ComponentUse.objects.bulk_create(added, ignore_conflicts=True)
    ComponentUse.objects.filter(pk__in=removed).delete()
    return Changed(len(added), len(removed), len(wanted) - len(added) - len(removed))
