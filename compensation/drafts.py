"""The batch that drafts itself when an incident is resolved, and waits for finance."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from backoffice.customers.conditions import ConditionError
from compensation.batches import create_batch, price_batch
from compensation.models import Batch, PolicyVersion
from compensation.models.batch import BatchState
from incidents.models import Incident

logger = logging.getLogger(__name__)

LOOKED_AFTER = timedelta(hours=6)
GIVEN_UP = (BatchState.REJECTED, BatchState.CANCELLED)


def draft_default_batch(incident: Incident) -> Batch | None:
    """Make and price a batch for `incident` under the default policy; nobody is its maker.

    None, and nothing is done, where no default policy is in force, where nobody is owed anything,
    or where the incident has a batch already: then finance has it in hand. Where the version cannot
    be priced, the batch stays a draft, so that it is seen.
    """
    version = PolicyVersion.objects.filter(
        policy__is_default=True, state=PolicyVersion.State.ACTIVE
    ).first()
    if version is None:
        return None
    with transaction.atomic():
        # Resolved twice in a moment, it drafts once.
        Incident.objects.select_for_update(of=("self",)).get(pk=incident.pk)
        if _of_everybody(incident).exclude(state__in=GIVEN_UP).exists():
            return None
        batch = create_batch(incident, version)
        if not _price(batch):
            return batch
        if not batch.awards.exists():
            transaction.set_rollback(True)
            return None
    return batch


def _price(batch: Batch) -> bool:
    """Whether it could be priced; where not, the draft waits for finance, and says why."""
    try:
        with transaction.atomic():
            price_batch(batch)
    except ConditionError as error:
        told = {"batch": batch.number, "version": str(batch.version), "problem": str(error)}
        logger.warning("A batch that drafted itself cannot be priced.", extra=told)
        return False
    return True


def _of_everybody(incident: Incident) -> QuerySet[Batch]:
    """Its batches but for those of claims, which hold a few customers only."""
    return incident.batches.filter(kind=Batch.Kind.INCIDENT)


def undrafted() -> QuerySet[Incident]:
    """Resolved of late, with somebody hit and no batch: their message may have been lost."""
    since = timezone.now() - LOOKED_AFTER
    drafted = Batch.objects.filter(incident=OuterRef("pk"), kind=Batch.Kind.INCIDENT)
    return Incident.objects.filter(
        ~Exists(drafted), resolved_at__gte=since, affected_customers__gt=0
    )
