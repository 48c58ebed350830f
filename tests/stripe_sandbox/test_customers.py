"""Customers, seen through stripe-python."""

import pytest
import stripe


def test_customer_is_created_and_found_again(client):
    made = client.v1.customers.create({"name": "Ada", "email": "ada@example.com"})
    found = client.v1.customers.retrieve(made.id)
    assert found.to_dict() == made.to_dict()
    assert made.id.startswith("cus_")
    assert (made.object, made.livemode, made.balance, made.currency) == ("customer", False, 0, None)


def test_customer_update_merges_metadata(client):
    made = client.v1.customers.create({"metadata": {"plan": "pro", "region": "eu"}})
    changed = client.v1.customers.update(made.id, {"metadata": {"plan": "", "tier": "gold"}})
    assert changed.metadata.to_dict() == {"region": "eu", "tier": "gold"}
    cleared = client.v1.customers.update(made.id, {"metadata": ""})
    assert cleared.metadata.to_dict() == {}


def test_customer_field_is_unset_by_an_empty_string(client):
    made = client.v1.customers.create({"name": "Ada", "address": {"city": "Köln"}})
    changed = client.v1.customers.update(made.id, {"name": "", "address": ""})
    assert (changed.name, changed.address) == (None, None)


def test_customer_unknown(client):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.customers.retrieve("cus_nobody")
    error = refusal.value
    assert (error.http_status, error.code, error.param) == (404, "resource_missing", "id")
    assert str(error).endswith("No such customer: 'cus_nobody'")


def test_deleted_customer_only_says_so_and_takes_nothing(client):
    made = client.v1.customers.create({"name": "Ada"})
    deleted = client.v1.customers.delete(made.id)
    assert deleted.to_dict() == {"id": made.id, "object": "customer", "deleted": True}
    assert client.v1.customers.retrieve(made.id).to_dict() == deleted.to_dict()
    assert [each.id for each in client.v1.customers.list().data] == []
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.customers.balance_transactions.create(
            made.id, {"amount": -100, "currency": "eur"}
        )
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")


def test_customer_deletion_ends_its_subscriptions(client, subscription):
    client.v1.customers.delete(subscription.customer)
    assert client.v1.subscriptions.retrieve(subscription.id).status == "canceled"


def test_customers_are_listed_by_email(client):
    for name in ("a", "b"):
        client.v1.customers.create({"email": f"{name}@example.com"})
    found = client.v1.customers.list({"email": "b@example.com"})
    assert [each.email for each in found.data] == ["b@example.com"]


def test_customer_shows_subscriptions_only_when_asked(client, subscription):
    plain = client.v1.customers.retrieve(subscription.customer)
    assert "subscriptions" not in plain.to_dict()
    full = client.v1.customers.retrieve(subscription.customer, {"expand": ["subscriptions"]})
    assert [each.id for each in full.subscriptions.data] == [subscription.id]


def test_account_says_it_is_a_sandbox(client):
    account = client.v1.accounts.retrieve_current()
    assert account.id == "acct_sandbox"
    assert account.business_profile.name == "Stripe sandbox (no real money)"
