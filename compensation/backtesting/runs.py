"""Backtests as rows: asked for, begun by one worker at a time, given up, looked at again."""

from datetime import UTC, date, timedelta
from time import monotonic

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from backoffice.accounts.models import User
from backoffice.customers.conditions import ConditionError
from backoffice.states import MoveError, move
from compensation.authority import person_with
from compensation.backtesting.digests import terms_digest
from compensation.backtesting.waking import wake_backtesting
from compensation.backtesting.walking import Cancelled, plan, walk
from compensation.models import Backtest, PolicyVersion

State = Backtest.State
# Who may write versions may try them out.
PERMISSION = "compensation.add_policyversion"
# A run tells how far it is every few seconds; one that has been silent for so long has no worker.
SILENT = timedelta(minutes=2)
ATTEMPTS = 3
LONGEST = timedelta(days=366 * 20)
_LOCK = "backtests"


def ask_backtest(
    version: PolicyVersion,
    *,
    first: date,
    last: date,
    against: PolicyVersion | None = None,
    by: User | None,
) -> Backtest:
    """Queue a backtest of `version` over the incidents begun from `first` to `last` (UTC).

    Beside it stands `against`: the version that is in force unless given. Asking again for what
    waits or runs already, of the same terms, gives that one. Without `by`, the system asks.

    Raises:
        PermissionDenied: `by` may not.
        ValidationError: the days are in the wrong order or too far apart, or it is the same
            version twice.
    """
    person = person_with(by, PERMISSION) if by is not None else None
    if last < first:
        raise ValidationError({"last": _("The last day comes before the first.")})
    if last - first > LONGEST:
        raise ValidationError({"first": _("At most twenty years at a time.")})
    if against == version:
        raise ValidationError({"against": _("Choose another version to compare with.")})
    digests = {
        "version_digest": terms_digest(version),
        "against_digest": terms_digest(against) if against else "",
    }
    asked = {"version": version, "against": against, "first": first, "last": last, **digests}
    with transaction.atomic():
        waiting = Backtest.objects.filter(state__in=[State.QUEUED, State.RUNNING], **asked).first()
        if waiting is not None:
            return waiting
        run = Backtest.objects.create(asked_by=person, **asked)
        transaction.on_commit(wake_backtesting, robust=True)
    return run


def cancel_backtest(run: Backtest, *, by: User) -> Backtest:
    """Give it up; a worker that runs it stops within seconds.

    Raises:
        PermissionDenied: `by` may not.
        MoveError: it is over.
    """
    person = person_with(by, PERMISSION)
    run.refresh_from_db()
    move(run, State.CANCELLED, by=person, ended_at=timezone.now())
    return run


def next_backtest() -> Backtest | None:
    """The oldest that waits, or whose worker has fallen silent."""
    silent = Q(state=State.RUNNING, moved_at__lt=timezone.now() - SILENT)
    return Backtest.objects.filter(Q(state=State.QUEUED) | silent).order_by("id").first()


def run_next_backtest() -> bool:
    """Run one, if one waits and no other worker is at it. Whether it did."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [_LOCK])
        if cursor.fetchone() != (True,):
            return False
        try:
            run = next_backtest()
            if run is not None:
                run_backtest(run)
            return run is not None
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_LOCK])


def run_backtest(run: Backtest) -> Backtest:
    """From the first incident on, whatever an earlier attempt had done. Its figures are kept.

    A row that cannot be understood, or a third attempt, is told in `note`, and it has failed.

    Raises:
        MoveError: somebody else was quicker, or it is over.
    """
    now = timezone.now()
    if run.attempts >= ATTEMPTS:
        note = _("It was begun three times and never came to its end: ask for a shorter time.")
        move(run, State.FAILED, by=None, note=note, ended_at=now)
        return run
    todo = plan(run.version, run.against, run.first, run.last)
    move(
        run,
        State.RUNNING,
        by=None,
        began_at=now,
        moved_at=now,
        attempts=run.attempts + 1,
        steps_total=todo.steps,
        steps_done=0,
        version_digest=terms_digest(run.version),
        against_digest=terms_digest(run.against) if run.against else "",
    )
    begun = monotonic()
    try:
        result = walk(todo, lambda done: _tell(run, done))
    except Cancelled:
        run.refresh_from_db()
        return run
    except ConditionError as error:
        move(run, State.FAILED, by=None, note=" ".join(error.messages), ended_at=timezone.now())
        return run
    result["milliseconds"] = int((monotonic() - begun) * 1000)
    try:
        move(run, State.DONE, by=None, result=result, ended_at=timezone.now())
    except MoveError:  # given up in the last moment
        run.refresh_from_db()
    return run


def _tell(run: Backtest, done: int) -> None:
    """How far it is.

    Raises:
        Cancelled: it was given up, or another worker has taken it over.
    """
    now = timezone.now()
    mine = Backtest.objects.filter(pk=run.pk, state=State.RUNNING, attempts=run.attempts)
    if not mine.update(steps_done=done, moved_at=now):
        raise Cancelled
    run.steps_done, run.moved_at = done, now


def is_stale(run: Backtest) -> bool:
    """Whether one of its versions was changed since."""
    if run.version_digest != terms_digest(run.version):
        return True
    return run.against is not None and run.against_digest != terms_digest(run.against)


def in_force(version: PolicyVersion) -> PolicyVersion | None:
    """What `version` is compared with unless said otherwise.

    The version in force of its policy; of another policy the default's, where there is none.
    """
    active = PolicyVersion.objects.filter(state=PolicyVersion.State.ACTIVE).exclude(pk=version.pk)
    of_default = active.filter(policy__is_default=True)
    return active.filter(policy=version.policy_id).first() or of_default.first()


def last_twelve_months(today: date | None = None) -> tuple[date, date]:
    """Twelve whole months of UTC up to the current one, and of that what has passed."""
    today = today or timezone.now().astimezone(UTC).date()
    return today.replace(year=today.year - 1, day=1), today
