from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.batches import batch_digest, cancel_batch, create_batch, submit_batch
from compensation.exclusions import exclude_award, include_award
from compensation.models import ApprovalThreshold, Award, Batch
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, BatchFactory
from tests.compensation.stories import priced_batch, submitted_batch
from tests.incidents.factories import IncidentFactory, OutageFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance():
    return staff(Role.FINANCE)


def test_create_batch_numbers_it_and_remembers_who(finance):
    version = priced_batch().version
    batch = create_batch(IncidentFactory(), version, by=finance)
    again = create_batch(IncidentFactory(), version, key="Shop")
    year = timezone.now().year
    assert batch.number.startswith(f"{year}-")
    assert int(again.number[5:]) == int(batch.number[5:]) + 1
    assert (batch.state, batch.created_by, batch.created_by_key) == ("draft", finance, "")
    assert (again.created_by, again.created_by_key) == (None, "Shop")


def test_create_batch_refuses_a_draft_version(finance):
    with pytest.raises(ValidationError, match="not in force"):
        create_batch(IncidentFactory(), BatchFactory().version, by=finance)


def test_create_batch_takes_the_permission(finance):
    with pytest.raises(PermissionDenied):
        create_batch(IncidentFactory(), priced_batch().version, by=staff(Role.SUPPORT_AGENT))


def test_submit_batch_freezes_and_asks(finance):
    batch = priced_batch(awards=3)
    submit_batch(batch, by=finance)
    kept = Batch.objects.get(pk=batch.pk)
    assert (kept.state, kept.submitted_by, kept.approvals_needed) == ("submitted", finance, 1)
    assert kept.digest == batch_digest(kept) == batch.digest
    assert len(kept.digest) == 64


@pytest.mark.parametrize(("threshold", "needed"), [(9980, 1), (9979, 2)])
def test_submit_batch_above_the_threshold_takes_two(finance, threshold, needed):
    ApprovalThreshold.objects.create(currency="EUR", amount_minor=threshold)
    assert submit_batch(priced_batch(awards=2), by=finance).approvals_needed == needed


def test_submit_batch_refuses_what_pays_nothing(finance):
    batch = priced_batch(awards=1)
    exclude_award(batch.awards.get(), by=finance, reason="test account")
    with pytest.raises(ValidationError, match="Nothing is to be paid"):
        submit_batch(batch, by=finance)


def test_submit_batch_refuses_a_draft(finance):
    with pytest.raises(MoveError, match="This batch is draft"):
        submit_batch(BatchFactory(), by=finance)


def test_submit_batch_refuses_nobody():
    with pytest.raises(PermissionDenied):
        submit_batch(priced_batch(), by=None)


def test_submit_batch_by_a_key_leaves_no_person():
    assert submit_batch(priced_batch(), by=None, key="Shop").submitted_by is None


def test_submit_batch_refuses_while_an_outage_runs(finance):
    batch = priced_batch()
    outage = OutageFactory(incident=batch.incident, ends_at=None)
    with pytest.raises(ValidationError, match="An outage still ran"):
        submit_batch(batch, by=finance)
    outage.ends_at = batch.priced_at + timedelta(seconds=1)
    outage.save()
    with pytest.raises(ValidationError, match="An outage still ran"):
        submit_batch(batch, by=finance)
    outage.ends_at = batch.priced_at
    outage.save()
    assert submit_batch(batch, by=finance).state == "submitted"


def test_submit_batch_refuses_prices_from_before_another_award(finance):
    batch = priced_batch(awards=2)
    first = batch.awards.first()
    other = priced_batch(awards=0)
    AwardFactory(batch=other, subscription=first.subscription)
    submit_batch(other, by=finance)
    with pytest.raises(ValidationError, match="1 of these customers got another award"):
        submit_batch(batch, by=finance)
    Batch.objects.filter(pk=batch.pk).update(priced_at=timezone.now())
    assert submit_batch(batch, by=finance).state == "submitted"


def test_submit_batch_refuses_prices_from_before_goodwill(finance):
    batch = priced_batch()
    AwardFactory(
        batch=None,
        subscription=batch.awards.get().subscription,
        source=Award.Source.GOODWILL,
        state="issued",
    )
    with pytest.raises(ValidationError, match="got another award"):
        submit_batch(batch, by=finance)


