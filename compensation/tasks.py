"""Celery's doors to compensation."""

from celery import shared_task

from compensation.drafts import draft_default_batch, undrafted
from compensation.issuing import has_work, issue
from incidents.models import Incident


@shared_task(name="compensation.tasks.issue_awards")
def issue_awards() -> None:
    """Issue for a while, then call the next; several at once are harmless, all but one leave."""
    if not has_work():
        return
    tally = issue()
    if tally is not None and tally.has_more:
        issue_awards.delay()


@shared_task(name="compensation.tasks.draft_batch")
def draft_batch(incident_id: int) -> None:
    """The draft of an incident that was just resolved; once more is harmless."""
    draft_default_batch(Incident.objects.get(pk=incident_id))


@shared_task(name="compensation.tasks.draft_missing_batches")
def draft_missing_batches() -> None:
    """What a lost message left behind."""
    for incident in undrafted():
        draft_default_batch(incident)
