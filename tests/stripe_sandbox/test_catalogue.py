"""Products and prices."""

import pytest
import stripe


def test_product_with_an_id_of_its_own(client):
    made = client.v1.products.create({"id": "pro", "name": "Pro", "metadata": {"plan": "pro"}})
    assert (made.id, made.active, made.name) == ("pro", True, "Pro")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.products.create({"id": "pro", "name": "Pro"})
    assert refusal.value.code == "resource_already_exists"


def test_product_update_and_lists(client):
    first, second = (client.v1.products.create({"name": name}) for name in ("A", "B"))
    client.v1.products.update(first.id, {"active": False, "description": "old"})
    assert [each.id for each in client.v1.products.list({"active": True}).data] == [second.id]
    assert [each.id for each in client.v1.products.list({"ids": [first.id]}).data] == [first.id]
    assert client.v1.products.retrieve(first.id).description == "old"


def test_product_needs_a_name(client):
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.products.create({"name": ""})
    assert (refusal.value.code, refusal.value.param) == ("parameter_invalid_empty", "name")


def test_price(client, price):
    assert (price.type, price.unit_amount, price.currency) == ("recurring", 4900, "eur")
    assert price.unit_amount_decimal == 4900
    once = client.v1.prices.create(
        {"currency": "eur", "unit_amount": 5, "product": price.product, "lookup_key": "once"}
    )
    assert (once.type, once.recurring) == ("one_time", None)
    listed = client.v1.prices.list({"product": price.product}).data
    assert [each.id for each in listed] == [once.id, price.id]
    assert [each.id for each in client.v1.prices.list({"type": "recurring"}).data] == [price.id]
    found = client.v1.prices.list({"lookup_keys": ["once", "never"]}).data
    assert [each.id for each in found] == [once.id]


def test_price_update(client, price):
    changed = client.v1.prices.update(price.id, {"active": False, "nickname": "old"})
    assert (changed.active, changed.nickname) == (False, "old")
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.prices.update(price.id, {"unit_amount": 1})
    assert refusal.value.code == "parameter_unknown"


def test_one_time_price_makes_no_subscription(client, customer, price):
    once = client.v1.prices.create({"currency": "eur", "unit_amount": 5, "product": price.product})
    with pytest.raises(stripe.InvalidRequestError, match="type=one_time"):
        client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": once.id}]})
