"""Taking awards back, against the sandbox: bounded by what is left, once whatever happens."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation.issuing import issue, stop_issuing
from compensation.issuing.lock import IssuerLock
from compensation.ledger import NewEntry, balance, record_entries, verify_chain
from compensation.models import ApprovalThreshold, Award, IssuingControl, LedgerEntry, Reversal
from compensation.remaining import consumable, remaining
from compensation.reversing import (
    approve_request,
    ask_for_award,
    ask_for_batch,
    has_reversals,
    refusal,
    reject_request,
    retry_reversals,
    take_back,
    withdraw_request,
    writing,
)
from compensation.reversing.claiming import claim, recover
from tests.accounts.factories import staff
from tests.compensation.factories import AwardFactory
from tests.compensation.stories import approve, change_behind_our_back, priced_batch, seed_sandbox

pytestmark = pytest.mark.django_db

DEBITS = {"method": "POST", "path": "/balance_transactions", "count": 1}


@pytest.fixture
def issued(batch):
    """Five credits of EUR 49.90, booked at the sandbox."""
    issue()
    batch.refresh_from_db()
    return batch


def ask(what, **fields):
    fields = {"cause": "mistake", "reason": "Wrong list", "by": staff(Role.FINANCE), **fields}
    verb = ask_for_award if isinstance(what, Award) else ask_for_batch
    return verb(what, **fields)


def sign(request):
    approve_request(request, by=staff(Role.FINANCE_APPROVER), digest=request.digest)
    return request


def use(sandbox, award, amount_minor, *, is_known=True):
    """An invoice took some of the customer's credit, and we have heard of it or not."""
    seen = sandbox.client().v1.customers.balance_transactions.create(
        award.destination, {"amount": amount_minor, "currency": "eur"}
    )
    if is_known:
        record_entries(
            [
                NewEntry(
                    kind="consumed",
                    customer_id=award.customer_id,
                    award_id=award.pk,
                    amount_minor=-amount_minor,
                    currency="EUR",
                    stripe_id=seen.id,
                    note="2026-0611",
                    booked_at=timezone.now(),
                )
            ]
        )


def at_stripe(sandbox, award):
    return sandbox.client().v1.customers.retrieve(award.destination).balance


def debits(sandbox):
    return sandbox.totals("amends_reversal")["currencies"].get("eur", {}).get("debited_minor", 0)


def test_batch_is_taken_back(issued, issuing):
    request = ask(issued)
    assert (request.state, request.approvals_needed) == ("asked", 1)
    assert not has_reversals()
    sign(request)
    assert has_reversals()
    tally = take_back()
    assert (tally.done, tally.failed, tally.unknown, tally.has_more) == (5, 0, 0, False)
    request.refresh_from_db()
    assert request.state == "done"
    assert set(issued.awards.values_list("state", "reversed_minor")) == {("reversed", 4990)}
    assert set(remaining(issued.awards.values_list("pk", flat=True)).values()) == {0}
    assert debits(issuing) == 5 * 4990
    award = issued.awards.first()
    assert at_stripe(issuing, award) == 0
    assert balance(award.customer, "EUR") == 0
    entry = award.ledger_entries.get(kind="reversal")
    assert (entry.amount_minor, entry.note) == (-4990, f"R-{request.pk}")
    assert entry.stripe_id == award.reversals.get().stripe_id
    assert not list(verify_chain())
    assert not has_reversals()


def test_only_what_is_left_is_taken(issued, issuing):
    award = issued.awards.first()
    use(issuing, award, 1200)
    request = sign(ask(award))
    assert request.reversals.get().limit_minor == 3790
    assert take_back().done == 1
    award.refresh_from_db()
    assert (award.state, award.reversed_minor) == ("reversed", 3790)
    assert at_stripe(issuing, award) == 0
    assert remaining([award.pk]) == {award.pk: 0}


def test_what_was_used_after_asking_stays(issued, issuing):
    award = issued.awards.first()
    request = sign(ask(award))
    use(issuing, award, 1200)
    take_back()
    assert request.reversals.get().amount_minor == 3790
    assert at_stripe(issuing, award) == 0


