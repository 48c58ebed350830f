"""Who may stop, resume and retry; and what leaves a trace."""

import pytest
from django.core.exceptions import PermissionDenied

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.issuing import (
    issue,
    pause_batch,
    resume_batch,
    resume_issuing,
    retry_award,
    retry_failed,
    stop_issuing,
)
from compensation.models import Award, Batch
from tests.accounts.factories import staff
from tests.compensation.factories import (
    AwardFactory,
    BatchFactory,
    PolicyVersionFactory,
    activate,
)
from tests.compensation.stories import approve, approved_batch, priced_batch, seed_sandbox

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "verb",
    [
        lambda batch, by: pause_batch(batch, by=by, reason="x"),
        lambda batch, by: resume_batch(batch, by=by),
        lambda batch, by: retry_failed(batch, by=by),
        lambda batch, by: retry_award(batch.awards.get(), by=by),
        lambda _batch, by: stop_issuing(by=by, reason="x"),
        lambda _batch, by: resume_issuing(by=by),
    ],
)
def test_switches_take_their_permission(issuing, verb):
    batch = approved_batch()
    for by in (staff(Role.SUPPORT_LEAD), staff(Role.AUDITOR), None):
        with pytest.raises(PermissionDenied):
            verb(batch, by)


def test_pause_leaves_who_and_why(issuing):
    batch = approved_batch()
    person = staff(Role.FINANCE_APPROVER)
    pause_batch(batch, by=person, reason="Call from the bank")
    assert (batch.state, batch.pause_reason) == ("paused", "Call from the bank")
    event = batch.events.order_by("-pgh_id").first()
    assert event.state == "paused"
    assert event.pgh_context.metadata == {"user": person.pk, "reason": "Call from the bank"}
    with pytest.raises(MoveError):
        pause_batch(batch, by=person, reason="again")


def test_resume_goes_on_with_a_paused_batch_only(issuing):
    batch = approved_batch()
    person = staff(Role.FINANCE)
    with pytest.raises(MoveError, match="only a paused one"):
        resume_batch(batch, by=person)
    pause_batch(batch, by=person, reason="x")
    resume_batch(batch, by=person)
    assert (batch.state, batch.pause_reason) == ("issuing", "")
    assert batch.issuing_started_at is not None


@pytest.fixture
def failed(issuing):
    """Issued, but for two of three, whose customers Stripe did not know yet."""
    batch = priced_batch(awards=1)
    seed_sandbox(issuing, batch)
    AwardFactory.create_batch(2, batch=batch)
    approve(batch)
    issue()
    batch.refresh_from_db()
    assert batch.state == "issued"
    return batch


def test_retry_failed_sends_under_new_keys(failed, issuing):
    seed_sandbox(issuing, failed)
    keys = set(failed.awards.values_list("idempotency_key", flat=True))
    assert retry_failed(failed, by=staff(Role.FINANCE)) == 2
    assert failed.state == "issuing"
    assert issue().issued == 2
    failed.refresh_from_db()
    assert failed.state == "issued"
    assert issuing.totals("award")["by_metadata"]["credited"] == 3
    assert set(failed.awards.values_list("state", "error_message")) == {("issued", "")}
    assert len(set(failed.awards.values_list("idempotency_key", flat=True)) - keys) == 2
    with pytest.raises(MoveError, match="No award"):
        retry_failed(failed, by=staff(Role.FINANCE))


def test_retry_award_sends_one(failed, issuing):
    seed_sandbox(issuing, failed)
    award = failed.awards.filter(state="failed").first()
    assert retry_award(award, by=staff(Role.FINANCE_APPROVER)).state == "approved"
    issue()
    award.refresh_from_db()
    assert (award.state, award.attempt) == ("issued", 2)
    with pytest.raises(MoveError, match="Only a failed award"):
        retry_award(award, by=staff(Role.FINANCE))
    assert failed.awards.filter(state="failed").count() == 1


def test_retry_refuses_what_was_awarded_elsewhere_meanwhile(failed):
    award = failed.awards.filter(state="failed").first()
    AwardFactory(
        batch=BatchFactory(incident=failed.incident),
        subscription=award.subscription,
        state="issued",
    )
    with pytest.raises(MoveError, match="awarded in another batch"):
        retry_award(award, by=staff(Role.FINANCE))
    assert Award.objects.get(pk=award.pk).state == "failed"
    assert Batch.objects.get(pk=failed.pk).state == "issued"


def test_retry_refuses_to_exceed_caps(issuing):
    batch = approve(priced_batch(version=activate(PolicyVersionFactory(cap_percent=50))))
    issue()
    award = batch.awards.get(state="failed")
    AwardFactory(batch=None, source="goodwill", state="issued", subscription=award.subscription)
    with pytest.raises(MoveError, match="caps may be exceeded"):
        retry_failed(batch, by=staff(Role.FINANCE))
    with pytest.raises(MoveError, match="caps may be exceeded"):
        retry_award(award, by=staff(Role.FINANCE))
