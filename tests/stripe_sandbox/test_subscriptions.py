"""Subscriptions: periods on the items, trials that move the anchor, lists by status."""

from datetime import UTC, datetime

import pytest
import stripe

from backoffice.stripe_sandbox import periods

DAY = 86_400


def at(year, month, day):
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


def test_new_subscription(client, customer, price, subscription):
    assert (subscription.status, subscription.customer) == ("active", customer.id)
    (item,) = subscription["items"].data
    assert (item.price.id, item.quantity, item.subscription) == (price.id, 1, subscription.id)
    month = item.current_period_end - item.current_period_start
    assert 28 * DAY <= month <= 31 * DAY
    # Gone from the top since API version 2025-03-31.
    assert "current_period_end" not in subscription.to_dict()
    assert client.v1.customers.retrieve(customer.id).currency == "eur"


def test_subscription_with_inline_price(client, customer):
    product = client.v1.products.create({"name": "Pro"})
    data = {
        "currency": "eur",
        "unit_amount": 990,
        "product": product.id,
        "recurring": {"interval": "year"},
    }
    made = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price_data": data, "quantity": 3}]}
    )
    (item,) = made["items"].data
    assert (item.price.unit_amount, item.price.recurring.interval) == (990, "year")
    assert item.quantity == 3
    assert client.v1.prices.retrieve(item.price.id).product == product.id


def test_trial_by_days_and_by_date(client, customer, price, stripe_sandbox):
    items = [{"price": price.id}]
    by_days = client.v1.subscriptions.create(
        {"customer": customer.id, "items": items, "trial_period_days": 14}
    )
    end = stripe_sandbox.now() + 20 * DAY
    by_date = client.v1.subscriptions.create(
        {"customer": customer.id, "items": items, "trial_end": end}
    )
    assert (by_days.status, by_date.status) == ("trialing", "trialing")
    assert by_days.trial_end - by_days.trial_start == 14 * DAY
    assert by_date.trial_end == by_date.billing_cycle_anchor == end
    assert by_date["items"].data[0].current_period_end == end


def test_trial_end_moves_anchor_and_period(client, stripe_sandbox, subscription):
    end = stripe_sandbox.now() + 40 * DAY
    changed = client.v1.subscriptions.update(
        subscription.id,
        {"trial_end": end, "proration_behavior": "none", "metadata": {"award": "7"}},
    )
    assert (changed.status, changed.trial_end) == ("trialing", end)
    assert changed.billing_cycle_anchor == end
    assert changed["items"].data[0].current_period_end == end
    assert changed.metadata.to_dict() == {"award": "7"}


def test_trial_ends_by_the_clock_and_periods_move_on(client, stripe_sandbox, subscription):
    end = stripe_sandbox.now() + 10 * DAY
    client.v1.subscriptions.update(subscription.id, {"trial_end": end})
    stripe_sandbox.advance(11 * DAY)
    found = client.v1.subscriptions.retrieve(subscription.id)
    assert found.status == "active"
    (item,) = found["items"].data
    assert item.current_period_start == end
    stripe_sandbox.advance(365 * DAY)
    (later,) = client.v1.subscriptions.retrieve(subscription.id)["items"].data
    now = stripe_sandbox.now()
    assert later.current_period_start <= now < later.current_period_end


@pytest.mark.parametrize(
    ("offset", "words"),
    [(-1, "in the future"), (0, "in the future"), (731 * DAY, "two years")],
)
def test_trial_end_out_of_reach(client, stripe_sandbox, subscription, offset, words):
    with pytest.raises(stripe.InvalidRequestError, match=words) as refusal:
        client.v1.subscriptions.update(
            subscription.id, {"trial_end": stripe_sandbox.now() + offset}
        )
    assert (refusal.value.http_status, refusal.value.param) == (400, "trial_end")
    assert client.v1.subscriptions.retrieve(subscription.id).status == "active"


def test_trial_of_almost_two_years(client, stripe_sandbox, subscription):
    end = stripe_sandbox.now() + 730 * DAY
    assert client.v1.subscriptions.update(subscription.id, {"trial_end": end}).trial_end == end


def test_trial_ended_now(client, stripe_sandbox, subscription):
    end = stripe_sandbox.now() + 10 * DAY
    client.v1.subscriptions.update(subscription.id, {"trial_end": end})
    ended = client.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    assert ended.status == "active"
    assert ended["items"].data[0].current_period_end > stripe_sandbox.now()


def test_totals_tell_extensions_from_other_updates(client, stripe_sandbox, subscription):
    now = stripe_sandbox.now()
    for days, proration in ((10, "none"), (20, "none"), (5, "create_prorations")):
        client.v1.subscriptions.update(
            subscription.id,
            {"trial_end": now + days * DAY, "proration_behavior": proration},
        )
    held = stripe_sandbox.totals()
    assert held["subscriptions_with_extended_trial"] == 1
    assert held["trial_extensions"] == 2
    assert held["trial_updates_prorated"] == 1


