from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.html import strip_tags

from backoffice.customers.models import Contact
from compensation.credits import TakenBack, Use, credits_of
from compensation.ledger import NewEntry, record_entries
from compensation.models import Reversal, ReversalRequest
from tests.accounts.factories import UserFactory
from tests.compensation.factories import AwardFactory
from tests.customers.factories import CustomerFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def subscription():
    return SubscriptionFactory()


def issued(subscription, **fields):
    now = timezone.now()
    award = AwardFactory(subscription=subscription, state="issued", issued_at=now, **fields)
    record_entries(
        [
            NewEntry(
                kind=award.benefit,
                customer_id=award.customer_id,
                award_id=award.pk,
                amount_minor=award.amount_minor,
                currency=award.currency,
                booked_at=now,
            )
        ]
    )
    return award


def consumed(award, amount_minor, invoice):
    now = timezone.now()
    record_entries(
        [
            NewEntry(
                kind="consumed",
                customer_id=award.customer_id,
                award_id=award.pk,
                amount_minor=-amount_minor,
                currency=award.currency,
                stripe_id=f"cbtxn_{invoice}",
                note=invoice,
                booked_at=now,
            )
        ]
    )
    return Use(invoice, amount_minor, now)


def test_credits_of_tells_what_is_left_and_which_invoice_took_it(subscription):
    old, new = issued(subscription), issued(subscription, amount_minor=1000)
    uses = (consumed(old, 4000, "2026-0611"), consumed(old, 990, "2026-0712"))
    part = consumed(new, 300, "2026-0712")
    seen = credits_of(subscription.customer)
    assert [(each.award, each.state, each.left_minor, each.uses) for each in seen.credits] == [
        (new, "booked", 700, (part,)),
        (old, "used", 0, uses),
    ]
    assert seen.credits[0].booked_at == new.issued_at
    assert seen.credits[0].incident == new.incident
    assert seen.balances_minor == {"EUR": 700}


def test_credits_of_tells_nothing_of_an_invoice_that_gave_back(subscription):
    award = issued(subscription)
    consumed(award, 4000, "2026-0611")
    record_entries(
        [
            NewEntry(
                kind="consumed", customer_id=award.customer_id, award_id=award.pk,
                amount_minor=4000, currency="EUR", stripe_id="cbtxn_back", note="2026-0611",
                booked_at=timezone.now(),
            )
        ]
    )  # fmt: skip
    use = consumed(award, 100, "2026-0712")
    (seen,) = credits_of(subscription.customer).credits
    assert (seen.left_minor, seen.uses, seen.state) == (4890, (use,), "booked")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("approved", "coming"),
        ("sending", "coming"),
        ("unknown", "coming"),
        ("reversed", "taken_back"),
        ("proposed", None),
        ("excluded", None),
        ("failed", None),
    ],
)
def test_credits_of_speaks_the_customers_words(subscription, state, words):
    AwardFactory(
        subscription=subscription,
        state=state,
        idempotency_key="k",
        parameters_hash="h",
        first_sent_at=timezone.now(),
    )
    assert [each.state for each in credits_of(subscription.customer).credits] == (
        [words] if words else []
    )


def test_credits_of_shows_trials_and_priority(subscription):
    until = timezone.now() + timedelta(days=7)
    common = {"amount_minor": 0, "currency": "", "days": 7}
    issued(subscription, benefit="trial", trial_end_target=until, **common)
    issued(subscription, benefit="priority", priority_until=until, **common)
    priority, trial = credits_of(subscription.customer).credits
    assert (trial.trial_until, trial.priority_until, trial.state) == (until, None, "booked")
    assert (priority.trial_until, priority.priority_until) == (None, until)
    assert credits_of(subscription.customer).balances_minor == {}


def test_credits_of_another_customer_are_not_seen(subscription):
    issued(subscription)
    seen = credits_of(CustomerFactory())
    assert (seen.credits, seen.balances_minor) == ([], {})


@pytest.mark.parametrize("awards", [1, 3])
def test_credits_of_takes_three_queries(awards, subscription, django_assert_num_queries):
    for _ in range(awards):
        issued(subscription)
    with django_assert_num_queries(3):
        for each in credits_of(subscription.customer).credits:
            assert each.incident
            assert each.award.batch.version.policy


def taken_back(award, amount_minor, **fields):
    request = ReversalRequest.objects.create(award=award, cause="twice", reason="Ran twice")
    reversal = Reversal.objects.create(
        request=request, award=award, customer=award.customer, state="done",
        limit_minor=amount_minor, amount_minor=amount_minor, done_at=timezone.now(), **fields,
    )  # fmt: skip
    type(award).objects.filter(pk=award.pk).update(state="reversed", reversed_minor=amount_minor)
    return reversal


def test_credits_of_tells_what_was_taken_back_and_what_stays(subscription):
    award = issued(subscription)
    consumed(award, 1200, "2026-0611")
    reversal = taken_back(award, 3790)
    (credit,) = credits_of(subscription.customer).credits
    assert (credit.state, credit.kept_minor) == ("taken_back", 1200)
    assert credit.taken_back == TakenBack(3790, reversal.done_at, "It was booked twice.", None)


@pytest.mark.parametrize("awards", [1, 3])
def test_credits_of_asks_the_same_however_many_were_taken_back(
    subscription, awards, django_assert_num_queries
):
    for _ in range(awards):
        taken_back(issued(subscription), 4990)
    credits_of(subscription.customer)
    with django_assert_num_queries(4):
        assert len(credits_of(subscription.customer).credits) == awards


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["EUR 37.90 taken back,", "It was booked twice. EUR 12.00 had been used and stay"]),
        ("de", ["37,90 EUR zurückgenommen,", "doppelt gebucht. 12,00 EUR waren schon verbraucht"]),
        ("ru", ["37,90 EUR отозвано,", "Начислено дважды. 12,00 EUR уже были использованы"]),
    ],
)
def test_customer_reads_what_was_taken_back_and_why(subscription, language, words):
    subscription.customer.language = language
    subscription.customer.save()
    award = issued(subscription)
    consumed(award, 1200, "2026-0611")
    taken_back(award, 3790)
    page = seen(subscription.customer)
    for each in words:
        assert each in page


def test_customer_reads_when_the_trial_ends_now(subscription):
    award = issued(
        subscription, benefit="trial", amount_minor=0, currency="", days=7,
        trial_end_target=timezone.now() + timedelta(days=9),
    )  # fmt: skip
    taken_back(award, 0, trial_end=timezone.now() + timedelta(days=2))
    assert "your service runs until" in seen(subscription.customer)


def seen(customer):
    client = Client()
    user = UserFactory()
    Contact.objects.create(user=user, customer=customer)
    client.force_login(user)
    return " ".join(unescape(strip_tags(client.get("/account/credits/").content.decode())).split())