@pytest.mark.parametrize("benefit", ["credit", "trial"])
def test_submit_batch_refuses_what_has_nowhere_to_go(finance, benefit):
    batch = priced_batch(awards=2)
    award = batch.awards.first()
    if benefit == "credit":
        award.customer.stripe_customer_id = None
        award.customer.save()
    else:
        batch.awards.filter(pk=award.pk).update(
            benefit="trial", amount_minor=0, days=7, trial_end_target=None
        )
    with pytest.raises(ValidationError, match="1 awards have nowhere to go"):
        submit_batch(batch, by=finance)


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount_minor", 4991), ("currency", "USD"), ("days", 1), ("destination", "cus_other")],
)
def test_digest_covers(field, value):
    batch = priced_batch(awards=2)
    before = batch_digest(batch)
    Award.objects.filter(pk=batch.awards.first().pk).update(**{field: value})
    assert batch_digest(batch) != before


def test_digest_covers_the_destination_and_who_is_left_out_but_no_state():
    batch = priced_batch(awards=2)
    before = batch_digest(batch)
    award = batch.awards.first()
    batch.awards.update(state="approved")
    assert batch_digest(batch) == before
    award.customer.stripe_customer_id = "cus_other"
    award.customer.save()
    assert batch_digest(batch) != before
    award.customer.stripe_customer_id = f"cus_{award.customer.reference}"
    award.customer.save()
    assert batch_digest(batch) == before
    batch.awards.filter(pk=award.pk).update(state="excluded")
    assert batch_digest(batch) != before


def test_exclude_award_in_a_submitted_batch_changes_the_digest(finance):
    batch = submitted_batch(awards=2)
    before = batch.digest
    award = batch.awards.first()
    exclude_award(award, by=finance, reason="Was paid by cheque")
    batch.refresh_from_db()
    assert batch.digest == batch_digest(batch) != before
    assert (award.state, award.exclusion, award.exclusion_reason, award.excluded_by) == (
        "excluded",
        "by_hand",
        "Was paid by cheque",
        finance,
    )
    include_award(award, by=finance)
    batch.refresh_from_db()
    assert batch.digest == batch_digest(batch) == before


def test_exclude_award_can_bring_a_batch_below_the_threshold(finance):
    ApprovalThreshold.objects.create(currency="EUR", amount_minor=5000)
    batch = submitted_batch(awards=2)
    assert batch.approvals_needed == 2
    exclude_award(batch.awards.first(), by=finance, reason="twice")
    batch.refresh_from_db()
    assert batch.approvals_needed == 1


def test_exclude_award_wants_a_reason_a_permission_and_an_open_batch(finance):
    batch = submitted_batch(awards=2)
    award = batch.awards.first()
    with pytest.raises(ValidationError):
        exclude_award(award, by=finance, reason=" ")
    with pytest.raises(PermissionDenied):
        exclude_award(award, by=staff(Role.AUDITOR), reason="no")
    Batch.objects.filter(pk=batch.pk).update(state="approved")
    with pytest.raises(MoveError, match="its awards are settled"):
        exclude_award(award, by=finance, reason="too late")


def test_exclude_award_leaves_no_submitted_batch_empty(finance):
    batch = submitted_batch(awards=1)
    with pytest.raises(ValidationError, match="reject the batch"):
        exclude_award(batch.awards.get(), by=finance, reason="only one")
    assert batch.awards.get().state == "proposed"


def test_include_award_adds_nothing_to_what_was_submitted(finance):
    batch = priced_batch(awards=2)
    award = batch.awards.first()
    exclude_award(award, by=finance, reason="later perhaps")
    submit_batch(batch, by=finance)
    with pytest.raises(MoveError, match="submitted without this award"):
        include_award(award, by=finance)


def test_include_award_leaves_out_what_pricing_left_out(finance):
    batch = priced_batch(awards=1)
    award = AwardFactory(batch=batch, state="excluded", exclusion="cancelled")
    with pytest.raises(MoveError, match="not left out by a person"):
        include_award(award, by=finance)


def test_cancel_batch_until_it_is_approved(finance):
    assert cancel_batch(submitted_batch(), by=finance, reason="wrong incident").state == "cancelled"
    batch = submitted_batch()
    Batch.objects.filter(pk=batch.pk).update(state="approved")
    with pytest.raises(MoveError):
        cancel_batch(batch, by=finance)
    with pytest.raises(PermissionDenied):
        cancel_batch(submitted_batch(), by=staff(Role.INCIDENT_MANAGER))
