import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from backoffice.accounts.roles import Role
from backoffice.states import MoveError
from compensation import goodwill
from compensation.approval import approve_batch, refusal, reject_batch
from compensation.batches import price_batch, submit_batch
from compensation.gestures import Gesture
from compensation.goodwill import (
    already_given,
    give_goodwill,
    incident_gives,
    propose_goodwill,
)
from compensation.issuing import issue, retry_award
from compensation.models import ApprovalThreshold, Award, Batch, LedgerEntry, PolicyVersion
from tests.accounts.factories import staff
from tests.compensation.factories import (
    AwardFactory,
    BatchFactory,
    PolicyVersionFactory,
    activate,
)
from tests.compensation.stories import approve, priced_batch, submitted_batch
from tests.customers.factories import CustomerFactory, SubscriptionFactory
from tests.incidents.factories import ExposureFactory, IncidentFactory


@pytest.fixture(autouse=True)
def woken(monkeypatch):
    calls: list[int] = []
    monkeypatch.setattr(goodwill, "wake_issuing", lambda: calls.append(1))
    monkeypatch.setattr("compensation.approval.wake_issuing", lambda: None)
    return calls


@pytest.fixture
def agent(db):
    return staff(Role.SUPPORT_AGENT)


def gesture(customer=None, **fields):
    fields = {
        "benefit": "credit",
        "amount_minor": 2000 if fields.get("benefit", "credit") == "credit" else 0,
        "currency": "EUR" if fields.get("benefit", "credit") == "credit" else "",
        "origin": "T-10482",
        "reason": "Sorry for the long wait.",
        "key": "T-10482/1",
        **fields,
    }
    return Gesture(customer=customer or CustomerFactory.create(), **fields)


def default_policy(**terms):
    return activate(PolicyVersionFactory(policy__is_default=True, **terms))


class TestGive:
    pytestmark = pytest.mark.django_db

    def test_binds_at_once_and_wakes_issuing(
        self, agent, woken, django_capture_on_commit_callbacks
    ):
        with django_capture_on_commit_callbacks(execute=True):
            award = give_goodwill(gesture(), by=agent)
        award.refresh_from_db()
        assert (award.state, award.source, award.batch) == ("approved", "goodwill", None)
        assert (award.amount_minor, award.currency) == (2000, "EUR")
        assert (award.given_by, award.origin) == (agent, "T-10482")
        assert award.reason == "Sorry for the long wait."
        assert award.destination == award.customer.stripe_customer_id
        assert woken == [1]

    def test_the_same_key_gives_once(self, agent):
        meant = gesture()
        assert give_goodwill(meant, by=agent) == give_goodwill(meant, by=agent)
        assert Award.objects.count() == 1

    def test_the_same_key_never_gives_something_else(self, agent):
        meant = gesture()
        give_goodwill(meant, by=agent)
        with pytest.raises(MoveError, match="Something else"):
            give_goodwill(gesture(meant.customer, amount_minor=2500), by=agent)
        with pytest.raises(MoveError, match="Something else"):
            give_goodwill(gesture(), by=agent)
        with pytest.raises(MoveError, match="given already"):
            propose_goodwill(meant, by=agent)

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"reason": "  "}, "reason"),
            ({"reason": "a" * 501}, "reason"),
            ({"amount_minor": 0}, "amount"),
            ({"amount_minor": -100}, "amount"),
            ({"amount_minor": 100_000_000}, "amount"),
            ({"currency": "XXY"}, "currency"),
            ({"currency": "USD"}, "currency"),
            ({"days": 3}, "days"),
            ({"benefit": "cake"}, "benefit"),
            ({"benefit": "priority", "days": 0}, "days"),
            ({"benefit": "priority", "days": 731}, "days"),
            ({"benefit": "priority", "days": 7, "amount_minor": 100}, "amount"),
            ({"benefit": "trial", "days": 7}, "subscription"),
        ],
    )
    def test_refuses_what_cannot_be_given(self, agent, fields, wrong):
        with pytest.raises(ValidationError) as caught:
            give_goodwill(gesture(**fields), by=agent)
        assert list(caught.value.message_dict) == [wrong]
        assert not Award.objects.exists()

    def test_refuses_whoever_stripe_does_not_know(self, agent):
        with pytest.raises(ValidationError) as caught:
            give_goodwill(gesture(CustomerFactory(stripe_customer_id=None)), by=agent)
        assert list(caught.value.message_dict) == ["customer"]

    def test_refuses_anothers_subscription(self, agent):
        with pytest.raises(ValidationError) as caught:
            give_goodwill(gesture(subscription=SubscriptionFactory()), by=agent)
        assert list(caught.value.message_dict) == ["subscription"]

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.SUPPORT_AGENT, Role.SUPPORT_LEAD}))
    def test_only_support_gives(self, role):
        with pytest.raises(PermissionDenied):
            give_goodwill(gesture(), by=staff(role))
        with pytest.raises(PermissionDenied):
            propose_goodwill(gesture(), by=staff(role))

    def test_trial_days_come_after_all_that_is_promised(self, agent):
        subscription = SubscriptionFactory(
            status="trialing", trial_end=timezone.now() + timedelta(days=3)
        )
        first, second = (
            give_goodwill(
                gesture(subscription.customer, benefit="trial", days=7, subscription=subscription,
                        key=key),
                by=agent,
            )
            for key in ("1", "2")
        )  # fmt: skip
        assert first.trial_end_target == subscription.trial_end + timedelta(days=7)
        assert second.trial_end_target == subscription.trial_end + timedelta(days=14)
        assert first.destination == subscription.stripe_subscription_id

    def test_trial_days_need_a_running_subscription(self, agent):
        for fields in ({"status": "canceled"}, {"stripe_subscription_id": None}):
            subscription = SubscriptionFactory(**fields)
            meant = gesture(
                subscription.customer, benefit="trial", days=7, subscription=subscription
            )
            with pytest.raises(ValidationError):
                give_goodwill(meant, by=agent)

    def test_the_database_wants_to_know_who_and_why(self, agent):
        for fields in ({"reason": "", "given_by": agent}, {"reason": "Sorry", "given_by": None}):
            with pytest.raises(IntegrityError), transaction.atomic():
                AwardFactory(batch=None, source="goodwill", **fields)


