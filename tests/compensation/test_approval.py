import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections

from backoffice.accounts.models import User
from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation import approval
from compensation.approval import approve_batch, refusal, reject_batch
from compensation.batches import create_batch, submit_batch
from compensation.exclusions import exclude_award
from compensation.models import ApprovalThreshold, Award, Batch
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory, PolicyVersionFactory, activate
from tests.compensation.stories import approve, priced_batch, submitted_batch


@pytest.fixture
def woken(monkeypatch):
    calls: list[int] = []
    monkeypatch.setattr(approval, "wake_issuing", lambda: calls.append(1))
    return calls


@pytest.fixture
def approver():
    return staff(Role.FINANCE_APPROVER)


@pytest.mark.django_db
def test_approve_batch_binds_the_awards_and_wakes_issuing(
    approver, woken, django_capture_on_commit_callbacks
):
    batch = submitted_batch(awards=2)
    AwardFactory(batch=batch, state="excluded", exclusion="cancelled")
    with django_capture_on_commit_callbacks(execute=True):
        signed = approve_batch(batch, by=approver, digest=batch.digest, comment="seen")
    batch.refresh_from_db()
    assert batch.state == "approved"
    assert batch.approved_at is not None
    assert (signed.user, signed.digest, signed.comment) == (approver, batch.digest, "seen")
    awards = Award.objects.filter(batch=batch).order_by("id")
    assert [award.state for award in awards] == ["approved", "approved", "excluded"]
    assert [award.destination for award in awards] == [
        awards[0].customer.stripe_customer_id,
        awards[1].customer.stripe_customer_id,
        "",
    ]
    assert woken == [1]


@pytest.mark.django_db
def test_approve_batch_freezes_where_money_goes(approver):
    batch = approve(submitted_batch())
    award = batch.awards.get()
    award.customer.stripe_customer_id = "cus_thief"
    award.customer.save()
    assert approval.batch_digest(batch) == batch.digest
    assert batch.awards.get().destination != "cus_thief"


@pytest.mark.django_db
def test_approve_batch_needs_two_above_the_threshold(approver):
    ApprovalThreshold.objects.create(currency="EUR", amount_minor=0)
    batch = submitted_batch()
    approve_batch(batch, by=approver, digest=batch.digest)
    assert (batch.state, batch.awards.get().state) == ("submitted", "proposed")
    with pytest.raises(MoveError, match="approved this batch already"):
        approve_batch(batch, by=approver, digest=batch.digest)
    approve_batch(batch, by=staff(Role.FINANCE_APPROVER), digest=batch.digest)
    assert (batch.state, batch.awards.get().state) == ("approved", "approved")


@pytest.mark.django_db
def test_leaving_an_award_out_withdraws_signatures(approver):
    ApprovalThreshold.objects.create(currency="EUR", amount_minor=0)
    batch = submitted_batch(awards=2)
    before = batch.digest
    approve_batch(batch, by=approver, digest=before)
    exclude_award(batch.awards.first(), by=approver, reason="paid by hand")
    batch.refresh_from_db()
    assert batch.approvals.filter(withdrawn_at=None).count() == 0
    with pytest.raises(MoveError, match="changed since you looked"):
        approve_batch(batch, by=staff(Role.FINANCE_APPROVER), digest=before)
    approve_batch(batch, by=approver, digest=batch.digest)
    approve_batch(batch, by=staff(Role.FINANCE_APPROVER), digest=batch.digest)
    assert batch.state == "approved"


@pytest.mark.django_db
def test_signature_of_somebody_who_left_does_not_count(approver):
    ApprovalThreshold.objects.create(currency="EUR", amount_minor=0)
    batch = submitted_batch()
    approve_batch(batch, by=approver, digest=batch.digest)
    User.objects.filter(pk=approver.pk).update(is_active=False)
    approve_batch(batch, by=staff(Role.FINANCE_APPROVER), digest=batch.digest)
    assert batch.state == "submitted"
    approve_batch(batch, by=staff(Role.FINANCE_APPROVER), digest=batch.digest)
    assert batch.state == "approved"


