"""Lists and expansion: newest first, cursors, time bounds, ids replaced by objects."""

import pytest
import stripe


@pytest.fixture
def entries(client, customer):
    """Five credits, oldest first, an hour apart by the sandbox's clock."""
    return [
        client.v1.customers.balance_transactions.create(
            customer.id, {"amount": -amount, "currency": "eur"}
        )
        for amount in (1, 2, 3, 4, 5)
    ]


def amounts(page):
    return [entry.amount for entry in page.data]


def test_list_is_newest_first_and_pages(client, customer, entries):
    listing = client.v1.customers.balance_transactions
    first = listing.list(customer.id, {"limit": 2})
    assert (amounts(first), first.has_more) == ([-5, -4], True)
    second = listing.list(customer.id, {"limit": 2, "starting_after": first.data[-1].id})
    assert (amounts(second), second.has_more) == ([-3, -2], True)
    third = listing.list(customer.id, {"limit": 2, "starting_after": second.data[-1].id})
    assert (amounts(third), third.has_more) == ([-1], False)
    back = listing.list(customer.id, {"limit": 2, "ending_before": third.data[0].id})
    assert (amounts(back), back.has_more) == ([-3, -2], True)
    start = listing.list(customer.id, {"limit": 3, "ending_before": second.data[0].id})
    assert (amounts(start), start.has_more) == ([-5, -4], False)


def test_auto_paging_reads_everything_once(client, customer, entries):
    page = client.v1.customers.balance_transactions.list(customer.id, {"limit": 2})
    assert [each.amount for each in page.auto_paging_iter()] == [-5, -4, -3, -2, -1]


def test_list_by_time(client, stripe_sandbox, customer, entries):
    cut = stripe_sandbox.advance(3600)
    client.v1.customers.balance_transactions.create(customer.id, {"amount": -6, "currency": "eur"})
    listing = client.v1.customers.balance_transactions
    assert amounts(listing.list(customer.id, {"created": {"gte": cut}})) == [-6]
    assert amounts(listing.list(customer.id, {"created": {"lt": cut}})) == [-5, -4, -3, -2, -1]


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"starting_after": "cbtxn_none"}, "starting_after"),
        ({"created": {"after": 1}}, "created[after]"),
        ({"metadata": {"a": "b"}}, "metadata"),
    ],
)
def test_list_refuses(client, customer, params, param):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.customers.balance_transactions.list(customer.id, params)
    assert (refusal.value.http_status, refusal.value.param) == (400, param)


def test_list_of_transactions_by_invoice(client, stripe_sandbox, customer, entries):
    (invoice,) = stripe_sandbox.bill(customer=customer.id, amount=10)
    found = client.v1.customers.balance_transactions.list(customer.id, {"invoice": invoice["id"]})
    assert amounts(found) == [10]


def test_expansion_of_one_object(client, customer, entries):
    found = client.v1.customers.balance_transactions.retrieve(
        customer.id, entries[0].id, {"expand": ["customer"]}
    )
    assert found.customer.email == "ada@example.com"


def test_expansion_in_a_list(client, customer, subscription):
    (found,) = client.v1.subscriptions.list(
        {"expand": ["data.customer", "data.items.data.price.product", "data.latest_invoice"]}
    ).data
    assert found.customer.name == "Ada Lovelace"
    assert found["items"].data[0].price.product.name == "Pro"
    assert found.latest_invoice is None


def test_expansion_on_creation(client, customer):
    made = client.v1.customers.balance_transactions.create(
        customer.id, {"amount": -5, "currency": "eur", "expand": ["customer"]}
    )
    assert made.customer.balance == -5


@pytest.mark.parametrize("path", ["amount", "nothing", "customer.email", "metadata.x"])
def test_expansion_of_what_is_no_reference(client, customer, entries, path):
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        client.v1.customers.balance_transactions.retrieve(
            customer.id, entries[0].id, {"expand": [path]}
        )
