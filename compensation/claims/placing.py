"""The batch that proposes to finance what was claimed: one open at a time for an incident."""

from django.db import transaction

from compensation.batches import create_batch, locked, price_batch
from compensation.models import Batch, Claim, PolicyVersion
from compensation.models.batch import BatchState
from incidents.models import Incident

OPEN = (BatchState.DRAFT, BatchState.PRICED)


@transaction.atomic
def place(claim: Claim, incident: Incident, version: PolicyVersion) -> Batch:
    """Put `claim` into the incident's open batch of claims under `version`, priced anew.

    Made if there is none that still waits to be submitted: nobody's, so that whoever of finance
    submits it, another person approves. Its awards are those of any batch: never a second one for
    the incident, under the caps and budgets.
    """
    # of two claims at a time the second finds the first one's batch
    Incident.objects.select_for_update(of=("self",), no_key=True).get(pk=incident.pk)
    batch = _open_batch(incident, version)
    if batch is None:
        batch = create_batch(incident, version, kind=Batch.Kind.CLAIMS)
    claim.batch = batch
    claim.save(update_fields=["batch"])
    return price_batch(batch)


def left_out_for(claim: Claim, incident: Incident, version: PolicyVersion) -> str:
    """Why a batch would leave the claim's subscription out (`Exclusion`), or the empty text.

    Asked of the batch itself, which is not kept.
    """
    with transaction.atomic():
        batch = place(claim, incident, version)
        found = batch.awards.filter(subscription=claim.subscription).order_by("id").first()
        transaction.set_rollback(True)
    claim.batch = None
    return found.exclusion if found is not None else ""


def _open_batch(incident: Incident, version: PolicyVersion) -> Batch | None:
    found = Batch.objects.filter(
        incident=incident, version=version, kind=Batch.Kind.CLAIMS, state__in=OPEN
    ).first()
    if found is None:
        return None
    row = locked(found)  # submitted this very moment, it is not open any more
    return row if row.state in OPEN else None
