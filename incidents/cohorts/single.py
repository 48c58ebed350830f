"""One subscription that an incident's cohorts missed, counted without counting everybody again."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from backoffice.customers.models import Subscription
from backoffice.states import history
from incidents.cohorts.membership import add_cohort
from incidents.cohorts.resolution import EVERYONE, lock_exposures, ranked, struck
from incidents.cohorts.statements import ONE_STRUCK
from incidents.models import Cohort, CohortMember, Exposure, Incident


@transaction.atomic
def count_in(
    incident: Incident,
    subscription: Subscription,
    *,
    cohort_name: str,
    by: AbstractBaseUser | None = None,
    reason: str = "",
) -> Exposure | None:
    """The exposure of `subscription` to `incident`, made if it was hit and is in no cohort.

    The rules are those of `resolve`: it goes to the first cohort whose condition it fits, and to
    the list `cohort_name` (made if need be) if it fits none. Its seconds reach as far as those of
    the others, so that they grow together while an outage runs. A later resolution keeps it.

    None: no outage of what it uses hit it, or a list says its time, and says none.

    Raises:
        ConditionError: a cohort's condition cannot be read (any more).
    """
    lock_exposures(incident)
    known = Exposure.objects.filter(incident=incident, subscription=subscription).first()
    if known is not None or _is_listed_with_time(incident, subscription):
        return known
    cohorts = list(incident.cohorts.all()) or [
        Cohort.objects.create(incident=incident, name=EVERYONE)
    ]
    found = _struck(incident, subscription, ranked(cohorts).filter(pk=subscription.pk))
    if found is None:
        return None
    place, profile, major, partial = found
    if place is not None:
        cohort = cohorts[place - 1]
    else:
        cohort = _on_list(incident, subscription, cohort_name, by=by, reason=reason)
    return _expose(cohort, subscription, profile, major, partial)


def _is_listed_with_time(incident: Incident, subscription: Subscription) -> bool:
    own = Q(subscription=subscription) | Q(subscription=None, customer=subscription.customer_id)
    given = Q(major_seconds__isnull=False) | Q(partial_seconds__isnull=False)
    return CohortMember.objects.filter(own, given, cohort__incident=incident).exists()


def _struck(
    incident: Incident,
    subscription: Subscription,
    alone: QuerySet[Subscription, tuple[object, ...]],
) -> tuple[int | None, int, int, int] | None:
    """The place of the cohort it fits, profile, seconds out of order and partly so."""
    as_of = incident.cohorts_resolved_at or timezone.now()
    with connection.cursor() as cursor, struck(cursor, incident, alone, as_of):
        cursor.execute(ONE_STRUCK, {"subscription": subscription.pk})
        row: tuple[int | None, int, int, int] | None = cursor.fetchone()
    return row


def _on_list(
    incident: Incident,
    subscription: Subscription,
    name: str,
    *,
    by: AbstractBaseUser | None,
    reason: str,
) -> Cohort:
    cohort = incident.cohorts.filter(name=name, source=Cohort.Source.LIST).first()
    if cohort is None:
        cohort = add_cohort(incident=incident, name=name, source=Cohort.Source.LIST, by=by)
    with history(by=by, reason=reason):
        CohortMember.objects.get_or_create(
            cohort=cohort,
            subscription=subscription,
            defaults={"customer": subscription.customer},
        )
    return cohort


def _expose(
    cohort: Cohort, subscription: Subscription, profile: int, major: int, partial: int
) -> Exposure:
    incident = cohort.incident
    of_customer = Exposure.objects.filter(incident=incident, customer=subscription.customer_id)
    if not of_customer.exists():
        Incident.objects.filter(pk=incident.pk).update(
            affected_customers=F("affected_customers") + 1
        )
    Cohort.objects.filter(pk=cohort.pk).update(exposure_count=F("exposure_count") + 1)
    return Exposure.objects.create(
        incident=incident,
        cohort=cohort,
        customer_id=subscription.customer_id,
        subscription=subscription,
        profile_id=profile,
        major_seconds=major,
        partial_seconds=partial,
    )
