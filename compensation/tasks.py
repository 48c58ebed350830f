"""Celery's doors to compensation."""

from celery import shared_task

from compensation.issuing import has_work, issue


@shared_task(name="compensation.tasks.issue_awards")
def issue_awards() -> None:
    """Issue for a while, then call the next; several at once are harmless, all but one leave."""
    if not has_work():
        return
    tally = issue()
    if tally is not None and tally.has_more:
        issue_awards.delay()
