"""What the sandbox counts by itself, and what it can be filled with."""

import pytest
import stripe

from backoffice.stripe_sandbox.control import SandboxError

PLAN = {
    "items": [
        {
            "price_data": {
                "currency": "eur",
                "unit_amount": 4900,
                "recurring": {"interval": "month"},
                "product_data": {"name": "Pro"},
            }
        }
    ],
    "start_date": 1_700_000_000,
}


def credit(client, customer, amount, currency="eur", **metadata):
    client.v1.customers.balance_transactions.create(
        customer, {"amount": amount, "currency": currency, "metadata": metadata}
    )


def test_totals_by_currency(client, stripe_sandbox):
    euro, yen = (client.v1.customers.create().id for _ in range(2))
    credit(client, euro, -500)
    credit(client, euro, -250)
    credit(client, euro, 100)
    credit(client, yen, -7, "jpy")
    stripe_sandbox.bill(customer=euro, amount=300)
    assert stripe_sandbox.totals()["currencies"] == {
        "eur": {
            "credits": 2,
            "credited_minor": 750,
            "debits": 1,
            "debited_minor": 100,
            "applications": 1,
            "applied_to_invoices_minor": 300,
        },
        "jpy": {
            "credits": 1,
            "credited_minor": 7,
            "debits": 0,
            "debited_minor": 0,
            "applications": 0,
            "applied_to_invoices_minor": 0,
        },
    }


def test_totals_by_metadata_find_doubles(client, stripe_sandbox, customer):
    for award in ("1", "2", "2"):
        credit(client, customer.id, -10, award=award)
    credit(client, customer.id, -1000)
    held = stripe_sandbox.totals("award")
    assert held["currencies"]["eur"]["credited_minor"] == 30
    assert held["by_metadata"] == {
        "key": "award",
        "credited": 2,
        "credited_more_than_once": 1,
        "examples": ["2"],
    }
    assert stripe_sandbox.totals('odd" key')["by_metadata"]["credited"] == 0


def test_totals_count_requests_and_keys(client, stripe_sandbox, customer):
    for key in ("a", "a", "b"):
        client.v1.customers.update(customer.id, {"name": "x"}, {"idempotency_key": key})
    held = stripe_sandbox.totals()
    # stripe-python sends a key of its own with the creation.
    assert (held["requests"], held["replays"], held["idempotency_keys"]) == (4, 1, 3)
    assert held["answers"] == {"200": 4}


def test_reset_forgets_everything(client, stripe_sandbox, subscription):
    stripe_sandbox.faults({"kind": "error_502_html"})
    stripe_sandbox.reset()
    held = stripe_sandbox.totals()
    assert (held["customers"], held["subscriptions"], held["requests"]) == (0, 0, 0)
    assert client.v1.customers.list().data == []


def test_seed_makes_customers_with_subscriptions(client, stripe_sandbox):
    records = [
        {
            "reference": f"C-{number}",
            "customer": {
                "name": f"Customer {number}",
                "metadata": {"external_id": f"C-{number}"},
                "preferred_locales": ["de"],
            },
            "subscription": PLAN,
        }
        for number in range(3)
    ]
    made = stripe_sandbox.seed(records)
    assert [each["reference"] for each in made] == ["C-0", "C-1", "C-2"]
    customer = client.v1.customers.retrieve(made[1]["customer"])
    assert (customer.name, customer.currency) == ("Customer 1", "eur")
    subscription = client.v1.subscriptions.retrieve(made[1]["subscription"])
    assert (subscription.customer, subscription.status) == (customer.id, "active")
    assert subscription.start_date == 1_700_000_000
    now = stripe_sandbox.now()
    (item,) = subscription["items"].data
    assert item.current_period_start <= now < item.current_period_end
    assert len(client.v1.prices.list().data) == len(client.v1.products.list().data) == 1
    assert client.v1.events.list().data == []


def test_seed_again_changes_nothing_and_ids_are_the_same_everywhere(client, stripe_sandbox):
    record = {"customer": {"metadata": {"reference": "R1"}}, "subscription": PLAN}
    first = stripe_sandbox.seed([record])
    credit(client, first[0]["customer"], -100)
    assert stripe_sandbox.seed([record]) == first
    assert client.v1.customers.retrieve(first[0]["customer"]).balance == -100
    stripe_sandbox.reset()
    assert stripe_sandbox.seed([record]) == first


def test_seed_with_ids_given(client, stripe_sandbox):
    record = {
        "customer": {"id": "cus_mine", "balance": -50},
        "subscription": {**PLAN, "id": "sub_mine", "trial_end": stripe_sandbox.now() + 1000},
    }
    made = stripe_sandbox.seed([record])
    assert made == [{"reference": None, "customer": "cus_mine", "subscription": "sub_mine"}]
    assert client.v1.subscriptions.retrieve("sub_mine").status == "trialing"
    assert client.v1.customers.balance_transactions.list("cus_mine").data[0].amount == -50


def test_seed_is_all_or_nothing(client, stripe_sandbox):
    records = [{"customer": {"name": "good"}}, {"customer": {"nmae": "typo"}}]
    with pytest.raises(SandboxError, match=r"customer\[nmae\]"):
        stripe_sandbox.seed(records)
    assert client.v1.customers.list().data == []


def test_fixture_points_the_settings_to_the_sandbox(stripe_sandbox):
    from django.conf import settings

    if not settings.configured:
        pytest.skip("Django's settings are not loaded in this run")
    assert stripe_sandbox.address == settings.STRIPE_API_BASE
    client = stripe.StripeClient(
        settings.STRIPE_API_KEY, base_addresses={"api": settings.STRIPE_API_BASE}
    )
    assert client.v1.customers.list().data == []
