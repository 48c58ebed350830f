"""What the sandbox's own tests start from."""

import pytest


@pytest.fixture
def client(stripe_sandbox):
    """stripe-python, talking to the sandbox."""
    return stripe_sandbox.client()


@pytest.fixture
def customer(client):
    return client.v1.customers.create({"name": "Ada Lovelace", "email": "ada@example.com"})


@pytest.fixture
def price(client):
    """EUR 49.00 a month."""
    return client.v1.prices.create(
        {
            "currency": "eur",
            "unit_amount": 4900,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Pro"},
        }
    )


@pytest.fixture
def subscription(client, customer, price):
    """An active one, to the price of EUR 49.00 a month."""
    return client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
