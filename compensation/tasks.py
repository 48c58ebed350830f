"""Celery's doors to compensation."""

from celery import shared_task

from compensation.drafts import draft_default_batch, undrafted
from compensation.issuing import has_work, issue
from compensation.reconciliation import go_on, next_run, start_daily
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


@shared_task(name="compensation.tasks.reconcile")
def reconcile() -> None:
    """Compare for a while, then call the next; starts the day's run when its hour has come.

    Several at once are harmless, all but one leave. What a killed worker left is gone on with.
    """
    if (start_daily() or next_run()) and go_on():
        reconcile.delay()
