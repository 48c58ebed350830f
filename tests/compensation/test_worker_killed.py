"""The real worker, killed in the middle of issuing, against the real sandbox."""

import pytest

from compensation.issuing.claiming import is_stopped
from compensation.ledger import verify_chain
from compensation.models import Award, LedgerEntry
from tests.compensation.stories import approve, priced_batch, seed_sandbox
from tests.worker import WorkerProcess, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

AWARDS = 300
TASK = "compensation.tasks.issue_awards"


@pytest.fixture
def worker(tmp_path):
    with WorkerProcess(log=tmp_path / "worker.log") as worker:
        yield worker


def issued():
    return Award.objects.filter(state="issued").count()


def test_killed_worker_loses_and_doubles_nothing(issuing, worker):
    """Killed twice with calls under way; the third one ends it."""
    batch = priced_batch(awards=AWARDS)
    seed_sandbox(issuing, batch)
    approve(batch)
    issuing.limits(delay_ms=200)
    assert not is_stopped()
    for goal in (40, 120):
        worker.start()
        worker.send(TASK)
        wait_until(lambda goal=goal: issued() >= goal, 30)
        worker.kill()
        left = dict(Award.objects.filter(state="sending").values_list("id", "idempotency_key"))
        assert left
        assert issued() < AWARDS
    # some of what was left is booked at Stripe, though nobody wrote it down
    assert issuing.totals("award")["by_metadata"]["credited"] > issued()
    worker.start()
    worker.send(TASK)
    wait_until(lambda: not Award.objects.exclude(state="issued").exists(), 60)
    wait_until(lambda: type(batch).objects.get(pk=batch.pk).state == "issued", 5)
    totals = issuing.totals("award")
    assert totals["by_metadata"]["credited"] == AWARDS
    assert totals["by_metadata"]["credited_more_than_once"] == 0
    assert totals["currencies"]["eur"]["credited_minor"] == AWARDS * 4990
    assert LedgerEntry.objects.count() == AWARDS
    assert not list(verify_chain())
    assert dict(Award.objects.filter(id__in=left).values_list("id", "idempotency_key")) == left
    assert set(Award.objects.values_list("attempt", flat=True)) == {1}


def test_two_workers_share_one_issuer(issuing, worker, tmp_path):
    batch = priced_batch(awards=60)
    seed_sandbox(issuing, batch)
    approve(batch)
    issuing.limits(delay_ms=100)
    with WorkerProcess(log=tmp_path / "second.log") as second:
        for each in (worker, second):
            each.start()
        for each in (worker, second):
            each.send(TASK)
        wait_until(lambda: issued() == 60, 30)
    totals = issuing.totals("award")
    assert totals["currencies"]["eur"]["credits"] == 60
    assert (totals["by_metadata"]["credited_more_than_once"], totals["replays"]) == (0, 0)
