"""The mirror, against the running sandbox; and what it makes of odd answers."""

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backoffice.customers import mirror
from backoffice.customers.importing import import_customers, read_map
from backoffice.customers.mirror import MirrorError, mirror_stripe
from backoffice.customers.mirror import calls as calls_module
from backoffice.customers.mirror.objects import (
    SkippedError,
    StripeSubscription,
    read,
    subscription_row,
)
from backoffice.customers.models import Customer, Subscription
from tests.customers.factories import CustomerFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db

TELCO = Path(django_settings.BASE_DIR).parent / "shared" / "data" / "telco_customers.csv"


@pytest.fixture(autouse=True)
def fast(settings):
    settings.STRIPE_CALLS_PER_SECOND = 1000.0


@pytest.fixture
def by_calls(settings):
    """As with a test key of Stripe's own: no control doors."""
    settings.STRIPE_IS_SANDBOX = False


def counts(report):
    return [(c.created, c.updated, c.unchanged) for c in (report.customers, report.subscriptions)]


def ours(**fields):
    """A customer and subscription that Stripe does not know yet."""
    customer = CustomerFactory(stripe_customer_id=None)
    return SubscriptionFactory(customer=customer, stripe_subscription_id=None, **fields)


def bill(client, customer, *, interval="month", count=1, amount=4990, **params):
    product = client.v1.products.create({"name": "Pro"})
    return client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [
                {
                    "price_data": {
                        "currency": "eur", "unit_amount": amount, "product": product.id,
                        "recurring": {"interval": interval, "interval_count": count},
                    }
                }
            ],
            **params,
        }
    )  # fmt: skip


def test_mirror_brings_customers_and_subscriptions_in(stripe_sandbox):
    client = stripe_sandbox.client()
    made = client.v1.customers.create(
        {"name": "Ada", "email": "Ada@Example.com", "address": {"country": "AT"},
         "preferred_locales": ["de-AT"]}
    )  # fmt: skip
    subscription = bill(client, made, interval="year")
    report = mirror_stripe()
    assert counts(report) == [(1, 0, 0), (1, 0, 0)]
    found = Subscription.objects.select_related("customer").get()
    assert (found.reference, found.stripe_subscription_id) == (subscription.id, subscription.id)
    assert (found.plan, found.fee_minor, found.currency, found.interval_months, found.status) == (
        "Pro", 4990, "EUR", 12, "active",
    )  # fmt: skip
    assert found.period_end > found.period_start
    customer = found.customer
    assert (customer.reference, customer.name, customer.email) == (
        made.id,
        "Ada",
        "ada@example.com",
    )
    assert (customer.country, customer.language, customer.currency) == ("AT", "de", "EUR")
    assert counts(mirror_stripe()) == [(0, 0, 1), (0, 0, 1)]


def test_mirror_finds_ours_by_id_then_by_metadata(stripe_sandbox):
    client = stripe_sandbox.client()
    first = client.v1.customers.create({"name": "New name"})
    linked = CustomerFactory(stripe_customer_id=first.id, name="Old", segment="gold")
    second = client.v1.customers.create({"metadata": {"reference": "C-77"}})
    named = CustomerFactory(reference="C-77", stripe_customer_id=None, name="Kept")
    mine = SubscriptionFactory(
        reference="S-77", customer=named, stripe_subscription_id=None, region="eu"
    )
    bill(client, second, metadata={"reference": "S-77", "plan": "Gold"})
    report = mirror_stripe()
    assert counts(report) == [(0, 2, 0), (0, 1, 0)]
    linked.refresh_from_db()
    assert (linked.name, linked.segment) == ("New name", "gold")
    named.refresh_from_db()
    assert (named.stripe_customer_id, named.name) == (second.id, "Kept")
    mine.refresh_from_db()
    assert (mine.plan, mine.fee_minor, mine.region) == ("Gold", 4990, "eu")
    # Stripe knows it for a shorter time than we do.
    assert mine.started_at == datetime(2024, 1, 1, tzinfo=UTC)


def test_mirror_skips_what_cannot_be_billed_and_says_why(stripe_sandbox):
    client = stripe_sandbox.client()
    customer = client.v1.customers.create({})
    weekly = bill(client, customer, interval="week")
    odd = bill(client, customer, interval="month", count=2)
    good = bill(client, customer, interval="month", count=3)
    report = mirror_stripe()
    assert {one.what: one.reason for one in report.skipped} == {
        weekly.id: "Its interval (1 × week) is none of 1, 3, 6 and 12 months.",
        odd.id: "Its interval (2 × month) is none of 1, 3, 6 and 12 months.",
    }
    assert Subscription.objects.get().stripe_subscription_id == good.id


def test_mirror_never_follows_metadata_to_somebody_else_s_customer(stripe_sandbox):
    client = stripe_sandbox.client()
    CustomerFactory(reference="C-1", stripe_customer_id="cus_real")
    false = client.v1.customers.create({"metadata": {"reference": "C-1"}})
    twins = [client.v1.customers.create({"metadata": {"reference": "C-2"}}) for _ in range(2)]
    report = mirror_stripe()
    assert {one.what for one in report.skipped} == {false.id, twins[0].id}
    assert Customer.objects.get(reference="C-1").stripe_customer_id == "cus_real"
    assert Customer.objects.get(reference="C-2").stripe_customer_id == twins[1].id


