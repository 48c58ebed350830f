"""Faults on request, and what stripe-python makes of each."""

import time

import pytest
import stripe

from backoffice.stripe_sandbox.control import SandboxError


@pytest.fixture
def credit(client, customer):
    """Books a credit under a key."""

    def book(key="k"):
        return client.v1.customers.balance_transactions.create(
            customer.id, {"amount": -100, "currency": "eur"}, {"idempotency_key": key}
        )

    return book


@pytest.fixture
def balance(client, customer):
    return lambda: client.v1.customers.retrieve(customer.id).balance


@pytest.fixture
def fault(stripe_sandbox):
    """One rule for requests to balance transactions, once unless told otherwise."""

    def add(kind, **more):
        rule = {"kind": kind, "path": "balance_transactions", "count": 1, **more}
        return stripe_sandbox.faults(rule)

    return add


@pytest.mark.parametrize(
    ("kind", "error", "status", "committed"),
    [
        ("error_500_kept", stripe.APIError, 500, True),
        ("error_500_lost", stripe.APIError, 500, False),
        ("error_502_html", stripe.APIError, 502, False),
        ("error_503", stripe.APIError, 503, False),
        ("lost_answer", stripe.APIConnectionError, None, True),
        ("cut_answer", stripe.APIConnectionError, None, True),
        ("truncated", stripe.APIError, 200, True),
        ("drop_before", stripe.APIConnectionError, None, False),
        ("rate_limit", stripe.RateLimitError, 429, False),
        ("conflict_409", stripe.APIError, 409, False),
        ("auth_401", stripe.AuthenticationError, 401, False),
    ],
)
def test_fault_is_seen_as(credit, balance, fault, kind, error, status, committed):
    fault(kind)
    with pytest.raises(error) as failure:
        credit()
    assert type(failure.value) is error
    assert failure.value.http_status == status
    assert balance() == (-100 if committed else 0)


@pytest.mark.parametrize("kind", ["lost_answer", "cut_answer", "truncated"])
def test_committed_without_an_answer_is_replayed(credit, balance, fault, kind):
    fault(kind)
    with pytest.raises(stripe.StripeError):
        credit()
    again = credit()
    assert again.last_response.headers["idempotent-replayed"] == "true"
    assert (again.amount, balance()) == (-100, -100)


@pytest.mark.parametrize(("kind", "held"), [("error_500_kept", -100), ("error_500_lost", 0)])
def test_500_is_cached_whether_it_had_an_effect_or_not(credit, balance, fault, kind, held):
    fault(kind)
    headers = []
    for _ in range(3):
        with pytest.raises(stripe.APIError) as failure:
            credit()
        headers.append(failure.value.headers)
        assert failure.value.http_status == 500
    assert [each.get("idempotent-replayed") for each in headers] == [None, "true", "true"]
    assert {each["stripe-should-retry"] for each in headers} == {"false"}
    assert balance() == held
    assert credit("another").amount == -100


@pytest.mark.parametrize("kind", ["error_502_html", "error_503", "drop_before", "conflict_409"])
def test_nothing_done_can_be_tried_again_with_the_same_key(credit, balance, fault, kind):
    fault(kind)
    with pytest.raises(stripe.StripeError):
        credit()
    assert "idempotent-replayed" not in credit().last_response.headers
    assert balance() == -100


def test_502_may_hide_an_effect(credit, balance, fault):
    fault("error_502_html", kept=True)
    with pytest.raises(stripe.APIError):
        credit()
    assert balance() == -100
    assert credit().last_response.headers["idempotent-replayed"] == "true"


def test_rate_limit_is_told_as_stripe_does(credit, fault):
    fault("rate_limit")
    with pytest.raises(stripe.RateLimitError) as failure:
        credit()
    assert failure.value.headers["Stripe-Rate-Limited-Reason"] == "global-rate"
    assert "retry-after" not in failure.value.headers
    assert (failure.value.code, failure.value.error.code) == (None, "rate_limit")


def test_delayed_answer_is_committed_before_a_client_gives_up(stripe_sandbox, customer, fault):
    fault("delay", delay_ms=1500)
    hasty = stripe_sandbox.client(http_client=stripe.RequestsClient(timeout=0.3))
    with pytest.raises(stripe.APIConnectionError):
        hasty.v1.customers.balance_transactions.create(
            customer.id, {"amount": -100, "currency": "eur"}, {"idempotency_key": "k"}
        )
    assert hasty.v1.customers.retrieve(customer.id).balance == -100


def test_delay_before_keeps_the_effect_back(stripe_sandbox, credit, balance, fault):
    fault("delay", delay_ms=200, where="before")
    started = time.monotonic()
    credit()
    assert time.monotonic() - started > 0.2


def test_sdk_retries_a_lost_answer_with_its_own_key(stripe_sandbox, customer, fault, balance):
    fault("lost_answer")
    patient = stripe_sandbox.client(max_network_retries=1)
    entry = patient.v1.customers.balance_transactions.create(
        customer.id, {"amount": -100, "currency": "eur"}
    )
    assert (entry.amount, balance()) == (-100, -100)
    assert stripe_sandbox.totals()["replays"] == 1


def test_rule_counts_and_spares(client, stripe_sandbox):
    stripe_sandbox.faults({"kind": "conflict_409", "after_n": 2, "every_nth": 3, "count": 2})
    outcomes = []
    for _ in range(12):
        try:
            client.v1.customers.create()
            outcomes.append("ok")
        except stripe.APIError:
            outcomes.append("409")
    assert [number for number, outcome in enumerate(outcomes, 1) if outcome == "409"] == [5, 8]


def test_rule_is_repeatable_by_its_seed(client, stripe_sandbox):
    def run():
        stripe_sandbox.clear_faults()
        stripe_sandbox.faults({"kind": "conflict_409", "probability": 0.5, "seed": 7})
        outcomes = []
        for _ in range(20):
            try:
                client.v1.customers.create()
                outcomes.append(True)
            except stripe.APIError:
                outcomes.append(False)
        return outcomes

    first = run()
    assert first == run()
    assert set(first) == {True, False}


def test_rule_for_one_method_spares_the_others(client, stripe_sandbox, customer):
    stripe_sandbox.faults({"kind": "error_500_lost", "method": "POST", "path": "/customers"})
    assert client.v1.customers.retrieve(customer.id).id == customer.id
    with pytest.raises(stripe.APIError):
        client.v1.customers.update(customer.id, {"name": "x"})
    stripe_sandbox.clear_faults()
    assert client.v1.customers.update(customer.id, {"name": "x"}).name == "x"


def test_rule_that_makes_no_sense_is_refused(stripe_sandbox):
    good = {"kind": "delay"}
    for wrong in (
        {"kind": "explode"},
        {"dealy_ms": 3},
        {"delay_ms": "3"},
        {"delay_ms": -1},
        {"every_nth": 0},
        {"probability": 2},
        {"where": "between"},
    ):
        with pytest.raises(SandboxError, match="400"):
            stripe_sandbox.faults(good, {**good, **wrong})
    with pytest.raises(SandboxError, match="kind"):
        stripe_sandbox.faults({"path": "x"})
    assert stripe_sandbox.faults() == []