class TestWhoMayNot:
    pytestmark = pytest.mark.django_db

    def refused(self, batch, by):
        with pytest.raises(PermissionDenied):
            approve_batch(batch, by=by, digest=batch.digest)
        batch.refresh_from_db()
        assert (batch.state, batch.approvals.count()) == ("submitted", 0)

    def test_the_one_who_submitted(self):
        both = staff(Role.FINANCE, Role.FINANCE_APPROVER)
        batch = submit_batch(priced_batch(), by=both)
        assert "another person" in refusal(batch, both)
        self.refused(batch, both)

    def test_the_one_who_made_it(self):
        both = staff(Role.FINANCE, Role.FINANCE_APPROVER)
        priced = priced_batch()
        made = create_batch(priced.incident, priced.version, by=both)
        Batch.objects.filter(pk=made.pk).update(state="priced", priced_at=priced.priced_at)
        AwardFactory(batch=made)
        made.refresh_from_db()
        self.refused(submit_batch(made, by=staff(Role.FINANCE)), both)

    def test_a_superuser_who_submitted(self):
        root = staff(is_superuser=True)
        self.refused(submit_batch(priced_batch(), by=root), root)

    def test_roles_without_the_permission(self):
        for role in set(Role) - {Role.FINANCE_APPROVER}:
            self.refused(submitted_batch(), staff(role))

    def test_somebody_inactive(self):
        self.refused(submitted_batch(), staff(Role.FINANCE_APPROVER, is_active=False))

    def test_somebody_who_is_no_staff(self):
        person = staff(Role.FINANCE_APPROVER)
        User.objects.filter(pk=person.pk).update(is_staff=False)
        self.refused(submitted_batch(), person)

    def test_a_power_that_only_memory_knows(self):
        person = staff()
        person.is_superuser = True
        self.refused(submitted_batch(), person)

    def test_an_api_key(self):
        from backoffice.rest.authentication import KeyHolder
        from backoffice.rest.models import ApiKey

        key, _secret = ApiKey.objects.create_key(name="Shop")
        self.refused(submitted_batch(), KeyHolder(key))

    def test_nobody(self):
        self.refused(submitted_batch(), AnonymousUser())
        self.refused(submitted_batch(), None)

    def test_without_a_second_factor(self, settings):
        settings.SECOND_FACTOR_REQUIRED = True
        self.refused(submitted_batch(), staff(Role.FINANCE_APPROVER))


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["amount_minor", "days"])
def test_approve_batch_refuses_tampered_awards(approver, field):
    batch = submitted_batch(awards=2)
    Award.objects.filter(pk=batch.awards.first().pk).update(**{field: 99999})
    with pytest.raises(MoveError, match="not those that were submitted"):
        approve_batch(batch, by=approver, digest=batch.digest)
    batch.refresh_from_db()
    assert (batch.state, batch.approvals.count()) == ("submitted", 0)


@pytest.mark.django_db
def test_approve_batch_refuses_another_digest(approver):
    batch = submitted_batch()
    with pytest.raises(MoveError, match="changed since you looked"):
        approve_batch(batch, by=approver, digest="0" * 64)


@pytest.mark.django_db
def test_approve_batch_names_the_batch_that_was_first(approver):
    first = submitted_batch(awards=2)
    second = priced_batch(awards=1, incident=first.incident)
    AwardFactory(batch=second, subscription=first.awards.first().subscription)
    submit_batch(second, by=staff(Role.FINANCE))
    approve(first)
    with pytest.raises(MoveError, match=f"1 of these awards .* in batch {first.number}"):
        approve_batch(second, by=approver, digest=second.digest)
    second.refresh_from_db()
    assert (second.state, second.approvals.count()) == ("submitted", 0)
    assert set(second.awards.values_list("state", flat=True)) == {"proposed"}


def capped():
    return activate(PolicyVersionFactory(cap_percent=50))


@pytest.mark.django_db
def test_approve_batch_refuses_caps_computed_without_goodwill(approver):
    """Goodwill given between submission and approval: only where caps look at it."""
    batch, free = submitted_batch(version=capped()), submitted_batch()
    for each in (batch, free):
        award = each.awards.get()
        AwardFactory(batch=None, source="goodwill", state="issued", subscription=award.subscription)
    with pytest.raises(MoveError, match="caps may be exceeded"):
        approve_batch(batch, by=approver, digest=batch.digest)
    assert approve(free).state == "approved"