def test_mirror_reads_page_after_page(stripe_sandbox):
    stripe_sandbox.seed([{"reference": f"C-{n}", "customer": {}} for n in range(250)])
    assert mirror_stripe().customers.created == 250
    assert mirror_stripe(limit=7).customers.unchanged == 7


def test_mirror_canceled_subscription_has_its_end(stripe_sandbox):
    client = stripe_sandbox.client()
    subscription = bill(client, client.v1.customers.create({}))
    client.v1.subscriptions.cancel(subscription.id)
    mirror_stripe()
    found = Subscription.objects.get()
    assert found.status == "canceled"
    assert found.ended_at is not None


@pytest.mark.parametrize("is_sandbox", [True, False])
def test_create_makes_ours_at_stripe_once(stripe_sandbox, settings, is_sandbox):
    settings.STRIPE_IS_SANDBOX = is_sandbox
    trial_end = (timezone.now() + timedelta(days=10)).replace(microsecond=0)
    yearly = ours(interval_months=12, plan="Gold")
    trial = ours(status="trialing", trial_end=trial_end, plan="Gold")
    gone = ours(status="canceled", ended_at=datetime(2026, 1, 1, tzinfo=UTC))
    second = SubscriptionFactory(customer=yearly.customer, stripe_subscription_id=None, fee_minor=1)
    report = mirror_stripe(create=True)
    assert (report.customers_created, report.subscriptions_created) == (3, 3)
    assert (report.failed, report.skipped) == ([], [])
    for row in (yearly, trial, gone, second):
        row.refresh_from_db()
    assert gone.stripe_subscription_id is None
    client = stripe_sandbox.client()
    found = client.v1.subscriptions.retrieve(yearly.stripe_subscription_id)
    price = found.to_dict()["items"]["data"][0]["price"]
    assert (price["unit_amount"], price["recurring"]["interval"]) == (49900, "year")
    assert found.customer == yearly.customer.stripe_customer_id
    assert found.metadata["reference"] == yearly.reference
    found = client.v1.subscriptions.retrieve(trial.stripe_subscription_id)
    assert (found.status, found.trial_end) == ("trialing", int(trial_end.timestamp()))
    started = yearly.started_at
    report = mirror_stripe(create=True)
    assert (report.customers_created, report.subscriptions_created) == (0, 0)
    assert report.skipped == []
    yearly.refresh_from_db()
    assert (yearly.started_at, yearly.plan, yearly.interval_months) == (started, "Gold", 12)


def test_create_after_an_interruption_adopts_what_exists(stripe_sandbox, by_calls):
    subscription = ours()
    mirror_stripe(create=True)
    Customer.objects.update(stripe_customer_id=None)
    Subscription.objects.update(stripe_subscription_id=None)
    stripe_sandbox.advance(2 * 86400)  # idempotency keys are forgotten
    report = mirror_stripe(create=True)
    assert (report.customers_created, report.subscriptions_created) == (0, 0)
    assert counts(report) == [(0, 1, 0), (0, 1, 0)]
    subscription.refresh_from_db()
    assert subscription.stripe_subscription_id is not None
    assert len(stripe_sandbox.client().v1.customers.list().data) == 1


def test_create_slows_down_when_told_and_loses_nothing(stripe_sandbox, by_calls):
    rows = [ours() for _ in range(12)]
    stripe_sandbox.faults({"kind": "rate_limit", "method": "POST", "count": 3})
    report = mirror_stripe(create=True)
    assert (report.customers_created, report.subscriptions_created) == (len(rows), len(rows))


def test_create_reports_what_stripe_refuses(stripe_sandbox, by_calls):
    row = ours()
    Customer.objects.filter(pk=row.customer.pk).update(name="n" * 200)
    stripe_sandbox.faults({"kind": "error_500_kept", "path": "/v1/customers", "method": "POST"})
    report = mirror_stripe(create=True)
    assert [one.what for one in report.failed] == [row.customer.reference]
    assert Customer.objects.get().stripe_customer_id is None


def test_create_refuses_a_live_key(stripe_sandbox, by_calls, settings, monkeypatch):
    settings.STRIPE_API_KEY = "sk_live_1"
    monkeypatch.setattr(mirror, "Calls", NoCalls)
    with pytest.raises(MirrorError, match="test mode only"):
        mirror_stripe(create=True)


class NoCalls:
    def customers(self):
        return iter(())

    subscriptions = customers