class TestCaps:
    pytestmark = pytest.mark.django_db

    def test_more_than_fits_is_refused_with_what_does(self, agent):
        default_policy(cap_amounts={"EUR": 5000})
        customer = CustomerFactory.create()
        give_goodwill(gesture(customer, key="1", amount_minor=2999), by=agent)
        with pytest.raises(ValidationError, match=r"EUR 20.02 is too much, EUR 20.01 would fit"):
            give_goodwill(gesture(customer, key="2", amount_minor=2002), by=agent)
        award = give_goodwill(gesture(customer, key="3", amount_minor=2001), by=agent)
        assert (award.cap_minor, award.given_minor) == (5000, 2999)
        with pytest.raises(ValidationError, match="Nothing more fits"):
            give_goodwill(gesture(customer, key="4", amount_minor=1), by=agent)

    def test_awards_of_batches_count_in_their_incidents_period(self, agent):
        default_policy(cap_amounts={"EUR": 6000})
        waiting = submitted_batch()
        customer = waiting.awards.get().customer
        of_october = gesture(
            customer, incident=waiting.incident, despite="They lost a day.", amount_minor=1011
        )
        with pytest.raises(ValidationError, match=r"EUR 10.10 would fit"):
            give_goodwill(of_october, by=agent)
        give_goodwill(gesture(customer, amount_minor=6000), by=agent)

    def test_what_was_refused_or_left_out_does_not_count(self, agent):
        default_policy(cap_amounts={"EUR": 6000})
        subscription = SubscriptionFactory.create()
        for state, batch in (("excluded", {}), ("failed", {}), ("proposed", {"state": "rejected"})):
            AwardFactory(state=state, batch=BatchFactory(**batch), subscription=subscription)
        give_goodwill(
            gesture(
                subscription.customer,
                incident=IncidentFactory(),
                amount_minor=6000,
            ),
            by=agent,
        )

    def test_other_currencies_are_not_capped(self, agent):
        default_policy(cap_amounts={"USD": 1})
        give_goodwill(gesture(), by=agent)

    def test_a_subscriptions_share_of_its_fee_bounds_too(self, agent):
        default_policy(cap_percent=10)
        subscription = SubscriptionFactory.create(fee_minor=9999)
        meant = gesture(subscription.customer, subscription=subscription, amount_minor=1000)
        with pytest.raises(ValidationError, match=r"EUR 9.99 would fit"):
            give_goodwill(meant, by=agent)

    def test_a_batch_that_waits_is_approved_although_goodwill_came_since(self, agent):
        """The goodwill has counted the batch's awards: both together stay below the cap."""
        version = default_policy(cap_amounts={"EUR": 6000})
        waiting = submitted_batch(version=version)
        give_goodwill(
            gesture(
                waiting.awards.get().customer,
                incident=waiting.incident,
                despite="They lost a day.",
                amount_minor=1010,
            ),
            by=agent,
        )
        assert approve(waiting).state == "approved"

    def test_failed_goodwill_is_not_sent_again_above_a_cap(self, agent):
        customer = CustomerFactory.create()
        failed = give_goodwill(gesture(customer), by=agent)
        Award.objects.filter(pk=failed.pk).update(state="failed")
        default_policy(cap_amounts={"EUR": 3000})
        give_goodwill(gesture(customer, key="2", amount_minor=1001), by=agent)
        with pytest.raises(MoveError, match=r"EUR 19.99 would fit"):
            retry_award(failed, by=staff(Role.FINANCE))


