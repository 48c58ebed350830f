"""Idempotency keys: replayed, refused, forgotten after a day, busy while in flight."""

import threading

import pytest
import stripe

DAY = 24 * 3600


@pytest.fixture
def credit(client, customer):
    """Books a credit under a key."""

    def book(key, amount=-100, **more):
        return client.v1.customers.balance_transactions.create(
            customer.id, {"amount": amount, "currency": "eur", **more}, {"idempotency_key": key}
        )

    return book


@pytest.fixture
def balance(client, customer):
    return lambda: client.v1.customers.retrieve(customer.id).balance


def test_same_key_replays_status_body_and_says_so(credit, balance):
    first, second = credit("k"), credit("k")
    assert second.to_dict() == first.to_dict()
    assert balance() == -100
    assert "idempotent-replayed" not in first.last_response.headers
    assert second.last_response.headers["Idempotent-Replayed"] == "true"
    assert second.last_response.headers["Idempotency-Key"] == "k"
    original = first.last_response.headers["request-id"]
    assert second.last_response.headers["Original-Request"] == original


def test_replay_survives_a_day_less_a_second_and_then_executes_again(
    stripe_sandbox, credit, balance
):
    first = credit("k")
    stripe_sandbox.advance(DAY - 10)
    assert credit("k").id == first.id
    stripe_sandbox.advance(10)
    again = credit("k")
    assert again.id != first.id
    assert balance() == -200
    # The second execution holds the key anew.
    stripe_sandbox.advance(DAY - 10)
    assert credit("k").id == again.id


def test_other_parameters_are_refused(credit, balance):
    credit("k")
    with pytest.raises(stripe.IdempotencyError) as refusal:
        credit("k", amount=-200)
    assert refusal.value.http_status == 400
    assert "same parameters" in str(refusal.value)
    assert balance() == -100


def test_other_endpoint_is_refused(client, credit):
    credit("k")
    with pytest.raises(stripe.IdempotencyError, match="same endpoint"):
        client.v1.customers.create({"name": "x"}, {"idempotency_key": "k"})


def test_key_may_have_255_characters_and_no_more(credit):
    credit("k" * 255)
    with pytest.raises(stripe.IdempotencyError):
        credit("k" * 256)


def test_refused_parameters_leave_the_key_free(credit, balance):
    with pytest.raises(stripe.InvalidRequestError):
        credit("k", amount="many")
    credit("k")
    assert balance() == -100


def test_refusal_from_execution_is_kept(client, customer, credit):
    """The currency is known to be wrong only once the customer is looked at."""
    client.v1.customers.balance_transactions.create(customer.id, {"amount": -1, "currency": "usd"})
    replayed = []
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError, match="combine currencies") as refusal:
            credit("k")
        replayed.append(refusal.value.headers.get("idempotent-replayed"))
    assert replayed == [None, "true"]


def test_conflict_while_the_first_is_in_flight(stripe_sandbox, credit, balance):
    stripe_sandbox.faults({"kind": "delay", "where": "before", "delay_ms": 600, "count": 1})
    first = threading.Thread(target=credit, args=("k",))
    first.start()
    while stripe_sandbox.faults()[0]["fired"] == 0:
        pass
    with pytest.raises(stripe.APIError) as conflict:
        credit("k")
    assert type(conflict.value) is stripe.APIError
    assert conflict.value.http_status == 409
    assert conflict.value.error.code == "idempotency_key_in_use"
    first.join()
    assert credit("k").amount == -100
    assert balance() == -100


def test_too_many_requests_come_before_the_key(stripe_sandbox, credit, balance):
    stripe_sandbox.faults({"kind": "rate_limit", "count": 1})
    with pytest.raises(stripe.RateLimitError):
        credit("k")
    credit("k")
    assert balance() == -100


def test_key_on_a_get_means_nothing(client, customer):
    for name in ("Ada", "Grace"):
        client.v1.customers.update(customer.id, {"name": name})
        found = client.v1.customers.retrieve(customer.id, {}, {"idempotency_key": "k"})
        assert found.name == name
