"""Billing consumes the balance, and leaves a transaction that names the invoice."""

import pytest
import stripe

from backoffice.stripe_sandbox.control import SandboxError


def credit(client, customer, amount):
    client.v1.customers.balance_transactions.create(
        customer.id, {"amount": -amount, "currency": "eur"}
    )


@pytest.mark.parametrize(
    ("held", "due", "applied", "left"),
    [(0, 4900, [], 0), (4990, 0, [4900], -90), (1000, 3900, [1000], 0), (-500, 5400, [-500], 0)],
)
def test_bill_takes_the_balance(
    client, stripe_sandbox, customer, subscription, held, due, applied, left
):
    if held:
        credit(client, customer, held)
    (billed,) = stripe_sandbox.bill(subscription=subscription.id)
    invoice = client.v1.invoices.retrieve(billed["id"])
    assert (invoice.status, invoice.total, invoice.amount_due) == ("paid", 4900, due)
    assert (invoice.amount_paid, invoice.amount_remaining) == (due, 0)
    assert (invoice.starting_balance, invoice.ending_balance) == (-held, left)
    entries = client.v1.customers.balance_transactions.list(customer.id).data
    found = [entry for entry in entries if entry.type == "applied_to_invoice"]
    assert [entry.amount for entry in found] == applied
    assert {entry.invoice for entry in found} <= {invoice.id}
    assert client.v1.customers.retrieve(customer.id).balance == left
    assert invoice.parent.subscription_details.subscription == subscription.id
    assert client.v1.subscriptions.retrieve(subscription.id).latest_invoice == invoice.id


def test_bill_customer(client, stripe_sandbox, customer, subscription):
    assert len(stripe_sandbox.bill(customer=customer.id)) == 1
    (invoice,) = stripe_sandbox.bill(customer=customer.id, amount=700)
    assert (invoice["total"], invoice["currency"], invoice["parent"]) == (700, "eur", None)
    listed = client.v1.invoices.list({"customer": customer.id}).data
    assert [each.total for each in listed] == [700, 4900]
    assert [each.total for each in client.v1.invoices.list({"subscription": subscription.id})] == [
        4900
    ]


def test_nothing_to_bill_in_a_trial(client, stripe_sandbox, subscription):
    end = stripe_sandbox.now() + 86_400
    client.v1.subscriptions.update(subscription.id, {"trial_end": end})
    with pytest.raises(SandboxError, match="is trialing"):
        stripe_sandbox.bill(subscription=subscription.id)
    stripe_sandbox.advance(86_401)
    assert len(stripe_sandbox.bill(subscription=subscription.id)) == 1


def test_billing_is_told_in_events(client, stripe_sandbox, customer, subscription):
    credit(client, customer, 100)
    stripe_sandbox.bill(subscription=subscription.id)
    told = [each.type for each in client.v1.events.list({"limit": 4}).data]
    assert told == ["invoice.paid", "invoice.finalized", "customer.updated", "invoice.created"]


def test_unknown_invoice(client):
    with pytest.raises(stripe.InvalidRequestError, match="No such invoice: 'in_no'"):
        client.v1.invoices.retrieve("in_no")