class TestAlreadyGiven:
    pytestmark = pytest.mark.django_db

    def test_lists_what_an_incident_gives(self):
        batch = priced_batch()
        award = batch.awards.get()
        AwardFactory(batch=batch, subscription__customer=award.customer, state="excluded")
        gone = BatchFactory(incident=batch.incident, state="cancelled")
        AwardFactory(batch=gone, subscription=award.subscription)
        AwardFactory(subscription=award.subscription)
        AwardFactory(batch=batch)
        given = AwardFactory(
            batch=None, source="goodwill", incident=batch.incident, state="issued",
            subscription=award.subscription,
        )  # fmt: skip
        assert already_given(award.customer, batch.incident) == [award, given]

    def test_more_needs_a_word_why(self, agent):
        batch = priced_batch()
        meant = {"customer": batch.awards.get().customer, "incident": batch.incident}
        with pytest.raises(ValidationError) as caught:
            give_goodwill(gesture(**meant), by=agent)
        assert list(caught.value.message_dict) == ["despite"]
        award = give_goodwill(gesture(**meant, despite="The router broke, too."), by=agent)
        assert award.despite == "The router broke, too."

    def test_a_first_gift_needs_none(self, agent):
        give_goodwill(gesture(incident=IncidentFactory()), by=agent)