def test_unknown_customer_and_price(client, customer, price):
    with pytest.raises(stripe.InvalidRequestError) as nobody:
        client.v1.subscriptions.create({"customer": "cus_no", "items": [{"price": price.id}]})
    assert (nobody.value.http_status, nobody.value.param) == (400, "customer")
    with pytest.raises(stripe.InvalidRequestError) as nothing:
        client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": "no"}]})
    assert (nothing.value.code, nothing.value.param) == ("resource_missing", "items[0][price]")


def test_refused_creation_leaves_nothing_behind(client, customer):
    product = client.v1.products.create({"name": "Pro"})
    data = {"currency": "eur", "unit_amount": 1, "product": product.id}
    items = [
        {"price_data": {**data, "recurring": {"interval": "month"}}},
        {"price_data": {**data, "currency": "usd", "recurring": {"interval": "month"}}},
    ]
    with pytest.raises(stripe.InvalidRequestError, match="same currency"):
        client.v1.subscriptions.create({"customer": customer.id, "items": items})
    assert client.v1.prices.list().data == []


def test_another_currency_than_the_customers(client, customer, subscription):
    price = client.v1.prices.create(
        {
            "currency": "usd",
            "unit_amount": 1,
            "recurring": {"interval": "month"},
            "product_data": {"name": "Pro"},
        }
    )
    with pytest.raises(stripe.InvalidRequestError, match="cannot combine currencies"):
        client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})


def test_items_change(client, subscription):
    item = subscription["items"].data[0]
    changed = client.v1.subscriptions.update(
        subscription.id, {"items": [{"id": item.id, "quantity": 5}]}
    )
    assert [each.quantity for each in changed["items"].data] == [5]
    newest = client.v1.events.list({"limit": 1, "type": "customer.subscription.updated"}).data[0]
    assert newest.data.previous_attributes["items"].data[0].quantity == 1


def test_cancelled_subscription(client, subscription):
    ended = client.v1.subscriptions.cancel(subscription.id)
    assert (ended.status, ended.ended_at is None) == ("canceled", False)
    with pytest.raises(stripe.InvalidRequestError, match="canceled subscription can only update"):
        client.v1.subscriptions.update(subscription.id, {"trial_end": "now"})
    kept = client.v1.subscriptions.update(subscription.id, {"metadata": {"a": "b"}})
    assert kept.metadata.to_dict() == {"a": "b"}
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.subscriptions.cancel(subscription.id)


def test_cancel_at_period_end(client, subscription):
    ending = client.v1.subscriptions.update(subscription.id, {"cancel_at_period_end": True})
    assert ending.status == "active"
    assert ending.cancel_at == ending["items"].data[0].current_period_end


def test_list_by_status_customer_and_price(client, stripe_sandbox, customer, price, subscription):
    trial = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "trial_period_days": 5}
    )
    gone = client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    client.v1.subscriptions.cancel(gone.id)

    def ids(**params):
        return [each.id for each in client.v1.subscriptions.list(params).data]

    assert ids() == [trial.id, subscription.id]
    assert ids(status="all") == [gone.id, trial.id, subscription.id]
    assert ids(status="canceled") == [gone.id]
    assert ids(status="trialing") == [trial.id]
    assert ids(status="active") == [subscription.id]
    assert ids(customer="cus_other") == []
    assert ids(price=price.id) == [trial.id, subscription.id]
    assert ids(price="price_other") == []
    stripe_sandbox.advance(6 * DAY)
    assert ids(status="trialing") == []
    assert ids(status="active") == [trial.id, subscription.id]


def test_anchor_on_update_is_an_object(client, subscription):
    changed = client.v1.subscriptions.update(
        subscription.id, {"billing_cycle_anchor": {"type": "now"}}
    )
    assert changed.billing_cycle_anchor >= subscription.billing_cycle_anchor
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        client.v1.subscriptions.update(subscription.id, {"billing_cycle_anchor": "now"})
    assert refusal.value.param == "billing_cycle_anchor"


@pytest.mark.parametrize(
    ("anchor", "interval", "count", "now", "expected"),
    [
        (at(2026, 1, 31), "month", 1, at(2026, 2, 10), (at(2026, 1, 31), at(2026, 2, 28))),
        (at(2026, 1, 31), "month", 1, at(2026, 3, 30), (at(2026, 2, 28), at(2026, 3, 31))),
        (at(2026, 1, 31), "month", 1, at(2026, 2, 28), (at(2026, 2, 28), at(2026, 3, 31))),
        (at(2026, 1, 15), "month", 3, at(2026, 11, 21), (at(2026, 10, 15), at(2027, 1, 15))),
        (at(2024, 2, 29), "year", 1, at(2026, 11, 21), (at(2026, 2, 28), at(2027, 2, 28))),
        (at(2026, 11, 2), "week", 2, at(2026, 11, 21), (at(2026, 11, 16), at(2026, 11, 30))),
        (at(2026, 11, 2), "day", 1, at(2026, 11, 21), (at(2026, 11, 21), at(2026, 11, 22))),
        (at(2026, 12, 1), "month", 1, at(2026, 11, 21), (at(2026, 11, 21), at(2026, 12, 1))),
    ],
)
def test_period_around_a_moment(anchor, interval, count, now, expected):
    recurring = {"interval": interval, "interval_count": count}
    assert periods.around(anchor, recurring, now) == expected