@pytest.mark.django_db
def test_approve_batch_in_any_order_when_the_later_one_knew_of_the_first(approver):
    first = submitted_batch(version=capped())
    second = priced_batch(awards=0, version=capped())
    AwardFactory(batch=second, subscription=first.awards.get().subscription)
    submit_batch(second, by=staff(Role.FINANCE))
    assert approve(second).state == "approved"
    assert approve(first).state == "approved"


@pytest.mark.django_db(transaction=True)
def test_two_batches_priced_without_each_other_are_not_both_submitted():
    first, second = priced_batch(version=capped()), priced_batch(awards=0, version=capped())
    AwardFactory(batch=second, subscription=first.awards.get().subscription)
    person = staff(Role.FINANCE)
    start = threading.Barrier(2)

    def submit(batch):
        start.wait()
        try:
            return submit_batch(batch, by=person).state
        except ValidationError:
            return "refused"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(submit, (first, second))) == ["refused", "submitted"]


@pytest.mark.django_db
def test_reject_batch_wants_a_reason_and_is_final(approver):
    batch = submitted_batch()
    with pytest.raises(ValidationError):
        reject_batch(batch, by=approver, reason="")
    assert reject_batch(batch, by=approver, reason="Too much").state == "rejected"
    with pytest.raises(MoveError):
        approve_batch(batch, by=approver, digest=batch.digest)


@pytest.mark.django_db(transaction=True)
def test_two_approvers_at_the_same_moment_count_once_each(woken):
    """One signature is needed: of eight who sign at once, one wins and seven are told."""
    batch = submitted_batch(awards=3)
    people = [staff(Role.FINANCE_APPROVER) for _ in range(8)]
    start = threading.Barrier(len(people))

    def sign(person):
        start.wait()
        try:
            approve_batch(Batch.objects.get(pk=batch.pk), by=person, digest=batch.digest)
        except MoveError as error:
            return str(error)
        finally:
            connections.close_all()
        return "approved"

    with ThreadPoolExecutor(len(people)) as pool:
        answers = sorted(pool.map(sign, people))
    assert answers == ["This batch is approved: it does not wait for approval."] * 7 + ["approved"]
    assert batch.approvals.count() == 1
    assert woken == [1]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("woken")
def test_one_person_with_two_windows_signs_once():
    ApprovalThreshold.objects.create(currency="EUR", amount_minor=0)
    batch = submitted_batch()
    person = staff(Role.FINANCE_APPROVER)
    start = threading.Barrier(4)

    def sign(_number):
        start.wait()
        try:
            approve_batch(Batch.objects.get(pk=batch.pk), by=person, digest=batch.digest)
        except MoveError:
            return "refused"
        finally:
            connections.close_all()
        return "signed"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(sign, range(4))) == ["refused"] * 3 + ["signed"]
    batch.refresh_from_db()
    assert batch.state == "submitted"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("woken")
def test_two_batches_of_one_incident_at_the_same_moment_award_once():
    batches = [submitted_batch() for _ in range(2)]
    twin = batches[0].awards.get()
    Award.objects.filter(batch=batches[1]).delete()
    Batch.objects.filter(pk=batches[1].pk).update(incident=twin.incident, state="priced")
    batches[1].refresh_from_db()
    AwardFactory(batch=batches[1], subscription=twin.subscription)
    Batch.objects.filter(pk=batches[1].pk).update(priced_at=batches[0].submitted_at)
    Batch.objects.filter(pk=batches[0].pk).update(submitted_at=batches[0].priced_at)
    submit_batch(batches[1], by=staff(Role.FINANCE))
    people = [staff(Role.FINANCE_APPROVER) for _ in range(2)]
    start = threading.Barrier(2)

    def sign(number):
        start.wait()
        try:
            approve_batch(batches[number], by=people[number], digest=batches[number].digest)
        except MoveError:
            return "refused"
        finally:
            connections.close_all()
        return "approved"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(sign, range(2))) == ["approved", "refused"]
    assert Award.objects.filter(state="approved").count() == 1