class TestPropose:
    pytestmark = pytest.mark.django_db

    def test_waits_for_somebody_else(self, agent):
        batch = propose_goodwill(gesture(), by=agent)
        batch.refresh_from_db()
        award = batch.awards.get()
        assert (batch.state, batch.kind, batch.incident, batch.version) == (
            "submitted",
            "goodwill",
            None,
            None,
        )
        assert (batch.created_by, batch.submitted_by, award.state) == (agent, agent, "proposed")
        agent.groups.add(*staff(Role.FINANCE_APPROVER).groups.all())
        assert "another person" in refusal(batch, agent)
        with pytest.raises(PermissionDenied):
            approve_batch(batch, by=agent, digest=batch.digest)

    def test_the_same_key_asks_once(self, agent):
        meant = gesture()
        assert propose_goodwill(meant, by=agent) == propose_goodwill(meant, by=agent)
        with pytest.raises(MoveError, match="waits for finance"):
            give_goodwill(meant, by=agent)

    def test_thresholds_ask_for_two(self, agent):
        ApprovalThreshold.objects.create(currency="EUR", amount_minor=1999)
        assert propose_goodwill(gesture(), by=agent).approvals_needed == 2

    def test_approval_binds_it(self, agent):
        batch = approve(propose_goodwill(gesture(), by=agent))
        award = batch.awards.get()
        assert (batch.state, award.state) == ("approved", "approved")
        assert award.destination == award.customer.stripe_customer_id

    def test_reason_is_signed(self, agent):
        batch = propose_goodwill(gesture(), by=agent)
        batch.awards.update(reason="Because.")
        with pytest.raises(MoveError, match="not those that were submitted"):
            approve(batch)

    def test_approval_refuses_what_caps_no_longer_leave(self, agent):
        batch = propose_goodwill(gesture(), by=agent)
        default_policy(cap_amounts={"EUR": 1999})
        with pytest.raises(MoveError, match=r"EUR 19.99 would fit.*Reject"):
            approve(batch)
        assert batch.awards.get().state == "proposed"

    def test_what_waits_counts(self, agent):
        default_policy(cap_amounts={"EUR": 3000})
        customer = CustomerFactory.create()
        batch = propose_goodwill(gesture(customer), by=agent)
        with pytest.raises(ValidationError, match=r"EUR 10.00 would fit"):
            propose_goodwill(gesture(customer, key="2"), by=agent)
        reject_batch(batch, by=staff(Role.FINANCE_APPROVER), reason="Too much.")
        propose_goodwill(gesture(customer, key="2", amount_minor=3000), by=agent)

    def test_nothing_prices_or_submits_it_again(self, agent):
        batch = propose_goodwill(gesture(), by=agent)
        with pytest.raises(MoveError):
            price_batch(batch, by=staff(Role.FINANCE))
        Batch.objects.filter(pk=batch.pk).update(state="priced")
        batch.refresh_from_db()
        for verb in (price_batch, submit_batch):
            with pytest.raises(MoveError, match="no policy prices it"):
                verb(batch, by=staff(Role.FINANCE))

    def test_the_database_keeps_the_kinds_apart(self):
        for fields in ({"kind": "goodwill"}, {"incident": None}, {"version": None}):
            with pytest.raises(IntegrityError), transaction.atomic():
                BatchFactory(**fields)


def at_once(*verbs):
    """Each in a thread and connection of its own, starting together; what each gave or raised."""
    barrier = threading.Barrier(len(verbs))

    def run(verb):
        try:
            barrier.wait(timeout=60)
            return verb()
        except (MoveError, ValidationError) as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(verbs)) as pool:
        return list(pool.map(run, verbs))


class TestAtOnce:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_two_clicks_give_once(self):
        meant, agent = gesture(), staff(Role.SUPPORT_AGENT)
        done = at_once(*[lambda: give_goodwill(meant, by=agent)] * 4)
        assert len(set(done)) == 1
        assert Award.objects.count() == 1

    def test_agents_never_exceed_a_cap_together(self):
        default_policy(cap_amounts={"EUR": 5000})
        customer = CustomerFactory.create()
        agents = [staff(Role.SUPPORT_AGENT) for _ in range(4)]

        def verb(n):
            act = give_goodwill if n % 2 else propose_goodwill
            return lambda: act(gesture(customer, key=str(n)), by=agents[n])

        done = at_once(*[verb(n) for n in range(4)])
        assert sum(isinstance(each, ValidationError) for each in done) == 2
        assert sum(Award.objects.values_list("amount_minor", flat=True)) == 4000


