"""Balance transactions: signs, currencies, and what a customer then holds."""

import pytest
import stripe


def book(client, customer, amount, currency="eur", **more):
    return client.v1.customers.balance_transactions.create(
        customer.id, {"amount": amount, "currency": currency, **more}
    )


def test_negative_amount_is_a_credit(client, customer):
    entry = book(client, customer, -4990)
    assert (entry.amount, entry.ending_balance, entry.type) == (-4990, -4990, "adjustment")
    assert (entry.object, entry.id[:6]) == ("customer_balance_transaction", "cbtxn_")
    held = client.v1.customers.retrieve(customer.id)
    assert (held.balance, held.currency) == (-4990, "eur")
    # Stripe's two signs for the same thing.
    assert held.invoice_credit_balance.to_dict() == {"eur": 4990}


def test_balance_adds_up(client, customer):
    endings = [book(client, customer, amount).ending_balance for amount in (-500, -250, 600, -1)]
    assert endings == [-500, -750, -150, -151]


def test_first_transaction_sets_the_currency_and_another_is_refused(client, customer):
    book(client, customer, -100, "EUR")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        book(client, customer, -100, "usd")
    assert refusal.value.http_status == 400
    assert refusal.value.param == "currency"
    assert "You cannot combine currencies on a single customer." in str(refusal.value)
    assert client.v1.customers.retrieve(customer.id).balance == -100


def test_subscription_sets_the_currency(client, customer, subscription):
    with pytest.raises(stripe.InvalidRequestError, match="cannot combine currencies"):
        book(client, customer, -100, "usd")


def test_only_description_and_metadata_can_be_changed(client, customer):
    entry = book(client, customer, -100, description="Outage", metadata={"award": "7"})
    changed = client.v1.customers.balance_transactions.update(
        customer.id, entry.id, {"description": "Outage of May", "metadata": {"batch": "3"}}
    )
    assert changed.description == "Outage of May"
    assert changed.metadata.to_dict() == {"award": "7", "batch": "3"}
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.customers.balance_transactions.update(customer.id, entry.id, {"amount": -1})
    assert (refusal.value.code, refusal.value.param) == ("parameter_unknown", "amount")


def test_transaction_of_another_customer_is_not_found(client, customer):
    other = client.v1.customers.create()
    entry = book(client, other, -100)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.customers.balance_transactions.retrieve(customer.id, entry.id)
    assert refusal.value.code == "resource_missing"


@pytest.mark.parametrize(
    ("params", "code", "param"),
    [
        ({"amount": "1.5", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": -(10**30), "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"amount": "", "currency": "eur"}, "parameter_invalid_integer", "amount"),
        ({"currency": "eur"}, "parameter_missing", "amount"),
        ({"amount": -1}, "parameter_missing", "currency"),
        ({"amount": -1, "currency": "xyz"}, None, "currency"),
        ({"amount": -1, "currency": "eur", "customre": "x"}, "parameter_unknown", "customre"),
        ({"amount": -1, "currency": "eur", "description": "x" * 351}, None, "description"),
        ({"amount": -100_000_000, "currency": "eur"}, "amount_too_large", "amount"),
        ({"amount": -1, "currency": "kwd"}, "parameter_invalid_integer", "amount"),
        ({"amount": -1, "currency": "eur", "metadata": {"k" * 41: "v"}}, None, "metadata"),
        ({"amount": -1, "currency": "eur", "metadata": {"k": "v" * 501}}, None, "metadata"),
        (
            {"amount": -1, "currency": "eur", "metadata": {str(n): "v" for n in range(51)}},
            None,
            "metadata",
        ),
    ],
)
def test_refused_parameters(client, customer, params, code, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.customers.balance_transactions.create(customer.id, params)
    assert refusal.value.http_status == 400
    assert (refusal.value.code, refusal.value.param) == (code, param)


def test_limits_are_inclusive(client, customer):
    entry = book(
        client,
        customer,
        -99_999_999,
        description="x" * 350,
        metadata={f"{n:040}": "v" * 500 for n in range(50)},
    )
    assert len(entry.metadata.to_dict()) == 50


def test_metadata_survives_any_text(client, customer):
    words = {"note": 'ä & = % + "quoted" <b> \u2028 ☂', "empty-free": " "}
    entry = book(client, customer, -1, metadata=words)
    found = client.v1.customers.balance_transactions.retrieve(customer.id, entry.id)
    assert found.metadata.to_dict() == words


def test_balance_given_on_the_customer_is_booked_as_a_transaction(client):
    made = client.v1.customers.create({"balance": -300})
    client.v1.customers.update(made.id, {"balance": -100})
    found = client.v1.customers.balance_transactions.list(made.id).data
    assert [(each.type, each.amount, each.ending_balance) for each in found] == [
        ("adjustment", 200, -100),
        ("initial", -300, -300),
    ]


def test_transaction_announces_itself_only_as_an_updated_customer(client, customer):
    book(client, customer, -100)
    newest = client.v1.events.list({"limit": 1}).data[0]
    assert newest.type == "customer.updated"
    assert newest.data.object.balance == -100
    assert newest.data.previous_attributes.to_dict() == {
        "balance": 0,
        "currency": None,
        "invoice_credit_balance": {},
    }