def test_mirror_without_stripe_says_so(settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    with pytest.raises(CommandError, match="cannot be reached"):
        call_command("mirror_stripe")


def test_mirror_with_a_wrong_key_says_so(stripe_sandbox):
    stripe_sandbox.faults({"kind": "auth_401"})
    with pytest.raises(MirrorError, match="does not accept the key"):
        mirror_stripe()


@pytest.mark.parametrize(
    "page",
    [
        {"data": [{"id": "cus_1"}], "has_more": True},
        {"data": [], "has_more": True},
        {"data": ["x", {"no": "id"}], "has_more": True},
    ],
)
def test_mirror_page_that_brings_nothing_new_is_the_last(stripe_sandbox, page):
    class Answer:
        def to_dict(self):
            return copy.deepcopy(page)

    calls = calls_module.Calls()
    assert len(list(calls._all(lambda _: Answer(), {}))) <= 2


def test_mirror_answer_that_is_no_list_is_an_error(stripe_sandbox):
    class Answer:
        def to_dict(self):
            return {"data": "x"}

    with pytest.raises(MirrorError, match="no list"):
        list(calls_module.Calls()._all(lambda _: Answer(), {}))


def test_pace_spreads_calls_evenly():
    pace = calls_module.Pace(200.0)
    began = timezone.now()
    for _ in range(21):
        pace.wait()
    assert 0.1 <= (timezone.now() - began).total_seconds() < 0.5


# --- odd answers -------------------------------------------------------------------------------


def raw(**changes):
    item = {
        "price": {"unit_amount": 1000, "currency": "eur", "product": "prod_1", "nickname": "Pro",
                  "recurring": {"interval": "month", "interval_count": 1}},
        "quantity": 2,
    }  # fmt: skip
    return {
        "id": "sub_1", "customer": "cus_1", "status": "active", "created": 1_700_000_000,
        "items": {"data": [item]}, **changes,
    }  # fmt: skip


def row_of(answer):
    found = read(StripeSubscription, answer)
    return subscription_row(found, None, line=0, customer="C-1", product_name=lambda _: "Product")


def priced(*changes):
    base = raw()["items"]["data"][0]
    return {
        "data": [
            {**base, "price": {**base["price"], **change}, "quantity": 1} for change in changes
        ]
    }


def test_row_sums_items_of_one_interval():
    row = row_of(raw(items=priced({}, {"unit_amount": 500, "nickname": None})))
    assert (row.subscription["fee_minor"], row.subscription["plan"]) == (1500, "Pro")
    assert row_of(raw()).subscription["fee_minor"] == 2000
    year = {"interval": "month", "interval_count": 12}
    assert row_of(raw(items=priced({"recurring": year}))).subscription["interval_months"] == 12
    unnamed = row_of(raw(items=priced({"nickname": None})))
    assert unnamed.subscription["plan"] == "Product"
    assert row_of(raw(customer={"id": "cus_9"})).customer == {"reference": "C-1"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "dormant"}, "“dormant” is unknown"),
        ({"status": "canceled"}, "does not say since when"),
        ({"status": "canceled", "ended_at": 1}, "ended before it started"),
        ({"items": {"data": []}}, "items.data"),
        ({"items": {**raw()["items"], "has_more": True}}, "more items"),
        ({"items": priced({"recurring": None})}, "only once"),
        ({"items": priced({"unit_amount": None})}, "without a fixed price"),
        ({"items": priced({"unit_amount": "1000"})}, "unit_amount"),
        ({"items": priced({"unit_amount": 10.5})}, "unit_amount"),
        ({"items": priced({"unit_amount": -1})}, "unit_amount"),
        ({"items": priced({"unit_amount": 10**9})}, "more than Stripe can charge"),
        ({"items": priced({"currency": "xyz"})}, "currency “xyz” is unknown"),
        ({"items": priced({}, {"currency": "usd"})}, "differ"),
        ({"items": priced({}, {"recurring": {"interval": "year", "interval_count": 1}})}, "differ"),
        ({"items": priced({"recurring": {"interval": "day", "interval_count": 30}})}, "30 × day"),
        ({"items": priced({"recurring": {"interval": "month", "interval_count": 1,
                                         "usage_type": "metered"}})}, "by usage"),
        ({"created": "yesterday"}, "created"),
        ({"created": 10**12}, "created"),
        ({"id": ""}, "id"),
        ({"customer": None}, "customer"),
        ({"metadata": ["x"]}, "metadata"),
    ],
)  # fmt: skip
def test_row_odd_answer_is_skipped_with_its_reason(changes, words):
    with pytest.raises(SkippedError) as caught:
        row_of(raw(**changes))
    assert words in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(sorted(StripeSubscription.model_fields)), json_values))
def test_row_of_any_answer_is_a_row_or_skipped(changes):
    try:
        row = row_of(raw(**changes))
    except SkippedError:
        return
    assert row.subscription["fee_minor"] >= 0


def test_telecom_sample_is_created_at_the_sandbox(stripe_sandbox):
    if not TELCO.is_file():
        pytest.skip(f"the telecom sample is not at {TELCO}")
    how = (Path(django_settings.BASE_DIR) / "docs" / "maps" / "telco_customers.toml").read_text()
    with TELCO.open("rb") as file:
        import_customers(file, how=read_map(how))
    report = mirror_stripe(create=True)
    assert (report.customers_created, report.subscriptions_created) == (7043, 7043 - 1869)
    assert (report.failed, report.skipped) == ([], [])
    assert report.seconds < 60
