"""How lists of the API are narrowed."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from backoffice.customers.models import Customer
from compensation.models import Award, Batch, Claim, Policy, PolicyVersion, ReversalRequest
from compensation.models.award import Exclusion
from incidents.models import Incident


class BatchFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Batches by incident, kind and state."""

    incident = django_filters.CharFilter(field_name="incident__number")
    kind = django_filters.ChoiceFilter(choices=Batch.Kind.choices)
    state = django_filters.ChoiceFilter(choices=Batch.State.choices)

    class Meta:
        model = Batch
        fields = ("incident", "kind", "state")


class AwardFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Awards by what they belong to. Names are looked up first: then an index finds the awards."""

    batch = django_filters.CharFilter(method="of_batch")
    incident = django_filters.CharFilter(method="of_incident")
    customer = django_filters.CharFilter(method="of_customer", label="The customer's reference.")
    source = django_filters.ChoiceFilter(choices=Award.Source.choices)
    state = django_filters.ChoiceFilter(choices=Award.State.choices)
    benefit = django_filters.ChoiceFilter(choices=Award.Benefit.choices)
    exclusion = django_filters.ChoiceFilter(
        choices=Exclusion.choices,
        method="of_exclusion",
        label="Why it is left out; `held_out` lists a hold-out group.",
    )

    class Meta:
        model = Award
        fields = ("batch", "incident", "customer", "source", "state", "benefit", "exclusion")

    def of_exclusion(self, awards: QuerySet[Award], name: str, why: str) -> QuerySet[Award]:
        """The state with it: so their index is found."""
        return awards.filter(state=Award.State.EXCLUDED, exclusion=why)

    def of_batch(self, awards: QuerySet[Award], name: str, number: str) -> QuerySet[Award]:
        return awards_of_batch(awards, number)

    def of_incident(self, awards: QuerySet[Award], name: str, number: str) -> QuerySet[Award]:
        """Of its batches, and not the goodwill that was given for it: see `source`."""
        return awards.filter(batch__incident=_id(Incident.objects.filter(number=number)))

    def of_customer(self, awards: QuerySet[Award], name: str, reference: str) -> QuerySet[Award]:
        return awards.filter(customer=_id(Customer.objects.filter(reference=reference)))


class ClaimFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Claims by whom, of what, and what came of them."""

    customer = django_filters.CharFilter(
        field_name="customer__reference", label="The customer's reference."
    )
    incident = django_filters.CharFilter(field_name="incident__number")
    state = django_filters.ChoiceFilter(choices=Claim.State.choices)
    outcome = django_filters.ChoiceFilter(choices=Claim.Outcome.choices)

    class Meta:
        model = Claim
        fields = ("customer", "incident", "state", "outcome")


class ReversalFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Reversals by state and batch."""

    state = django_filters.ChoiceFilter(choices=ReversalRequest.State.choices)
    batch = django_filters.CharFilter(field_name="batch__number")

    class Meta:
        model = ReversalRequest
        fields = ("state", "batch")


# Up to this many awards of a batch are collected by their index before they are sorted.
FEW = 50_000


def awards_of_batch(awards: QuerySet[Award], number: str) -> QuerySet[Award]:
    """Those of the batch `number`, found by the batch's index where that is quicker.

    PostgreSQL would walk a million newer awards backwards to reach those of an old batch, not
    knowing that they lie together. A batch that is itself large is quicker to walk.
    """
    batch = Batch.objects.filter(number=number).only("id", "summary").first()
    if batch is None:
        return awards.none()
    if batch.summary.get("awards", FEW) >= FEW:
        return awards.filter(batch=batch)
    ids = Award.objects.filter(batch=batch).order_by().values("pk")
    # the batch's index is two: of awards with a subscription and of those without
    with_one, without = (ids.filter(subscription__isnull=empty) for empty in (False, True))
    return awards.filter(pk__in=with_one.union(without, all=True))


def _id(rows: Any) -> int:
    """The one row's id; 0, which no row has, if there is none."""
    return int(rows.values_list("pk", flat=True).first() or 0)


class PolicyFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Policies: the default one, or those in force."""

    in_force = django_filters.BooleanFilter(
        method="of_force", label="Whether a version of it is in force."
    )

    class Meta:
        model = Policy
        fields = ("is_default", "in_force")

    def of_force(self, policies: QuerySet[Policy], name: str, value: bool) -> QuerySet[Policy]:  # noqa: FBT001 - called by django-filter
        active = policies.filter(versions__state=PolicyVersion.State.ACTIVE)
        return active if value else policies.exclude(pk__in=active.values("pk"))