def test_what_stripe_used_before_we_heard_of_it_stays(issued, issuing):
    award = issued.awards.first()
    request = sign(ask(award))
    use(issuing, award, 1200, is_known=False)
    assert take_back().done == 1
    reversal = request.reversals.get()
    assert (reversal.limit_minor, reversal.seen_minor, reversal.amount_minor) == (4990, 3790, 3790)
    assert at_stripe(issuing, award) == 0
    assert remaining([award.pk]) == {award.pk: 1200}


def test_nothing_is_taken_where_all_was_used(issued, issuing):
    award = issued.awards.first()
    request = sign(ask(award))
    use(issuing, award, 4990, is_known=False)
    assert take_back().done == 0
    request.refresh_from_db()
    award.refresh_from_db()
    assert (request.state, request.reversals.get().state) == ("done", "nothing")
    assert (award.state, award.reversed_minor) == ("issued", 0)
    assert debits(issuing) == 0


def test_two_awards_of_one_customer_share_stripes_balance(issued, issuing):
    """Each would fit by itself; together they would take more than there is."""
    first = issued.awards.first()
    second = AwardFactory(
        batch=None, source="goodwill", subscription=first.subscription, state="approved",
        destination=first.destination,
    )  # fmt: skip
    issue()
    use(issuing, first, 4990, is_known=False)
    for award in (first, second):
        award.refresh_from_db()
        sign(ask(award))
    take_back()
    assert at_stripe(issuing, first) == 0
    assert sorted(Reversal.objects.values_list("state", "amount_minor")) == [
        ("done", 4990),
        ("nothing", 0),
    ]


@pytest.mark.parametrize(
    "fault",
    ["lost_answer", "truncated", "error_500_kept", "error_500_lost", "rate_limit", "unread"],
)
def test_taken_back_once_whatever_happens(issued, issuing, fault, monkeypatch):
    monkeypatch.setattr("compensation.reversing.run.PAUSES_SECONDS", (0.05,))
    if fault == "unread":
        issuing.faults(
            {"kind": "error_500_lost", "method": "GET", "path": "/customers", "count": 2}
        )
    else:
        issuing.faults({"kind": fault, **DEBITS})
    sign(ask(issued))
    assert take_back().done == 5
    assert debits(issuing) == 5 * 4990
    assert LedgerEntry.objects.filter(kind="reversal").count() == 5


@pytest.mark.parametrize("hours", [1, 24])
@pytest.mark.parametrize("was_sent", [False, True])
def test_left_sending_is_settled(issued, issuing, hours, was_sent):
    award = issued.awards.first()
    request = sign(ask(award))
    (order,) = claim(limit=1)
    if was_sent:
        issuing.client().v1.customers.balance_transactions.create(
            order.destination, order.parameters, {"idempotency_key": order.key}
        )
    Reversal.objects.update(first_sent_at=timezone.now() - timedelta(hours=hours))
    if hours == 24:
        issuing.advance(25 * 3600)
    assert take_back().done == 1
    assert debits(issuing) == 4990
    is_same_key = request.reversals.get().idempotency_key == order.key
    assert is_same_key == (hours == 1 or was_sent)


def test_a_run_that_lost_its_lock_gives_nothing_back(issued, issuing):
    """Another one has it in hand, and may have sent it."""
    award = issued.awards.first()
    request = sign(ask(award))
    (stale,) = claim(limit=1)
    (recovered,) = recover()
    writing.give_back(stale)
    writing.write_short(stale, 0)
    assert writing.write_failed(stale, "x", "x") == 0
    assert request.reversals.get().idempotency_key == recovered.order.key == stale.key
    assert request.reversals.get().state == "sending"


def test_amount_under_way_is_not_consumable(issued):
    award = issued.awards.first()
    sign(ask(award))
    assert consumable([award.pk]) == {award.pk: 4990}
    claim(limit=1)
    assert remaining([award.pk]) == {award.pk: 4990}
    assert consumable([award.pk]) == {award.pk: 0}


def test_another_issuer_is_waited_for(issued):
    sign(ask(issued))
    with IssuerLock():
        assert take_back() is None


def test_stopped_issuing_stops_reversals(issued, issuing):
    sign(ask(issued))
    stop_issuing(by=staff(Role.FINANCE), reason="x")
    assert take_back().done == 0
    assert debits(issuing) == 0