class TestIssuing:
    pytestmark = pytest.mark.django_db(transaction=True)

    def known(self, sandbox, **fields):
        """A customer of the sandbox, with a subscription there."""
        subscription = SubscriptionFactory.create(**fields)
        sandbox.seed(
            [
                {
                    "reference": subscription.customer.reference,
                    "customer": {"id": subscription.customer.stripe_customer_id, "name": "Acme"},
                    "subscription": {
                        "id": subscription.stripe_subscription_id,
                        "items": [
                            {
                                "price_data": {
                                    "currency": "eur",
                                    "unit_amount": 49900,
                                    "recurring": {"interval": "month"},
                                    "product_data": {"name": "Business"},
                                }
                            }
                        ],
                    },
                }
            ]
        )
        return subscription

    def test_all_benefits_reach_the_customer_once(self, issuing):
        agent, subscription = staff(Role.SUPPORT_AGENT), self.known(issuing)
        customer = subscription.customer
        meant = [
            gesture(customer, key="1"),
            gesture(customer, key="2", benefit="trial", days=14, subscription=subscription),
            gesture(customer, key="3", benefit="priority", days=30),
        ]
        awards = [give_goodwill(each, by=agent) for each in meant]
        issue()
        issue()
        for award in awards:
            award.refresh_from_db()
        assert [award.state for award in awards] == ["issued"] * 3
        assert sorted(LedgerEntry.objects.values_list("kind", "amount_minor")) == [
            ("credit", 2000),
            ("priority", 0),
            ("trial", 0),
        ]
        v1 = issuing.client().v1
        booked = v1.customers.balance_transactions.list(customer.stripe_customer_id).data
        assert [(line.amount, line.description) for line in booked] == [
            (-2000, "Goodwill credit, ticket T-10482")
        ]
        at_stripe = v1.subscriptions.retrieve(subscription.stripe_subscription_id)
        target = awards[1].trial_end_target.replace(microsecond=0)
        assert datetime.fromtimestamp(at_stripe.trial_end, UTC) == target

    def test_above_the_limit_it_is_issued_once_finance_approved(self, issuing):
        subscription = self.known(issuing)
        batch = propose_goodwill(gesture(subscription.customer), by=staff(Role.SUPPORT_AGENT))
        issue()
        assert batch.awards.get().state == "proposed"
        approve(batch)
        issue()
        batch.refresh_from_db()
        assert (batch.state, batch.awards.get().state) == ("issued", "issued")
        assert LedgerEntry.objects.get().amount_minor == 2000

    def test_a_paused_batch_of_goodwill_waits(self, issuing):
        from compensation.issuing import has_work, pause_batch, resume_batch

        subscription, finance = self.known(issuing), staff(Role.FINANCE)
        batch = approve(
            propose_goodwill(gesture(subscription.customer), by=staff(Role.SUPPORT_AGENT))
        )
        assert has_work()
        pause_batch(batch, by=finance, reason="Wait.")
        assert not has_work()
        issue()
        assert batch.awards.get().state == "approved"
        resume_batch(batch, by=finance)
        issue()
        assert batch.awards.get().state == "issued"

    def test_priority_support_of_a_batch_is_issued(self, issuing):
        agent = staff(Role.SUPPORT_AGENT)
        batch = approve(propose_goodwill(gesture(benefit="priority", days=30), by=agent))
        issue()
        batch.refresh_from_db()
        assert (batch.state, batch.awards.get().state) == ("issued", "issued")


class TestExpected:
    """Before any batch is priced, what the default policy would give counts, too."""

    pytestmark = pytest.mark.django_db

    @pytest.fixture
    def hit(self):
        from tests.compensation.factories import RuleFactory

        version = PolicyVersionFactory(policy__is_default=True)
        RuleFactory(version=version, position=1, uptime_to=100, trial_days=7, priority_days=30)
        activate(version)
        ExposureFactory(cohort__incident=(exposure := ExposureFactory()).incident)
        return exposure

    def test_every_benefit_of_this_customer_alone(self, hit):
        found = incident_gives(hit.customer, hit.incident)
        assert [(a.benefit, a.amount_minor, a.days, a.customer, a.pk) for a in found] == [
            ("credit", 4990, 0, hit.customer, None),
            ("trial", 0, 7, hit.customer, None),
            ("priority", 0, 30, hit.customer, None),
        ]

    def test_as_the_batch_then_prices_it(self, hit):
        expected = incident_gives(hit.customer, hit.incident)
        version = PolicyVersion.objects.get()
        batch = price_batch(
            Batch.objects.create(number="1", incident=hit.incident, version=version)
        )
        priced = batch.awards.filter(customer=hit.customer).order_by("id")
        assert [(a.benefit, a.amount_minor, a.days) for a in priced] == [
            (a.benefit, a.amount_minor, a.days) for a in expected
        ]
        assert incident_gives(hit.customer, hit.incident) == list(priced)

    def test_more_needs_a_word_why(self, agent, hit):
        with pytest.raises(ValidationError) as caught:
            give_goodwill(gesture(hit.customer, incident=hit.incident), by=agent)
        assert list(caught.value.message_dict) == ["despite"]

    def test_who_was_not_hit_expects_nothing(self, agent, hit):
        give_goodwill(gesture(incident=hit.incident), by=agent)
