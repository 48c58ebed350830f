"""Which promise a claim is held against."""

from datetime import datetime

from compensation.models import Batch, PolicyVersion
from compensation.models.batch import BatchState
from incidents.models import Incident

GIVEN_UP = (BatchState.REJECTED, BatchState.CANCELLED)


def terms_of(incident: Incident) -> PolicyVersion | None:
    """The version that the incident's newest batch used, else what was in force when it began."""
    batches = incident.batches.filter(kind=Batch.Kind.INCIDENT).exclude(state__in=GIVEN_UP)
    batch = batches.select_related("version__policy").order_by("-id").first()
    return batch.version if batch is not None else version_at(incident.started_at)


def version_at(at: datetime) -> PolicyVersion | None:
    """The default policy's version in force at `at` (UTC).

    Where none was yet, the first that came into force after it: a promise is older than the day on
    which somebody entered it here.
    """
    versions = PolicyVersion.objects.filter(policy__is_default=True, activated_at__isnull=False)
    was = versions.filter(activated_at__lte=at).order_by("-activated_at").first()
    if was is not None and (was.retired_at is None or was.retired_at > at):
        return was
    return versions.filter(activated_at__gt=at).order_by("activated_at").first() or was


def takes_claims() -> bool:
    """Whether any promise that counts here or counted lets customers claim."""
    return PolicyVersion.objects.filter(
        policy__is_default=True, activated_at__isnull=False, claim_days__isnull=False
    ).exists()