def test_refused_key_stops_everything(issued, issuing, settings):
    sign(ask(issued))
    settings.STRIPE_API_KEY = "sk_live_revoked"
    take_back()
    assert IssuingControl.objects.get().is_stopped
    assert set(Reversal.objects.values_list("state", "idempotency_key")) == {("approved", "")}


def test_refusal_of_stripe_fails_it_and_is_sent_again(issued, issuing):
    award = issued.awards.first()
    request = sign(ask(award))
    issuing.client().v1.customers.delete(award.destination)
    assert take_back().failed == 1
    request.refresh_from_db()
    assert request.state == "done"
    assert request.reversals.get().error_message == "The customer was deleted at Stripe."
    assert retry_reversals(request, by=staff(Role.FINANCE)) == 1
    assert request.state == "approved"
    with pytest.raises(MoveError):
        retry_reversals(request, by=staff(Role.FINANCE))


class TestTrial:
    @pytest.fixture
    def target(self):
        return (timezone.now() + timedelta(days=20)).replace(microsecond=0)

    @pytest.fixture
    def award(self, issuing, target):
        batch = priced_batch(awards=0)
        award = AwardFactory(
            batch=batch, benefit="trial", amount_minor=0, currency="", days=7,
            trial_end_target=target,
        )  # fmt: skip
        seed_sandbox(issuing, batch)
        return award

    def given(self, award):
        approve(award.batch)
        issue()
        award.refresh_from_db()
        return award

    def set_trial(self, sandbox, award, end):
        sandbox.client().v1.subscriptions.update(
            award.subscription.stripe_subscription_id,
            {"trial_end": int(end.timestamp()), "proration_behavior": "none"},
        )

    def seen(self, sandbox, award):
        return sandbox.client().v1.subscriptions.retrieve(award.destination)

    @pytest.mark.parametrize("before", [10, None])
    def test_back_to_what_it_was(self, award, issuing, target, before):
        """Also to a date that another person had set, and that our promise did not count on."""
        expected = target - timedelta(days=7)
        if before:
            expected = target - timedelta(days=before)
            self.set_trial(issuing, award, expected)
        self.given(award)
        sign(ask(award))
        assert take_back().done == 1
        award.refresh_from_db()
        award.subscription.refresh_from_db()
        assert self.seen(issuing, award).trial_end == int(expected.timestamp())
        assert (award.state, award.subscription.trial_end) == ("reversed", expected)
        assert award.ledger_entries.get(kind="reversal").amount_minor == 0

    @pytest.mark.parametrize("days", [-3, 3])
    def test_not_when_the_date_is_not_ours_any_more(self, award, issuing, target, days):
        self.given(award)
        request = sign(ask(award))
        self.set_trial(issuing, award, target + timedelta(days=days))
        assert take_back().failed == 1
        assert request.reversals.get().error_code == "trial_end_changed"
        end = int((target + timedelta(days=days)).timestamp())
        assert self.seen(issuing, award).trial_end == end
        award.refresh_from_db()
        assert award.state == "issued"

    def test_never_into_the_past(self, award, issuing, target):
        self.set_trial(issuing, award, timezone.now() + timedelta(hours=1))
        self.given(award)
        sign(ask(award))
        assert take_back().done == 1
        left = self.seen(issuing, award).trial_end - timezone.now().timestamp()
        assert 23.9 * 3600 < left <= 24 * 3600

    def test_nothing_where_less_than_a_day_is_left(self, award, issuing):
        self.given(award)
        request = sign(ask(award))
        change_behind_our_back(
            award, trial_end_target=timezone.now() + timedelta(hours=20), trial_end_before=None
        )
        take_back()
        assert request.reversals.get().state == "nothing"

    @pytest.mark.parametrize("fault", ["lost_answer", "error_500_kept", "truncated"])
    def test_once_whatever_happens(self, award, issuing, target, fault, monkeypatch):
        monkeypatch.setattr("compensation.reversing.run.PAUSES_SECONDS", (0.05,))
        self.given(award)
        sign(ask(award))
        issuing.faults({"kind": fault, "method": "POST", "path": "/subscriptions", "count": 1})
        assert take_back().done == 1
        expected = target - timedelta(days=7)
        assert self.seen(issuing, award).trial_end == int(expected.timestamp())


