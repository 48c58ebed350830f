"""Celery's doors to compensation."""

import logging

from celery import shared_task

from compensation.backtesting import run_next_backtest
from compensation.drafts import draft_default_batch, undrafted
from compensation.issuing import RUN_SECONDS, has_work, issue
from compensation.reconciliation import go_on, next_run, start_daily
from compensation.reversing import has_reversals, take_back
from compensation.reversing.run import RUN_SECONDS as REVERSING_SECONDS
from compensation.stop_notices import tell_of_stop
from incidents.models import Incident

logger = logging.getLogger(__name__)


@shared_task(name="compensation.tasks.issue_awards")
def issue_awards() -> None:
    """Issue for a while, then call the next; several at once are harmless, all but one leave.

    What is to be taken back goes first, for a while.
    """
    back = take_back() if has_reversals() else None
    tally = issue(seconds=RUN_SECONDS - (REVERSING_SECONDS if back else 0)) if has_work() else None
    if any(run is not None and run.has_more for run in (back, tally)):
        issue_awards.delay()
    tell_of_stop()


@shared_task(name="compensation.tasks.draft_batch")
def draft_batch(incident_id: int) -> None:
    """The draft of an incident that was just resolved; once more is harmless."""
    draft_default_batch(Incident.objects.get(pk=incident_id))


@shared_task(name="compensation.tasks.draft_missing_batches")
def draft_missing_batches() -> None:
    """What a lost message left behind."""
    for incident in undrafted():
        try:
            draft_default_batch(incident)
        except Exception:  # one that cannot be drafted keeps no other one waiting
            logger.exception("An incident's batch could not be drafted: %s", incident.number)


@shared_task(name="compensation.tasks.reconcile")
def reconcile() -> None:
    """Compare for a while, then call the next; starts the day's run when its hour has come.

    Several at once are harmless, all but one leave. What a killed worker left is gone on with.
    """
    if (start_daily() or next_run()) and go_on():
        reconcile.delay()


@shared_task(name="compensation.tasks.run_backtests")
def run_backtests() -> None:
    """Run the backtests that wait, one after another; what a killed worker left begins anew.

    Several at once are harmless, all but one leave.
    """
    if run_next_backtest():
        run_backtests.delay()
