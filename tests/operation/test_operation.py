from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from backoffice.accounts.roles import Role
from backoffice.operation import figures, tasks
from backoffice.operation.metrics import exposition
from backoffice.operation.models import Heartbeat
from compensation.models import Award, Batch, IssuingControl
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.support.factories import TicketFactory

pytestmark = pytest.mark.django_db
TOKEN = {"Authorization": "Bearer monitoring-token"}


@pytest.fixture(autouse=True)
def _token(settings):
    settings.MONITORING_TOKEN = "monitoring-token"


def ago(**span):
    return timezone.now() - timedelta(**span)


def unsent(**fields):
    """Approved an hour ago, in a batch that is being issued."""
    batch = BatchFactory(state=Batch.State.ISSUING, issuing_started_at=ago(hours=1))
    return AwardFactory(batch=batch, **{"state": Award.State.APPROVED, **fields})


def checks(client):
    answer = client.get("/health", headers=TOKEN)
    return answer.status_code, answer.json()["checks"]


def metrics():
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition().decode())
        for sample in family.samples
    }


def test_alive_asks_nobody(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"alive\n"


def test_ready_tells_the_outside_nothing_more(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ready"})
    assert client.get("/readyz", headers=TOKEN).json() == {
        "status": "ready",
        "checks": {"database": "ok", "broker": "ok"},
    }


def test_not_ready_without_a_broker(client, settings, monkeypatch):
    def refuses(*_args, **_kwargs):
        raise OSError("redis://:topsecret@redis")

    monkeypatch.setattr("backoffice.operation.checks.Connection", refuses)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})
    answer = client.get("/readyz", headers=TOKEN)
    assert answer.json()["checks"] == {"database": "ok", "broker": "no answer"}


def test_health_is_for_monitoring_only(client):
    tasks.beat_heart()
    assert client.get("/health").status_code == 403
    assert client.get("/metrics").status_code == 403
    wrong = {"Authorization": "Bearer monitoring-tokeN"}
    assert client.get("/metrics", headers=wrong).status_code == 403
    assert checks(client) == (
        200,
        dict.fromkeys(
            ["database", "broker", "worker", "issuing", "webhooks", "mail out", "mail in",
             "ticket events"],
            "ok",
        ),
    )  # fmt: skip
    client.force_login(staff(Role.AUDITOR))
    assert client.get("/health").status_code == 200


def test_shut_without_a_token(client, settings):
    settings.MONITORING_TOKEN = ""
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": ""}):
        assert client.get("/metrics", headers=headers).status_code == 403


def test_worker_that_is_silent(client):
    status, told = checks(client)
    assert (status, told["worker"]) == (
        503,
        "no worker has ever answered: start worker and beat",
    )
    tasks.beat_heart()
    tasks.beat_heart()
    assert checks(client)[0] == 200
    Heartbeat.objects.update(at=ago(seconds=300))
    assert checks(client)[1]["worker"].startswith("no worker has answered for 30")


def test_award_that_could_be_sent_and_is_not(client, settings):
    tasks.beat_heart()
    award = unsent()
    status, told = checks(client)
    assert status == 503
    assert told["issuing"].startswith("an award that could be sent has waited for 36")
    settings.HEALTH_UNSENT_SECONDS = 7200
    assert checks(client)[0] == 200
    assert 3600 <= figures.oldest_unsent() < 3660
    Batch.objects.filter(pk=award.batch_id).update(state=Batch.State.PAUSED)
    assert figures.oldest_unsent() == 0


def test_batch_that_goes_on_waits_since_its_last_award():
    from compensation.ledger import NewEntry, record_entries

    award = unsent()
    record_entries(
        [
            NewEntry(
                kind="credit", customer_id=award.customer_id, amount_minor=1, currency="EUR",
                booked_at=ago(seconds=5),
            )
        ]
    )  # fmt: skip
    assert 5 <= figures.oldest_unsent() < 60
    sent = {"idempotency_key": "k", "parameters_hash": "h", "first_sent_at": ago(minutes=30)}
    AwardFactory(batch=award.batch, state=Award.State.SENDING, **sent)
    assert 1800 <= figures.oldest_unsent() < 1860


def test_nothing_waits_while_issuing_is_stopped():
    unsent()
    IssuingControl.objects.update_or_create(pk=1, defaults={"is_stopped": True})
    assert figures.oldest_unsent() == 0
    assert metrics()["amends_issuing_stopped",] == 1


def test_goodwill_waits_since_it_was_given():
    award = AwardFactory(source="goodwill", batch=None, incident=None, state=Award.State.APPROVED)
    Award.objects.filter(pk=award.pk).update(created_at=ago(minutes=10))
    assert 600 <= figures.oldest_unsent() < 660


def test_metrics_count_what_waits():
    unsent()
    AwardFactory(state=Award.State.FAILED)
    AwardFactory(state=Award.State.UNKNOWN)
    TicketFactory(status="open")
    found = metrics()
    states = ("approved", "sending", "failed", "unknown")
    assert [found["amends_awards", state] for state in states] == [1, 0, 1, 1]
    assert (found["amends_batches", "issuing"], found["amends_batches", "paused"]) == (1, 0)
    assert (found["amends_tickets", "open"], found["amends_tickets", "new"]) == (1, 0)
    assert found["amends_oldest_unsent_award_seconds",] >= 3600
    assert found["amends_webhook_lag_seconds",] == found["amends_mail_out_lag_seconds",] == 0
    assert found["amends_worker_heartbeat_timestamp_seconds",] == 0


def test_metrics_estimate_what_is_many():
    AwardFactory.create_batch(5, state=Award.State.ISSUED)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE compensation_award")
    assert metrics()["amends_awards_estimated", "issued"] == 5


def test_metrics_count_calls_by_outcome():
    from collections import Counter

    from compensation.issuing.counting import add_calls

    outcomes = Counter(done=3, unknown=1)
    add_calls(outcomes)
    assert not outcomes
    add_calls(Counter(done=2))
    add_calls(Counter())
    found = metrics()
    assert found["amends_stripe_calls_total", "done"] == 5
    assert found["amends_stripe_calls_total", "unknown"] == 1


def test_metrics_ask_the_same_however_much_there_is():
    counts = []
    for rows in (1, 3):
        for _ in range(rows):
            unsent()
            TicketFactory()
        with CaptureQueriesContext(connection) as queries:
            exposition()
        counts.append(len(queries))
    assert counts[0] == counts[1] == 17