def test_priority_ends(issuing):
    award = AwardFactory(
        batch=None, source="goodwill", benefit="priority", amount_minor=0, currency="", days=30,
        state="issued", priority_until=timezone.now() + timedelta(days=30),
    )  # fmt: skip
    sign(ask(award))
    take_back()
    award.refresh_from_db()
    assert (award.state, award.priority_until <= timezone.now()) == ("reversed", True)
    assert award.ledger_entries.get().kind == "reversal"
    assert award.reversals.get().state == "done"


class TestFourEyes:
    @pytest.fixture
    def award(self, issuing):
        award = AwardFactory(state="issued", batch__state="issued")
        record_entries(
            [
                NewEntry(
                    kind="credit",
                    customer_id=award.customer_id,
                    award_id=award.pk,
                    amount_minor=4990,
                    currency="EUR",
                    booked_at=timezone.now(),
                )
            ]
        )
        return award

    def test_who_asked_cannot_approve(self, award):
        person = staff(Role.FINANCE, Role.FINANCE_APPROVER)
        request = ask(award, by=person)
        with pytest.raises(PermissionDenied, match="You asked"):
            approve_request(request, by=person, digest=request.digest)
        assert "You asked" in refusal(request, person)

    def test_needs_permission(self, award):
        for person in (staff(Role.SUPPORT_LEAD), staff(Role.AUDITOR), None):
            with pytest.raises(PermissionDenied):
                ask(award, by=person)
        request = ask(award)
        for person in (staff(Role.FINANCE), staff(Role.ADMINISTRATOR)):
            with pytest.raises(PermissionDenied):
                approve_request(request, by=person, digest=request.digest)
            with pytest.raises(PermissionDenied):
                reject_request(request, by=person, reason="x")

    def test_needs_words(self, award):
        with pytest.raises(ValidationError, match="Say why"):
            ask(award, reason=" ")
        with pytest.raises(ValidationError, match="Choose what"):
            ask(award, cause="because")

    def test_large_ones_take_two(self, award):
        ApprovalThreshold.objects.create(currency="EUR", amount_minor=4989)
        request = ask(award)
        person = staff(Role.FINANCE_APPROVER)
        approve_request(request, by=person, digest=request.digest)
        assert request.state == "asked"
        with pytest.raises(MoveError, match="another person"):
            approve_request(request, by=person, digest=request.digest)
        sign(request)
        assert request.state == "approved"
        assert request.reversals.get().state == "approved"

    def test_what_was_signed_is_what_is_taken(self, award):
        request = ask(award)
        with pytest.raises(MoveError, match="not those"):
            approve_request(request, by=staff(Role.FINANCE_APPROVER), digest="0" * 64)
        sign(request)
        Reversal.objects.update(limit_minor=9990)
        take_back()
        request.refresh_from_db()
        assert "not those" in request.problem
        assert Reversal.objects.get().state == "approved"

    def test_asked_for_once(self, award):
        request = ask(award)
        for what in (award, award.batch):
            with pytest.raises(MoveError):
                ask(what)
        reject_request(request, by=staff(Role.FINANCE_APPROVER), reason="It was right")
        assert (request.state, request.answer) == ("rejected", "It was right")
        assert Reversal.objects.get().state == "dropped"
        again = ask(award.batch)
        withdraw_request(again, by=staff(Role.FINANCE), reason="Found out")
        assert again.state == "withdrawn"
        with pytest.raises(MoveError):
            sign(again)

    def test_only_what_is_issued(self):
        with pytest.raises(MoveError, match="only an issued one"):
            ask(AwardFactory())
        with pytest.raises(MoveError, match="only an issued or paused"):
            ask(priced_batch())

    def test_nothing_left(self, award):
        record_entries(
            [
                NewEntry(
                    kind="consumed",
                    customer_id=award.customer_id,
                    award_id=award.pk,
                    amount_minor=-4990,
                    currency="EUR",
                    booked_at=timezone.now(),
                )
            ]
        )
        with pytest.raises(MoveError, match="Nothing is left"):
            ask(award)

    def test_by_key_for_the_api(self, award):
        request = ask(award, by=None, key="host app")
        assert (request.asked_by, request.asked_by_key) == (None, "host app")
        sign(request)
